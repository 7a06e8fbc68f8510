import asyncio

import pytest
from app.support.storage_world import (
    ALICE,
    BOB,
    DONE,
    GRAPH,
    begun,
    chunk,
    new_run,
    queued,
    rows_everywhere,
    runs_of,
    sql,
)

from agent_server.core.errors import ThreadBusy, UnknownThread
from agent_server.core.principal import Principal
from agent_server.storage.database import Database, execute
from agent_server.storage.queries import load
from agent_server.storage.runs import Claim, IdempotencyKey, Outcome, PageQuery, RunStore
from agent_server.storage.threads import ThreadQuery, ThreadStore


async def full_thread(database: Database, who: Principal, thread_id: str = "t") -> list[Claim]:
    """A thread with two ended runs and rows in every table."""
    runs, claims = runs_of(database), list[Claim]()
    for number in range(2):
        claim = await begun(
            runs, thread_id, who=who, key=IdempotencyKey("invoke", f"{thread_id} {number}", "x")
        )
        await runs.finish(claim, DONE, chunk(1, 1, 2), thread_status="idle")
        claims.append(claim)
    key = str(claims[0].thread_key)
    for statement in (
        "insert into checkpoints (thread_id, checkpoint_id, checkpoint) values (%(key)s, 'c', '{}')",
        "insert into checkpoint_blobs (thread_id, channel, version, type) values (%(key)s, 'c', '1', 'null')",
        "insert into checkpoint_writes (thread_id, checkpoint_id, task_id, idx, channel, blob)"
        " values (%(key)s, 'c', 't', 0, 'c', '')",
    ):
        await sql(database, statement, key=key)
    return claims


async def rows_of(database: Database, claims: list[Claim]) -> dict[str, int]:
    return await rows_everywhere(database, claims[0].thread_key, [claim.run_id for claim in claims])


async def test_two_tenants_may_use_one_name_and_never_meet(database: Database) -> None:
    threads = ThreadStore(database)
    hers, his = await full_thread(database, ALICE), await full_thread(database, BOB)
    mine, other = await threads.get(ALICE, "t"), await threads.get(BOB, "t")
    assert mine is not None
    assert other is not None
    assert (mine.thread_key, other.thread_key) == (hers[0].thread_key, his[0].thread_key)
    assert (mine.graph, mine.status, mine.last_outcome) == (GRAPH, "idle", "success")
    assert mine.updated_at > mine.created_at
    await threads.delete(ALICE, "t")
    assert set((await rows_of(database, hers)).values()) == {0}
    assert 0 not in (await rows_of(database, his)).values()


async def test_another_tenants_thread_is_not_there(database: Database) -> None:
    threads = ThreadStore(database)
    claims = await full_thread(database, ALICE, "hers")
    before = await rows_of(database, claims)
    assert await threads.get(BOB, "hers") is None
    assert await threads.page(BOB, ThreadQuery()) == ([], 0)
    with pytest.raises(UnknownThread):
        await threads.delete(BOB, "hers")
    assert await rows_of(database, claims) == before


async def test_the_inner_key_is_no_name(database: Database) -> None:
    claims = await full_thread(database, ALICE)
    assert await ThreadStore(database).get(ALICE, str(claims[0].thread_key)) is None


async def test_pages_are_newest_first_with_the_status_that_clients_see(database: Database) -> None:
    runs, threads = runs_of(database), ThreadStore(database)
    for name, status in (("0", "idle"), ("1", "interrupted"), ("2", "error"), ("3", None)):
        claim = await begun(runs, name)
        if status:
            await runs.finish(claim, Outcome("success"), None, thread_status=status)
    other = await runs.begin(ALICE, new_run("4", graph="other"), None, make_thread=True)
    assert other is not None

    async def page(query: ThreadQuery) -> tuple[list[tuple[str, str]], int]:
        records, total = await threads.page(ALICE, query)
        return [(record.thread_id, record.status) for record in records], total

    assert await page(ThreadQuery(limit=2)) == ([("4", "busy"), ("3", "busy")], 5)
    assert await page(ThreadQuery(limit=2, offset=4)) == ([("0", "idle")], 5)
    assert await page(ThreadQuery(offset=9)) == ([], 5)
    assert await page(ThreadQuery(graph="other")) == ([("4", "busy")], 1)
    assert await page(ThreadQuery(status="busy", graph=GRAPH)) == ([("3", "busy")], 1)
    assert await page(ThreadQuery(status="interrupted")) == ([("1", "interrupted")], 1)


