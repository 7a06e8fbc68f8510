"""OpenTelemetry, set up: spans in a queue, sent in batches by a thread. Nobody waits for a receiver."""

import logging
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, StatusCode

from agent_server import __version__
from agent_server.core.metrics import TRACES_LOST
from agent_server.core.settings import Settings

Attributes = dict[str, Any]

_UNNAMED = "unknown_service"
_FAILED = frozenset({"error", "timeout"})

log = structlog.get_logger()


class Spans:
    """Makes the spans of a process."""

    def __init__(self, settings: Settings) -> None:
        # It tells of each batch that is lost, with the receiver's address: `_Patient` tells once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self.with_content = settings.trace_content
        """Whether inputs, prompts and answers become attributes."""
        self._exporter = OTLPSpanExporter()
        self._processor = BatchSpanProcessor(_Patient(self._exporter))
        self._provider = TracerProvider(resource=_resource(settings), shutdown_on_exit=False)
        self._provider.add_span_processor(self._processor)
        self.tracer = self._provider.get_tracer("agent_server", __version__)

    def traceparent(self) -> str | None:
        """Return the W3C traceparent of the span that is open here."""
        carrier: dict[str, str] = {}
        inject(carrier)
        return carrier.get("traceparent")

    @contextmanager
    def request(self, headers: Mapping[str, str], attributes: Attributes) -> Generator[Attributes]:
        """Open the span of a request, under the client's own if its headers name one."""
        with self._span("request", extract(headers), SpanKind.SERVER, attributes) as (span, found):
            yield found
            span.update_name(f"{attributes['http.request.method']} {found.get('http.route', '')}".strip())
            if found.get("http.response.status_code", 500) >= 500:  # noqa: PLR2004  # the server's fault
                span.set_status(StatusCode.ERROR)

    @contextmanager
    def run(self, parent: str | None, graph: str, attributes: Attributes) -> Generator[Attributes]:
        """Open the span of a run's execution."""
        context = extract({"traceparent": parent} if parent else {}, context=Context())
        with self._span(f"invoke_agent {graph}", context, SpanKind.INTERNAL, attributes) as (span, found):
            yield found
            if found.get("langgraph.status") in _FAILED:
                span.set_status(StatusCode.ERROR)

    @contextmanager
    def _span(
        self, name: str, context: Context, kind: SpanKind, attributes: Attributes
    ) -> Generator[tuple[Span, Attributes]]:
        found: Attributes = {}
        with self.tracer.start_as_current_span(
            name, context, kind, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            trace_id = f"{span.get_span_context().trace_id:032x}"
            try:
                with structlog.contextvars.bound_contextvars(trace_id=trace_id):
                    yield span, found
            finally:
                span.set_attributes(found)

    def close(self, seconds: float) -> None:
        """Send what is left; give up after so long."""
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(seconds)


class _Patient(SpanExporter):
    """Tells once that a receiver is away, and once that it is back."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; whatever comes of it, nothing is raised."""
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            if not self._lost:
                log.warning("traces are not delivered: their receiver does not take them")
            self._lost += len(spans)
            TRACES_LOST.inc(len(spans))
        elif self._lost:
            log.info("traces are delivered again", lost=self._lost)
            self._lost = 0
        return result

    def shutdown(self) -> None:
        """Stop, without another try."""
        self._exporter.shutdown()


def _resource(settings: Settings) -> Resource:
    found = Resource.create({SERVICE_VERSION: __version__})
    if not str(found.attributes.get(SERVICE_NAME, "")).startswith(_UNNAMED):
        return found
    return found.merge(Resource({SERVICE_NAME: settings.otel_service_name}))
