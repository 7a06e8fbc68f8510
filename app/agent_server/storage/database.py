"""The one pool of a process, and the one place where a statement is executed."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, LiteralString, Self, TypeVar, cast

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.errors import QueryCanceled
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from agent_server.core.errors import ConfigurationError, DatabaseUnavailable, Overloaded, Unavailable
from agent_server.core.metrics import CONNECT_FAILURES, QUERY_SECONDS
from agent_server.core.settings import Settings
from agent_server.storage.connect_errors import unreachable
from agent_server.storage.login import Login, with_parts
from agent_server.storage.queries import Query
from agent_server.storage.rotation import following_login

Params = Mapping[str, Any]
Connection = AsyncConnection[DictRow]
Pool = AsyncConnectionPool[Connection]

CONNECT_SECONDS = 5
CHECKOUT_SECONDS = 2
"""The longest a statement waits for a free connection before the answer is 503."""
START_SECONDS = 5
"""The longest a start waits for the pool's first connections."""
RECONNECT_SECONDS = 5
"""After it the pool gives an attempt up. The next statement begins a new one, without the delay that grew."""
MAX_WAITING = 500
TRIES = 3
RETRY_SECONDS = 0.2
IDLE_CHECK_SECONDS = 1.0
"""A connection unused for longer is checked before it is handed out: a round trip saved for busy ones."""
CHECK_SECONDS = 2.0
"""The longest such a check takes."""
CANCEL_SECONDS = 2.0
"""The longest a statement that has had its time waits for the server to take note of it."""
MAX_IDLE_SECONDS = 300
MAX_LIFETIME_SECONDS = 1800

# A peer that vanishes without a word is noticed within about half a minute.
KEEPALIVE = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,
}

PATIENCE_SECONDS = 8.0
"""The longest pause between the tries of a run's own statements."""

# Classes of SQLSTATE: connection, rollback (dead-lock), resources, lock not available, operator intervention.
_OUTAGES = ("08", "40", "53", "55P03", "57")
# A primary that has become a standby, a transaction that was given up, a prepared statement that a pooler
# has on another connection.
_STALE = frozenset({"25006", "25P02", "25P03", "26000", "42P05"})

_KWARGS: dict[str, Any] = {"autocommit": True, "row_factory": dict_row}

log = structlog.get_logger()

T = TypeVar("T")
_UNAVAILABLE = "The database is not available."


class ImpatientConnection(AsyncConnection[DictRow]):
    """Gives up on a server that does not answer to a cancellation either; psycopg would wait for 10 s.

    That it cannot be made is counted, whoever asks for it.
    """

    @classmethod
    async def connect(cls, *args: Any, **kwargs: Any) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]  # passed on
        """Connect as psycopg does."""
        try:
            return await super().connect(*args, **kwargs)
        except psycopg.Error:
            CONNECT_FAILURES.inc()
            raise

    async def cancel_safe(self, *, timeout: float = CANCEL_SECONDS) -> None:  # noqa: ASYNC109  # psycopg's
        """Cancel what is under way on the server; a connection that does not even let us is dropped."""
        try:
            await super().cancel_safe(timeout=min(timeout, CANCEL_SECONDS))
        except psycopg.Error:
            self.pgconn.finish()


