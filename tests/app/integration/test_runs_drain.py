"""A stop hands everything over: no crash is counted, nobody hears of an end, the process is gone in time."""

import asyncio
import signal
import time
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from app.support.durable_world import client, ledger, new_ledger, start_on
from app.support.kill_storm import STEPS
from app.support.ledger import Ledger
from app.support.runs_client import Stream, begin, body_of, follow, joined, open_stream, post, state
from app.support.victims import Victims
from support.server import QUICK, ServerProcess, finish

__all__ = ["client", "ledger", "new_ledger"]

SHUTDOWN_SECONDS = float(QUICK["SHUTDOWN_SECONDS"])
HANDOVER_SECONDS = 2.0
CUSTOM = {"stream_mode": ["custom"]}
HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def survivor(ledger: Ledger) -> Iterator[ServerProcess]:
    server = start_on(ledger, WORKER_CONCURRENCY="40")
    server.wait_until_ready()
    yield server
    finish(server)


@pytest.fixture(scope="module")
def victims(ledger: Ledger) -> Iterator[Victims]:
    with Victims.over(ledger) as found:
        yield found


def terminated(server: ServerProcess) -> float:
    """SIGTERM; how long the process took to end, with exit code 0."""
    began = time.monotonic()
    assert server.terminate(30) == 0, server.log()[-3000:]
    return time.monotonic() - began


async def test_a_stop_hands_over_runs_streams_and_waiting_calls(
    client: httpx.AsyncClient, ledger: Ledger, victims: Victims, survivor: ServerProcess
) -> None:
    victim = victims.take()
    marks = [str(uuid4()) for _ in range(16)]
    runs = [await begin(client, victim, "six", body_of(mark, mark=mark, seconds=0.3)) for mark in marks[:10]]
    streams = [
        asyncio.create_task(
            open_stream(
                client, victim, "talk", body_of(mark, mark=mark, words=100, seconds=0.03, options=CUSTOM)
            )
        )
        for mark in marks[10:14]
    ]
    calls = [
        asyncio.create_task(
            post(
                client,
                victim,
                "notes/invoke",
                body_of(mark, note=mark, seconds=3, options={"on_disconnect": left}),
            )
        )
        for mark, left in zip(marks[14:], ("continue", "cancel"), strict=True)
    ]
    for mark in marks[10:]:
        await asyncio.to_thread(ledger.until, lambda mark=mark: ledger.nodes(mark), "not begun")
    at = ledger.one("select clock_timestamp()")
    took = await asyncio.to_thread(terminated, victim)
    assert took <= SHUTDOWN_SECONDS

    for call in calls:
        answer = await call
        assert (answer.status_code, answer.json()["code"]) == (503, "draining"), answer.text
        found = await client.get(f"{survivor.url}{answer.headers['location']}", params={"wait": 20})
        assert (found.json()["status"], found.json()["attempt"]) == ("success", 2)
    for task in streams:
        await resumed_stream(client, survivor, await task)
    ended = [await joined(client, survivor, "six", run) for run in runs]
    assert [(run["status"], run["attempt"], run["result"]["steps"]) for run in ended] == [
        ("success", 2, STEPS)
    ] * 10
    assert ledger.one("select sum(crashes) from agent.runs") == 0
    assert all(sorted(ledger.effects(mark)) == STEPS for mark in marks[:10])
    times = ledger.rows(
        "select mark, extract(epoch from min(at) - %s)::float8 as seconds from ledger.steps"
        " where pid <> %s and mark = any (%s) group by mark order by seconds",
        at,
        victim.pid,
        marks[:10],
    )
    print(f"R2 after SIGTERM: exit {took:.2f} s, handed over in {times[-1]['seconds']:.2f} s at most")
    assert len(times) == 10
    assert times[-1]["seconds"] <= HANDOVER_SECONDS


async def resumed_stream(client: httpx.AsyncClient, survivor: ServerProcess, stream: Stream) -> None:
    """A stream that ended cleanly and early goes on elsewhere, without a gap."""
    assert stream.clean
    assert not stream.ended
    rest = await follow(client, survivor, stream.location, stream.last_id)
    assert rest.ended
    assert rest.named("gap") == []
    assert rest.frames[0].event == "metadata"
    assert (rest.frames[0].id, rest.frames[0].data["attempt"]) == ("2-1", 2)


