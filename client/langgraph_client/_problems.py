"""What an unsuccessful answer means, whoever wrote it: the server, or a proxy before it."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from langgraph_client._errors import Problem, api_error
from langgraph_client._flow import Reply

_TEXT_KEPT = 2000  # characters of an error page that is not JSON
_RUN_PATH = re.compile(r"/graphs/[^/]+/runs/(?P<run_id>[^/]+)(/stream)?$")


def accepted(reply: Reply, *, origin: str) -> Reply:
    """Return a successful answer; raises the ApiError of any other."""
    if reply.status // 100 != HTTPStatus.OK // 100:
        raise api_error(problem(reply, origin=origin))
    return reply


def problem(reply: Reply, *, origin: str) -> Problem:
    """Return what an unsuccessful answer says, whoever wrote it."""
    body = _body_or_text(reply)
    fields = cast("dict[str, Any]", body if isinstance(body, dict) else {})
    return Problem(
        status=reply.status,
        code=_said(fields, "code") or "",
        detail=_said(fields, "detail") or _phrase(reply.status),
        request_id=_said(fields, "request_id") or reply.headers.get("x-request-id"),
        run_id=_said(fields, "run_id") or run_of_location(reply, origin=origin),
        retry_after=retry_after(reply.headers.get("retry-after")),
        body=body,
    )


def run_of_location(reply: Reply, *, origin: str) -> str | None:
    """Return the run that `Location` names; None without one, and for one at another origin.

    Only the name is taken from it: no request ever goes where a `Location` points.
    """
    location = reply.headers.get("location", "")
    try:
        path = urlsplit(location).path
        foreign = not location.startswith("/") and origin_of(location) != origin
    except ValueError:
        return None
    found = _RUN_PATH.search(path)
    return unquote(found["run_id"]) if found and not foreign and not location.startswith("//") else None


def origin_of(address: str) -> str:
    """Return `scheme://host:port` of an absolute address; raises ValueError for a malformed one."""
    parts = urlsplit(address)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def retry_after(value: str | None) -> float | None:
    """Return the seconds of a `Retry-After`, given as seconds or as a date; None for anything else."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _said(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None


def _body_or_text(reply: Reply) -> object:
    try:
        return json.loads(reply.body)
    except ValueError:
        return reply.body.decode(errors="replace")[:_TEXT_KEPT]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"
