"""Puts the parts of a process together and takes them apart in order."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog

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
from agent_server.storage.retention import keep_sweeping
from agent_server.storage.runs import RunStore
from agent_server.storage.store import open_store

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

    async def ping(self) -> None:
        """Raise DatabaseUnavailable unless PostgreSQL answers within some seconds."""
        await self.keeper.ping()

    @property
    def draining(self) -> bool:
        """Whether the process is about to stop."""
        return self.executor.draining

    async def drain(self) -> None:
        """Claim nothing more, hand all runs over; at most SHUTDOWN_SECONDS."""
        if self.draining:
            return
        log.info("draining", runs=len(self.executor.local))
        try:
            async with asyncio.timeout(self.settings.shutdown_seconds):
                await self.executor.drain()
        except TimeoutError:
            log.warning("runs were left to their leases", runs=len(self.executor.local))
            self.executor.let_go()


@asynccontextmanager
async def open_engine(settings: Settings, registry: Registry, *, worker: bool) -> AsyncGenerator[Engine]:
    """Run everything that a process does beside answering requests, as long as the block lasts.

    Raises:
        ConfigurationError: the database is not migrated to this version, or its URL is malformed.
        DatabaseUnavailable: it does not answer.
    """
    async with open_database(settings) as database, open_store(database) as stores:
        async with database.pool.connection() as connection:
            await require_current(connection)
        store = RunStore(
            database,
            lease_seconds=settings.lease_seconds,
            max_crashes=settings.max_crashes,
            tenant_runs_max=settings.tenant_runs_max,
        )
        executor = Executor(registry, store, stores, settings)
        hub, keeper = Hub(settings), LeaseKeeper(executor, settings)
        hub.on_news = partial(_follow, executor)
        hub.on_cancel = partial(_cancel, executor, keeper)
        async with asyncio.TaskGroup() as group:
            background = [group.create_task(keeper.run()), group.create_task(hub.run())]
            if worker:
                background.append(group.create_task(Worker(executor, hub, settings).run(group)))
            if settings.retention_sweep_seconds:
                background.append(group.create_task(keep_sweeping(database, settings)))
            runs = RunService(executor, hub, group, settings)
            engine = Engine(
                settings, registry, database, executor, keeper, runs, StateReader(registry, database)
            )
            try:
                yield engine
            finally:
                await engine.drain()
                for task in background:
                    task.cancel()


def _follow(executor: Executor, run_id: UUID) -> None:
    """Somebody in another process follows a run, perhaps one of this process."""
    if run_id in executor.local:
        executor.local[run_id].log.follow()


def _cancel(executor: Executor, keeper: LeaseKeeper, run_id: UUID) -> None:
    """A run is to be cancelled; if this process has it, the next renewal tells whether that holds."""
    if run_id in executor.local:
        keeper.hurry()