async def test_a_second_signal_ends_a_stop_at_once(client: httpx.AsyncClient, victims: Victims) -> None:
    victim = victims.take()
    victim.send(signal.SIGTERM)
    victim.send(signal.SIGTERM)
    assert await asyncio.to_thread(victim.child.wait, 2) == 0


async def test_a_node_in_a_thread_that_cannot_be_stopped_does_not_hold_up_the_stop(
    client: httpx.AsyncClient, ledger: Ledger, victims: Victims, survivor: ServerProcess
) -> None:
    victim, mark = victims.take(), str(uuid4())
    run = await begin(client, victim, "thread", body_of(mark, mark=mark, seconds=12))
    await asyncio.to_thread(ledger.wait_for_node, mark, "thread")
    took = await asyncio.to_thread(terminated, victim)
    assert took <= SHUTDOWN_SECONDS
    await asyncio.to_thread(ledger.wait_for_node, mark, "thread", 2)
    assert ledger.run(run)["attempt"] == 2
    assert ledger.effects(mark) == ["thread"]
    await client.post(f"{survivor.url}/graphs/thread/runs/{run}/cancel")


async def test_a_node_that_will_not_be_cancelled_does_not_keep_a_stop_from_ending(
    client: httpx.AsyncClient, ledger: Ledger, victims: Victims, survivor: ServerProcess
) -> None:
    victim, mark = victims.take(last=True), str(uuid4())
    call = asyncio.create_task(post(client, victim, "deaf/invoke", body_of(mark, mark=mark, seconds=15)))
    await asyncio.to_thread(ledger.wait_for_node, mark, "deaf")
    took = await asyncio.to_thread(terminated, victim)
    assert took <= SHUTDOWN_SECONDS + 1
    assert ((await call).status_code, (await call).json()["code"]) == (503, "draining")
    await asyncio.to_thread(ledger.wait_for_node, mark, "deaf", 2)
    assert ledger.run((await call).json()["run_id"])["attempt"] == 2
    survivor.kill()  # it would have to be waited for, too


async def test_a_run_that_is_cancelled_between_two_processes_leaves_no_half_turn(
    client: httpx.AsyncClient, new_ledger: Ledger
) -> None:
    """It was handed over, and nobody has taken it yet."""
    first, thread = start_on(new_ledger), str(uuid4())
    second = start_on(new_ledger, "--no-worker")
    try:
        first.wait_until_ready()
        second.wait_until_ready()
        run = await begin(client, first, "tools", body_of(thread, mark=thread, messages=HELLO))
        await asyncio.to_thread(new_ledger.wait_for_node, thread, "tools")
        await asyncio.to_thread(terminated, first)
        assert new_ledger.run(run)["status"] == "pending"
        answer = await client.post(f"{second.url}/graphs/tools/runs/{run}/cancel")
        assert answer.json()["status"] == "cancelled"
        turn = await post(client, second, "tools/invoke", body_of(thread, mark="quiet", messages=HELLO))
        assert turn.status_code == 200, turn.text
        messages = (await state(client, second, "tools", thread))["values"]["messages"]
        assert [message["type"] for message in messages] == ["human", "ai", "tool", "tool", "human", "ai"]
    finally:
        finish(first)
        finish(second)


async def test_a_run_whose_cancellation_was_asked_for_executes_nothing_in_the_next_process(
    client: httpx.AsyncClient, new_ledger: Ledger
) -> None:
    """Its process died before it could stop the run."""
    first, mark = start_on(new_ledger), str(uuid4())
    try:
        first.wait_until_ready()
        run = await begin(client, first, "six", body_of(mark, mark=mark, seconds=30))
        await asyncio.to_thread(new_ledger.wait_for_node, mark, "a")
        first.kill()
        new_ledger.rows("update agent.runs set cancel_requested = true where run_id = %s", run)
    finally:
        finish(first)
    second = start_on(new_ledger)
    try:
        ended = await asyncio.to_thread(new_ledger.wait_for_end, run)
        assert (ended["status"], ended["attempt"]) == ("cancelled", 1)
        assert new_ledger.nodes(mark) == ["a"]
    finally:
        finish(second)
