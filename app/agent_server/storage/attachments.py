"""The attachments of a tenant: what is known of them. Where their content is, `places` tells."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from psycopg.rows import DictRow

from agent_server.core.errors import UnknownAttachment
from agent_server.core.principal import Principal
from agent_server.storage.database import Database
from agent_server.storage.queries import load

_SQL = load("attachments")


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """What a client tells of a content that will follow."""

    thread_id: str
    filename: str
    content_type: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class AttachmentRecord:
    """An attachment as it stands in the database."""

    attachment_id: UUID
    tenant: str
    thread_id: str
    filename: str
    content_type: str
    size: int
    sha256: bytes | None
    """Of the content, where it came through us."""
    created_by: str
    created_at: datetime
    stored_at: datetime | None
    """When the content was known to be there."""

    @property
    def tenant_key(self) -> str:
        """The tenant's folder: a name that any tenant may have, in letters that any store takes."""
        return hashlib.sha256(self.tenant.encode()).hexdigest()[:32]


class AttachmentStore:
    """The statements on `agent.attachments` that clients and runs lead to; `place` is where contents are."""

    def __init__(self, database: Database, place: str) -> None:
        self._database = database
        self._place = place

    async def add(self, principal: Principal, new: NewAttachment) -> AttachmentRecord:
        """Note an attachment whose content is still to come."""
        params = {
            "attachment_id": uuid4(),
            "tenant": principal.tenant,
            "thread_id": new.thread_id,
            "filename": new.filename,
            "content_type": new.content_type,
            "size": new.size,
            "place": self._place,
            "created_by": principal.subject,
        }
        return record_of((await self._database.all(_SQL["add"], params))[0])

    async def get(self, principal: Principal, attachment_id: UUID) -> AttachmentRecord:
        """Return the attachment if it is the principal's; raises UnknownAttachment."""
        row = await self._database.one(_SQL["get"], self._params(principal, attachment_id))
        if row is None:
            raise UnknownAttachment(str(attachment_id))
        return record_of(row)

    async def of_thread(
        self, principal: Principal, thread_key: UUID, attachment_id: UUID
    ) -> AttachmentRecord:
        """Return it if it is the principal's and of that thread; raises UnknownAttachment."""
        params = self._params(principal, attachment_id) | {"thread_key": thread_key}
        row = await self._database.one(_SQL["of_thread"], params)
        if row is None:
            raise UnknownAttachment(str(attachment_id))
        return record_of(row)

    async def mark_stored(
        self, principal: Principal, attachment_id: UUID, sha256: bytes | None
    ) -> bytes | None:
        """Note that the content is there; return the SHA-256 of the one that came first, which counts.

        Raises UnknownAttachment if it was deleted meanwhile.
        """
        params = self._params(principal, attachment_id) | {"sha256": sha256}
        row = await self._database.one(_SQL["mark_stored"], params)
        if row is None:
            raise UnknownAttachment(str(attachment_id))
        return row["sha256"]

    async def drop(self, principal: Principal, attachment_id: UUID) -> None:
        """Delete it; its content goes at the next sweep. Raises UnknownAttachment."""
        await self.get(principal, attachment_id)
        await self._database.all(_SQL["drop"], self._params(principal, attachment_id))

    def _params(self, principal: Principal, attachment_id: UUID) -> dict[str, object]:
        return {"tenant": principal.tenant, "attachment_id": attachment_id, "place": self._place}


def record_of(row: DictRow) -> AttachmentRecord:
    """Return a row as a record."""
    return AttachmentRecord(**{name: row[name] for name in AttachmentRecord.__slots__})
