import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from app.support.retention_world import (
    KEEP,
    answer_to,
    asking,
    asking_within,
    copy_rows,
    counting,
    history_of,
    key_of,
    let_pass,
    rows_of,
    state_of,
    turn,
)
from app.support.storage_world import (
    ALICE,
    DONE,
    begun,
    chunk,
    new_run,
    rows_everywhere,
    runs_of,
    settings_for,
    sql,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from structlog.testing import capture_logs

from agent_server.graphs.pregel import Graph
from agent_server.storage import retention
from agent_server.storage.database import Database
from agent_server.storage.retention import Swept, keep_sweeping, policy_of, sweep
from agent_server.storage.runs import IdempotencyKey

CUT_AT_ONCE = replace(KEEP, max_checkpoints=1)


async def count(database: Database, table: str) -> int:
    return (await sql(database, f"select count(*) as n from {table}"))[0]["n"]


async def test_events_go_once_their_run_has_been_over_for_long_enough(database: Database) -> None:
    runs = runs_of(database)
    old = await begun(runs, "old")
    await runs.append_events(old, chunk(1, 1, 3))
    await runs.append_events(old, chunk(1, 4, 9))
    await runs.finish(old, DONE, chunk(1, 10, 10), thread_status="idle")
    await let_pass(database, 1)
    ended = await begun(runs, "ended")
    await runs.finish(ended, DONE, chunk(1, 1, 1), thread_status="idle")
    running = await begun(runs, "running")
    await runs.append_events(running, chunk(1, 1, 1))
    assert await sweep(database, replace(KEEP, events=3600)) == Swept(events=3)
    assert await runs.last_event(old.run_id) is None
    assert await runs.last_event(ended.run_id) == (1, 1)
    assert await runs.last_event(running.run_id) == (1, 1)
    assert await sweep(database, replace(KEEP, events=0)) == Swept(events=1)


async def test_a_mark_never_passes_what_is_not_yet_due(database: Database) -> None:
    runs = runs_of(database)
    for thread_id in ("a", "b"):
        claim = await begun(runs, thread_id)
        await runs.finish(claim, DONE, chunk(1, 1, 1), thread_status="idle")
        assert await sweep(database, replace(KEEP, events=3600)) == Swept()
    await let_pass(database, 1)
    assert await sweep(database, replace(KEEP, events=3600)) == Swept(events=2)


async def test_idempotency_keys_go_at_their_age_and_leave_their_runs(database: Database) -> None:
    runs = runs_of(database)
    await begun(runs, "old", key=IdempotencyKey("invoke", "old", "f"))
    await let_pass(database, 1.01)
    await begun(runs, "new", key=IdempotencyKey("invoke", "new", "f"))
    assert await sweep(database, replace(KEEP, idempotency_keys=86400)) == Swept(idempotency_keys=1)
    assert (await sql(database, "select key from agent.idempotency_keys"))[0]["key"] == "new"
    assert await count(database, "agent.runs") == 2


async def test_ended_runs_go_with_their_events_and_keys_and_their_threads_stay(database: Database) -> None:
    runs = runs_of(database)
    old = await begun(runs, "old", key=IdempotencyKey("invoke", "k", "f"))
    await runs.finish(old, DONE, chunk(1, 1, 1), thread_status="idle")
    running = await begun(runs, "running")
    await let_pass(database, 31)
    new = await begun(runs, "new")
    await runs.finish(new, DONE, None, thread_status="idle")
    assert await sweep(database, replace(KEEP, runs=30 * 86400)) == Swept(runs=1)
    left = {row["run_id"] for row in await sql(database, "select run_id from agent.runs")}
    assert left == {new.run_id, running.run_id}
    assert await count(database, "agent.run_events") == await count(database, "agent.idempotency_keys") == 0
    assert await count(database, "agent.threads") == 3


async def test_who_started_what_waits_is_not_forgotten_where_that_counts(database: Database) -> None:
    runs = runs_of(database)
    for thread_id, status in (("waits", "interrupted"), ("idle", "idle")):
        claim = await begun(runs, thread_id)
        await runs.finish(claim, DONE, None, thread_status=status)
    await let_pass(database, 31)
    policy = policy_of(settings_for("postgresql://unused", forbid_self_approval=True))
    assert await sweep(database, policy) == Swept(runs=1)
    assert await count(database, "agent.runs") == 1
    assert await sweep(database, replace(policy, keep_starters=False)) == Swept(runs=1)


async def test_batches_follow_each_other_until_nothing_is_due(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "CHECKPOINTS_A_BATCH", 2)
    graph, runs = counting(), runs_of(database)
    for number in range(5):
        await turn(database, graph, {"said": ["hello"]}, f"t{number}")
        claim = await begun(runs, f"t{number}", key=IdempotencyKey("invoke", f"{number}", "f"))
        await runs.append_events(claim, chunk(1, 1, 1))
        await runs.finish(claim, DONE, chunk(1, 2, 2), thread_status="idle")
    await let_pass(database, 100)
    policy = replace(KEEP, events=60, idempotency_keys=60, runs=60, history=60)
    swept = await sweep(database, policy)
    assert swept == Swept(events=10, idempotency_keys=5, runs=10, checkpoints=15)
    assert await sweep(database, replace(policy, threads=60)) == Swept(checkpoints=0, threads=5)
    for table in ("agent.threads", "checkpoints", "checkpoint_blobs", "checkpoint_writes"):
        assert await count(database, table) == 0


async def test_what_a_policy_keeps_stays_for_ever(database: Database) -> None:
    await turn(database, counting(), {"said": ["hello"]})
    await let_pass(database, 10_000)
    off = settings_for("postgresql://unused", retention_runs_days=0, retention_checkpoints_days=0)
    off = off.model_copy(update={"retention_checkpoints_max": 0})
    assert await sweep(database, policy_of(off)) == Swept()
    assert len(await history_of(database, counting())) == 4


async def test_300_turns_on_one_thread_keep_a_bounded_number_of_rows(database: Database) -> None:
    graph, policy, most = counting(), replace(KEEP, max_checkpoints=40), {}
    for number in range(1, 301):
        await turn(database, graph, {"said": [f"hello {number}"]})
        if number % 20 == 0:
            before = await state_of(database, graph)
            await sweep(database, policy)
            assert await state_of(database, graph) == before
            rows = await rows_of(database, await key_of(database))
            most = {table: max(most.get(table, 0), len(found)) for table, found in rows.items()}
    assert most == {"checkpoints": 1, "checkpoint_blobs": most["checkpoint_blobs"], "checkpoint_writes": 0}
    assert most["checkpoint_blobs"] <= 3
    [latest] = await history_of(database, graph)
    assert (latest.values["turns"], len(latest.values["said"])) == (300, 600)
    assert latest.parent_config is None
    assert (await turn(database, graph, {"said": ["and on"]}))["turns"] == 301


async def test_only_threads_above_the_bound_are_cut(database: Database) -> None:
    for thread_id, turns in {"short": 1, "long": 3}.items():
        for _ in range(turns):
            await turn(database, counting(), {}, thread_id)
    assert await sweep(database, replace(KEEP, max_checkpoints=8)) == Swept(checkpoints=11)
    assert len(await history_of(database, counting(), "short")) == 4
    assert len(await history_of(database, counting(), "long")) == 1


async def test_an_idle_thread_keeps_only_its_latest_checkpoint(database: Database) -> None:
    await turn(database, counting(), {}, "idle")
    await let_pass(database, 8)
    await turn(database, counting(), {}, "fresh")
    before = await state_of(database, counting(), "idle")
    assert await sweep(database, replace(KEEP, history=7 * 86400)) == Swept(checkpoints=3)
    assert await state_of(database, counting(), "idle") == before
    assert len(await history_of(database, counting(), "fresh")) == 4


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("make", [asking, asking_within])
async def test_a_thread_that_waits_can_still_be_answered(
    database: Database, make: Any, durability: str
) -> None:
    graph: Graph = make()
    for _ in range(3):
        result = await turn(database, graph, {"said": ["question"]}, durability=durability)
        await turn(database, graph, answer_to(result, "yes"), durability=durability)
    result = await turn(database, graph, {"said": ["last question"]}, durability=durability)
    before = await state_of(database, graph)
    assert before[2], "it waits"
    swept = await sweep(database, CUT_AT_ONCE)
    assert swept is not None
    assert swept.checkpoints > 5
    assert await state_of(database, graph) == before
    assert len(await history_of(database, graph)) == 1
    done = await turn(database, graph, answer_to(result, "no"), durability=durability)
    assert done["answer"] == "no"
    assert done["said"].count("prepared") >= 4


async def test_what_is_left_is_what_the_library_would_leave(database: Database) -> None:
    graph = asking_within()
    for _ in range(3):
        result = await turn(database, graph, {"said": ["question"]})
        await turn(database, graph, answer_to(result, "yes"))
    await turn(database, graph, {"said": ["last question"]})
    key, copy = await key_of(database), str(uuid4())
    await copy_rows(database, key, copy)
    assert await rows_of(database, key) == await rows_of(database, copy)
    await AsyncPostgresSaver(database.pool).aprune([copy], strategy="keep_latest")
    await sweep(database, CUT_AT_ONCE)
    assert await rows_of(database, key) == await rows_of(database, copy)


async def test_a_sweep_in_small_batches_leaves_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHECKPOINTS_A_BATCH", 1)
    await test_what_is_left_is_what_the_library_would_leave(database)


async def test_a_thread_at_work_is_left_alone(database: Database) -> None:
    await turn(database, counting(), {})
    before = await rows_of(database, await key_of(database))
    claim = await begun(runs_of(database))
    await let_pass(database, 100)
    everything = replace(KEEP, max_checkpoints=1, history=1, threads=1)
    assert await sweep(database, everything) == Swept()
    assert await rows_of(database, await key_of(database)) == before
    await runs_of(database).finish(claim, DONE, None, thread_status="idle")
    assert await sweep(database, everything) == Swept(checkpoints=3)


async def test_a_thread_that_another_transaction_holds_is_left_for_later(database: Database) -> None:
    await turn(database, counting(), {})
    async with database.pool.connection() as holder, holder.transaction():
        await holder.execute("select 1 from agent.threads for update")
        assert await sweep(database, CUT_AT_ONCE) == Swept()
    assert await sweep(database, CUT_AT_ONCE) == Swept(checkpoints=3)


async def test_no_run_begins_on_a_thread_while_it_is_swept(database: Database) -> None:
    await turn(database, counting(), {})
    key = await key_of(database)
    async with database.pool.connection() as sweeper, sweeper.transaction():
        params = {"thread_key": key, "age": 0}
        await sweeper.execute(retention._SQL["lock_thread"].sql, params)
        beginning = asyncio.create_task(runs_of(database).begin(ALICE, new_run(), None, make_thread=True))
        await asyncio.sleep(0.2)
        assert not beginning.done()
    assert await beginning is not None


async def test_runs_and_sweeps_at_once_lose_nothing(database: Database) -> None:
    graph, turns = counting(), 25

    async def use(thread_id: str) -> None:
        for number in range(1, turns + 1):
            assert (await turn(database, graph, {"said": ["hello"]}, thread_id))["turns"] == number

    async def sweep_on() -> None:
        while True:
            await sweep(database, replace(CUT_AT_ONCE, history=0.001))

    sweepers = [asyncio.create_task(sweep_on()) for _ in range(2)]
    await asyncio.gather(*(use(f"t{number}") for number in range(4)))
    for sweeper in sweepers:
        sweeper.cancel()
    await asyncio.gather(*sweepers, return_exceptions=True)
    for number in range(4):
        values = (await state_of(database, graph, f"t{number}"))[0]
        assert (values["turns"], len(values["said"])) == (turns, 2 * turns)


async def test_a_thread_that_reads_its_past_keeps_it(database: Database) -> None:
    await turn(database, counting(), {})
    await sql(
        database,
        'update checkpoints set metadata = metadata || \'{"counters_since_delta_snapshot": {"a": [1, 1]}}\''
        " where checkpoint_id = (select max(checkpoint_id) from checkpoints)",
    )
    assert await sweep(database, CUT_AT_ONCE) == Swept()


async def test_whole_threads_go_after_their_time_with_every_row_but_the_audits(database: Database) -> None:
    result = await turn(database, asking_within(), {}, "old")
    await turn(database, asking_within(), answer_to(result, "yes"), "old")
    key = await key_of(database, "old")
    await let_pass(database, 91)
    await turn(database, counting(), {}, "new")
    await sql(
        database,
        "insert into agent.audit_log (tenant, subject, action, target)"
        " values ('a', 's', 'interrupt.answer', 'old')",
    )
    swept = await sweep(database, replace(KEEP, threads=90 * 86400))
    assert swept is not None
    assert swept.threads == 1
    assert set((await rows_everywhere(database, key, [])).values()) == {0}
    assert await count(database, "agent.audit_log") == 1
    assert len(await history_of(database, counting(), "new")) == 4


async def test_a_periodic_sweep_asks_a_part_of_the_threads_and_the_next_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        await turn(database, counting(), {}, f"t{number}")
    await let_pass(database, 8)
    policy = replace(KEEP, history=7 * 86400)
    deleted = [await sweep(database, policy, max_threads=2) for _ in range(4)]
    assert deleted == [Swept(checkpoints=6), Swept(checkpoints=6), Swept(checkpoints=3), Swept()]


async def test_one_process_sweeps_at_a_time(database: Database) -> None:
    await sql(database, "insert into agent.retention (mark, at) values ('turn', now() + interval '1 minute')")
    await turn(database, counting(), {})
    assert await sweep(database, CUT_AT_ONCE) is None
    await sql(database, "update agent.retention set at = now() where mark = 'turn'")
    assert await sweep(database, CUT_AT_ONCE) == Swept(checkpoints=3)
    assert await sweep(database, CUT_AT_ONCE, rest=60) is None, "it was swept a moment ago"


async def test_a_sweep_that_is_stopped_gives_up_its_turn(database: Database) -> None:
    await turn(database, counting(), {})
    async with database.pool.connection() as holder, holder.transaction():
        await holder.execute("lock table checkpoints in access exclusive mode")
        sweeping = asyncio.create_task(sweep(database, CUT_AT_ONCE))
        await asyncio.sleep(0.3)
        assert await sweep(database, CUT_AT_ONCE) is None
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
    assert sweeping.cancelled()
    assert await sweep(database, CUT_AT_ONCE) == Swept(checkpoints=3)


async def test_periodic_sweeps_outlive_a_database_that_refuses(database: Database) -> None:
    settings = settings_for("postgresql://unused", retention_sweep_seconds=0.05, retention_checkpoints_max=1)
    await turn(database, counting(), {})
    await sql(database, "alter table agent.retention rename to elsewhere")
    with capture_logs() as logs:
        sweeping = asyncio.create_task(keep_sweeping(database, settings))
        await asyncio.sleep(0.3)
        await sql(database, "alter table agent.elsewhere rename to retention")
        async with asyncio.timeout(10):
            while await count(database, "checkpoints") > 1:  # noqa: ASYNC110  # it is another process's row
                await asyncio.sleep(0.05)
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
    assert "retention failed" in [entry["event"] for entry in logs]


async def test_no_period_means_no_periodic_sweeps(database: Database) -> None:
    await keep_sweeping(database, settings_for("postgresql://unused", retention_sweep_seconds=0))
