"""What clients attached to a thread, for the nodes of its graph.

    from agent_server.attachments import read

    async def summarize(state: State) -> State:
        attachment = await read(state["attachment_id"])
        return {"summary": await summary_of(attachment.content, attachment.content_type)}

A node reads the attachments of its own thread and of no other, whatever id it is handed. `read_sync` is for
nodes without `async`, which run in threads.
"""

import asyncio
import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from agent_server.core.errors import AttachmentsUnavailable, NoContent, UnknownAttachment
from agent_server.core.media import check_content
from agent_server.core.principal import Principal
from agent_server.storage.attachments import AttachmentRecord, AttachmentStore
from agent_server.storage.database import Database, patiently
from agent_server.storage.places import Place

__all__ = ["Attachment", "UnknownAttachment", "read", "read_sync"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a client attached to the thread."""

    attachment_id: str
    filename: str
    """As the client told it: to be shown, never to be opened."""
    content_type: str
    """One of those that the server takes; the content begins as such a file does."""
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ThreadAttachments:
    """What of the attachments one run may read: those of its own thread."""

    database: Database
    place: Place | None
    principal: Principal
    thread_key: UUID
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    async def read(self, attachment_id: str) -> Attachment:
        """Return an attachment; outlasts a while in which it cannot be had. Raises as the function `read`."""
        try:
            wanted = UUID(attachment_id)
        except (ValueError, AttributeError, TypeError):
            raise UnknownAttachment(str(attachment_id)) from None
        return await patiently(partial(self._read, wanted))

    async def _read(self, wanted: UUID) -> Attachment:
        if self.place is None:
            raise AttachmentsUnavailable
        store = AttachmentStore(self.database, self.place.name)
        record = await store.of_thread(self.principal, self.thread_key, wanted)
        content = await self.place.read(record)
        await asyncio.to_thread(_verify, record, content)
        return Attachment(str(wanted), record.filename, record.content_type, content)


_current: ContextVar[ThreadAttachments] = ContextVar("thread_attachments")


@contextmanager
def readable(attachments: ThreadAttachments) -> Generator[None]:
    """Let the nodes that run within the block read these; the server's own business."""
    token = _current.set(attachments)
    try:
        yield
    finally:
        _current.reset(token)


async def read(attachment_id: str) -> Attachment:
    """Return an attachment of the thread that this node works for, whole and as it was uploaded.

    Raises:
        UnknownAttachment: the thread has none of that id, or its content has not come. As the failure of a
            run it is told to the client.
        UnsupportedMediaType: the content is not of its type.
        RuntimeError: outside a node.
    """
    return await _of_this_run().read(attachment_id)


def read_sync(attachment_id: str) -> Attachment:
    """Do the same in a node without `async`. Raises as `read`; RuntimeError in the event loop, too."""
    attachments = _of_this_run()
    if _has_loop():
        msg = "use `await read(…)` in the event loop"
        raise RuntimeError(msg)
    return asyncio.run_coroutine_threadsafe(attachments.read(attachment_id), attachments.loop).result()


def _of_this_run() -> ThreadAttachments:
    try:
        return _current.get()
    except LookupError:
        msg = "attachments can be read inside a node of a graph only"
        raise RuntimeError(msg) from None


def _has_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # a worker thread, as it should be
        return False
    return True


def _verify(record: AttachmentRecord, content: bytes) -> None:
    whole = len(content) == record.size
    if not whole or (record.sha256 is not None and hashlib.sha256(content).digest() != record.sha256):
        raise NoContent(str(record.attachment_id))
    check_content(record.content_type, content)
