"""What is deleted when its time is over: stream events, idempotency keys, runs, history, whole threads.

Everything goes in bounded batches, each a transaction of its own, so that no statement runs long and no
client waits long for a thread's lock. A sweep that is cut short is gone on with by the next one.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import structlog

from agent_server.core.errors import ServerError
from agent_server.core.settings import Settings
from agent_server.storage.attachment_sweep import AttachmentSweep
from agent_server.storage.database import Database
from agent_server.storage.places import Place, open_place
from agent_server.storage.queries import load

_SQL = load("retention")

BATCH = 1000
"""Rows, runs or threads of one statement."""
CHECKPOINTS_A_BATCH = 500
"""Fewer, for a client that begins a run meanwhile waits for the thread's lock, and for 5 s at most."""
THREADS_A_SWEEP = 10_000
"""Threads of which a periodic sweep asks how idle they are; the next one goes on from there."""
TURN_SECONDS = 600
"""After so long without a sign of life, a process that was sweeping is taken for dead."""
END_SECONDS = 2
"""The longest a process that stops waits to tell that its turn is over."""

_NOBODY = UUID(int=0)
_DAY = 86400

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How long what is kept, in seconds; None keeps it for ever."""

    events: float
    idempotency_keys: float
    runs: float | None
    history: float | None
    """Of a thread that has been idle for so long, the older checkpoints go."""
    max_checkpoints: int | None
    """Above so many, a thread's older checkpoints go when a run of it has ended."""
    threads: float | None
    keep_starters: bool = False
    """Whether the runs of threads that wait for an answer stay: they know who may not give it."""


@dataclass(slots=True)
class Swept:
    """How many rows one sweep deleted; `events` counts stored chunks of them."""

    events: int = 0
    idempotency_keys: int = 0
    runs: int = 0
    checkpoints: int = 0
    threads: int = 0
    attachments: int = 0
    """Contents of them."""


def policy_of(settings: Settings) -> RetentionPolicy:
    """Return the policy that the settings describe."""
    return RetentionPolicy(
        events=settings.retention_events_seconds,
        idempotency_keys=settings.retention_idempotency_seconds,
        runs=settings.retention_runs_days * _DAY or None,
        history=settings.retention_checkpoints_days * _DAY or None,
        max_checkpoints=settings.retention_checkpoints_max or None,
        threads=settings.retention_threads_days * _DAY or None,
        keep_starters=settings.forbid_self_approval,
    )


async def keep_sweeping(database: Database, settings: Settings, place: Place | None = None) -> None:
    """Sweep every `RETENTION_SWEEP_SECONDS`, give or take a fifth, until cancelled; never, if that is 0.

    Failures are logged, and the next sweep tries again.
    """
    period, policy = settings.retention_sweep_seconds, policy_of(settings)
    while period:
        await asyncio.sleep(period * random.uniform(0.8, 1.2))  # noqa: S311  # replicas drift apart, no secret
        try:
            swept = await sweep(database, policy, place, rest=period / 2, max_threads=THREADS_A_SWEEP)
        except ServerError as error:
            log.warning("retention failed", reason=error.detail)
        except psycopg.Error:
            log.exception("retention failed")
        else:
            if swept is not None:
                log.info("retention", **_counts(swept))


async def sweep_once(database: Database, settings: Settings) -> Swept | None:
    """Sweep as the settings say, through all threads. Raises as `sweep`, and ConfigurationError."""
    async with open_place(settings) as place:
        return await sweep(database, policy_of(settings), place)


