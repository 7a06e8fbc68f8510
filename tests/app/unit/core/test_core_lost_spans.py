"""Spans that their receiver does not take are counted."""

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from agent_server.core.metrics import REGISTRY
from agent_server.core.spans import _Patient


class Receiver(SpanExporter):
    """Takes what it is sent, or not."""

    takes = False

    def export(self, spans: object) -> SpanExportResult:
        return SpanExportResult.SUCCESS if self.takes else SpanExportResult.FAILURE


def lost() -> float:
    return REGISTRY.get_sample_value("langgraph_traces_lost_total") or 0


def test_each_one_that_is_lost_and_none_that_is_taken() -> None:
    receiver, batch, before = Receiver(), [ReadableSpan("a"), ReadableSpan("b")], lost()
    patient = _Patient(receiver)
    patient.export(batch)
    patient.export(batch)
    assert lost() == before + 4
    receiver.takes = True
    patient.export(batch)
    assert lost() == before + 4
