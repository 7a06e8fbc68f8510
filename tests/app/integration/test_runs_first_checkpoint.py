"""R3: a run that is killed early restarts from what its row keeps, and an answer reaches only its interrupt.

The stages are held from outside: the checkpoint tables are locked, or the ledger's gates are closed.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString
from uuid import uuid4

import httpx
import psycopg
import pytest
from app.support.durable_world import client, ledger, start_on
from app.support.ledger import Ledger
from app.support.runs_client import begin, body_of, joined, post, state
from app.support.victims import Victims
from support.server import ServerProcess, finish

__all__ = ["client", "ledger"]

RUNS = 20
ROOM = {"WORKER_CONCURRENCY": "40", "EVENT_FLUSH_MS": "20"}


@pytest.fixture(scope="module")
def survivor(ledger: Ledger) -> Iterator[ServerProcess]:
    server = start_on(ledger, **ROOM)
    server.wait_until_ready()
    yield server
    finish(server)


@pytest.fixture(scope="module")
def victims(ledger: Ledger) -> Iterator[Victims]:
    with Victims.over(ledger, **ROOM) as found:
        yield found


@contextmanager
def locked(ledger: Ledger, table: LiteralString, mode: LiteralString = "exclusive") -> Iterator[None]:
    """Nobody writes to the table meanwhile; what a killed process has sent is not executed later either."""
    with psycopg.connect(ledger.url) as connection:
        connection.execute(f"lock table {table} in {mode} mode")
        yield
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and wait_event_type = 'Lock'"
        )


async def waiting_on_locks(ledger: Ledger, count: int) -> None:
    query: LiteralString = (
        "select count(*) from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock'"
    )
    await asyncio.to_thread(
        ledger.until, lambda: ledger.one(query) >= count, f"{count} do not wait for the lock"
    )


async def test_twenty_runs_killed_before_their_first_checkpoint_begin_anew_from_their_stored_input(
    client: httpx.AsyncClient, ledger: Ledger, victims: Victims, survivor: ServerProcess
) -> None:
    """Half of them on threads on which a run has ended before."""
    threads = [str(uuid4()) for _ in range(RUNS)]
    for thread in threads[: RUNS // 2]:
        await post(client, survivor, "notes/invoke", body_of(thread, note=f"{thread} before"))
    victim = victims.take()
    with locked(ledger, "checkpoints"):
        runs = [await begin(client, victim, "notes", body_of(thread, note=thread)) for thread in threads]
        await waiting_on_locks(ledger, 1)
        victim.kill()
    ended = [await joined(client, survivor, "notes", run) for run in runs]
    assert [(run["status"], run["attempt"]) for run in ended] == [("success", 2)] * RUNS
    for index, thread in enumerate(threads):
        before = [f"{thread} before"] if index < RUNS // 2 else []
        held = (await state(client, survivor, "notes", thread))["values"]["notes"]
        assert held == [*before, thread]
        assert ledger.nodes(thread) == ["note"]
    print(f"R3: {RUNS} of {RUNS} runs killed before their first checkpoint ended in success")


async def test_a_run_killed_between_a_nodes_writes_and_their_checkpoint_executes_the_rest(
    client: httpx.AsyncClient, ledger: Ledger, victims: Victims, survivor: ServerProcess
) -> None:
    """All tasks of the newest checkpoint have results then: nothing is `next`, and yet nothing is over."""
    marks = [str(uuid4()) for _ in range(5)]
    victim = victims.take()
    runs = [await begin(client, victim, "six", body_of(mark, mark=mark, seconds=0.3)) for mark in marks]
    for mark in marks:
        await asyncio.to_thread(ledger.wait_for_node, mark, "b")
    with locked(ledger, "checkpoints"):
        await waiting_on_locks(ledger, len(marks))
        victim.kill()
    ended = [await joined(client, survivor, "six", run) for run in runs]
    assert [(run["status"], run["result"]["steps"]) for run in ended] == [("success", list("abcdef"))] * 5
    assert [ledger.nodes(mark) for mark in marks] == [list("abcdef")] * 5


async def interrupted(client: httpx.AsyncClient, server: ServerProcess, graph: str) -> str:
    """A thread that waits at its first interrupt; its id is its mark, too."""
    thread = str(uuid4())
    answer = await post(client, server, f"{graph}/invoke", body_of(thread, mark=thread))
    assert answer.json()["status"] == "interrupted", answer.text
    return thread


async def begun_resume(
    client: httpx.AsyncClient, server: ServerProcess, graph: str, thread: str, answer: Any
) -> "asyncio.Task[httpx.Response]":
    """A resume that is under way, held somewhere by the test."""
    return asyncio.create_task(
        post(client, server, f"{graph}/resume", {"thread_id": thread, "resume_data": answer})
    )


async def newest_run(ledger: Ledger, thread: str, kind: str = "resume") -> str:
    def found() -> bool:
        return ledger.runs_of(thread)[-1]["kind"] == kind

    await asyncio.to_thread(ledger.until, found, "the resume did not begin")
    return str(ledger.runs_of(thread)[-1]["run_id"])


async def gone(calls: "list[asyncio.Task[httpx.Response]]") -> None:
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(end, httpx.TransportError) for end in ends), ends


Waiting = list[tuple[str, str]]


@pytest.fixture
async def waiting(client: httpx.AsyncClient, survivor: ServerProcess) -> Waiting:
    """Graphs, and of each a thread that waits at its first interrupt."""
    return [(graph, await interrupted(client, survivor, graph)) for graph in ("ask", "twice", "nested")]


async def answered_to_the_end(
    client: httpx.AsyncClient, ledger: Ledger, server: ServerProcess, waiting: tuple[str, str], run: str
) -> None:
    """The killed resume ends elsewhere; its answer `A` reached the first interrupt and no other."""
    graph, thread = waiting
    ended = await joined(client, server, graph, run)
    if graph == "ask":
        assert (ended["status"], ended["error"]) == ("success", None)
        assert (await state(client, server, graph, thread))["values"]["answers"] == ["A"]
        assert set(ledger.effects(thread)) == {"answered A"}
        return
    assert (ended["status"], [one["value"] for one in ended["interrupts"]]) == ("interrupted", ["second?"])
    assert set(ledger.nodes(thread)) == {"first A"}
    last = await post(client, server, f"{graph}/resume", {"thread_id": thread, "resume_data": "B"})
    assert last.json()["status"] == "success", last.text
    more = {"twice": [], "nested": ["after", "end"]}[graph]
    held = (await state(client, server, graph, thread))["values"]["answers"]
    assert held == ["A", "B", *more]
    assert sorted(ledger.effects(thread)) == sorted(["first A", "second B", *more])


async def test_a_resume_killed_before_its_answer_was_accepted_is_accepted_by_the_next_process(
    client: httpx.AsyncClient, ledger: Ledger, victims: Victims, survivor: ServerProcess, waiting: Waiting
) -> None:
    victim = victims.take()
    with locked(ledger, "agent.audit_log"):
        calls = [await begun_resume(client, victim, *where, "A") for where in waiting]
        await waiting_on_locks(ledger, len(waiting))
        runs = [await newest_run(ledger, thread) for _, thread in waiting]
        victim.kill()
    await gone(calls)
    for (graph, thread), run in zip(waiting, runs, strict=True):
        await answered_to_the_end(client, ledger, survivor, (graph, thread), run)
        audit = ledger.rows("select 1 as one from agent.audit_log where target = %s", thread)
        assert len(audit) == (1 if graph == "ask" else 2)


async def test_a_resume_killed_after_its_answer_was_accepted_goes_on_with_that_answer(
    client: httpx.AsyncClient, ledger: Ledger, victims: Victims, survivor: ServerProcess, waiting: Waiting
) -> None:
    victim = victims.take()
    with locked(ledger, "checkpoint_writes"):
        calls = [await begun_resume(client, victim, *where, "A") for where in waiting]
        runs = [await newest_run(ledger, thread) for _, thread in waiting]
        for run in runs:
            await asyncio.to_thread(
                ledger.until, lambda run=run: '"accepted":true' in ledger.run(run)["payload"], "not accepted"
            )
        await waiting_on_locks(ledger, 1)
        victim.kill()
    await gone(calls)
    for where, run in zip(waiting, runs, strict=True):
        await answered_to_the_end(client, ledger, survivor, where, run)


async def test_a_resume_killed_after_its_answer_was_stored_but_not_its_node_gives_no_answer_twice(
    client: httpx.AsyncClient, ledger: Ledger, victims: Victims, survivor: ServerProcess, waiting: Waiting
) -> None:
    gates = [("answered" if graph == "ask" else "first", thread) for graph, thread in waiting]
    victim = victims.take()
    for gate, thread in gates:
        ledger.close_gate(thread, gate)
    calls = [await begun_resume(client, victim, *where, "A") for where in waiting]
    for gate, thread in gates:
        await asyncio.to_thread(ledger.wait_for_node, thread, f"{gate} A")
    runs = [await newest_run(ledger, thread) for _, thread in waiting]
    victim.kill()
    await gone(calls)
    for gate, thread in gates:
        ledger.open_gate(thread, gate)
    for where, run in zip(waiting, runs, strict=True):
        await answered_to_the_end(client, ledger, survivor, where, run)


async def test_a_resume_killed_after_the_next_interrupt_was_stored_waits_at_it(
    client: httpx.AsyncClient, ledger: Ledger, victims: Victims, survivor: ServerProcess, waiting: Waiting
) -> None:
    """Only the outcome is missing: `agent.run_events` is locked, so that it cannot be stored."""
    victim, asked_again = victims.take(), waiting[1:]
    with locked(ledger, "agent.run_events"):
        calls = [await begun_resume(client, victim, *where, "A") for where in asked_again]
        for _, thread in asked_again:
            await asyncio.to_thread(ledger.wait_for_node, thread, "first A")
        runs = [await newest_run(ledger, thread) for _, thread in asked_again]
        await asyncio.sleep(0.5)
        victim.kill()
    await gone(calls)
    for where, run in zip(asked_again, runs, strict=True):
        await answered_to_the_end(client, ledger, survivor, where, run)


async def test_a_resume_killed_when_its_subgraph_was_past_the_interrupt_does_not_ask_again(
    client: httpx.AsyncClient, ledger: Ledger, victims: Victims, survivor: ServerProcess
) -> None:
    thread = await interrupted(client, survivor, "nested")
    await post(client, survivor, "nested/resume", {"thread_id": thread, "resume_data": "A"})
    ledger.close_gate(thread, "after")
    victim = victims.take()
    call = await begun_resume(client, victim, "nested", thread, "B")
    await asyncio.to_thread(ledger.wait_for_node, thread, "after")
    run = await newest_run(ledger, thread)
    victim.kill()
    await gone([call])
    ledger.open_gate(thread, "after")
    assert (await joined(client, survivor, "nested", run))["status"] == "success"
    assert (await state(client, survivor, "nested", thread))["values"]["answers"] == [
        "A",
        "B",
        "after",
        "end",
    ]
    assert sorted(ledger.effects(thread)) == ["after", "end", "first A", "second B"]
    assert ledger.nodes(thread).count("second B") == 1


@pytest.mark.parametrize("graph", ["six", "nested"])
async def test_no_node_begins_before_the_checkpoint_is_stored_from_which_it_has_its_key(
    client: httpx.AsyncClient, ledger: Ledger, survivor: ServerProcess, graph: str
) -> None:
    """Else a crash in between would execute it again under another idempotency key."""
    mark = str(uuid4())
    with locked(ledger, "checkpoints"):
        run = await begin(client, survivor, graph, body_of(mark, mark=mark))
        await waiting_on_locks(ledger, 1)
        await asyncio.sleep(0.5)
        assert ledger.nodes(mark) == []
    assert (await joined(client, survivor, graph, run))["status"] in {"success", "interrupted"}
    assert sorted(ledger.effects(mark)) == (list("abcdef") if graph == "six" else [])


async def test_a_run_killed_at_a_static_breakpoint_stays_at_it(
    client: httpx.AsyncClient, ledger: Ledger, victims: Victims, survivor: ServerProcess
) -> None:
    """Its outcome cannot be stored before the kill. One stops after `b`, the other one before `d`."""
    after, before = str(uuid4()), str(uuid4())
    first = await post(client, survivor, "paused/invoke", body_of(before, mark=before))
    assert first.json()["status"] == "interrupted"
    victim, go_on = victims.take(last=True), {"thread_id": before, "input": None}
    with locked(ledger, "agent.run_events"):
        runs = [await begin(client, victim, "paused", body) for body in (body_of(after, mark=after), go_on)]
        await asyncio.to_thread(ledger.wait_for_node, after, "b")
        await asyncio.to_thread(ledger.wait_for_node, before, "c")
        await asyncio.sleep(0.5)
        victim.kill()
    ended = [await joined(client, survivor, "paused", run) for run in runs]
    assert [(run["status"], run["attempt"]) for run in ended] == [("interrupted", 2)] * 2
    assert (ledger.nodes(after), ledger.nodes(before)) == (["a", "b"], ["a", "b", "c"])
    assert (await post(client, survivor, "paused/invoke", go_on)).json()["status"] == "success"
    assert ledger.nodes(before) == ["a", "b", "c", "d"]