class Database:
    """Executes named queries on pooled connections.

    A statement that finds its connection dead is tried again on another one, up to three times, so
    every named query must bear being executed twice.
    """

    def __init__(self, pool: Pool, login: Login) -> None:
        self.pool = pool
        self.login = login
        self._failures = 0
        """How many connections were lost, or could not be made, until a statement last succeeded."""

    async def all(self, query: Query, params: Params) -> list[DictRow]:
        """Return all rows.

        Raises:
            Overloaded: no connection became free in time.
            DatabaseUnavailable: PostgreSQL does not answer, or not within the query's bound.
        """
        return await self.retried(partial(self._once, query, params))

    async def one(self, query: Query, params: Params) -> DictRow | None:
        """Return the first row, or None. Raises as `all`."""
        rows = await self.all(query, params)
        return rows[0] if rows else None

    async def _once(self, query: Query, params: Params) -> list[DictRow]:
        async with self.pool.connection() as connection:
            try:
                return await execute(connection, query, params)
            except psycopg.Error as error:
                if error.sqlstate in _STALE:
                    await connection.close()  # the pool replaces it
                raise

    async def together(self, queries: Sequence[Query], params: Params) -> list[DictRow]:
        """Execute the queries in one transaction; return the last one's rows. Raises as `all`."""

        async def attempt() -> list[DictRow]:
            rows: list[DictRow] = []
            async with self.pool.connection() as connection, connection.transaction():
                for query in queries:
                    rows = await execute(connection, query, params)
            return rows

        return await self.retried(attempt)

    async def retried(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Return what `attempt` returns, tried again when its connection turns out to be dead.

        Raises as `all`.
        """
        for number in range(TRIES):
            try:
                with KeepingCancellation():
                    result = await attempt()
            except (PoolTimeout, TooManyRequests) as error:
                raise self._without_connection() from error
            except psycopg.Error as error:
                if not _is_outage(error):
                    raise
                if isinstance(error, QueryCanceled) or number == TRIES - 1:
                    raise DatabaseUnavailable(_UNAVAILABLE) from error
                await asyncio.sleep(RETRY_SECONDS * 2**number)
            except TimeoutError as error:
                msg = "The database did not answer in time."
                raise DatabaseUnavailable(msg) from error
            else:
                self._failures = self._failed_connects()
                return result
        raise AssertionError

    def _without_connection(self) -> Unavailable:
        """Tell an outage from overload, in the pool's pauses between two attempts to connect, too."""
        if self._failed_connects() > self._failures:
            return DatabaseUnavailable(_UNAVAILABLE)
        return Overloaded("No database connection became free in time.")

    def _failed_connects(self) -> int:
        told = self.pool.get_stats()
        return told.get("connections_errors", 0) + told.get("connections_lost", 0) + self.login.failures


async def execute(connection: Connection, query: Query, params: Params) -> list[DictRow]:
    """Execute a named query on one connection, within the query's bound; raises psycopg's errors."""
    with QUERY_SECONDS.labels(query.name).time():
        async with within(query.seconds):
            cursor = await connection.execute(cast("LiteralString", query.sql), params, binary=True)
            return await cursor.fetchall() if cursor.description else []


@asynccontextmanager
async def within(seconds: float) -> AsyncGenerator[None]:
    """Raise TimeoutError after so long, also where a connection was dropped to get there."""
    bound = asyncio.timeout(seconds)
    try:
        async with bound:
            yield
    except psycopg.Error as error:
        if bound.expired():
            raise TimeoutError from error
        raise


async def patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """Return what `attempt` returns, tried until the task is cancelled: for what a run has under way.

    A run can wait where a request cannot. Its lease ends it in an outage, its clock in any case.
    """
    seconds = 1.0
    while True:
        try:
            return await attempt()
        except Unavailable as error:
            log.warning("a run waits for the database", reason=error.code)
            await asyncio.sleep(seconds)
            seconds = min(seconds * 2, PATIENCE_SECONDS)


def _is_outage(error: psycopg.Error) -> bool:
    """Whether another try, or another connection, may help: the statement itself is not at fault."""
    if error.sqlstate is None:
        return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    return error.sqlstate in _STALE or error.sqlstate.startswith(_OUTAGES)


class KeepingCancellation:
    """Raises CancelledError where the task was cancelled in the block, whatever psycopg made of it.

    A cancelled psycopg ends the statement on the server and raises what comes back: a lost connection,
    say, which would be tried again by a task that was told to stop. Or it returns: before Python 3.12
    `asyncio.wait_for` loses a cancellation that comes together with what it waits for.
    """

    def __enter__(self) -> None:
        """Note what was asked of the task before."""
        self._task = asyncio.current_task()
        self._before = self._task.cancelling() if self._task else 0

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Give a cancellation back its name."""
        answered = error is None or isinstance(error, psycopg.Error)
        if answered and self._task and self._task.cancelling() > self._before:
            raise asyncio.CancelledError from error


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncGenerator[Database]:
    """Open the pool for as long as the block lasts.

    Raises:
        ConfigurationError: PostgreSQL refuses us, there is nothing to log in with, the URL is malformed, or
            the AWS credentials' address is not to be trusted: waiting would not help.
        DatabaseUnavailable: it cannot be reached within five seconds, or no AWS credentials are to be had.
    """
    login = Login(settings)
    first = await connect_first(settings.dsn, login=login)  # the pool would only log what is wrong
    await first.close()
    async with open_pool(
        settings, settings.dsn, login, settings.pool_min_size, settings.pool_max_size
    ) as pool:
        try:
            await pool.wait(START_SECONDS)
        except PoolTimeout as error:
            msg = "The database does not let POOL_MIN_SIZE connections in within five seconds."
            raise DatabaseUnavailable(msg) from error
        yield Database(pool, login)


@asynccontextmanager
async def open_pool(
    settings: Settings, dsn: str, login: Login, least: int, most: int
) -> AsyncGenerator[Pool]:
    """Open a pool of that many connections, which follows the login; none of them need be there yet."""
    pool: Pool = AsyncConnectionPool(
        partial(_conninfo, dsn, login),
        connection_class=ImpatientConnection,
        kwargs=_KWARGS | {"prepare_threshold": None if settings.has_pooler else 0},
        min_size=least,
        max_size=most,
        timeout=CHECKOUT_SECONDS,
        max_waiting=MAX_WAITING,
        max_idle=MAX_IDLE_SECONDS,
        max_lifetime=MAX_LIFETIME_SECONDS,
        configure=None if settings.has_pooler else _configure(settings.statement_timeout_seconds),
        check=_check_if_idle,
        reset=_stamp,
        reconnect_timeout=RECONNECT_SECONDS,
        open=False,
    )
    knock = partial(connect_first, dsn, login=login)
    async with pool, following_login(pool, login, knock):
        yield pool


async def connect(dsn: str, *, statement_timeout: float, login: Login | None = None) -> Connection:
    """Open a connection of its own, outside the pool; without `login`, as the URL says.

    Raises:
        DatabaseUnavailable: there is none to be had, for whatever reason: a process that has started goes on.
    """
    try:
        return await connect_first(dsn, statement_timeout=statement_timeout, login=login)
    except ConfigurationError as error:
        raise DatabaseUnavailable(_UNAVAILABLE) from error


async def connect_first(
    dsn: str, *, statement_timeout: float | None = None, login: Login | None = None
) -> Connection:
    """Open the first connection of a process. Without `statement_timeout` nothing is set in its session.

    Raises:
        ConfigurationError: PostgreSQL refuses us, there is nothing to log in with, or the URL is malformed.
        DatabaseUnavailable: it cannot be reached; asking again may help.
    """
    conninfo = await _conninfo(dsn, login) if login else with_parts(dsn, **KEEPALIVE)
    try:
        connection = await ImpatientConnection.connect(conninfo, autocommit=True, row_factory=dict_row)
        if statement_timeout is not None:
            await _configure(statement_timeout)(connection)
    except psycopg.Error as error:
        raise unreachable(error, conninfo) from error
    return connection


async def _conninfo(dsn: str, login: Login) -> str:
    return with_parts(await login.conninfo(dsn), **KEEPALIVE)


def _configure(statement_timeout: float) -> Callable[[Connection], Awaitable[None]]:
    async def configure(connection: Connection) -> None:
        milliseconds = str(int(statement_timeout * 1000))
        await connection.execute("select set_config('statement_timeout', %s, false)", (milliseconds,))

    return configure


async def _check_if_idle(connection: Connection) -> None:
    if time.monotonic() - getattr(connection, "returned_at", 0.0) > IDLE_CHECK_SECONDS:
        async with asyncio.timeout(CHECK_SECONDS):
            await Pool.check_connection(connection)


async def _stamp(connection: Connection) -> None:
    connection.returned_at = time.monotonic()  # pyright: ignore[reportAttributeAccessIssue]  # read above
