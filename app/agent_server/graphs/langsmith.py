"""LangSmith's traces, by its own variables (`LANGCHAIN_TRACING_V2`, …); content only if that is wanted."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from langsmith import Client, configure
from langsmith.utils import tracing_is_enabled  # pyright: ignore[reportUnknownVariableType]  # an untyped dict

from agent_server.core.settings import Settings

FLUSH_SECONDS = 2.0
"""The longest that a stop waits for the last traces to be sent."""
HIDDEN = "hidden: TRACE_CONTENT is off"

_KEPT = ("langgraph_", "lc_", "ls_")
_KEPT_NAMES = frozenset(
    {"checkpoint_id", "checkpoint_ns", "revision_id", "run_id", "thread_id", "usage_metadata"}
)
"""Metadata that LangChain and LangGraph make themselves, by names that no client may send: what clients send
along may be anything."""


@contextmanager
def langsmith(settings: Settings) -> Generator[None]:
    """See to LangSmith's traces as long as the block lasts; then send what is left, briefly."""
    if not tracing_is_enabled():
        yield
        return
    client = Client() if settings.trace_content else _discreet_client()
    configure(client=client)
    try:
        yield
    finally:
        client.flush(FLUSH_SECONDS)


def _discreet_client() -> Client:
    """A client that sends names, times and counts: no inputs, no outputs, and no error's words."""
    return Client(hide_inputs=True, hide_outputs=True, anonymizer=_without_content)


def _without_content(found: dict[str, Any]) -> dict[str, Any]:
    """What the client hands over beside inputs and outputs: an error as `{"error": text}`, or metadata."""
    if set(found) == {"error"}:
        return {"error": HIDDEN}
    return _own(found)


def _own(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key.startswith(_KEPT) or key in _KEPT_NAMES}
