"""Keeps the leases of this process's runs alive, on a connection of its own.

A pool that is exhausted by slow statements must not cost a process its runs.
"""

import asyncio
import time

import structlog
from psycopg import Error

from agent_server.core.errors import DatabaseUnavailable
from agent_server.core.settings import Settings
from agent_server.runs.execution import Execution
from agent_server.runs.executor import Executor
from agent_server.storage.database import Connection, connect, execute
from agent_server.storage.login import Login
from agent_server.storage.queries import Query
from agent_server.storage.runs import renew_leases

PING_SECONDS = 4.0
"""The longest that readiness waits for the database."""
_STATEMENT_SECONDS = 4
_PING = Query("ping", "select 1", 2)

log = structlog.get_logger()


class LeaseKeeper:
    """Renews every LEASE_RENEW_SECONDS, stops runs that were lost or are to be cancelled."""

    def __init__(self, executor: Executor, settings: Settings) -> None:
        self._executor = executor
        self._settings = settings
        self._login = Login(settings)
        self._hurry = asyncio.Event()
        self._connection: Connection | None = None
        self._stamp: str | None = None
        """Of the login that the connection was made with."""
        self._lock = asyncio.Lock()

    def hurry(self) -> None:
        """Look at once: a cancellation was asked for."""
        self._hurry.set()

    async def run(self) -> None:
        """Renew until cancelled."""
        try:
            while True:
                await self._wait()
                executions = list(self._executor.local.values())
                if executions:
                    await self._renew(executions)
                elif self._login.stamp() not in (self._stamp, None):
                    async with self._lock:
                        await self._disconnect()
        finally:
            await self._disconnect()

    async def ping(self) -> None:
        """Raise DatabaseUnavailable unless PostgreSQL answers in time, however busy the pool is."""
        asking = asyncio.create_task(self._ask())
        # Not `timeout()`: psycopg takes seconds more to give up on a server that is frozen.
        await asyncio.wait({asking}, timeout=PING_SECONDS)
        if not asking.done() or asking.exception() is not None:
            asking.cancel()
            msg = "The database is not available."
            raise DatabaseUnavailable(msg)

    async def _ask(self) -> None:
        async with self._lock:
            try:
                await execute(await self._connected(), _PING, {})
            except (Error, TimeoutError, asyncio.CancelledError):
                await self._disconnect()
                raise

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._settings.lease_renew_seconds):
                await self._hurry.wait()
        except TimeoutError:
            pass
        self._hurry.clear()

    async def _renew(self, executions: list[Execution]) -> None:
        sent_at = time.monotonic()
        claims = [execution.claim for execution in executions]
        try:
            async with self._lock:
                connection = await self._connected()
                held = await renew_leases(connection, claims, lease_seconds=self._settings.lease_seconds)
        except (Error, DatabaseUnavailable, TimeoutError) as error:
            log.warning("leases were not renewed", reason=type(error).__name__, runs=len(executions))
            await self._disconnect()
            _stop_expired(executions)
            return
        for execution in executions:
            cancel = held.get(execution.claim.run_id)
            if cancel is None:
                execution.stop("superseded")
                continue
            execution.fenced_at = sent_at + self._settings.lease_seconds
            if cancel:
                execution.stop("cancelled")

    async def _connected(self) -> Connection:
        """Return the connection, made anew where it is lost or the login has changed."""
        old, stamp = self._connection, self._login.stamp()
        if old is not None and not old.closed and stamp in (self._stamp, None):
            return old
        try:
            self._connection = await connect(
                self._settings.direct_dsn, statement_timeout=_STATEMENT_SECONDS, login=self._login
            )
        except DatabaseUnavailable:
            if old is None or old.closed:
                raise
            return old  # the new login is not let in yet
        self._stamp = stamp
        if old is not None:
            await old.close()
        return self._connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _stop_expired(executions: list[Execution]) -> None:
    """Without word from the database, a run whose lease has run out may by now be another process's."""
    for execution in executions:
        if time.monotonic() > execution.fenced_at:
            execution.stop("outage")
