"""The routes of attachments: what is told of them, and their content where we keep it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from pydantic import Field
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from agent_server.core.errors import (
    AttachmentStored,
    AttachmentsUnavailable,
    BodyTooLarge,
    Invalid,
    MethodNotAllowed,
    NoContent,
    UnknownAttachment,
    UnsupportedMediaType,
)
from agent_server.core.media import media_type
from agent_server.core.principal import Principal
from agent_server.http import bodies
from agent_server.http.guard import Route
from agent_server.http.responses import attachment_json, json_response, utc
from agent_server.runs.engine import Engine
from agent_server.runs.requests import Body, ThreadId, parse
from agent_server.storage.attachment_sweep import UNSETTLED_SECONDS
from agent_server.storage.attachments import AttachmentRecord, AttachmentStore, NewAttachment
from agent_server.storage.bucket import Bucket
from agent_server.storage.folder import Folder
from agent_server.storage.places import Place

UPLOAD_SECONDS = 600
"""The longest a content may take to arrive."""
NAME_CHARACTERS = 255

_NO_PAGE = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
"""A content is a file: no browser guesses its type, shows it or executes what is in it."""


class AttachmentBody(Body):
    """Of `POST /attachments`."""

    thread_id: ThreadId
    filename: Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS)]
    """Of a path, the last part counts."""
    content_type: Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS)]
    size: Annotated[int, Field(ge=1, le=2**40)]
    """Bytes."""


def attachment_routes(engine: Engine) -> list[Route]:
    """Return the lines of the contract's table."""
    endpoints = _Attachments(engine)
    one = "/attachments/{attachment_id}"
    return [
        Route("POST", "/attachments", "run", endpoints.add, AttachmentBody),
        Route("GET", one, "read", endpoints.get),
        Route("PUT", f"{one}/content", "run", endpoints.receive),
        Route("GET", f"{one}/content", "read", endpoints.content),
        Route("DELETE", one, "delete", endpoints.delete),
    ]


class _Attachments:
    """One method a route; each is told who asks, and may."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._max_bytes = engine.settings.attachment_bytes

    async def add(self, principal: Principal, request: Request) -> Response:
        """Note an attachment, and tell where its content goes."""
        place, store = self._kept()
        content, _ = await bodies.content_of(request, self._engine.settings.max_body_bytes)
        body = parse(AttachmentBody, content)
        if body.size > self._max_bytes:
            msg = f"An attachment has at most {self._max_bytes} bytes."
            raise BodyTooLarge(msg)
        new = NewAttachment(
            body.thread_id, file_name(body.filename), media_type(body.content_type), body.size
        )
        record = await store.add(principal, new)
        told = attachment_json(record) | {"upload": await _upload(place, record)}
        return json_response(told, 201, {"Location": f"/attachments/{record.attachment_id}"})

    async def get(self, principal: Principal, request: Request) -> Response:
        """Show an attachment."""
        return json_response(attachment_json(await self._current(principal, request)))

    async def receive(self, principal: Principal, request: Request) -> Response:
        """Take the content; the same one may come again."""
        place, store = self._kept()
        if not isinstance(place, Folder):
            msg = "The content goes to the URL that `POST /attachments` told."
            raise MethodNotAllowed(msg)
        record = await store.get(principal, _id_of(request))
        _check_headers(request, record)
        sha256 = await _received(place, record, request)
        try:
            taken = await store.mark_stored(principal, record.attachment_id, sha256)
        except UnknownAttachment:
            await place.remove(record)
            raise
        await place.tidy(record, taken or sha256)
        if taken != sha256:
            msg = "The attachment has another content already."
            raise AttachmentStored(msg)
        return Response(status_code=204)

    async def content(self, principal: Principal, request: Request) -> Response:
        """Send the content, or the client to where it is."""
        place, _ = self._kept()
        record = await self._current(principal, request)
        if record.stored_at is None:
            raise NoContent(str(record.attachment_id))
        if isinstance(place, Bucket):
            return RedirectResponse(await place.download_url(record), 307, {"Cache-Control": "no-store"})
        path = await place.found(record)
        disposition = f"attachment; filename*=utf-8''{quote(record.filename, safe='')}"
        headers = {**_NO_PAGE, "Content-Disposition": disposition}
        return FileResponse(path, 200, headers, record.content_type)

    async def delete(self, principal: Principal, request: Request) -> Response:
        """Delete an attachment; its content goes at the next sweep."""
        _, store = self._kept()
        await store.drop(principal, _id_of(request))
        return Response(status_code=204)

    async def _current(self, principal: Principal, request: Request) -> AttachmentRecord:
        """Return the record; a bucket is asked whether the content has come."""
        place, store = self._kept()
        record = await store.get(principal, _id_of(request))
        if record.stored_at is None and isinstance(place, Bucket) and await place.holds(record):
            await store.mark_stored(principal, record.attachment_id, None)
            return await store.get(principal, record.attachment_id)
        return record

    def _kept(self) -> tuple[Place, AttachmentStore]:
        place = self._engine.place
        if place is None:
            raise AttachmentsUnavailable
        return place, AttachmentStore(self._engine.database, place.name)


def file_name(given: str) -> str:
    """Return a name to show: the last part of a path, in printable characters.

    Raises:
        Invalid: nothing is left of it.
    """
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(one if one.isprintable() else " " if one.isspace() else "_" for one in last).strip()
    if name in {"", ".", ".."}:
        msg = "filename: this is no name of a file."
        raise Invalid(msg, errors=[{"field": "filename", "message": msg}])
    return name


async def _upload(place: Place, record: AttachmentRecord) -> dict[str, Any]:
    if isinstance(place, Bucket):
        url, headers, ends_at = await place.upload_url(record)
    else:
        url = f"/attachments/{record.attachment_id}/content"
        headers = {"Content-Length": str(record.size), "Content-Type": record.content_type}
        ends_at = record.created_at + timedelta(seconds=UNSETTLED_SECONDS)
    return {"method": "PUT", "url": url, "headers": headers, "expires_at": utc(ends_at)}


def _check_headers(request: Request, record: AttachmentRecord) -> None:
    """Refuse what its headers tell to be something else, before any of it is read."""
    given = request.headers.get("content-type", "")
    if media_type(given) != record.content_type:
        msg = f"The content must be of the type that was told: {record.content_type}."
        raise UnsupportedMediaType(msg)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        msg = "The content must come as it is: no Content-Encoding is taken."
        raise UnsupportedMediaType(msg)
    length = int(request.headers.get("content-length", record.size))
    if length > record.size:
        msg = f"The content is longer than the {record.size} bytes that were told."
        raise BodyTooLarge(msg)
    if length < record.size:
        msg = f"The content has {length} bytes, not the {record.size} that were told."
        raise Invalid(msg, errors=[{"field": "size", "message": msg}])


async def _received(folder: Folder, record: AttachmentRecord, request: Request) -> bytes:
    parts: AsyncIterator[bytes] = request.stream()
    async with bodies.arriving("content", UPLOAD_SECONDS):
        return await folder.receive(record, parts)


def _id_of(request: Request) -> UUID:
    text: str = request.path_params["attachment_id"]
    try:
        return UUID(text)
    except ValueError:
        raise UnknownAttachment(text) from None
