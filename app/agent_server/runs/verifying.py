"""Whether a database holds what a server needs of it; reads only, so a restored copy may be asked.

A server that is started on a copy executes the copy's unfinished runs, a second time. This begins none.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import DictRow

from agent_server.core.errors import ServerError, Unavailable
from agent_server.graphs.registry import Registry
from agent_server.runs.states import reading
from agent_server.storage.attachments import record_of
from agent_server.storage.database import Database
from agent_server.storage.migrate import require_current
from agent_server.storage.places import Place
from agent_server.storage.queries import load

_SQL = load("verify")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a server could not serve."""

    tenant: str
    subject: str
    """`thread ID` or `attachment ID`, as the client names it."""
    detail: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What is there: rows of each kind, and how much of it was read."""

    threads: int
    runs: int
    unfinished: int
    """Runs that the first server on this database goes on with."""
    checkpoints: int
    audit_entries: int
    keys: int
    """API keys that are not revoked; they open something only with the pepper they were made with."""
    attachments: int
    newest: datetime | None
    """The newest change: what came later is not in this copy."""
    threads_read: int
    attachments_found: int
    problems: tuple[Problem, ...]


async def verify(database: Database, registry: Registry, place: Place | None, *, limit: int) -> Verified:
    """Count everything, and read the state of the `limit` newest threads through their graphs.

    Of the `limit` newest attachments, the place must hold the contents.

    Raises:
        ConfigurationError: the database is not migrated to this version.
        Unavailable: the database or the place does not answer.
    """
    async with database.pool.connection() as connection:
        await require_current(connection)
    [counts] = await database.all(_SQL["counts"], {})
    threads = await database.all(_SQL["threads"], {"limit": limit})
    unread = [problem async for problem in _of_threads(database, registry, threads)]
    attachments: list[DictRow] = []
    if place is not None:
        attachments = await database.all(_SQL["attachments"], {"place": place.name, "limit": limit})
    lost = [problem async for problem in _of_attachments(place, attachments)]
    return Verified(
        **counts,
        threads_read=len(threads) - len(unread),
        attachments_found=len(attachments) - len(lost),
        problems=(*unread, *lost),
    )


async def _of_threads(
    database: Database, registry: Registry, threads: list[DictRow]
) -> AsyncIterator[Problem]:
    for thread in threads:
        if detail := await _unreadable(database, registry, thread):
            yield Problem(thread["tenant"], f"thread {thread['thread_id']}", detail)


async def _unreadable(database: Database, registry: Registry, thread: DictRow) -> str:
    """Why a server could not show the thread's state; empty where it could."""
    try:
        bound, config = reading(registry.named(thread["graph"]), database, thread["thread_key"])
        snapshot = await bound.aget_state(config)
    except Unavailable:
        raise  # of the database, not of this thread
    except ServerError as error:
        return error.detail
    except Exception as error:  # noqa: BLE001  # a stored state, and a graph's own types, may raise anything
        return f"its state cannot be read: {type(error).__name__}"  # the text may hold what the state holds
    lost = thread["has_state"] and snapshot.created_at is None
    return "its runs have ended, but it has no checkpoint" if lost else ""


async def _of_attachments(place: Place | None, rows: list[DictRow]) -> AsyncIterator[Problem]:
    for record in map(record_of, rows):
        if place is not None and not await place.holds(record):
            told = f"attachment {record.attachment_id}"
            yield Problem(record.tenant, told, f"{place.name} does not hold its content")
