"""The calls about attachments, `client.attachments`. Their signatures and promises are those of both clients.

A content goes to where the server says: to itself, or to the store behind it. That one gets no key.
"""

import mimetypes
from http import HTTPStatus
from os import PathLike
from pathlib import Path
from typing import Any

from langgraph_client import _decode as decode
from langgraph_client._errors import ApiError, NotFound, UnexpectedAnswer
from langgraph_client._flow import Call, Request, encoded, route
from langgraph_client._models import Attachment
from langgraph_client._retry import Deadline
from langgraph_client._session import Session, exchange

_TYPES = {
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".webp": "image/webp",
}
"""Where the tables of some systems have none, or others."""


def upload(  # noqa: D417, PLR0913 - one keyword an option; the session is the client
    session: Session,
    thread_id: str,
    content: bytes | str | PathLike[str],
    *,
    filename: str | None = None,
    content_type: str | None = None,
    timeout: float | None = None,
) -> Call[Attachment]:
    """Attach a file to a thread, which may be yet to begin, and return it once its content is kept.

    Args:
        thread_id: whose runs may read it; it is deleted with that thread
        content: the content itself, or the path of a file; at most 25 MiB, if the server has its default
        filename: what it is called; the file's own name by default, needed for bytes
        content_type: one of those that the server takes; guessed by the name by default
        timeout: seconds for the whole call, repeats included; the client's own by default

    Raises:
        ValueError: no name, or none that tells the type.
        ApiError: the server takes no such content (status 413, 415), or keeps no attachments (501).
        OSError: the file cannot be read.
    """
    name = filename or ("" if isinstance(content, bytes) else Path(content).name)
    kind = content_type or _guessed(name)
    data = content if isinstance(content, bytes) else Path(content).read_bytes()
    deadline = session.deadline(timeout)
    body = {"thread_id": thread_id, "filename": name, "content_type": kind, "size": len(data)}
    headers = {"Content-Type": "application/json"}
    request = Request(method="POST", path="/attachments", headers=headers, body=encoded(body))
    reply = yield from exchange(session, request, deadline=deadline)
    fields = decode.body_of(reply)
    attachment_id = decode.text(fields, "attachment_id")
    yield from _put(session, decode.object_of(fields.get("upload"), "upload"), data, deadline)
    kept = yield from _get(session, attachment_id, deadline)
    if not kept.stored:
        message = f"the content of attachment {attachment_id} was taken, and is not there"
        raise UnexpectedAnswer(message)
    return kept


def get(session: Session, attachment_id: str) -> Call[Attachment]:
    """Return what is known of an attachment; NotFound without one."""
    return (yield from _get(session, attachment_id, session.deadline()))


def download(session: Session, attachment_id: str, *, timeout: float | None = None) -> Call[bytes]:
    """Return the content, whole; NotFound without one."""
    deadline = session.deadline(timeout)
    request = Request(method="GET", path=route("attachments", attachment_id, "content"))
    moved = HTTPStatus.TEMPORARY_REDIRECT
    reply = yield from exchange(session, request, deadline=deadline, also=moved)
    if reply.status == moved:
        elsewhere = Request(method="GET", path=_absolute(reply.headers.get("location", "")), keyless=True)
        reply = yield from exchange(session, elsewhere, deadline=deadline)
    return reply.body


def delete(session: Session, attachment_id: str) -> Call[None]:
    """Delete an attachment; NotFound when there was none."""
    tries = session.tries()
    try:
        request = Request(method="DELETE", path=route("attachments", attachment_id))
        yield from exchange(session, request, tries=tries)
    except NotFound:
        if not tries.lost:
            raise
        # gone by the try whose answer was lost


def _get(session: Session, attachment_id: str, deadline: Deadline) -> Call[Attachment]:
    request = Request(method="GET", path=route("attachments", attachment_id))
    reply = yield from exchange(session, request, deadline=deadline)
    return decode.attachment(decode.body_of(reply))


def _put(session: Session, place: decode.Fields, data: bytes, deadline: Deadline) -> Call[None]:
    """Send the content; where an earlier try has brought it already, a store says so with 412."""
    url = decode.text(place, "url")
    headers: dict[str, Any] = dict(decode.object_of(place.get("headers"), "headers"))
    own = url.startswith("/")
    request = Request(
        method=decode.text(place, "method"),
        path=url if own else _absolute(url),
        headers={name: str(value) for name, value in headers.items()},
        body=data,
        keyless=not own,
    )
    try:
        yield from exchange(session, request, deadline=deadline)
    except ApiError as error:
        if own or error.status != HTTPStatus.PRECONDITION_FAILED:
            raise


def _absolute(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        message = "the content is at no address that HTTP knows"
        raise UnexpectedAnswer(message)
    return url


def _guessed(name: str) -> str:
    if not name:
        message = "filename is needed where the content is given as bytes"
        raise ValueError(message)
    kind = _TYPES.get(Path(name).suffix.lower()) or mimetypes.guess_type(name)[0]
    if kind is None:
        message = f"content_type is needed: the name {name!r} does not tell it"
        raise ValueError(message)
    return kind
