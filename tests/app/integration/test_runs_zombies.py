"""R7, R10, R11: a process that wakes up too late, one that dies each time, and calls that are made again."""

import asyncio
import signal
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from app.support.durable_world import client, ledger, new_ledger, start_on
from app.support.ledger import Ledger
from app.support.runs_client import begin, body_of, follow, joined, open_stream, post, state
from support.server import ServerProcess, finish

__all__ = ["client", "ledger", "new_ledger"]

STEPS = list("abcdef")
BRIEF = {"LEASE_SECONDS": "1", "LEASE_RENEW_SECONDS": "0.3"}


@pytest.fixture(scope="module")
def survivor(ledger: Ledger) -> Iterator[ServerProcess]:
    server = start_on(ledger)
    server.wait_until_ready()
    yield server
    finish(server)


@pytest.fixture(scope="module")
def sleeper(ledger: Ledger) -> Iterator[ServerProcess]:
    server = start_on(ledger)
    server.wait_until_ready()
    yield server
    finish(server)


def everything(ledger: Ledger, run: str) -> dict[str, Any]:
    """What the server keeps of a run and its thread."""
    thread = str(ledger.run(run)["thread_key"])
    return {
        "run": ledger.run(run),
        "events": ledger.rows(
            "select * from agent.run_events where run_id = %s order by attempt, first_seq", run
        ),
        "checkpoints": ledger.rows(
            "select * from checkpoints where thread_id = %s order by checkpoint_id", thread
        ),
        "blobs": ledger.rows(
            "select * from checkpoint_blobs where thread_id = %s order by channel, version", thread
        ),
        "writes": ledger.rows(
            "select * from checkpoint_writes where thread_id = %s order by checkpoint_id, task_id, idx",
            thread,
        ),
    }


async def test_a_process_that_wakes_up_after_another_has_finished_its_run_writes_nothing(
    client: httpx.AsyncClient, ledger: Ledger, survivor: ServerProcess, sleeper: ServerProcess
) -> None:
    mark = str(uuid4())
    call = asyncio.create_task(post(client, sleeper, "six/invoke", body_of(mark, mark=mark, seconds=0.3)))
    await asyncio.to_thread(ledger.wait_for_node, mark, "c")
    run = str(ledger.runs_of(mark)[0]["run_id"])
    watching = asyncio.create_task(follow(client, sleeper, f"/graphs/six/runs/{run}"))
    await asyncio.sleep(0.1)
    sleeper.send(signal.SIGSTOP)
    found = await joined(client, survivor, "six", run)
    assert (found["status"], found["attempt"], found["result"]["steps"]) == ("success", 2, STEPS)
    before = everything(ledger, run)
    sleeper.send(signal.SIGCONT)
    answer = await call
    watched = await watching
    await asyncio.sleep(1)
    assert everything(ledger, run) == before
    if answer.status_code == 200:
        assert answer.json()["result"]["steps"] == STEPS
    else:  # a statement that was under way when the process was stopped
        assert (answer.status_code, answer.headers["location"]) == (503, f"/graphs/six/runs/{run}")
    if not watched.ended:
        assert watched.clean
        watched = await follow(client, survivor, watched.location, watched.last_id)
    assert watched.ended
    assert watched.named("gap")
    assert sorted(ledger.effects(mark)) == STEPS
    print(f"R7: 0 rows by the zombie, {len(ledger.nodes(mark)) - 6} steps repeated")


async def test_a_sleeping_process_whose_runs_are_under_way_elsewhere_disturbs_none_of_them(
    client: httpx.AsyncClient, ledger: Ledger, survivor: ServerProcess, sleeper: ServerProcess
) -> None:
    marks = [str(uuid4()) for _ in range(8)]
    runs = [await begin(client, sleeper, "six", body_of(mark, mark=mark, seconds=0.4)) for mark in marks]
    for mark in marks:
        await asyncio.to_thread(ledger.wait_for_node, mark, "b")
    sleeper.send(signal.SIGSTOP)
    attempts = "select count(*) from agent.runs where run_id = any (%s::uuid[]) and attempt = 2"
    await asyncio.to_thread(ledger.until, lambda: ledger.one(attempts, runs) == 8, "not taken over")
    sleeper.send(signal.SIGCONT)
    ended = [await joined(client, survivor, "six", run) for run in runs]
    assert [(run["status"], run["attempt"], run["result"]["steps"]) for run in ended] == [
        ("success", 2, STEPS)
    ] * 8
    for mark, run in zip(marks, runs, strict=True):
        assert sorted(ledger.effects(mark)) == STEPS
        parents = ledger.rows(
            "select parent_checkpoint_id as parent, count(*) from checkpoints where thread_id = %s"
            " group by parent having count(*) > 1",
            str(ledger.run(run)["thread_key"]),
        )
        assert parents == [], "two processes have written to one thread"


