"""Puts the parts of a process together and takes them apart in order."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog

from agent_server.core.errors import Draining, Unavailable
from agent_server.core.settings import Settings
from agent_server.graphs.registry import Registry
from agent_server.runs.executor import Executor
from agent_server.runs.leases import LeaseKeeper
from agent_server.runs.notify import Hub
from agent_server.runs.service import RunService
from agent_server.runs.states import StateReader
from agent_server.runs.worker import Worker
from agent_server.storage.database import Database, open_database
from agent_server.storage.migrate import require_current
from agent_server.storage.places import Place, open_place
from agent_server.storage.rates import Rates, open_rates
from agent_server.storage.replica import open_reads
from agent_server.storage.retention import keep_sweeping
from agent_server.storage.runs import RunStore
from agent_server.storage.store import open_store

ASK_SECONDS = 1.0
"""Between two attempts to reach the database at the start."""
CLAIM_SECONDS = 2.0
"""How long a stop waits for a claim that is under way."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Engine:
    """One process's share of the platform."""

    settings: Settings
    registry: Registry
    database: Database
    executor: Executor
    keeper: LeaseKeeper
    runs: RunService
    states: StateReader
    hub: Hub
    worker: Worker | None
    place: Place | None
    """Where attachments are, if they are kept at all."""
    rates: Rates

    async def require_ready(self) -> None:
        """Raise Draining when the process stops, DatabaseUnavailable unless PostgreSQL answers in time."""
        if self.draining:
            msg = "This process stops."
            raise Draining(msg)
        await self.keeper.ping()

    @property
    def draining(self) -> bool:
        """Whether the process is about to stop."""
        return self.executor.draining

    async def drain(self) -> None:
        """Begin nothing more, hand all runs over, end all streams, let those who wait for an answer have it.

        Takes DRAIN_SECONDS at most, and up to SHUTDOWN_SECONDS where runs will not be handed over.
        """
        stopping, executor = self.executor.stopping, self.executor
        if not stopping.begin():
            return
        log.info("draining", runs=len(executor.local))
        executor.request_drain()
        self._wake()
        try:
            async with asyncio.timeout(self.settings.shutdown_seconds):
                await self._claimed()
                await executor.drain()
        except TimeoutError:
            log.warning("runs were left to their leases", runs=len(executor.local))
            executor.let_go()
        with suppress(TimeoutError):
            async with asyncio.timeout(stopping.left):
                await stopping.settled()

    def hurry(self) -> None:
        """Wait for nobody any more: runs are stopped where they are, and handed over."""
        self.executor.stopping.cut_short()
        self.executor.stop_all()
        self._wake()

    async def _claimed(self) -> None:
        """Wait for what a claim that is under way brings: cut off, its runs would be nobody's for a lease."""
        if self.worker is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(CLAIM_SECONDS, self.executor.stopping.left)):
                    await self.worker.ended.wait()

    def _wake(self) -> None:
        """Let those who wait for news see that the process stops."""
        self.hub.wake()
        for execution in self.executor.local.values():
            execution.log.pulse.beat()


@asynccontextmanager
async def open_engine_patiently(
    settings: Settings, registry: Registry, *, worker: bool
) -> AsyncGenerator[Engine]:
    """Do as `open_engine`, which may fail for DATABASE_WAIT_SECONDS because the database is unreachable.

    Raises alike, DatabaseUnavailable only then.
    """
    deadline, told = time.monotonic() + settings.database_wait_seconds, ""
    async with AsyncExitStack() as stack:
        while True:
            try:
                engine = await stack.enter_async_context(open_engine(settings, registry, worker=worker))
                break
            except Unavailable as error:
                if time.monotonic() + ASK_SECONDS > deadline:
                    error.detail += f" It was asked again for {settings.database_wait_seconds:g} s."
                    raise
                if error.detail != told:
                    log.warning("waiting for the database", reason=error.detail)
                told = error.detail
            await asyncio.sleep(ASK_SECONDS)
        yield engine


@asynccontextmanager
async def open_engine(settings: Settings, registry: Registry, *, worker: bool) -> AsyncGenerator[Engine]:
    """Run everything that a process does beside answering requests, as long as the block lasts.

    Raises:
        ConfigurationError: the database is not migrated to this version, or its URL is malformed, or
            attachments cannot be kept where they should.
        DatabaseUnavailable: it does not answer.
    """
    async with (
        open_place(settings) as place,
        open_database(settings) as database,
        open_store(database) as stores,
        open_rates(settings) as rates,
        open_reads(settings, database) as reads,
    ):
        await database.retried(partial(_require_current, database))
        store = RunStore(
            database,
            lease_seconds=settings.lease_seconds,
            max_crashes=settings.max_crashes,
            tenant_runs_max=settings.tenant_runs_max,
        )
        executor = Executor(registry, store, stores, settings, place)
        hub, keeper = Hub(settings), LeaseKeeper(executor, settings)
        hub.on_news = partial(_follow, executor)
        hub.on_cancel = partial(_cancel, executor, keeper)
        async with asyncio.TaskGroup() as group:
            background = [group.create_task(keeper.run()), group.create_task(hub.run())]
            claiming = Worker(executor, hub, settings) if worker else None
            if claiming is not None:
                background.append(group.create_task(claiming.run(group)))
            if settings.retention_sweep_seconds:
                background.append(group.create_task(keep_sweeping(database, settings, place)))
            runs = RunService(executor, hub, group, settings)
            engine = Engine(
                settings=settings,
                registry=registry,
                database=database,
                executor=executor,
                keeper=keeper,
                runs=runs,
                states=StateReader(registry, database, reads),
                hub=hub,
                worker=claiming,
                place=place,
                rates=rates,
            )
            try:
                yield engine
            finally:
                await engine.drain()
                for task in background:
                    task.cancel()


async def _require_current(database: Database) -> None:
    async with database.pool.connection() as connection:
        await require_current(connection)


def _follow(executor: Executor, run_id: UUID) -> None:
    """Somebody in another process follows a run, perhaps one of this process."""
    if run_id in executor.local:
        executor.local[run_id].log.follow()


def _cancel(executor: Executor, keeper: LeaseKeeper, run_id: UUID) -> None:
    """A run is to be cancelled; if this process has it, the next renewal tells whether that holds."""
    if run_id in executor.local:
        keeper.hurry()
