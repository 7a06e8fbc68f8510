"""What a request says, checked: its body, its query, its headers."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request

from agent_server.core.errors import (
    BodyTooLarge,
    Invalid,
    RequestTimeout,
    UnknownRun,
    UnsupportedMediaType,
)
from agent_server.core.jsonio import loads, refuse_unsafe_text
from agent_server.core.large import by_size
from agent_server.runs.replay import START, Position
from agent_server.runs.requests import ThreadId

BODY_SECONDS = 25
"""The longest a body may take to arrive; with what `protocol.py` waits for the answer to be read, 30."""
KEY_CHARACTERS = 255
LIMIT_MAX = 100
"""Of a page: an entry may hold a result or a state of many MiB."""

_JSON_TYPE = re.compile(r'application/([\w.-]+\+)?json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)

_THREAD_ID: TypeAdapter[str] = TypeAdapter(ThreadId)
_LIMIT: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(ge=1, le=LIMIT_MAX)])
_OFFSET: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(ge=0, le=2**31 - 1)])
_SECONDS: TypeAdapter[float] = TypeAdapter(Annotated[float, Field(ge=0, allow_inf_nan=False)])


async def content_of(request: Request, max_bytes: int) -> tuple[dict[str, Any], int]:
    """Read a JSON object; return it and its size in bytes.

    Raises:
        UnsupportedMediaType: it says that it is something else than JSON, or compressed.
        BodyTooLarge: more than `max_bytes`, before they are read where Content-Length tells.
        RequestTimeout: it has not arrived within BODY_SECONDS.
        Invalid: not an object, not JSON as `loads` takes it, or cut short.
    """
    _refuse_other_types(request)
    body = await _read(request, max_bytes)
    content = await by_size(len(body), partial(loads, body))
    if not isinstance(content, dict):
        msg = "The body must be a JSON object."
        raise Invalid(msg)
    return content, len(body)  # pyright: ignore[reportUnknownVariableType]  # any JSON object


async def _read(request: Request, max_bytes: int) -> bytes:
    too_large = BodyTooLarge(f"A body has at most {max_bytes} bytes.")
    if int(request.headers.get("content-length", "0")) > max_bytes:
        raise too_large
    parts: list[bytes] = []
    left = max_bytes
    async with arriving("body", BODY_SECONDS):
        async for part in request.stream():
            parts.append(part)
            left -= len(part)
            if left < 0:
                raise too_large
    return b"".join(parts)


@asynccontextmanager
async def arriving(what: str, seconds: float) -> AsyncGenerator[None]:
    """Bound the time in which a request is read.

    Raises:
        RequestTimeout: `what` has not arrived within so many seconds.
        Invalid: the client has left before it was whole.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        msg = f"The {what} did not arrive within {seconds:g} s."
        raise RequestTimeout(msg) from None
    except ClientDisconnect:
        msg = f"The client left before its {what} was whole."
        raise Invalid(msg) from None


def _refuse_other_types(request: Request) -> None:
    """A body without Content-Type is taken for JSON: it has to be JSON all the same."""
    given = request.headers.get("content-type")
    if given is not None and not _JSON_TYPE.fullmatch(given):
        msg = "The body must be JSON: Content-Type: application/json."
        raise UnsupportedMediaType(msg)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        msg = "The body must not be compressed: no Content-Encoding is taken."
        raise UnsupportedMediaType(msg)


def thread_id_of(request: Request) -> str:
    """Return the required query parameter `thread_id`."""
    value = request.query_params.get("thread_id")
    if value is None:
        msg = "The query parameter thread_id is required."
        raise Invalid(msg, errors=[{"field": "thread_id", "message": "required"}])
    return checked_thread_id(value)


def checked_thread_id(value: str) -> str:
    """Return a thread id that a query or a path names, or raise Invalid."""
    refuse_unsafe_text(value, "thread_id")
    return _checked(_THREAD_ID, "thread_id", value)


def limit_of(request: Request, default: int) -> int:
    """Return the query parameter `limit`, 1 to LIMIT_MAX."""
    return _checked(_LIMIT, "limit", request.query_params.get("limit", str(default)))


def offset_of(request: Request) -> int:
    """Return the query parameter `offset`."""
    return _checked(_OFFSET, "offset", request.query_params.get("offset", "0"))


def wait_of(request: Request) -> float:
    """Return the query parameter `wait` in seconds, 0 without it."""
    return _checked(_SECONDS, "wait", request.query_params.get("wait", "0"))


def text_of(request: Request, name: str) -> str | None:
    """Return an optional query parameter that goes into a statement."""
    value = request.query_params.get(name)
    if value is not None:
        refuse_unsafe_text(value, name)
    return value


def run_id_of(request: Request) -> UUID:
    """Return the run id of the path; what is no uuid is no run's id."""
    text: str = request.path_params["run_id"]
    try:
        return UUID(text)
    except ValueError:
        raise UnknownRun(text) from None


def idempotency_key_of(request: Request) -> str | None:
    """Return the Idempotency-Key header."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= KEY_CHARACTERS and key.isprintable()):
        msg = f"Idempotency-Key has 1 to {KEY_CHARACTERS} printable characters."
        raise Invalid(msg, errors=[{"field": "Idempotency-Key", "message": msg}])
    return key


def last_event_of(request: Request) -> Position:
    """Return the position that the Last-Event-ID header names; the start without it."""
    text = request.headers.get("last-event-id", "").strip()
    if text in {"", "0", "-1"}:
        return START
    attempt, separator, seq = text.partition("-")
    if separator and attempt.isdecimal() and seq.isdecimal() and max(len(attempt), len(seq)) <= 9:  # noqa: PLR2004  # fits an integer
        return int(attempt), int(seq)
    msg = "Last-Event-ID is not of the form ATTEMPT-SEQ."
    raise Invalid(msg, errors=[{"field": "Last-Event-ID", "message": msg}])


def _checked(adapter: TypeAdapter[Any], name: str, text: str) -> Any:
    try:
        return adapter.validate_python(text)
    except ValidationError as error:
        message = error.errors(include_url=False, include_input=False)[0]["msg"]
        msg = f"{name}: {message}."
        raise Invalid(msg, errors=[{"field": name, "message": message}]) from None
