"""The error tree: drawn as it is, one line where a process does not start, and no inner words."""

import re
from typing import Any

import pytest

from agent_server.core import errors
from agent_server.core.errors import ConfigurationError, NoContent, ServerError, UnknownGraph, shorten


def subclasses(cls: type[ServerError]) -> list[type[ServerError]]:
    direct = [sub for sub in cls.__subclasses__() if sub.__module__ == errors.__name__]
    return direct + [deeper for sub in direct for deeper in subclasses(sub)]


def drawn() -> dict[str, tuple[str, str]]:
    """Name to parent and status, as the module's docstring draws them."""
    found: dict[str, tuple[str, str]] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│├└─ ]*)([A-Z]\w+)(?:\s+(\d{3})?.*)?$", line)
        if match:
            level = len(match[1]) // 4
            above[level:] = [match[2]]
            found[match[2]] = (above[level - 1] if level else "", match[3] or "")
    return found


def test_the_drawing_is_the_tree() -> None:
    tree = {cls.__name__: cls.__bases__[0].__name__ for cls in subclasses(ServerError)}
    assert {name: parent for name, (parent, _) in drawn().items() if parent} == tree


def test_the_statuses_drawn_are_those_answered() -> None:
    for name, (_, status) in drawn().items():
        if status:
            assert getattr(errors, name).status == int(status), name


def test_a_class_answers_with_the_status_of_its_branch() -> None:
    for cls in subclasses(ServerError):
        parent: Any = cls.__bases__[0]
        assert parent is ServerError or cls.status == parent.status, cls


def test_no_two_classes_share_a_code() -> None:
    without = {ConfigurationError, NoContent}  # never leaves the process; to clients no attachment is there
    codes = [cls.code for cls in subclasses(ServerError) if cls not in without]
    assert len(codes) == len(set(codes))


def test_every_class_says_when_it_is_raised() -> None:
    assert all(cls.__doc__ for cls in subclasses(ServerError))


def test_a_start_that_fails_shows_one_line() -> None:
    error = ConfigurationError("a\nb\r\n\tc\u2028d")
    assert error.detail == str(error) == "a b c d"
    assert len(ConfigurationError("x" * 5000).detail) == 1000


def test_extra_fields_reach_the_answer() -> None:
    error = UnknownGraph("x", ["a", "b"])
    assert error.extra == {"known": ["a", "b"]}
    assert "a, b" in error.detail


@pytest.mark.parametrize(("text", "expected"), [("abc", "abc"), ("abcd", "ab…"), ("", "")])
def test_what_is_cut_shows_that_it_is(text: str, expected: str) -> None:
    assert shorten(text, 3) == expected
