"""R4, R5, R6: one run at a time on a thread, one answer for each interrupt, whichever process is asked."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import httpx
from app.support.durable_world import client, ledger, pair
from app.support.ledger import Ledger
from app.support.runs_client import begin, body_of, post, state
from support.server import ServerProcess

__all__ = ["client", "ledger", "pair"]

Pair = list[ServerProcess]


def counted(answers: list[httpx.Response]) -> Counter[tuple[int, str | None]]:
    """How often each status and code was answered."""
    return Counter((answer.status_code, answer.json().get("code")) for answer in answers)


async def test_of_fifty_invokes_at_once_each_accepted_input_is_in_the_state_and_the_others_hear_so(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair
) -> None:
    thread = str(uuid4())
    calls = [
        post(
            client, pair[number % 2], "notes/invoke", body_of(thread, note=f"{thread} {number}", seconds=0.02)
        )
        for number in range(50)
    ]
    answers = await asyncio.gather(*calls)
    tally = counted(answers)
    accepted = {f"{thread} {number}" for number, answer in enumerate(answers) if answer.status_code == 200}
    print(f"R4 reject: {dict(tally)}")
    assert set(tally) <= {(200, None), (409, "thread_busy")}
    assert accepted
    held = (await state(client, pair[0], "notes", thread))["values"]["notes"]
    assert Counter(held) == Counter(accepted)
    assert [row["mark"] for row in steps_of(ledger, thread)] == held


async def test_fifty_enqueued_invokes_all_run_in_the_order_in_which_they_were_accepted(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair
) -> None:
    thread = str(uuid4())
    enqueue = {"on_busy": "enqueue"}
    calls = [
        post(
            client,
            pair[number % 2],
            "notes/invoke",
            body_of(thread, note=f"{thread} {number}", options=enqueue),
        )
        for number in range(50)
    ]
    answers = await asyncio.gather(*calls)
    assert counted(answers) == {(200, None): 50}
    order = [run["run_id"] for run in ledger.runs_of(thread)]
    note_of = {answer.json()["run_id"]: f"{thread} {number}" for number, answer in enumerate(answers)}
    held = (await state(client, pair[1], "notes", thread))["values"]["notes"]
    assert held == [note_of[str(run_id)] for run_id in order]
    assert [row["mark"] for row in steps_of(ledger, thread)] == held
    processes = {row["pid"] for row in steps_of(ledger, thread)}
    print(f"R4 enqueue: 50 of 50 ran in order, by {len(processes)} processes")


async def test_what_one_client_enqueues_one_after_the_other_runs_in_that_order(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair
) -> None:
    thread = str(uuid4())
    for number in range(20):
        body = body_of(thread, note=f"{thread} {number}", options={"on_busy": "enqueue"})
        last = await begin(client, pair[number % 2], "notes", body)
    await asyncio.to_thread(ledger.wait_for_end, last)
    held = (await state(client, pair[1], "notes", thread))["values"]["notes"]
    assert held == [f"{thread} {number}" for number in range(20)]


async def test_of_forty_answers_to_ten_interrupts_ten_are_accepted_and_have_an_effect(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair
) -> None:
    threads = [str(uuid4()) for _ in range(10)]
    asked = await asyncio.gather(
        *[post(client, pair[0], "ask/invoke", body_of(thread, mark=thread)) for thread in threads]
    )
    assert {answer.json()["status"] for answer in asked} == {"interrupted"}
    answers = await asyncio.gather(
        *[
            post(client, pair[number % 2], "ask/resume", {"thread_id": thread, "resume_data": f"{number}"})
            for number in range(4)
            for thread in threads
        ]
    )
    tally = counted(answers)
    print(f"R5: {dict(tally)}")
    assert tally[200, None] == 10
    assert sum(tally[409, code] for code in ("thread_busy", "nothing_to_resume")) == 30
    for index, thread in enumerate(threads):
        given = [number for number in range(4) if answers[number * 10 + index].status_code == 200]
        assert ledger.nodes(thread) == [f"answered {number}" for number in given]
        assert (await state(client, pair[1], "ask", thread))["values"]["answers"] == [str(*given)]


async def test_a_resume_with_nothing_to_resume_is_refused_and_executes_nothing(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair
) -> None:
    finished, untouched = str(uuid4()), str(uuid4())
    await post(client, pair[0], "ask/invoke", body_of(finished, mark=finished))
    done = await post(client, pair[0], "ask/resume", {"thread_id": finished, "resume_data": "yes"})
    assert done.json()["status"] == "success"
    await post(client, pair[0], "notes/invoke", body_of(untouched, note=untouched))
    before, counts = len(ledger.rows("select 1 as one from ledger.steps")), rows_of_runs(ledger)

    for server in pair:
        assert await refused(client, server, "ask", finished) == (409, "nothing_to_resume")
        assert await refused(client, server, "notes", untouched) == (409, "nothing_to_resume")
        assert await refused(client, server, "ask", str(uuid4())) == (404, "unknown_thread")
    assert len(ledger.rows("select 1 as one from ledger.steps")) == before
    assert rows_of_runs(ledger) == counts


async def test_a_refused_resume_leaves_no_run_and_no_idempotency_key(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair
) -> None:
    thread, key = str(uuid4()), str(uuid4())
    await post(client, pair[0], "ask/invoke", body_of(thread, mark=thread))
    wrong = {"thread_id": thread, "interrupts": {"0" * 32: "yes"}}
    refusals = await asyncio.gather(
        *[post(client, pair[number % 2], "ask/resume", wrong, idempotency_key=key) for number in range(10)]
    )
    assert set(counted(refusals)) <= {(422, "unknown_interrupt"), (409, "thread_busy")}
    assert ledger.one("select count(*) from agent.idempotency_keys where key = %s", key) == 0
    right = {"thread_id": thread, "resume_data": "yes"}
    answer = await post(client, pair[1], "ask/resume", right, idempotency_key=key)
    assert answer.json()["status"] == "success"
    assert len(ledger.runs_of(thread)) == 2


async def refused(
    client: httpx.AsyncClient, server: ServerProcess, graph: str, thread: str
) -> tuple[int, str]:
    answer = await post(client, server, f"{graph}/resume", {"thread_id": thread, "resume_data": "again"})
    return answer.status_code, answer.json()["code"]


def steps_of(ledger: Ledger, thread: str) -> list[dict[str, Any]]:
    return ledger.rows("select mark, pid from ledger.steps where mark like %s order by id", f"{thread}%")


def rows_of_runs(ledger: Ledger) -> tuple[int, int]:
    return ledger.one("select count(*) from agent.runs"), ledger.one("select count(*) from checkpoints")
