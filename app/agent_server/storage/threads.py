"""The threads of a tenant."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.rows import DictRow

from agent_server.core.errors import ThreadBusy, UnknownThread
from agent_server.core.principal import Principal
from agent_server.storage.database import Database
from agent_server.storage.queries import load

_SQL = load("threads")

ThreadStatus = Literal["idle", "busy", "interrupted", "error"]


@dataclass(frozen=True, slots=True)
class ThreadRecord:
    """A thread as it stands in the database; `thread_key` is its id inside, which no client sees."""

    thread_key: UUID
    thread_id: str
    graph: str
    status: ThreadStatus
    last_outcome: str | None
    """How its last run ended."""
    created_at: datetime
    updated_at: datetime
    quiet_seconds: float
    """Since it was last changed, by the database's clock."""


@dataclass(frozen=True, slots=True)
class ThreadQuery:
    """Which part of a tenant's threads is wanted; None admits all."""

    graph: str | None = None
    status: str | None = None
    limit: int = 20
    offset: int = 0


class ThreadStore:
    """The statements on `agent.threads`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def get(self, principal: Principal, thread_id: str) -> ThreadRecord | None:
        """Return the thread if it is the principal's."""
        params = {"tenant": principal.tenant, "thread_id": thread_id}
        row = await self.database.one(_SQL["get"], params)
        return _record(row) if row else None

    async def has(self, thread: ThreadRecord) -> bool:
        """Whether a replica has the thread as that record of the primary says, and so all that led to it."""
        params = {"thread_key": thread.thread_key, "updated_at": thread.updated_at}
        return await self.database.one(_SQL["has"], params) is not None

    async def page(self, principal: Principal, query: ThreadQuery) -> tuple[list[ThreadRecord], int]:
        """Return a page of the tenant's threads, newest first, and how many there are, up to 10,000."""
        params = {
            "tenant": principal.tenant,
            "graph": query.graph,
            "status": query.status,
            "limit": query.limit,
            "offset": query.offset,
        }
        rows = await self.database.all(_SQL["page"], params)
        return [_record(row) for row in rows if row["thread_key"]], rows[0]["total"]

    async def delete(self, principal: Principal, thread_id: str) -> None:
        """Delete every row of the thread in every table.

        Raises:
            UnknownThread: the principal has no such thread.
            ThreadBusy: a run of it is at work or waits; nothing is deleted.
        """
        if await self.get(principal, thread_id) is None:
            raise UnknownThread(thread_id)
        params = {"tenant": principal.tenant, "thread_id": thread_id}
        rows = await self.database.together((_SQL["lock"], _SQL["delete"]), params)
        if rows and rows[0]["busy"]:
            raise ThreadBusy(thread_id)


def _record(row: DictRow) -> ThreadRecord:
    return ThreadRecord(
        thread_key=row["thread_key"],
        thread_id=row["thread_id"],
        graph=row["graph"],
        status=row["status"],
        last_outcome=row["last_outcome"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        quiet_seconds=row["quiet_seconds"],
    )
