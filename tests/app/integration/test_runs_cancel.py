"""R12: what becomes of a run whose client leaves, or that is cancelled, is too slow, or is not waited for."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from app.support.durable_world import client, ledger, pair, start_on
from app.support.ledger import Ledger
from app.support.runs_client import begin, body_of, follow, joined, open_stream, post, state
from support.server import ServerProcess, finish

__all__ = ["client", "ledger", "pair"]

Pair = list[ServerProcess]
STOPPED_SECONDS = 1.5
"""The bar is one second; two busy cores need some time to tell."""
HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def hasty(ledger: Ledger) -> Iterator[ServerProcess]:
    """A server that waits and lets run for a short time only."""
    server = start_on(ledger, WAIT_SECONDS="1", RUN_TIMEOUT_SECONDS="3")
    server.wait_until_ready()
    yield server
    finish(server)


async def left(
    client: httpx.AsyncClient, ledger: Ledger, server: ServerProcess, verb: str, body: dict[str, Any]
) -> None:
    """Begin, and close the connection once the first step was reached."""
    call = (
        open_stream(client, server, "tools", body)
        if verb == "stream"
        else post(client, server, f"tools/{verb}", body)
    )
    task = asyncio.create_task(call)
    await asyncio.to_thread(ledger.wait_for_node, body["input"]["mark"], "tools")
    task.cancel()
    await asyncio.wait({task})


async def test_twenty_runs_whose_clients_leave_go_on_and_can_be_joined(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair
) -> None:
    async def leave(number: int) -> str:
        thread = str(uuid4())
        body = body_of(thread, mark=thread, seconds=0.1)
        if number % 2:
            await open_stream(client, pair[0], "six", body, limit=1)
        else:
            with pytest.raises(httpx.TimeoutException):
                await client.post(f"{pair[0].url}/graphs/six/invoke", json=body, timeout=0.2)
        return thread

    threads = await asyncio.gather(*map(leave, range(20)))
    for thread in threads:
        (run,) = ledger.runs_of(thread)
        found = await joined(client, pair[1], "six", str(run["run_id"]))
        assert (found["status"], found["result"]["steps"]) == ("success", list("abcdef"))


@pytest.mark.parametrize("verb", ["invoke", "stream"])
async def test_a_run_whose_client_leaves_is_cancelled_if_that_was_asked_for_and_leaves_no_half_turn(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair, verb: str
) -> None:
    thread = str(uuid4())
    body = body_of(thread, mark=thread, messages=HELLO, options={"on_disconnect": "cancel"})
    await left(client, ledger, pair[0], verb, body)
    (run,) = ledger.runs_of(thread)
    took = ledger.until(lambda: ledger.runs_of(thread)[0]["finished_at"], "the run was not cancelled")
    print(f"R12: {verb} cancelled {took:.2f} s after its client left")
    assert took <= STOPPED_SECONDS
    assert (await joined(client, pair[1], "tools", str(run["run_id"])))["status"] == "cancelled"
    await next_turn_is_whole(client, pair[1], thread)


async def next_turn_is_whole(client: httpx.AsyncClient, server: ServerProcess, thread: str) -> None:
    """A new input follows answers to all calls that the cancelled run has left open."""
    answer = await post(client, server, "tools/invoke", body_of(thread, mark="quiet", messages=HELLO))
    assert answer.status_code == 200, answer.text
    messages = (await state(client, server, "tools", thread))["values"]["messages"]
    kinds = [(message["type"], message.get("tool_call_id")) for message in messages]
    assert kinds == [
        ("human", None),
        ("ai", None),
        ("tool", "call 0"),
        ("tool", "call 1"),
        ("human", None),
        ("ai", None),
    ]


async def cancelled(client: httpx.AsyncClient, server: ServerProcess, graph: str, run: str) -> httpx.Response:
    return await client.post(f"{server.url}/graphs/{graph}/runs/{run}/cancel")


async def test_a_run_is_cancelled_by_the_other_process_within_a_second(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair
) -> None:
    thread = str(uuid4())
    invoke = asyncio.create_task(
        post(client, pair[0], "tools/invoke", body_of(thread, mark=thread, messages=HELLO))
    )
    await asyncio.to_thread(ledger.wait_for_node, thread, "tools")
    run = str(ledger.runs_of(thread)[0]["run_id"])
    watching = asyncio.create_task(follow(client, pair[1], f"/graphs/tools/runs/{run}"))
    began = time.monotonic()
    answer = await cancelled(client, pair[1], "tools", run)
    took = time.monotonic() - began
    print(f"R12: cancelled by the other process in {took:.2f} s")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert took <= STOPPED_SECONDS
    assert ((await invoke).status_code, (await invoke).json()["code"]) == (409, "run_cancelled")
    assert [frame.event for frame in (await watching).frames[-2:]] == ["error", "end"]
    again = await cancelled(client, pair[0], "tools", run)
    assert (again.status_code, again.json()["code"]) == (409, "run_finished")
    await next_turn_is_whole(client, pair[0], thread)


async def test_a_cancelled_run_of_the_queue_never_begins_and_the_next_one_does(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair
) -> None:
    thread, enqueue = str(uuid4()), {"on_busy": "enqueue"}
    runs = [
        await begin(
            client,
            pair[number % 2],
            "notes",
            body_of(thread, note=f"{thread} {number}", seconds=1, options=enqueue),
        )
        for number in range(3)
    ]
    waiting = asyncio.create_task(follow(client, pair[1], f"/graphs/notes/runs/{runs[1]}"))
    answer = await cancelled(client, pair[0], "notes", runs[1])
    assert (answer.json()["status"], answer.json()["attempt"]) == ("cancelled", 0)
    assert (await waiting).frames[-1].data["status"] == "cancelled"
    assert (await joined(client, pair[0], "notes", runs[2]))["status"] == "success"
    held = (await state(client, pair[1], "notes", thread))["values"]["notes"]
    assert held == [f"{thread} 0", f"{thread} 2"]


async def test_a_run_beyond_its_wall_clock_ends_as_timeout_and_its_thread_can_be_used(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair, hasty: ServerProcess
) -> None:
    thread = str(uuid4())
    run = await begin(client, hasty, "tools", body_of(thread, mark=thread, messages=HELLO))
    found = await joined(client, pair[0], "tools", run)
    assert (found["status"], found["error"]["code"]) == ("timeout", "run_timeout")
    stream = await follow(client, pair[0], f"/graphs/tools/runs/{run}")
    assert [frame.event for frame in stream.frames[-2:]] == ["error", "end"]
    await next_turn_is_whole(client, pair[0], thread)


async def test_a_call_that_waits_until_the_wall_clock_hears_504_run_timeout(
    client: httpx.AsyncClient, ledger: Ledger
) -> None:
    server = start_on(ledger, RUN_TIMEOUT_SECONDS="1")
    try:
        server.wait_until_ready()
        thread = str(uuid4())
        answer = await post(client, server, "notes/invoke", body_of(thread, note=thread, seconds=30))
    finally:
        finish(server)
    assert (answer.status_code, answer.json()["code"]) == (504, "run_timeout")
    assert ledger.runs_of(thread)[0]["status"] == "timeout"


async def test_a_wait_that_ends_before_the_run_names_it_to_be_joined(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair, hasty: ServerProcess
) -> None:
    thread = str(uuid4())
    answer = await post(client, hasty, "notes/invoke", body_of(thread, note=thread, seconds=2))
    assert (answer.status_code, answer.json()["code"]) == (504, "still_running")
    location = answer.headers["location"]
    found = await client.get(f"{pair[1].url}{location}", params={"wait": 20})
    assert (found.json()["status"], found.json()["run_id"]) == ("success", answer.json()["run_id"])
    assert ledger.nodes(thread) == ["note"]


async def test_a_client_that_will_not_wait_gets_the_run_and_its_location_at_once(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair
) -> None:
    thread = str(uuid4())
    body = body_of(thread, note=thread, seconds=0.5)
    answer = await post(client, pair[0], "notes/invoke", body, prefer="respond-async")
    assert answer.status_code == 202
    assert answer.json()["status"] == "running"
    found = await client.get(f"{pair[1].url}{answer.headers['location']}", params={"wait": 20})
    assert found.json()["status"] == "success"
