"""`GET /metrics` on a port of its own, in the same event loop: a process that hangs does not look well."""

from collections.abc import Callable, Iterator
from typing import cast

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from agent_server.core.metrics import REGISTRY
from agent_server.storage.gauges import DatabaseGauges

OPENMETRICS = "application/openmetrics-text"

_openmetrics = cast("Callable[[Collector], bytes]", vars(openmetrics)["generate_latest"])  # untyped there


def create_exposition(gauges: DatabaseGauges) -> ASGIApp:
    """Return what METRICS_PORT serves: the metrics, as OpenMetrics to who asks for it; 404 for all else."""
    everything = _Everything(gauges)

    async def exposition(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if scope["path"] != "/metrics":
            answer = Response(status_code=404)
        elif request.method not in {"GET", "HEAD"}:
            answer = Response(status_code=405, headers={"Allow": "GET, HEAD"})
        else:
            await gauges.refresh()
            answer = everything.told_as(request.headers.get("accept", ""))
        await answer(scope, receive, send)

    return exposition


class _Everything(Collector):
    """What the process has counted, and what is read at this moment."""

    def __init__(self, gauges: DatabaseGauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        yield from REGISTRY.collect()
        yield from self._gauges.collect()

    def told_as(self, accepted: str) -> Response:
        """Return the answer to who accepts these media types."""
        if OPENMETRICS in accepted:
            encode, content_type = _openmetrics, openmetrics.CONTENT_TYPE_LATEST
        else:
            encode, content_type = generate_latest, CONTENT_TYPE_PLAIN_0_0_4
        return Response(encode(self), headers={"Content-Type": content_type})
