"""The one place where an error becomes an answer: `{"detail", "code", "request_id"}`, and nothing inner."""

from typing import Any

import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from agent_server.core.errors import RequestTimeout, ServerError, TooMany, Unavailable
from agent_server.core.metrics import REFUSED_REQUESTS
from agent_server.http.responses import location

log = structlog.get_logger()

_CODES = {404: "not_found", 405: "method_not_allowed"}
_REFUSALS = frozenset({401, 403, 413, 415, 429, 431})
"""Statuses of requests that somebody may have to look into, counted by their codes."""


async def on_server_error(request: Request, error: Exception) -> Response:
    """Answer one of our own errors."""
    if not isinstance(error, ServerError):
        raise error
    headers: dict[str, str] = {}
    if isinstance(error, (TooMany, Unavailable)):
        headers["Retry-After"] = str(error.retry_after)
    if "run_id" in error.extra and "name" in request.path_params:
        headers |= location(request.path_params["name"], error.extra["run_id"])
    if isinstance(error, RequestTimeout):
        headers["Connection"] = "close"  # the rest of the body may never come
    if error.status == 401:  # noqa: PLR2004  # the status that asks for a key
        headers["WWW-Authenticate"] = "Bearer"
    body = {**error.extra, "detail": error.detail, "code": error.code}
    return _problem(request, error.status, body, headers)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Answer what routing refuses: an unknown path, a wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    code = _CODES.get(error.status_code, "invalid_request")
    body = {"detail": error.detail, "code": code}
    return _problem(request, error.status_code, body, dict(error.headers or {}))


async def on_unexpected(request: Request, error: Exception) -> Response:
    """Answer what nobody foresaw; the log tells what it was."""
    log.error("request failed", path=request.url.path, exc_info=error)
    body = {"detail": "The server failed; its log tells more.", "code": "internal_error"}
    return _problem(request, 500, body, {})


def _problem(request: Request, status: int, body: dict[str, Any], headers: dict[str, str]) -> Response:
    if status in _REFUSALS:
        REFUSED_REQUESTS.labels(body["code"]).inc()
    content = orjson.dumps({**body, "request_id": request.scope["request_id"]})
    return Response(content, status, headers, "application/json")
