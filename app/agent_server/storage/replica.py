"""Reads of threads that have come to rest, on a read replica where there is one.

The replica answers only where it shows the thread's row just as the primary does. Whatever ends a run
changes that row in the same transaction, and a replica applies transactions in the primary's order: one
that shows the row has every checkpoint that led to it. No clock and no measure of lag is believed.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import structlog
from psycopg import Error

from agent_server.core.errors import Unavailable
from agent_server.core.settings import Settings
from agent_server.storage.database import Database, open_pool
from agent_server.storage.login import Login
from agent_server.storage.threads import ThreadRecord, ThreadStore

QUIET_SECONDS = 10.0
"""A thread that has changed since is not asked for there, so a replica that lacks it lags more than this."""
ANSWER_SECONDS = 2.0
"""The longest a request waits for the replica before it goes to the primary."""
REST_SECONDS = 10.0
"""How long a replica that failed is left alone; then one request tries it."""
POOL_MAX = 4
"""Connections at most; they count for the replica's server, not for the primary's."""

log = structlog.get_logger()

T = TypeVar("T")
Read = Callable[[Database], Awaitable[T]]


class Replica:
    """Lends itself to reads, and is left alone for a while when it does not answer as it should."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rests_until = 0.0
        self.away = False
        """Whether the last read of it failed."""
        self._reads: set[asyncio.Task[bool]] = set()

    async def read(self, thread: ThreadRecord, read: Read[T]) -> list[T]:
        """Return what `read` finds, in a list that is empty where the primary is to be asked."""
        if time.monotonic() < self._rests_until:
            return []
        if self.away:
            self._rest()  # until this one has an answer, the others need not wait for it
        found: list[T] = []
        reading = asyncio.create_task(self._attempt(thread, read, found))
        self._reads.add(reading)
        reading.add_done_callback(self._forget)
        try:
            # Not `timeout()`: psycopg takes seconds more to give up on a server that is frozen.
            await asyncio.wait({reading}, timeout=ANSWER_SECONDS)
        finally:
            reading.cancel()
        self._judge(reading)
        return found

    async def _attempt(self, thread: ThreadRecord, read: Read[T], found: list[T]) -> bool:
        has = await ThreadStore(self._database).has(thread)
        if has:
            found.append(await read(self._database))
        return has

    def _judge(self, reading: "asyncio.Task[bool]") -> None:
        """Note how a read went; raise what the primary would raise as well."""
        error = reading.exception() if reading.done() else TimeoutError()
        if error is None and reading.result():
            self._note("", away=False)
        elif error is None:
            self._note("it lags behind", away=True)
        elif isinstance(error, (Error, Unavailable, TimeoutError)):
            self._note(type(error).__name__, away=True)
        else:
            raise error

    def _note(self, reason: str, *, away: bool) -> None:
        if away and not self.away:
            log.warning("the read replica is not used: reads go to the primary", reason=reason)
        elif self.away and not away:
            log.info("the read replica is back")
        self.away = away
        self._rests_until = 0.0
        if away:
            self._rest()

    def _rest(self) -> None:
        self._rests_until = time.monotonic() + REST_SECONDS

    def _forget(self, reading: "asyncio.Task[bool]") -> None:
        self._reads.discard(reading)
        if not reading.cancelled():
            reading.exception()  # one that came too late is nobody's


class SettledReads:
    """Reads a thread where it may be read: on the replica once it has come to rest, else on the primary."""

    def __init__(self, primary: Database, replica: Replica | None) -> None:
        self._primary = primary
        self._replica = replica

    async def of(self, thread: ThreadRecord, read: Read[T]) -> T:
        """Return what `read` finds. `thread` is the primary's record; raises what `read` does there."""
        if self._replica and thread.status != "busy" and thread.quiet_seconds > QUIET_SECONDS:
            found = await self._replica.read(thread, read)
            if found:
                return found[0]
        return await read(self._primary)


@asynccontextmanager
async def open_reads(settings: Settings, primary: Database) -> AsyncGenerator[SettledReads]:
    """Open the replica's pool, if DATABASE_READ_URL names one; whether it answers is seen when it is read."""
    if settings.read_dsn is None:
        yield SettledReads(primary, None)
        return
    login = Login(settings)
    async with open_pool(settings, settings.read_dsn, login, 0, POOL_MAX) as pool:
        replica = Replica(Database(pool, login))
        with _told_once(replica, pool.name):
            yield SettledReads(primary, replica)


@contextmanager
def _told_once(replica: Replica, pool: str) -> Generator[None]:
    """Leave out what the pool says of each attempt, once it is known that the replica is away."""

    def admits(record: logging.LogRecord) -> bool:
        return not (replica.away and isinstance(record.args, tuple) and record.args[:1] == (pool,))

    told = logging.getLogger("psycopg.pool")
    told.addFilter(admits)
    try:
        yield
    finally:
        told.removeFilter(admits)
