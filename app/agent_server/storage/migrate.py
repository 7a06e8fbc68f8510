"""Brings a database to the schema of this version. Run by the `migrate` command, never by a server.

Several may start at once: they take turns by an advisory lock that is *polled*. A blocking lock would
wait for ever, because the library's CREATE INDEX CONCURRENTLY waits for the snapshots of those who wait.
"""

import asyncio
import re
from typing import LiteralString, cast

import structlog
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.store.postgres.aio import AsyncPostgresStore
from psycopg.errors import InvalidSchemaName, UndefinedTable

from agent_server.core.errors import ConfigurationError, DatabaseUnavailable
from agent_server.core.settings import Settings
from agent_server.storage.application_role import provide_role
from agent_server.storage.database import Connection, connect_first
from agent_server.storage.fingerprint import MIGRATIONS, schema_fingerprint
from agent_server.storage.login import Login
from agent_server.storage.partitions import provide_partitions

_LOCK = 0x1A66E7  # any number that every version of this program agrees on
_POLL_SECONDS = 0.1
_LOCK_SECONDS = 300
_STATEMENT_SECONDS = 900
"""An index over a large table takes its time."""

_OLDEST = re.compile(r"^-- oldest: (\w+)$", re.MULTILINE)
"""In a migration: the one that a version has to know in order to go on working with the database."""

log = structlog.get_logger()


async def migrate(settings: Settings) -> list[str]:
    """Apply what is missing and return its names; does nothing on a current database.

    Raises:
        DatabaseUnavailable: no connection, or another migration holds the lock for five minutes.
        ConfigurationError: PostgreSQL refuses us, the URL is malformed, CHECKPOINT_PARTITIONS or
            APPLICATION_ROLE asks for what cannot be made, or a newer version has changed the database in a
            way that this one cannot work with.
    """
    connection = await connect_first(
        settings.direct_dsn, statement_timeout=_STATEMENT_SECONDS, login=Login(settings)
    )
    async with connection:
        await _take_lock(connection)
        await _refuse_later_ones(connection)
        await provide_partitions(connection, settings.checkpoint_partitions)
        applied = await _apply_ours(connection)
        await AsyncPostgresSaver(connection).setup()
        await AsyncPostgresStore(connection).setup()
        await connection.execute(
            "insert into agent.migrations (name) values (%s) on conflict do nothing", (_fingerprint_name(),)
        )
        if settings.application_role is not None:
            await provide_role(connection, settings.application_role, settings.application_role_password_file)
    return applied


async def require_current(connection: Connection) -> None:
    """Raise ConfigurationError unless `migrate` of this very version has run on the database.

    A newer version may have migrated it since: this one works on, as its pods do during every rollout, unless
    that version said that it cannot.
    """
    await _refuse_later_ones(connection)
    try:
        cursor = await connection.execute(
            "select 1 from agent.migrations where name = %s", (_fingerprint_name(),)
        )
        current = await cursor.fetchone()
    except (UndefinedTable, InvalidSchemaName):
        current = None
    if current is None:
        msg = "The database is not migrated to this version: run `python -m agent_server migrate` first."
        raise ConfigurationError(msg)


async def _refuse_later_ones(connection: Connection) -> None:
    """Raise ConfigurationError if the database asks for a migration that this version does not know."""
    try:
        cursor = await connection.execute("select name from agent.migrations where name like 'oldest:%'")
        asked = {str(row["name"]).partition(":")[2] for row in await cursor.fetchall()}
    except (UndefinedTable, InvalidSchemaName):
        return
    if unknown := asked - {path.stem for path in MIGRATIONS.glob("*.sql")}:
        msg = (
            "The database was changed by a newer version: this one does not know "
            f"{', '.join(sorted(unknown))} and cannot work with it. Run a version that does."
        )
        raise ConfigurationError(msg)


def _fingerprint_name() -> str:
    return f"fingerprint:{schema_fingerprint()}"


async def _take_lock(connection: Connection) -> None:
    deadline = asyncio.get_running_loop().time() + _LOCK_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        cursor = await connection.execute("select pg_try_advisory_lock(%s) as taken", (_LOCK,))
        row = await cursor.fetchone()
        if row and row["taken"]:
            return
        await asyncio.sleep(_POLL_SECONDS)
    msg = "Another migration has held the lock for five minutes."
    raise DatabaseUnavailable(msg)


async def _apply_ours(connection: Connection) -> list[str]:
    await connection.execute("create schema if not exists agent")
    await connection.execute(
        "create table if not exists agent.migrations ("
        " name text primary key, applied_at timestamptz not null default now())"
    )
    cursor = await connection.execute("select name from agent.migrations")
    done = {row["name"] for row in await cursor.fetchall()}
    pending = [path for path in sorted(MIGRATIONS.glob("*.sql")) if path.stem not in done]
    for path in pending:
        async with connection.transaction():
            text = path.read_text()
            await connection.execute(cast("LiteralString", text))
            for name in (path.stem, *(f"oldest:{found}" for found in _OLDEST.findall(text))):
                insert = "insert into agent.migrations (name) values (%s) on conflict do nothing"
                await connection.execute(insert, (name,))
        log.info("migrated", migration=path.stem)
    return [path.stem for path in pending]
