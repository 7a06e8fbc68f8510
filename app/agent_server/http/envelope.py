"""Around every request: its id, its line in the log, its count, and an answer whatever happens."""

import re
import time
from contextlib import nullcontext
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent_server.core.metrics import REQUEST_SECONDS, REQUESTS, UNKNOWN
from agent_server.core.tracing import request_span
from agent_server.http.problems import on_unexpected

_SANE = re.compile(r"^[A-Za-z0-9._:-]{1,128}$")
_QUIET = frozenset({"/health", "/ready"})
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

log = structlog.get_logger()


class Envelope:
    """ASGI middleware. `scope["request_id"]` is the client's X-Request-Id if that is sane, else a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        scope["request_id"] = request_id = _request_id(request)
        answer = _Answer(scope, send)
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            nullcontext() if answer.is_quiet else request_span(request.headers, _asked(scope)) as span,
        ):
            try:
                await self._app(scope, receive, answer.send)
            except Exception as error:  # the last resort: the client gets an answer, the log what it was
                if answer.status and not answer.whole:
                    raise  # an answer that was cut short must look like one
                if not answer.whole:  # else Starlette has answered, and raises what it answered
                    problem = await on_unexpected(request, error)
                    await problem(scope, receive, answer.send)
            answer.log()
            if span is not None:
                span.update(answer.told())


def _asked(scope: Scope) -> dict[str, str]:
    """What a span tells of a request, by OpenTelemetry's names."""
    return {
        "http.request.method": scope["method"],
        "url.path": scope["path"],
        "langgraph.request_id": scope["request_id"],
    }


class _Answer:
    """What has been sent to one request, and when."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.status = 0
        self.whole = False
        self._scope = scope
        self._send = send
        self._began = time.perf_counter()
        self.is_quiet = scope["path"] in _QUIET  # a probe: it would hide what clients see
        self._counted = self.is_quiet

    async def send(self, message: Message) -> None:
        """Send a part of it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["X-Request-Id"] = self._scope["request_id"]
        elif not self._counted:
            self._counted = True  # a stream by its first byte: its end may be hours away
            self._count()
        self.whole = is_last(message)
        await self._send(message)

    def log(self) -> None:
        """Write the request's line; a probe has none."""
        if not self.is_quiet:
            milliseconds = round(self._seconds * 1000, 1)
            method = self._scope["method"]
            log.info("request", method=method, route=self._route, status=self.status, ms=milliseconds)

    def told(self) -> dict[str, str | int]:
        """Return what a span tells of it, by OpenTelemetry's names."""
        return {"http.route": self._route, "http.response.status_code": self.status}

    def _count(self) -> None:
        method = self._scope["method"] if self._scope["method"] in _METHODS else UNKNOWN
        REQUESTS.labels(method, self._route, self.status).inc()
        REQUEST_SECONDS.labels(method, self._route).observe(self._seconds)

    @property
    def _seconds(self) -> float:
        return time.perf_counter() - self._began

    @property
    def _route(self) -> str:
        return getattr(self._scope.get("route"), "path", UNKNOWN)


def is_last(message: Message) -> bool:
    """Whether nothing of the answer follows."""
    return message["type"] == "http.response.body" and not message.get("more_body", False)


def _request_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if _SANE.match(given) else uuid4().hex