async def test_totals_count_up_to_ten_thousand(database: Database) -> None:
    claims = await full_thread(database, ALICE)
    await sql(
        database,
        "insert into agent.threads (thread_key, tenant, thread_id, graph)"
        " select gen_random_uuid(), tenant, 'n' || n, graph from agent.threads, generate_series(1, 10001) n",
    )
    await sql(
        database,
        "insert into agent.runs"
        " (run_id, thread_key, tenant, graph, kind, status, payload, created_by, request_id)"
        " select gen_random_uuid(), thread_key, tenant, graph, kind, status, payload, created_by, request_id"
        " from agent.runs, generate_series(1, 10001) where run_id = %(run)s",
        run=claims[0].run_id,
    )
    assert (await ThreadStore(database).page(ALICE, ThreadQuery(limit=1)))[1] == 10_000
    assert (await runs_of(database).page(ALICE, GRAPH, PageQuery(limit=1)))[1] == 10_000
    last, total = await ThreadStore(database).page(ALICE, ThreadQuery(offset=10_001))
    assert (len(last), total) == (1, 10_000)


async def test_a_busy_thread_is_not_deleted(database: Database) -> None:
    runs, threads = runs_of(database), ThreadStore(database)
    claim = await begun(runs)
    waiting = await queued(runs)
    with pytest.raises(ThreadBusy):
        await threads.delete(ALICE, "t")
    await runs.finish(claim, DONE, None, thread_status="idle")
    with pytest.raises(ThreadBusy):
        await threads.delete(ALICE, "t")
    await runs.request_cancel(ALICE, GRAPH, waiting.run_id)
    await threads.delete(ALICE, "t")
    with pytest.raises(UnknownThread):
        await threads.delete(ALICE, "t")


async def begun_or_refused(runs: RunStore, number: int) -> Claim | None:
    try:
        claim = await begun(runs, f"{number}")
    except ThreadBusy:
        return None
    return claim


async def test_a_deletion_sees_the_run_that_it_waited_for(database: Database) -> None:
    runs, threads = runs_of(database), ThreadStore(database)
    await full_thread(database, ALICE)
    run = new_run()
    async with database.pool.connection() as connection, connection.transaction():
        row = await execute(connection, load("runs")["begin"], runs._begin_params(ALICE, run, None))
        assert row[0]["run_status"] == "running"
        deletion = asyncio.create_task(threads.delete(ALICE, "t"))
        await asyncio.sleep(0.3)
        assert not deletion.done()
    with pytest.raises(ThreadBusy):
        await deletion
    assert await runs.get(ALICE, GRAPH, run.run_id) is not None


async def test_a_run_that_begins_during_a_deletion_is_never_deleted(database: Database) -> None:
    runs, threads = runs_of(database), ThreadStore(database)
    for number in range(15):
        await full_thread(database, ALICE, f"{number}")
    answers = await asyncio.gather(
        *(begun_or_refused(runs, number) for number in range(15)),
        *(threads.delete(ALICE, f"{number}") for number in range(15)),
        return_exceptions=True,
    )
    assert all(answer is None or isinstance(answer, (Claim, ThreadBusy)) for answer in answers)
    for claim in answers[:15]:
        assert isinstance(claim, Claim)
        assert await runs.finish(claim, DONE, None, thread_status="idle")
