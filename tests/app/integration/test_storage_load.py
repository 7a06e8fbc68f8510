"""What happens when many do it at once. Bounds are generous: two cores, and others use them, too."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from app.support.storage_world import begun, runs_of, settings_for, sql
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from agent_server.core.errors import ThreadBusy
from agent_server.storage.database import Database, connect, open_database
from agent_server.storage.queries import Query
from agent_server.storage.runs import Claim, Outcome, renew_leases
from agent_server.storage.saver import Fence, FencedSaver, ReadOnlySaver

RUNS = 24
SECONDS = 3


@pytest.fixture
async def wide(migrated_database: str) -> AsyncIterator[Database]:
    settings = settings_for(migrated_database, pool_min_size=8, pool_max_size=12)
    async with open_database(settings) as database:
        yield database


def config_of(claim: Claim) -> dict[str, Any]:
    return {"configurable": {"thread_id": str(claim.thread_key), "checkpoint_ns": ""}}


def saver_of(database: Database, claim: Claim) -> FencedSaver:
    return FencedSaver(database, JsonPlusSerializer(), Fence(claim.run_id, claim.attempt))


async def write_until(stop: asyncio.Event, database: Database, claim: Claim) -> int:
    saver, written = saver_of(database, claim), 0
    while not stop.is_set():
        config = await saver.aput(
            config_of(claim), empty_checkpoint(), {"source": "loop", "step": written}, {}
        )
        await saver.aput_writes(config, [("a", written), ("b", ["x"] * 10)], "task")
        written += 1
    return written


async def renew_until(stop: asyncio.Event, url: str, claims: list[Claim]) -> int:
    connection = await connect(url, statement_timeout=5)
    renewals = 0
    async with connection:
        while not stop.is_set():
            assert set(await renew_leases(connection, claims, lease_seconds=15)) == {
                claim.run_id for claim in claims
            }
            renewals += 1
    return renewals


async def deadlocks(database: Database) -> int:
    rows = await sql(database, "select deadlocks from pg_stat_database where datname = current_database()")
    return rows[0]["deadlocks"]


async def test_renewals_of_many_runs_never_dead_lock_with_their_writes(
    wide: Database, migrated_database: str
) -> None:
    runs = runs_of(wide)
    claims = [await begun(runs, str(number)) for number in range(RUNS)]
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(write_until(stop, wide, claim)) for claim in claims]
        # In two orders, as two processes would name them.
        renewers = [
            group.create_task(renew_until(stop, migrated_database, order)) for order in (claims, claims[::-1])
        ]
        await asyncio.sleep(SECONDS)
        stop.set()
    assert min(task.result() for task in renewers) > 5
    assert min(task.result() for task in writers) > 0
    assert await deadlocks(wide) == 0


async def test_a_thread_under_contention_ends_with_nothing_at_work(wide: Database) -> None:
    runs = runs_of(wide)

    async def work(number: int) -> int:
        done = 0
        for _ in range(10):
            try:
                claim = await begun(runs, str(number % 3))
            except ThreadBusy:
                continue
            assert await runs.finish(claim, Outcome("success"), None, thread_status="idle")
            done += 1
        return done

    done = sum(await asyncio.gather(*(work(number) for number in range(12))))
    rows = await sql(wide, "select status, count(*) as n from agent.runs group by status")
    assert rows == [{"status": "success", "n": done}]
    assert done > 0


async def read_times(saver: ReadOnlySaver, config: Any, number: int) -> list[float]:
    times: list[float] = []
    for _ in range(number):
        began = time.perf_counter()
        await saver.aget_tuple(config)
        times.append(time.perf_counter() - began)
    return times


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


async def test_a_read_does_not_wait_for_a_slow_statement_of_somebody_else(wide: Database) -> None:
    claim = await begun(runs_of(wide))
    saver, config = saver_of(wide, claim), config_of(claim)
    await saver.aput(config, empty_checkpoint(), {"source": "loop", "step": 0}, {})
    await read_times(saver, config, 20)
    idle = await read_times(saver, config, 100)
    slow = asyncio.create_task(wide.all(Query("slow", "select pg_sleep(1)", 5), {}))
    busy = await read_times(saver, config, 100)
    await slow
    # Twice as long at most, beyond what a busy machine adds to either.
    assert p95(busy) <= 2 * p95(idle) + 0.05


async def test_reads_of_one_saver_run_at_the_same_time(wide: Database) -> None:
    saver = ReadOnlySaver(wide, JsonPlusSerializer())

    async def slow_read() -> None:
        async with saver._cursor() as cursor:
            await cursor.execute("select pg_sleep(0.5)")

    began = time.perf_counter()
    await asyncio.gather(*(slow_read() for _ in range(6)))
    assert time.perf_counter() - began < 1.5
