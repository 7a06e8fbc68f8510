"""Traces of requests and runs: none, at no cost, unless an OTLP receiver is named.

OpenTelemetry's standard variables say where traces go, how many, and what the service is called; its own
library reads them. It is imported only if OTEL_EXPORTER_OTLP_ENDPOINT or …_TRACES_ENDPOINT is set.
"""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from agent_server.core.settings import Settings

if TYPE_CHECKING:
    from agent_server.core.spans import Spans

CLOSE_SECONDS = 2.0
"""The longest that a stop waits for the last spans to be sent."""


@dataclass(slots=True)
class _Switch:
    """Where the process's spans are made; None while there are none."""

    spans: "Spans | None" = None


_switch = _Switch()


@contextmanager
def tracing(settings: Settings) -> Generator[None]:
    """Trace as long as the block lasts, if the settings name a receiver; then send what is left, briefly."""
    if not (settings.otel_exporter_otlp_endpoint or settings.otel_exporter_otlp_traces_endpoint):
        yield
        return
    spans: Spans = import_module("agent_server.core.spans").Spans(settings)
    _switch.spans = spans
    try:
        yield
    finally:
        _switch.spans = None
        spans.close(CLOSE_SECONDS)


def spans() -> "Spans | None":
    """Return what makes spans, if anything does."""
    return _switch.spans


def traceparent() -> str | None:
    """Return the W3C traceparent of the span that is open here, if there is one."""
    return _switch.spans.traceparent() if _switch.spans else None


@contextmanager
def request_span(headers: Mapping[str, str], attributes: dict[str, Any]) -> Generator[dict[str, Any] | None]:
    """Open a request's span; what is put into the yielded dict becomes attributes of it. None without traces.

    Its name is `method route`; a status of 500 and more makes it an error.
    """
    if _switch.spans is None:
        yield None
        return
    with _switch.spans.request(headers, attributes) as found:
        yield found


@contextmanager
def run_span(parent: str | None, graph: str, attributes: dict[str, Any]) -> Generator[dict[str, Any] | None]:
    """Open the span of a run's execution under the request that began it; yields as `request_span` does."""
    if _switch.spans is None:
        yield None
        return
    with _switch.spans.run(parent, graph, attributes) as found:
        yield found


def keep_content_private() -> None:
    """Tell LangSmith's library to leave inputs and outputs out of its traces; before it is imported.

    The server's own client is told so, and more, in `graphs/langsmith.py`; this is for those of graphs.
    """
    os.environ.update(LANGSMITH_HIDE_INPUTS="true", LANGSMITH_HIDE_OUTPUTS="true")
