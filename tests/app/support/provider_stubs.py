"""A model provider on the loopback interface that speaks the real wire formats and follows a script.

It serves OpenAI's Chat Completions and Responses and Anthropic's Messages, plain and as server-sent events,
and refuses requests that the real services refuse: no key, results of tools that nobody called, an answer
of a schema that the request did not ask for. Like them it may answer 429, be silent or break off.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.support import wire_anthropic, wire_chat, wire_responses
from app.support.script import Cut, Fail, RefusedRequestError, Reply, Say, Silence

WIRES = {
    "/v1/chat/completions": wire_chat,
    "/v1/responses": wire_responses,
    "/v1/messages": wire_anthropic,
}


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class ProviderStub:
    """What the provider will say, and what it was asked. A script's last reply is repeated for ever."""

    url: str
    script: list[Reply] = field(default_factory=list[Reply])
    requests: list[Request] = field(default_factory=list[Request])
    refusals: list[str] = field(default_factory=list[str])
    closing: threading.Event = field(default_factory=threading.Event)

    def next(self) -> Reply:
        """Return the reply that is due."""
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def follow(self, replies: Sequence[Reply]) -> None:
        """Start a new script."""
        self.script[:] = replies


@contextmanager
def provider() -> Iterator[ProviderStub]:
    """Serve on a free loopback port until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    stub = ProviderStub(f"http://127.0.0.1:{server.server_address[1]}", [Say("…")])
    server.daemon_threads = True
    server.__dict__["stub"] = stub
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing: pytest's output is for tests."""

    def do_POST(self) -> None:
        stub: ProviderStub = self.server.__dict__["stub"]
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        stub.requests.append(request)
        try:
            self._answer(request, stub)
        except RefusedRequestError as error:
            stub.refusals.append(str(error))
            self._send_json(400, {"error": {"type": "invalid_request_error", "message": str(error)}}, {})

    def _answer(self, request: Request, stub: ProviderStub) -> None:
        wire: Any = WIRES[request.path]
        wire.check(request.headers, request.body)
        reply = stub.next()
        match reply:
            case Fail(status, headers):
                error = {"type": "error", "message": "as the script says"}
                self._send_json(status, {"type": "error", "error": error}, headers)
            case Silence(seconds):
                stub.closing.wait(seconds)
                self.close_connection = True
            case _ if request.body.get("stream"):
                self._send_stream(wire.stream(reply, request.body), cut=isinstance(reply, Cut))
            case _ if isinstance(reply, Cut):
                self.close_connection = True
            case _:
                self._send_json(200, wire.plain(reply, request.body), {})

    def _send_json(self, status: int, body: object, headers: dict[str, str]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.send_header("connection", "close")  # or the client's pool outlives the test's event loop
        self.end_headers()
        self.wfile.write(data)

    def _send_stream(self, frames: Iterator[str], *, cut: bool) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.send_header("connection", "close")
        self.end_headers()
        for frame in frames:
            data = frame.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
        if cut:  # without the last chunk the client knows that something is missing
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")
