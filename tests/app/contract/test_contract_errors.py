"""docs/contract.md §3: the table of errors and the error tree name the same codes with the same statuses."""

import re
from pathlib import Path

from agent_server.core.errors import ConfigurationError, LeaseLost, ServerError

CONTRACT = Path(__file__).parents[3] / "docs" / "contract.md"
NEVER_ANSWERED = {LeaseLost, ConfigurationError}


def promised() -> set[tuple[int, str]]:
    section = CONTRACT.read_text().split("### Errors")[1].split("### ")[0]
    rows = re.findall(r"^\| (\d{3}) \| (.+) \|$", section, re.MULTILINE)
    # what stands in parentheses explains a code and may itself name other things
    return {
        (int(status), code)
        for status, cell in rows
        for code in re.findall(r"`([a-z_]+)`", re.sub(r"\([^)]*\)", "", cell))
    }


def tree(cls: type[ServerError] = ServerError) -> list[type[ServerError]]:
    ours = [sub for sub in cls.__subclasses__() if sub.__module__ == "agent_server.core.errors"]
    return [cls, *(deeper for sub in ours for deeper in tree(sub))]


def raised() -> set[tuple[int, str]]:
    """What can be answered: the leaves, and each inner class whose code the page names."""
    codes = {code for _, code in promised()}
    return {
        (cls.status, cls.code)
        for cls in tree()
        if cls not in NEVER_ANSWERED and (cls.code in codes or len(tree(cls)) == 1)
    }


def test_the_table_is_read() -> None:
    assert (409, "thread_busy") in promised()
    assert len(promised()) >= 25


def test_every_error_is_promised_with_its_status() -> None:
    assert raised() - promised() == set()


def test_every_promised_error_exists_with_its_status() -> None:
    assert promised() - raised() == set()
