"""What the storage's tests have in common: tenants, runs, statements of their own."""

from collections.abc import Sequence
from typing import Any, LiteralString, cast
from uuid import UUID, uuid4

from psycopg.rows import DictRow

from agent_server.core.principal import Principal
from agent_server.core.settings import Settings
from agent_server.storage.database import Database
from agent_server.storage.runs import Chunk, Claim, IdempotencyKey, Kind, NewRun, Outcome, RunStore

ALICE = Principal(tenant="a", subject="alice")
BOB = Principal(tenant="a.b", subject="bob")
GRAPH = "graph"
DONE = Outcome("success", result=b'{"answer": 42}')


def settings_for(url: str, **more: object) -> Settings:
    """The settings of a process whose database is at `url`; its pool is small, for many live at once."""
    values = {"pool_min_size": 1, "pool_max_size": 8} | more
    return Settings.model_validate({"database_url": url} | values)


def runs_of(database: Database, *, lease_seconds: float = 15, max_crashes: int = 3) -> RunStore:
    return RunStore(database, lease_seconds=lease_seconds, max_crashes=max_crashes)


def new_run(
    thread_id: str = "t", *, graph: str = GRAPH, kind: Kind = "input", enqueue: bool = False
) -> NewRun:
    return NewRun(uuid4(), thread_id, graph, kind, '{"input": 1}', "request", enqueue)


async def begun(
    runs: RunStore, thread_id: str = "t", *, who: Principal = ALICE, key: IdempotencyKey | None = None
) -> Claim:
    """A claimed run; it exists or the test fails here."""
    claim = await runs.begin(who, new_run(thread_id), key, make_thread=True)
    assert claim is not None
    return claim


async def queued(runs: RunStore, thread_id: str = "t") -> NewRun:
    """A run that waits its turn."""
    run = new_run(thread_id, enqueue=True)
    assert await runs.begin(ALICE, run, None, make_thread=True) is None
    return run


async def expire(database: Database, *claims: Claim) -> None:
    """The processes that held these runs have died, a while ago."""
    await sql(
        database,
        "update agent.runs set lease_expires_at = now() - interval '1 s' where run_id = any(%(ids)s)",
        ids=[claim.run_id for claim in claims],
    )


async def taken_over(database: Database, runs: RunStore) -> list[Claim]:
    """What another process takes: all that it may, then one suspect."""
    ordinary = await runs.claim(limit=10, suspects=False, mine=[], graphs=[GRAPH])
    return ordinary + await runs.claim(limit=1, suspects=True, mine=[], graphs=[GRAPH])


async def ended_as_lost(runs: RunStore, mine: Sequence[UUID] = (), run_seconds: float = 3600) -> list[UUID]:
    """What a sweep ends."""
    return [run_id for run_id, _ in await runs.end_lost(mine=mine, run_seconds=run_seconds)]


def chunk(attempt: int, first: int, last: int, frames: bytes = b"frames") -> Chunk:
    return Chunk(attempt, first, last, frames)


async def sql(database: Database, statement: str, **params: Any) -> list[DictRow]:
    async with database.pool.connection() as connection:
        cursor = await connection.execute(cast("LiteralString", statement), params)
        return await cursor.fetchall() if cursor.description else []


async def rows_everywhere(
    database: Database, thread_key: object, run_ids: Sequence[object]
) -> dict[str, int]:
    """How many rows each table holds of a thread."""
    counts: dict[str, int] = {}
    for table, column in {
        "agent.threads": "thread_key::text",
        "agent.runs": "thread_key::text",
        "checkpoints": "thread_id",
        "checkpoint_blobs": "thread_id",
        "checkpoint_writes": "thread_id",
    }.items():
        found = await sql(
            database, f"select count(*) as n from {table} where {column} = %(key)s", key=str(thread_key)
        )
        counts[table] = found[0]["n"]
    for table in ("agent.run_events", "agent.idempotency_keys"):
        found = await sql(
            database, f"select count(*) as n from {table} where run_id = any(%(ids)s)", ids=list(run_ids)
        )
        counts[table] = found[0]["n"]
    return counts
