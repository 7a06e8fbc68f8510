"""LangGraph's checkpoint tables as hash partitions by thread, made once, when a database is first migrated.

The library's own migrations are what is executed, with two changes: each of the three tables is partitioned,
and indexes are not made concurrently, which PostgreSQL refuses for a partitioned table and an empty one does
not need. They are noted as done, so the library's `setup()` finds nothing left to do.
"""

import hashlib
import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import LiteralString, cast

import structlog
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from agent_server.core.errors import ConfigurationError
from agent_server.storage.database import Connection

TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
KNOWN = "98d38ed91d4a57a2fb066323f26f2902efcb01f483e09f3ff2be31304a799d35"
"""The `digest` of the library's migrations for which both changes are known to be all that is needed."""

_TABLE = re.compile(rf"(CREATE TABLE IF NOT EXISTS (?:{'|'.join(TABLES)}) \(.*\));", re.DOTALL)

log = structlog.get_logger()


async def provide_partitions(connection: Connection, count: int) -> None:
    """Make the checkpoint tables of a new database with so many partitions; 0 or 1: leave them to LangGraph.

    Raises:
        ConfigurationError: the tables are there with another number of partitions, or this version of the
            library makes them in a way that is not known here. Nothing is changed then.
    """
    wanted = count if count > 1 else 0
    found = await _found(connection)
    if found is None and wanted:
        _require_known(await _applied(connection))
        async with connection.transaction():
            await _make(connection, AsyncPostgresSaver.MIGRATIONS, wanted)
        log.info("checkpoint tables partitioned", partitions=wanted)
    elif found is not None and found != wanted:
        msg = (
            f"CHECKPOINT_PARTITIONS is {count}, and the checkpoint tables of this database have"
            f" {found or 'no'} partitions: the number is chosen before the first migration."
            f" Set it to {found}, or copy the data into a new database (docs/howto/partition-checkpoints.md)."
        )
        raise ConfigurationError(msg)
    elif found:
        _require_known(await _applied(connection))


def digest(migrations: Sequence[str]) -> str:
    """Return the SHA-256 of the migrations, in hex."""
    return hashlib.sha256("\0".join(migrations).encode()).hexdigest()


def partitioned(migration: str) -> str:
    """Return one of the library's migrations for partitioned tables that are empty."""
    return _TABLE.sub(r"\1 PARTITION BY HASH (thread_id);", migration).replace("INDEX CONCURRENTLY", "INDEX")


def _require_known(applied: int) -> None:
    """A later migration may be one that PostgreSQL refuses for partitioned tables, half-way through."""
    migrations = AsyncPostgresSaver.MIGRATIONS
    if applied < len(migrations) and digest(migrations) != KNOWN:
        library = "langgraph-checkpoint-postgres"
        msg = (
            f"CHECKPOINT_PARTITIONS: {library} {version(library)} has migrations that this server does not"
            " know how to apply to partitioned tables: use the version that it is locked to."
        )
        raise ConfigurationError(msg)


async def _found(connection: Connection) -> int | None:
    """Count the partitions of the checkpoint tables, 0 for tables without; None where there are no tables."""
    cursor = await connection.execute(
        "select count(*) as tables, min(partitions) as least, max(partitions) as most from ("
        "  select (select count(*) from pg_inherits i where i.inhparent = to_regclass(name)) as partitions"
        "  from unnest(%s::text[]) as name where to_regclass(name) is not null) as found",
        (list(TABLES),),
    )
    row = await cursor.fetchone()
    if row is None or row["tables"] == 0:
        return None
    if row["least"] != row["most"]:
        msg = "The checkpoint tables of this database have different numbers of partitions."
        raise ConfigurationError(msg)
    return row["most"]


async def _applied(connection: Connection) -> int:
    """Count the library's migrations that are noted as done."""
    cursor = await connection.execute("select to_regclass('checkpoint_migrations') is not null as there")
    row = await cursor.fetchone()
    if row is None or not row["there"]:
        return 0
    cursor = await connection.execute("select coalesce(max(v) + 1, 0) as applied from checkpoint_migrations")
    row = await cursor.fetchone()
    return row["applied"] if row else 0


async def _make(connection: Connection, migrations: Sequence[str], count: int) -> None:
    for number, migration in enumerate(migrations):
        await connection.execute(cast("LiteralString", partitioned(migration)))
        for table in TABLES:
            if f"EXISTS {table} (" in migration:
                await _split(connection, table, count)
        await connection.execute(
            "insert into checkpoint_migrations (v) values (%s) on conflict do nothing", (number,)
        )


async def _split(connection: Connection, table: str, count: int) -> None:
    for number in range(count):
        statement = (
            f"create table {table}_p{number:03} partition of {table}"
            f" for values with (modulus {count}, remainder {number})"
        )
        await connection.execute(cast("LiteralString", statement))
