"""docs/contract.md §2: the table of variables and `Settings` hold the same names and defaults."""

import re
from pathlib import Path
from typing import Any

from agent_server.core.settings import Settings

CONTRACT = Path(__file__).parents[3] / "docs" / "contract.md"
READ_ELSEWHERE = {
    *("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AGENT_MODEL", "LANGGRAPH_STRICT_MSGPACK"),
    *("LANGCHAIN_TRACING_V2", "LANGCHAIN_PROJECT", "LANGCHAIN_ENDPOINT", "LANGCHAIN_API_KEY"),
    "LANGSMITH_API_KEY",
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "NO_PROXY"),
}
"""By the bundled graphs, by LangGraph itself, by LangChain's tracing, by HTTP libraries."""


def promised() -> dict[str, str]:
    """Variable to default, in the page's words."""
    section = CONTRACT.read_text().split("## 2. Environment")[1].split("\n## ")[0]
    found: dict[str, str] = {}
    for names, default in re.findall(r"^\| (`[A-Z].*?) \| (.*?) \| .* \|$", section, re.MULTILINE):
        variables = re.findall(r"`([A-Z0-9_]+)`", names)
        parts = (
            default.split(" / ") if len(variables) > 1 and " / " in default else [default] * len(variables)
        )
        found |= {name: part.strip("`") for name, part in zip(variables, parts, strict=True)}
    return found


def default_of(name: str) -> str:
    """The default of a field in the page's words."""
    field = Settings.model_fields[name.lower()]
    if field.is_required():
        return "required"
    value: Any = field.default
    if value is None:
        return "DATABASE_URL" if name == "DATABASE_DIRECT_URL" else "–"  # noqa: RUF001  # the page's dash
    if isinstance(value, tuple):
        return ",".join(value) or "empty"
    return str(value)


def test_the_table_names_every_variable_and_no_other_in_the_settings_order() -> None:
    ours = [name for name in promised() if name not in READ_ELSEWHERE]
    assert [name.upper() for name in Settings.model_fields] == ours


def test_defaults_are_the_promised_ones() -> None:
    ours = {name: default for name, default in promised().items() if name not in READ_ELSEWHERE}
    assert {name: default_of(name) for name in ours} == ours


def test_every_setting_says_what_it_means_or_is_plain() -> None:
    plain = {"host", "port", "log_level", "log_format"}
    source = (CONTRACT.parents[1] / "app/agent_server/core/settings.py").read_text()
    for name in Settings.model_fields.keys() - plain:
        assert re.search(rf'^    {name}: .*\n    """', source, re.MULTILINE), name
