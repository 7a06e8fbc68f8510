import asyncio
from uuid import uuid4

import pytest
from app.support.storage_world import (
    ALICE,
    BOB,
    DONE,
    GRAPH,
    begun,
    chunk,
    ended_as_lost,
    expire,
    new_run,
    queued,
    runs_of,
    sql,
    taken_over,
)

from agent_server.core.errors import ThreadBusy, ThreadOfAnotherGraph, UnknownThread
from agent_server.storage.database import Database, connect
from agent_server.storage.runs import IdempotencyKey, Outcome, PageQuery, renew_leases
from agent_server.storage.threads import ThreadStore

KEY = IdempotencyKey("invoke", "key", "fingerprint")


async def status_of(database: Database, thread_id: str = "t") -> str | None:
    thread = await ThreadStore(database).get(ALICE, thread_id)
    return thread.status if thread else None


async def test_a_run_begins_claimed_on_a_new_thread(database: Database) -> None:
    claim = await begun(runs_of(database))
    assert (claim.attempt, claim.thread_is_new, claim.principal) == (1, True, ALICE)
    record = await runs_of(database).get(ALICE, GRAPH, claim.run_id)
    assert record is not None
    assert (record.status, record.ended, record.started_at) == ("running", False, record.created_at)
    assert await status_of(database) == "busy"


async def test_a_second_run_is_refused_while_one_is_at_work(database: Database) -> None:
    runs = runs_of(database)
    first = await begun(runs)
    with pytest.raises(ThreadBusy):
        await begun(runs)
    assert await runs.finish(first, DONE, None, thread_status="idle")
    assert await status_of(database) == "idle"
    assert (await begun(runs)).last_outcome == "success"


