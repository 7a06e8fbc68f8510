"""A statement whose answer is lost is executed again: it must tell what its first execution told."""

from collections.abc import AsyncIterator

import pytest
from app.support.cut_proxy import CutProxy, cut_proxy
from app.support.storage_world import (
    ALICE,
    DONE,
    GRAPH,
    begun,
    chunk,
    expire,
    new_run,
    queued,
    rows_everywhere,
    runs_of,
    settings_for,
    sql,
    taken_over,
)

from agent_server.core.errors import ThreadBusy
from agent_server.storage.database import Database, open_database
from agent_server.storage.runs import IdempotencyKey, Outcome, RunStore
from agent_server.storage.threads import ThreadStore


@pytest.fixture
async def proxy(migrated_database: str) -> AsyncIterator[CutProxy]:
    async with cut_proxy(migrated_database) as proxy:
        yield proxy


@pytest.fixture
async def runs(proxy: CutProxy) -> AsyncIterator[RunStore]:
    """Runs behind the proxy, on one connection at a time."""
    async with open_database(settings_for(proxy.dsn, pool_max_size=2)) as database:
        yield runs_of(database)


async def test_a_run_that_began_unheard_is_begun(runs: RunStore, proxy: CutProxy, database: Database) -> None:
    run = new_run()
    key = IdempotencyKey("invoke", "key", "fingerprint")
    proxy.lose_answer_to(run.payload.encode())
    claim = await runs.begin(ALICE, run, key, make_thread=True)
    assert proxy.cuts == 1
    assert claim is not None
    assert (claim.run_id, claim.attempt) == (run.run_id, 1)
    assert await runs.by_key(ALICE, key, seconds=60) == (run.run_id, "fingerprint")
    assert await runs.finish(claim, DONE, None, thread_status="idle")
    assert (await sql(database, "select count(*) as n from agent.runs"))[0]["n"] == 1


async def test_a_run_that_was_enqueued_unheard_waits_once(
    runs: RunStore, proxy: CutProxy, database: Database
) -> None:
    await begun(runs)
    run = new_run(enqueue=True)
    proxy.lose_answer_to(run.payload.encode())
    assert await runs.begin(ALICE, run, None, make_thread=True) is None
    assert proxy.cuts == 1
    rows = await sql(database, "select run_id from agent.runs where status = 'pending'")
    assert rows == [{"run_id": run.run_id}]


async def test_a_resume_that_began_unheard_is_begun(runs: RunStore, proxy: CutProxy) -> None:
    await runs.finish(await begun(runs), Outcome("interrupted"), None, thread_status="interrupted")
    run = new_run(kind="resume")
    proxy.lose_answer_to(run.payload.encode())
    claim = await runs.begin(ALICE, run, None, make_thread=False)
    assert proxy.cuts == 1
    assert claim is not None
    assert await runs.accept_resume(claim, "{}", "{}")


async def test_a_busy_thread_refuses_however_often_it_is_asked(runs: RunStore, proxy: CutProxy) -> None:
    await begun(runs)
    run = new_run()
    proxy.lose_answer_to(run.payload.encode())
    with pytest.raises(ThreadBusy):
        await runs.begin(ALICE, run, None, make_thread=True)
    assert proxy.cuts == 1


async def test_a_run_that_another_process_has_by_now_is_not_begun_again(database: Database) -> None:
    runs = runs_of(database)
    first = await begun(runs)
    run = await queued(runs)
    await runs.finish(first, DONE, None, thread_status="idle")
    assert len(await taken_over(database, runs)) == 1
    assert await runs.begin(ALICE, run, None, make_thread=True) is None


async def test_an_outcome_stored_unheard_is_stored(runs: RunStore, proxy: CutProxy) -> None:
    claim = await begun(runs)
    outcome = Outcome("success", result=b'"the marked result"')
    proxy.lose_answer_to(b"the marked result")
    assert await runs.finish(claim, outcome, chunk(1, 1, 2), thread_status="idle")
    assert proxy.cuts == 1
    record = await runs.get(ALICE, GRAPH, claim.run_id)
    assert record is not None
    assert record.outcome == outcome
    assert await runs.events_after(claim.run_id, 0, 0) == [chunk(1, 1, 2)]


async def test_an_outcome_of_another_attempt_is_not_taken_for_ours(database: Database) -> None:
    runs = runs_of(database)
    claim = await begun(runs)
    await expire(database, claim)
    (other,) = await taken_over(database, runs)
    assert await runs.finish(other, DONE, None, thread_status="idle")
    assert not await runs.finish(claim, DONE, None, thread_status="idle")
    assert await runs.finish(other, DONE, None, thread_status="idle")
    assert not await runs.finish(other, Outcome("error"), None, thread_status="error")


async def test_events_stored_unheard_are_stored_once(runs: RunStore, proxy: CutProxy) -> None:
    claim = await begun(runs)
    proxy.lose_answer_to(b"marked frames")
    assert await runs.append_events(claim, chunk(1, 1, 2, b"marked frames"))
    assert proxy.cuts == 1
    assert await runs.events_after(claim.run_id, 0, 0) == [chunk(1, 1, 2, b"marked frames")]


async def test_an_answer_recorded_unheard_is_recorded_once(
    runs: RunStore, proxy: CutProxy, database: Database
) -> None:
    claim = await begun(runs)
    proxy.lose_answer_to(b"marked detail")
    assert await runs.accept_resume(claim, "{}", '{"note": "marked detail"}')
    assert proxy.cuts == 1
    assert (await sql(database, "select count(*) as n from agent.audit_log"))[0]["n"] == 1


async def test_a_refusal_recorded_unheard_is_recorded_once(
    runs: RunStore, proxy: CutProxy, database: Database
) -> None:
    await runs.finish(await begun(runs), Outcome("interrupted"), None, thread_status="interrupted")
    claim = await runs.begin(ALICE, new_run(kind="resume"), None, make_thread=False)
    assert claim is not None
    proxy.lose_answer_to(claim.run_id.bytes)
    assert await runs.refuse_own(claim)
    assert proxy.cuts == 1
    assert (await sql(database, "select count(*) as n from agent.audit_log"))[0]["n"] == 1


async def test_a_run_cancelled_unheard_tells_that_it_waited(runs: RunStore, proxy: CutProxy) -> None:
    await begun(runs)
    run = await queued(runs)
    proxy.lose_answer_to(run.run_id.bytes)
    assert await runs.request_cancel(ALICE, GRAPH, run.run_id) == "pending"
    assert proxy.cuts == 1
    assert await runs.request_cancel(ALICE, GRAPH, run.run_id) == "cancelled"


async def test_a_run_released_unheard_waits_once(runs: RunStore, proxy: CutProxy, database: Database) -> None:
    claim = await begun(runs)
    proxy.lose_answer_to(b"last frames")
    await runs.release(claim, chunk(1, 1, 2, b"last frames"))
    assert proxy.cuts == 1
    (again,) = await taken_over(database, runs)
    assert again.attempt == 2


async def test_a_thread_deleted_unheard_is_deleted(
    runs: RunStore, proxy: CutProxy, database: Database
) -> None:
    claim = await begun(runs)
    await runs.finish(claim, DONE, None, thread_status="idle")
    threads = ThreadStore(runs.database)
    proxy.lose_answer_to(b"COMMIT")
    await threads.delete(ALICE, "t")
    assert proxy.cuts == 1
    assert set((await rows_everywhere(database, claim.thread_key, [claim.run_id])).values()) == {0}