async def sweep(
    database: Database,
    policy: RetentionPolicy,
    place: Place | None = None,
    *,
    rest: float = 0,
    max_threads: int | None = None,
) -> Swept | None:
    """Delete what is due; None if another process is at it, or was less than `rest` seconds ago.

    With `max_threads`, only so many threads are asked how idle they are, from where the last sweep ended.

    Raises:
        DatabaseUnavailable, Overloaded, StorageUnavailable: what was deleted until then stays deleted.
    """
    if await database.one(_SQL["take_turn"], {"turn": TURN_SECONDS, "rest": rest}) is None:
        return None
    work = _Sweep(database, policy)
    try:
        await work.events()
        await work.idempotency_keys()
        await work.long_threads()
        await work.idle_threads(max_threads)
        await work.runs()
        if place is not None:
            work.swept.attachments = await AttachmentSweep(database, place).run()
    finally:
        # Also when this process stops; with the database away, the turn ends by itself.
        with suppress(ServerError, TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await database.all(_SQL["end_turn"], {})
    return work.swept


class _Sweep:
    """One sweep: the rules, in the order in which the runs that they go by are deleted last."""

    def __init__(self, database: Database, policy: RetentionPolicy) -> None:
        self.database = database
        self.policy = policy
        self.swept = Swept()

    async def events(self) -> None:
        """Delete the events of runs that have been over for long enough."""
        async for page in self._ended("events", self.policy.events):
            run_ids = [row["run_id"] for row in page]
            self.swept.events += await self._drain("drop_events", run_ids=run_ids)

    async def idempotency_keys(self) -> None:
        """Delete the keys that are too old to be joined."""
        age = self.policy.idempotency_keys
        self.swept.idempotency_keys += await self._drain("drop_idempotency_keys", age=age)

    async def runs(self) -> None:
        """Delete ended runs; their threads and checkpoints stay."""
        if self.policy.runs is not None:
            params = {"age": self.policy.runs, "keep_starters": self.policy.keep_starters}
            self.swept.runs += await self._drain("drop_runs", **params)

    async def long_threads(self) -> None:
        """Cut the history of threads that have grown too long, of those with a run since the last sweep."""
        if self.policy.max_checkpoints is None:
            return
        async for page in self._ended("long_threads", 0):
            params = {
                "thread_keys": list({row["thread_key"] for row in page}),
                "max": self.policy.max_checkpoints,
            }
            for row in await self.database.all(_SQL["long_threads"], params):
                await self._cut(row["thread_key"], idle_for=0)

    async def idle_threads(self, max_threads: int | None) -> None:
        """Cut the history of idle threads and delete those that are over."""
        if self.policy.history is None and self.policy.threads is None:
            return
        after, seen = await self._first_thread(max_threads), 0
        while max_threads is None or seen < max_threads:
            params = {
                "after": after,
                "thread_age": self.policy.threads,
                "history_age": self.policy.history,
                "limit": BATCH,
            }
            page = await self.database.all(_SQL["threads"], params)
            for row in page:
                await self._one_thread(row["thread_key"], expired=row["expired"], cut=row["has_history"])
            seen += len(page)
            after = page[-1]["thread_key"] if len(page) == BATCH else _NOBODY
            await self._set_mark("threads", None, after)
            if after == _NOBODY:
                return

    async def _first_thread(self, max_threads: int | None) -> UUID:
        if max_threads is None:
            return _NOBODY
        row = await self.database.one(_SQL["mark"], {"mark": "threads"})
        return row["thread_key"] if row else _NOBODY

    async def _one_thread(self, thread_key: UUID, *, expired: bool, cut: bool) -> None:
        if expired and self.policy.threads is not None:
            await self._cut(thread_key, idle_for=self.policy.threads)
            self.swept.threads += await self._locked("drop_thread", thread_key, self.policy.threads)
        elif cut and self.policy.history is not None:
            await self._cut(thread_key, idle_for=self.policy.history)

    async def _cut(self, thread_key: UUID, *, idle_for: float) -> None:
        deleted = CHECKPOINTS_A_BATCH
        while deleted == CHECKPOINTS_A_BATCH:
            deleted = await self._locked("cut_history", thread_key, idle_for)
            self.swept.checkpoints += deleted

    async def _locked(self, name: str, thread_key: UUID, idle_for: float) -> int:
        """Do something to a thread that no run can begin on meanwhile; 0 if one is at work on it."""
        params = {
            "thread_key": thread_key,
            "thread_id": str(thread_key),
            "age": idle_for,
            "limit": CHECKPOINTS_A_BATCH,
        }
        rows = await self.database.together((_SQL["lock_thread"], _SQL[name]), params)
        return rows[0]["deleted"]

    async def _drain(self, name: str, **params: Any) -> int:
        """Repeat a deletion until it finds no full batch; return how many rows went."""
        total, deleted = 0, BATCH
        while deleted == BATCH:
            rows = await self.database.all(_SQL[name], {**params, "limit": BATCH})
            deleted = rows[0]["deleted"]
            total += deleted
        return total

    async def _ended(self, mark: str, age: float) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield the runs that ended since the last sweep; each page is marked when it is done with."""
        row = await self.database.one(_SQL["mark"], {"mark": mark})
        at, run_id = row["at"] if row else datetime.fromtimestamp(0, UTC), _NOBODY
        while True:
            params = {"age": age, "at": at, "run_id": run_id, "limit": BATCH}
            page = await self.database.all(_SQL["ended"], params)
            if page:
                yield page
                at, run_id = page[-1]["finished_at"], page[-1]["run_id"]
                await self._set_mark(mark, at, None)
            if len(page) < BATCH:
                return

    async def _set_mark(self, mark: str, at: datetime | None, thread_key: UUID | None) -> None:
        await self.database.all(_SQL["set_mark"], {"mark": mark, "at": at, "thread_key": thread_key})
        await self.database.all(_SQL["keep_turn"], {"turn": TURN_SECONDS})


def _counts(swept: Swept) -> dict[str, int]:
    return {name: getattr(swept, name) for name in Swept.__slots__}
