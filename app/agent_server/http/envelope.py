"""Around every request: its id, its line in the log, and an answer whatever happens."""

import re
import time
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent_server.http.problems import on_unexpected

_SANE = re.compile(r"^[A-Za-z0-9._:-]{1,128}$")
_QUIET = frozenset({"/health", "/ready"})

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
        began = time.perf_counter()
        status, whole = 0, False

        async def send_with_id(message: Message) -> None:
            nonlocal status, whole
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            whole = is_last(message)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as error:  # the last resort: the client gets an answer, the log what it was
                if status and not whole:
                    raise  # an answer that was cut short must look like one
                if not whole:  # else Starlette has answered, and raises what it answered
                    answer = await on_unexpected(request, error)
                    await answer(scope, receive, send_with_id)
            if scope["path"] not in _QUIET:
                _log(scope, status, time.perf_counter() - began)


def is_last(message: Message) -> bool:
    """Whether nothing of the answer follows."""
    return message["type"] == "http.response.body" and not message.get("more_body", False)


def _log(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "unknown")
    log.info("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))


def _request_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if _SANE.match(given) else uuid4().hex