async def test_a_run_that_kills_its_process_three_times_is_poison_and_its_thread_can_be_used(
    client: httpx.AsyncClient, new_ledger: Ledger
) -> None:
    servers = [start_on(new_ledger, **BRIEF) for _ in range(3)]
    mark = str(uuid4())
    try:
        for server in servers:
            server.wait_until_ready()
        run = await begin(client, servers[0], "poison", body_of(mark, mark=mark, asks=True))
        await asyncio.to_thread(new_ledger.wait_for_node, mark, "die", 3)
    finally:
        for server in servers:
            finish(server)
    server = start_on(new_ledger)
    try:
        server.wait_until_ready()
        ended = await joined(client, server, "poison", run)
        assert (ended["status"], ended["error"]["code"]) == ("error", "poison")
        assert new_ledger.nodes(mark) == ["die"] * 3
        assert new_ledger.effects(mark) == ["die"]
        stream = await follow(client, server, f"/graphs/poison/runs/{run}")
        assert [(frame.event, frame.data.get("code")) for frame in stream.frames[-2:]] == [
            ("error", "poison"),
            ("end", None),
        ]
        again = await post(client, server, "poison/invoke", body_of(mark, mark=mark, asks=False))
        assert (again.status_code, again.json()["result"]["steps"]) == (200, ["lived"])
    finally:
        finish(server)


async def test_one_key_is_one_run_however_often_and_wherever_it_is_sent(
    client: httpx.AsyncClient, ledger: Ledger, survivor: ServerProcess
) -> None:
    victim, other = start_on(ledger), str(uuid4())
    victim.wait_until_ready()
    thread, key = str(uuid4()), str(uuid4())
    body = {"thread_id": thread, "input": {"mark": thread, "seconds": 0.4}}
    pair = [victim, survivor]
    calls = [
        asyncio.create_task(post(client, pair[number % 2], "six/invoke", body, idempotency_key=key))
        for number in range(20)
    ]
    await asyncio.to_thread(ledger.wait_for_node, thread, "b")
    victim.kill()
    restarted = start_on(ledger)
    try:
        restarted.wait_until_ready()
        answers = [await answered(client, call, restarted, body, key) for call in calls]
        answers.append(await post(client, restarted, "six/invoke", body, idempotency_key=key))
        assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
        assert len(ledger.runs_of(thread)) == 1
        assert sorted(ledger.effects(thread)) == STEPS
        wrong = await post(client, restarted, "six/invoke", body_of(other, mark=other), idempotency_key=key)
        assert (wrong.status_code, wrong.json()["code"]) == (422, "idempotency_key_reused")
        assert ledger.runs_of(other) == []
    finally:
        finish(restarted)
        finish(victim)


async def answered(
    client: httpx.AsyncClient,
    call: "asyncio.Task[httpx.Response]",
    server: ServerProcess,
    body: Any,
    key: str,
) -> httpx.Response:
    """The answer; a call whose server died is made again."""
    try:
        return await call
    except httpx.TransportError:
        return await post(client, server, "six/invoke", body, idempotency_key=key)


async def test_a_repeated_stream_replays_from_its_start(
    client: httpx.AsyncClient, ledger: Ledger, survivor: ServerProcess, sleeper: ServerProcess
) -> None:
    thread, headers = str(uuid4()), {"Idempotency-Key": str(uuid4())}
    body = body_of(thread, mark=thread, words=20, seconds=0.02)
    client.headers.update(headers)
    first, second = await asyncio.gather(
        open_stream(client, sleeper, "talk", body), open_stream(client, survivor, "talk", body)
    )
    third = await open_stream(client, survivor, "talk", body)
    assert first.ended
    assert first.frames == second.frames == third.frames
    assert ledger.nodes(thread) == ["talk", "close"]


async def test_an_enqueued_run_waits_for_the_first_one_even_when_its_process_is_killed(
    client: httpx.AsyncClient, ledger: Ledger, survivor: ServerProcess, sleeper: ServerProcess
) -> None:
    victim, thread = sleeper, str(uuid4())
    runs = [
        await begin(
            client,
            (victim, survivor)[number > 0],
            "notes",
            body_of(thread, note=f"{thread} {number}", seconds=0.5, options={"on_busy": "enqueue"}),
        )
        for number in range(4)
    ]
    assert ledger.run(runs[1])["status"] == "pending"
    victim.kill()
    await asyncio.to_thread(ledger.wait_for_end, runs[3])
    held = (await state(client, survivor, "notes", thread))["values"]["notes"]
    assert held == [f"{thread} {number}" for number in range(4)]
    assert [run["attempt"] for run in ledger.runs_of(thread)] == [2, 1, 1, 1]