async def test_of_many_at_once_one_runs(database: Database) -> None:
    runs = runs_of(database)
    answers = await asyncio.gather(*(begun(runs) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(answer, ThreadBusy) for answer in answers) == 19


async def test_of_many_enqueued_at_once_one_runs_and_the_others_wait(database: Database) -> None:
    runs = runs_of(database)
    answers = await asyncio.gather(
        *(runs.begin(ALICE, new_run(enqueue=True), None, make_thread=True) for _ in range(20))
    )
    assert sum(answer is not None for answer in answers) == 1
    rows = await sql(database, "select count(*) as n from agent.runs where status = 'pending'")
    assert rows[0]["n"] == 19


async def test_a_refused_run_leaves_the_thread_as_it_was(database: Database) -> None:
    runs = runs_of(database)
    first = await begun(runs)
    answers = await asyncio.gather(
        runs.finish(first, Outcome("interrupted"), None, thread_status="interrupted"),
        *(begun(runs) for _ in range(5)),
        return_exceptions=True,
    )
    for claim in answers[1:]:
        if not isinstance(claim, BaseException):
            await runs.abandon(claim)
    assert await status_of(database) == "interrupted"


async def test_an_abandoned_run_leaves_no_trace(database: Database) -> None:
    runs = runs_of(database)
    claim = await begun(runs, key=KEY)
    await runs.abandon(claim)
    assert await runs.get(ALICE, GRAPH, claim.run_id) is None
    assert await runs.by_key(ALICE, KEY, seconds=60) is None
    assert await status_of(database) == "idle"


async def test_a_thread_stays_with_its_graph(database: Database) -> None:
    runs = runs_of(database)
    await runs.finish(await begun(runs), DONE, None, thread_status="idle")
    with pytest.raises(ThreadOfAnotherGraph):
        await runs.begin(ALICE, new_run(graph="other"), None, make_thread=True)
    with pytest.raises(UnknownThread):
        await runs.begin(ALICE, new_run(graph="other", kind="resume"), None, make_thread=False)
    with pytest.raises(UnknownThread):
        await runs.begin(ALICE, new_run("elsewhere"), None, make_thread=False)


async def test_a_run_on_a_thread_that_exists_is_refused_while_another_is_at_work(database: Database) -> None:
    runs = runs_of(database)
    first = await begun(runs)
    with pytest.raises(ThreadBusy):
        await runs.begin(ALICE, new_run(kind="resume"), None, make_thread=False)
    await runs.finish(first, Outcome("interrupted"), None, thread_status="interrupted")
    claim = await runs.begin(ALICE, new_run(kind="resume"), None, make_thread=False)
    assert claim is not None
    assert (claim.thread_key, claim.last_outcome, claim.kind) == (first.thread_key, "interrupted", "resume")


async def test_a_queue_is_served_in_order_one_at_a_time(database: Database) -> None:
    runs = runs_of(database)
    claim = await begun(runs)
    waiting = [await queued(runs) for _ in range(3)]
    for run in waiting:
        assert await taken_over(database, runs) == []
        await runs.finish(claim, DONE, None, thread_status="idle")
        assert await status_of(database) == "busy"
        (claim,) = await taken_over(database, runs)
        assert (claim.run_id, claim.attempt, claim.after_crash) == (run.run_id, 1, False)


async def test_runs_of_graphs_that_a_process_does_not_know_are_left_to_others(database: Database) -> None:
    runs = runs_of(database)
    await expire(database, await begun(runs))
    assert await runs.claim(limit=10, suspects=False, mine=[], graphs=["other"]) == []
    assert len(await taken_over(database, runs)) == 1


async def test_a_run_whose_lease_ran_out_is_taken_over_by_one_process(database: Database) -> None:
    runs = runs_of(database)
    claim = await begun(runs)
    assert await taken_over(database, runs) == []
    await expire(database, claim)
    assert await runs.claim(limit=10, suspects=False, mine=[claim.run_id], graphs=[GRAPH]) == []
    found = await asyncio.gather(*(taken_over(database, runs) for _ in range(8)))
    ((taken,),) = [claims for claims in found if claims]
    assert (taken.run_id, taken.attempt, taken.after_crash, taken.payload) == (
        claim.run_id,
        2,
        True,
        claim.payload,
    )
    assert not await runs.finish(claim, DONE, None, thread_status="idle")
    assert not await runs.append_events(claim, chunk(1, 1, 2))
    assert await runs.finish(taken, DONE, None, thread_status="idle")


async def test_a_renewed_lease_keeps_the_run_and_tells_of_a_cancellation(
    database: Database, migrated_database: str
) -> None:
    runs = runs_of(database)
    one, two, lost = await begun(runs, "1"), await begun(runs, "2"), await begun(runs, "3")
    await expire(database, lost)
    await taken_over(database, runs)
    await expire(database, one, two)
    await runs.request_cancel(ALICE, GRAPH, two.run_id)
    connection = await connect(migrated_database, statement_timeout=5)
    async with connection:
        renewed = await renew_leases(connection, [one, two, lost], lease_seconds=15)
    assert renewed == {one.run_id: False, two.run_id: True}
    assert await taken_over(database, runs) == []


async def test_a_released_run_goes_on_first_and_counts_as_no_crash(database: Database) -> None:
    runs = runs_of(database, max_crashes=1)
    claim = await begun(runs)
    await queued(runs)
    await runs.release(claim, chunk(1, 1, 4))
    assert await status_of(database) == "busy"
    with pytest.raises(ThreadBusy):
        await begun(runs)
    (again,) = await taken_over(database, runs)
    assert (again.run_id, again.attempt, again.after_crash) == (claim.run_id, 2, False)
    assert await runs.last_event(claim.run_id) == (1, 4)
    assert not await runs.finish(claim, DONE, None, thread_status="idle")


async def test_just_after_a_restart_of_postgresql_no_process_is_blamed(database: Database) -> None:
    runs = runs_of(database, max_crashes=1, lease_seconds=10 * 365 * 86400)
    claim = await begun(runs)
    await expire(database, claim)
    assert await ended_as_lost(runs) == []
    (again,) = await taken_over(database, runs)
    assert (again.attempt, again.after_crash) == (2, True)
    rows = await sql(database, "select crashes from agent.runs")
    assert [row["crashes"] for row in rows] == [0]


async def test_a_run_that_kills_its_process_each_time_is_poison(database: Database) -> None:
    runs = runs_of(database, max_crashes=2, lease_seconds=0.01)
    claim = await begun(runs)
    await expire(database, claim)
    assert await ended_as_lost(runs) == []
    (claim,) = await taken_over(database, runs)
    await expire(database, claim)
    assert await taken_over(database, runs) == []
    assert await ended_as_lost(runs, [claim.run_id]) == []
    assert await ended_as_lost(runs) == [claim.run_id]
    record = await runs.get(ALICE, GRAPH, claim.run_id)
    assert record is not None
    assert (record.status, record.outcome.error_code) == ("error", "poison")
    assert await status_of(database) == "error"
    assert not await runs.finish(claim, DONE, None, thread_status="idle")


async def test_of_those_that_were_there_when_two_processes_died_one_is_taken_at_a_time(
    database: Database,
) -> None:
    runs = runs_of(database, max_crashes=5, lease_seconds=0.01)
    claims = [await begun(runs, f"t{number}") for number in range(3)]
    await expire(database, *claims)
    claims = await taken_over(database, runs)
    assert (len(claims), {claim.is_suspect for claim in claims}) == (3, {False})
    await expire(database, *claims)
    assert await runs.claim(limit=10, suspects=False, mine=[], graphs=[GRAPH]) == []
    (suspect,) = await runs.claim(limit=1, suspects=True, mine=[], graphs=[GRAPH])
    assert (suspect.is_suspect, suspect.crashes) == (True, 2)


async def test_a_lost_run_that_nobody_will_take_up_is_ended_whatever_its_graph(database: Database) -> None:
    runs = runs_of(database)
    late, unwanted, held = [await begun(runs, thread) for thread in ("late", "unwanted", "held")]
    await runs.request_cancel(ALICE, GRAPH, unwanted.run_id)
    await expire(database, late, unwanted)
    await sql(
        database,
        "update agent.runs set started_at = now() - interval '1 h' where run_id = %(id)s",
        id=late.run_id,
    )
    ended = dict(await runs.end_lost(mine=[], run_seconds=60))
    assert ended == {late.run_id: "timeout", unwanted.run_id: "cancelled"}
    record = await runs.get(ALICE, GRAPH, held.run_id)
    assert record is not None
    assert not record.ended


async def test_an_update_of_the_state_does_not_mend_what_a_cancelled_run_left_open(
    database: Database,
) -> None:
    runs = runs_of(database)
    await runs.finish(await begun(runs), Outcome("cancelled"), None, thread_status="idle")
    update = await runs.begin(ALICE, new_run(kind="state"), None, make_thread=False)
    assert update is not None
    await runs.finish(update, DONE, None, thread_status="idle")
    assert (await begun(runs)).last_outcome == "cancelled"


async def test_the_outcome_is_kept_with_the_last_events(database: Database) -> None:
    runs = runs_of(database)
    claim = await begun(runs)
    outcome = Outcome("error", b'{"a": 1}', b"[]", "run_failed", "It failed.")
    assert await runs.append_events(claim, chunk(1, 1, 2, b"one"))
    assert await runs.finish(claim, outcome, chunk(1, 3, 5, b"two"), thread_status="error")
    record = await runs.get(ALICE, GRAPH, claim.run_id)
    assert record is not None
    assert (record.outcome, record.ended) == (outcome, True)
    assert record.finished_at is not None
    assert await runs.events_after(claim.run_id, 0, 0) == [chunk(1, 1, 2, b"one"), chunk(1, 3, 5, b"two")]
    assert await runs.events_after(claim.run_id, 1, 2) == [chunk(1, 3, 5, b"two")]
    assert await runs.events_after(claim.run_id, 1, 4) == [chunk(1, 3, 5, b"two")]
    assert await runs.events_after(claim.run_id, 1, 5) == []
    assert await runs.last_event(claim.run_id) == (1, 5)
    assert await runs.last_event(uuid4()) is None


async def test_a_waiting_run_is_cancelled_at_once_and_its_thread_is_not_left_busy(database: Database) -> None:
    runs = runs_of(database)
    claim, run = await begun(runs), await queued(runs)
    assert await runs.request_cancel(ALICE, GRAPH, run.run_id) == "pending"
    record = await runs.get(ALICE, GRAPH, run.run_id)
    assert record is not None
    assert (record.status, record.outcome.error_code) == ("cancelled", "run_cancelled")
    assert await runs.request_cancel(ALICE, GRAPH, run.run_id) == "cancelled"
    assert await runs.request_cancel(ALICE, GRAPH, claim.run_id) == "running"
    await runs.finish(claim, Outcome("cancelled"), None, thread_status="idle")
    assert await runs.request_cancel(ALICE, GRAPH, claim.run_id) == "cancelled"
    assert await status_of(database) == "idle"


async def test_a_key_is_one_run_a_tenant_and_a_route(database: Database) -> None:
    runs = runs_of(database)
    claim = await begun(runs, key=KEY)
    assert await runs.by_key(ALICE, KEY, seconds=60) == (claim.run_id, "fingerprint")
    assert await runs.by_key(BOB, KEY, seconds=60) is None
    assert await runs.by_key(ALICE, IdempotencyKey("stream", "key", "x"), seconds=60) is None
    with pytest.raises(ThreadBusy):
        await begun(runs, "other", key=KEY)
    await begun(runs, who=BOB, key=KEY)


async def test_of_many_with_one_key_one_begins(database: Database) -> None:
    runs = runs_of(database)
    answers = await asyncio.gather(
        *(begun(runs, str(number), key=KEY) for number in range(20)), return_exceptions=True
    )
    assert sum(isinstance(answer, ThreadBusy) for answer in answers) == 19
    threads = await sql(database, "select count(*) as n from agent.threads")
    assert threads[0]["n"] == 1


async def test_an_expired_key_begins_anew(database: Database) -> None:
    runs = runs_of(database)
    await begun(runs, "old", key=KEY)
    await sql(database, "update agent.idempotency_keys set created_at = now() - interval '2 minutes'")
    assert await runs.by_key(ALICE, KEY, seconds=60) is None
    await begun(runs, "new", key=KEY)


async def test_pages_are_newest_first_and_know_the_total(database: Database) -> None:
    runs = runs_of(database)
    claims = [await begun(runs, str(number)) for number in range(5)]
    await begun(runs, who=BOB)
    await runs.finish(claims[0], DONE, None, thread_status="idle")

    async def page(query: PageQuery) -> tuple[list[str], int]:
        records, total = await runs.page(ALICE, GRAPH, query)
        return [record.thread_id for record in records], total

    assert await page(PageQuery(limit=2)) == (["4", "3"], 5)
    assert await page(PageQuery(limit=2, offset=4)) == (["0"], 5)
    assert await page(PageQuery(offset=5)) == ([], 5)
    assert await page(PageQuery(status="success")) == (["0"], 1)
    assert await page(PageQuery(thread_id="3")) == (["3"], 1)
    assert await page(PageQuery(thread_id="t")) == ([], 0)
    assert await runs.page(ALICE, "other", PageQuery()) == ([], 0)


async def test_another_tenants_run_is_not_there(database: Database) -> None:
    runs = runs_of(database)
    claim = await begun(runs)
    assert await runs.get(BOB, GRAPH, claim.run_id) is None
    assert await runs.get(ALICE, "other", claim.run_id) is None
    assert await runs.request_cancel(BOB, GRAPH, claim.run_id) is None
    await runs.watch(BOB, claim.run_id)
    rows = await sql(database, "select watched, cancel_requested from agent.runs")
    assert rows == [{"watched": False, "cancel_requested": False}]


async def test_who_answered_is_on_record_once(database: Database) -> None:
    runs = runs_of(database)
    claim = await begun(runs)
    for _ in range(2):
        assert await runs.accept_resume(claim, '{"answers": 1}', '{"interrupts": ["i"]}')
    rows = await sql(database, "select subject, action, target, detail from agent.audit_log")
    detail = {"interrupts": ["i"], "run_id": str(claim.run_id)}
    assert rows == [{"subject": "alice", "action": "interrupt.answer", "target": "t", "detail": detail}]
    await expire(database, claim)
    (again,) = await taken_over(database, runs)
    assert again.payload == '{"answers": 1}'
    assert not await runs.accept_resume(claim, "{}", "{}")
