"""Where traces go in tests: an OTLP/HTTP receiver, and one that answers as LangSmith's API does."""

import gzip
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan


@dataclass
class Received:
    """One request to a receiver."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Span:
    """One span, readable."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    status: int
    attributes: dict[str, Any]
    service: str


@dataclass
class Receiver:
    """What has come to it."""

    url: str
    requests: list[Received] = field(default_factory=list)
    status: int = 200
    """How it answers."""

    @property
    def spans(self) -> list[Span]:
        """All spans of OTLP requests."""
        return [
            readable(span, {item.key: item.value.string_value for item in group.resource.attributes})
            for received in self.requests
            for group in ExportTraceServiceRequest.FromString(received.body).resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def wait_for(self, condition: Callable[["Receiver"], Any], seconds: float = 20) -> Any:
        """The first true value of the condition; spans come in batches."""
        deadline = time.monotonic() + seconds
        while not (found := condition(self)):
            assert time.monotonic() < deadline, [span.name for span in self.spans]
            time.sleep(0.1)
        return found

    @property
    def everything(self) -> str:
        """All that was sent, headers left out."""
        return "".join(received.path + received.body.decode(errors="replace") for received in self.requests)


def readable(span: WireSpan, resource: dict[str, str]) -> Span:
    return Span(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        kind=span.kind,
        status=span.status.code,
        attributes={item.key: plain(item.value) for item in span.attributes},
        service=resource.get("service.name", ""),
    )


def plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    return getattr(value, kind)


class Handler(BaseHTTPRequestHandler):
    """Takes whatever comes, for the receiver of a subclass."""

    protocol_version = "HTTP/1.1"
    found: Receiver

    def do_POST(self) -> None:
        body = self._body()
        self.found.requests.append(Received(self.path, dict(self.headers.items()), body))
        self._answer(b"" if self.path.startswith("/v1/") else b"{}")

    def do_PATCH(self) -> None:
        self.do_POST()

    def do_GET(self) -> None:
        # what LangSmith says about itself: how it likes to be sent runs
        self._answer(json.dumps({"version": "0.12.0", "batch_ingest_config": BATCHES}).encode())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return unpacked(body, self.headers.get("Content-Encoding", ""))

    def _answer(self, body: bytes) -> None:
        self.send_response(self.found.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
        pass


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port."""
    found = Receiver("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Ours", (Handler,), {"found": found}))
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    serving = threading.Thread(target=server.serve_forever, args=(0.05,))
    serving.start()
    try:
        yield found
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


BATCHES = {
    "use_multipart_endpoint": True,
    "size_limit": 100,
    "size_limit_bytes": 20_971_520,
    "scale_up_nthreads_limit": 1,
    "scale_up_qsize_trigger": 1000,
    "scale_down_nempty_trigger": 4,
}


def unpacked(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    return body
