"""Every call that gives one answer, through both clients, over a real socket."""

import asyncio
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from client_stub import Cut, Stub

from langgraph_client import (
    ApiError,
    BadRequest,
    ConnectionFailed,
    LangGraphClient,
    NotFound,
    RunCancelled,
    RunFailed,
    RunFinished,
    SyncLangGraphClient,
    TimedOut,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
)

pytestmark = pytest.mark.timeout(30)


async def test_invoke_returns_the_result(client: Any, stub: Stub) -> None:
    answer = await client.invoke("echo", {"query": "quantum"}, "user-1", {"recursion_limit": 9})
    assert (answer.thread_id, answer.run_id, answer.status) == ("user-1", "run-1", "success")
    assert answer.result == {"query": "quantum"}
    assert not answer.interrupted
    assert stub.seen[0].body == {
        "input": {"query": "quantum"},
        "thread_id": "user-1",
        "config": {"recursion_limit": 9},
        "on_busy": "reject",
        "on_disconnect": "continue",
        "subgraphs": False,
    }


async def test_invoke_takes_the_names_of_the_listing(client: Any) -> None:
    result = await client.invoke(graph_name="echo", input_data={"query": "q"}, thread_id="t", config=None)
    assert result.result == {"query": "q"}


async def test_no_input_is_sent_as_null(client: Any, stub: Stub) -> None:
    await client.invoke("echo", None, "t")
    assert stub.seen[0].body["input"] is None


async def test_every_option_reaches_the_server(client: Any, stub: Stub) -> None:
    options = {"on_busy": "enqueue", "on_disconnect": "cancel", "stream_mode": ["values", "custom"]}
    await client.invoke("echo", {}, **options, subgraphs=True, idempotency_key="my key")
    assert stub.seen[0].body == {"input": {}, "subgraphs": True, **options}
    assert stub.seen[0].headers["idempotency-key"] == "my key"
    assert stub.seen[0].headers["content-type"] == "application/json"


async def test_each_call_has_its_own_idempotency_key(client: Any, stub: Stub) -> None:
    await client.invoke("echo", {})
    await client.invoke("echo", {})
    first, second = (uuid.UUID(seen.headers["idempotency-key"]) for seen in stub.seen)
    assert first != second


async def test_an_interrupted_run_asks_its_question(client: Any) -> None:
    answer = await client.invoke("approve", {}, "t")
    assert answer.interrupted
    (question,) = answer.interrupts
    assert (question.id, question.value) == ("ask-1", {"question": "Pay?"})
    assert question.response_schema == {"type": "boolean"}


@pytest.mark.parametrize("answer", [True, None, {"edited": "text"}, []])
async def test_resume_sends_any_answer_even_none(client: Any, stub: Stub, answer: Any) -> None:
    result = await client.resume("approve", "t", answer)
    assert result.result == {"answer": answer}
    assert stub.seen[0].body["resume_data"] == answer
    assert "interrupts" not in stub.seen[0].body


async def test_resume_answers_several_interrupts_by_id(client: Any, stub: Stub) -> None:
    await client.resume("approve", "t", interrupts={"a": 1, "b": None})
    assert stub.seen[0].body["interrupts"] == {"a": 1, "b": None}
    assert "resume_data" not in stub.seen[0].body


@pytest.mark.parametrize("answers", [{}, {"resume_data": None, "interrupts": {"a": 1}}])
async def test_resume_refuses_neither_and_both(client: Any, stub: Stub, answers: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="either"):
        await client.resume("approve", "t", **answers)
    assert not stub.seen


async def test_a_background_run_answers_at_once_and_is_joined(client: Any, stub: Stub) -> None:
    started = await client.invoke("echo", {"a": 1}, background=True)
    assert started.status == "running"
    assert stub.seen[0].headers["prefer"] == "respond-async"
    joined = await client.join("echo", started.run_id)
    assert (joined.status, joined.result) == ("success", {"a": 1})


async def test_a_wait_that_the_server_ends_goes_on_as_a_join(client: Any, stub: Stub) -> None:
    answer = await client.invoke("slow", {"a": 1})
    assert answer.result == {"a": 1}
    assert stub.paths("GET") == ["/graphs/slow/runs/run-1"] * 3
    assert all(seen.query["wait"] == "4" for seen in stub.seen[1:])


async def test_a_wait_ends_at_the_clients_own_time_out(connect: Any, stub: Stub) -> None:
    stub.polls_until_end = 10**6
    began = time.monotonic()
    with pytest.raises(TimedOut, match=r"run-1 has not ended within 0\.3 s") as caught:
        await connect(timeout=0.3).invoke("slow", {})
    assert caught.value.run_id == "run-1"
    assert 0.2 < time.monotonic() - began < 2


async def test_an_answer_that_never_comes_is_a_time_out(client: Any, stub: Stub) -> None:
    stub.stall(3)
    with pytest.raises(TimedOut, match=r"no answer within 0\.2 s"):
        await client.invoke("echo", {}, timeout=0.2)


async def test_join_raises_what_invoke_would_have(client: Any) -> None:
    with pytest.raises(RunFailed, match="because run_failed") as refused:
        await client.invoke("broken", {})
    with pytest.raises(RunFailed, match="it broke") as joined:
        await client.join("broken", "run-1")
    for error in (refused.value, joined.value):
        assert (error.status, error.code, error.run_id) == (500, "run_failed", "run-1")


async def test_a_run_that_was_cancelled_is_raised_by_join(client: Any) -> None:
    await client.invoke("approve", {})
    assert (await client.cancel("approve", "run-1")).status == "cancelled"
    with pytest.raises(RunCancelled):
        await client.join("approve", "run-1")


async def test_get_run_returns_every_field(client: Any, stub: Stub) -> None:
    await client.invoke("broken", {}, "t", background=True)
    run = await client.get_run("broken", "run-1", wait=3)
    assert (run.run_id, run.thread_id, run.graph, run.status, run.attempt) == (
        "run-1",
        "t",
        "broken",
        "error",
        1,
    )
    assert run.created_at == datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert (run.finished_at, run.created_by) == (None, "key-1")
    assert (run.error.code, run.error.detail) == ("run_failed", "it broke")
    assert run.ended
    assert not run.interrupted
    assert stub.seen[-1].query == {"wait": "3"}


async def test_runs_come_in_pages(client: Any, stub: Stub) -> None:
    await client.invoke("echo", {"n": 1})
    await client.invoke("echo", {"n": 2})
    page = await client.runs("echo", status="success", limit=2, offset=0)
    assert [run.result["n"] for run in page] == [2, 1]
    assert (len(page), page.total) == (2, 41)
    assert stub.seen[-1].query == {"status": "success", "limit": "2", "offset": "0"}


async def test_cancel_of_an_ended_run_says_so(client: Any) -> None:
    await client.invoke("approve", {})
    await client.cancel("approve", "run-1")
    with pytest.raises(RunFinished):
        await client.cancel("approve", "run-1")


async def test_state_is_written_and_read_back(client: Any, stub: Stub) -> None:
    first = await client.update_state("echo", "t 1", {"draft": "x"}, as_node="write")
    second = await client.update_state("echo", "t 1", {"draft": "y"})
    read = await client.get_state("echo", "t 1")
    assert (read.values, read.next) == ({"draft": "y"}, ())
    assert first.next == ("write",)
    assert read == second
    assert read.parent_checkpoint == first.checkpoint
    assert read.created_at.tzinfo is not None
    assert stub.seen[0].body == {"thread_id": "t 1", "values": {"draft": "x"}, "as_node": "write"}
    assert "as_node" not in stub.seen[1].body


async def test_history_is_a_list_of_states(client: Any, stub: Stub) -> None:
    state = await client.update_state("echo", "t", {})
    assert await client.history("echo", "t", limit=2, before="c-9") == [state, state]
    assert stub.seen[-1].query == {"thread_id": "t", "limit": "2", "before": "c-9"}


async def test_threads_are_listed_and_deleted(client: Any) -> None:
    await client.update_state("echo", "a/b?c", {})
    page = await client.threads(graph="echo", status="idle")
    assert [thread.thread_id for thread in page] == ["a/b?c"]
    assert await client.delete_thread("a/b?c") is None
    with pytest.raises(NotFound) as caught:
        await client.delete_thread("a/b?c")
    assert caught.value.code == "unknown_thread"


async def test_graphs_and_probes(client: Any) -> None:
    (graph,) = await client.graphs()
    assert (graph.name, graph.mermaid, graph.input_schema) == ("echo", "graph", {"type": "object"})
    assert (await client.health()).version == "1.2.3"
    assert (await client.ready()).database == "connected"


async def test_ready_is_asked_once(client: Any, stub: Stub) -> None:
    stub.refuse(503, "draining", times=9, Retry_After="0")
    with pytest.raises(Unavailable) as caught:
        await client.ready()
    assert (caught.value.code, len(stub.seen)) == ("draining", 1)


async def test_an_unknown_graph_lists_the_known_ones(client: Any) -> None:
    with pytest.raises(NotFound, match="404 unknown_graph: because unknown_graph") as caught:
        await client.invoke("nowhere", {})
    assert caught.value.body["known"] == ["echo"]
    assert caught.value.request_id == "req-1"


async def test_the_key_is_a_bearer_token(connect: Any, stub: Stub) -> None:
    stub.api_key = "lgp_right"
    assert await connect(api_key=" lgp_right\n").graphs()
    for wrong in ("lgp_wrong", None):
        with pytest.raises(Unauthenticated):
            await connect(api_key=wrong).graphs()


async def test_a_function_is_asked_for_a_fresh_key_before_each_request(connect: Any, stub: Stub) -> None:
    given = iter(range(1000))
    client = connect(api_key=lambda: f" token-{next(given)}\n")
    for _ in range(2):
        await client.graphs()
    stub.hang_up()
    await client.invoke("echo", {})
    found = [seen.headers["authorization"] for seen in stub.seen]
    assert found == [f"Bearer token-{number}" for number in range(len(found))]
    assert len(found) == 4


async def test_a_stream_is_opened_again_with_a_fresh_key(connect: Any, stub: Stub) -> None:
    given = iter(range(1000))
    stub.cuts.append(Cut(1, "abort"))
    events = [event async for event in connect(api_key=lambda: f"token-{next(given)}").stream("echo", {})]
    assert events[-1].event == "end"
    assert [seen.headers["authorization"] for seen in stub.seen] == ["Bearer token-0", "Bearer token-1"]


async def test_the_async_client_awaits_its_function(stub: Stub) -> None:
    async def fetch() -> str:
        await asyncio.sleep(0)
        return "lgp_right"

    stub.api_key = "lgp_right"
    async with LangGraphClient(stub.url, fetch) as client:
        assert await client.graphs()


def test_the_sync_client_refuses_a_function_that_is_awaited(stub: Stub) -> None:
    async def fetch() -> str:
        return "lgp_right"

    wrong: Any = fetch
    with SyncLangGraphClient(stub.url, wrong) as client, pytest.raises(TypeError, match="LangGraphClient"):
        client.graphs()
    assert stub.seen == []


async def test_what_a_function_raises_is_raised_and_a_key_no_header_can_carry_is_not_shown(
    connect: Any, stub: Stub
) -> None:
    with pytest.raises(LookupError, match="no credentials"):
        await connect(api_key=raising).graphs()
    with pytest.raises(ValueError, match="api_key holds a character") as caught:
        await connect(api_key=lambda: "s3cr3t\nX: y").graphs()
    assert "s3cr3t" not in str(caught.value)
    assert stub.seen == []


def raising() -> str:
    message = "no credentials"
    raise LookupError(message)


# ---------------------------------------------------------------------- faults


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_lost_answer_joins_the_same_run(client: Any, stub: Stub, *, carried_out: bool) -> None:
    stub.hang_up(times=2, carried_out=carried_out)
    answer = await client.invoke("echo", {"a": 1})
    assert answer.result == {"a": 1}
    assert len(stub.runs) == 1
    assert len({seen.headers["idempotency-key"] for seen in stub.seen}) == 1
    assert len(stub.seen) == 3


@pytest.mark.parametrize("code", ["draining", "overloaded", "database_unavailable", ""])
async def test_an_unavailable_server_is_asked_again(client: Any, stub: Stub, code: str) -> None:
    stub.refuse(503, code, times=2, Retry_After="0")
    assert (await client.resume("approve", "t", 1)).status == "success"
    assert len(stub.seen) == 3


async def test_retry_after_is_waited_for(client: Any, stub: Stub) -> None:
    stub.refuse(503, "overloaded", Retry_After="1")
    began = time.monotonic()
    await client.graphs()
    assert 1 <= time.monotonic() - began < 3


async def test_the_last_refusal_is_raised(client: Any, stub: Stub) -> None:
    stub.refuse(503, "overloaded", times=4, Retry_After="0")
    with pytest.raises(Unavailable) as caught:
        await client.invoke("echo", {})
    assert (caught.value.code, caught.value.retry_after) == ("overloaded", 0)
    assert len(stub.seen) == 4


async def test_a_server_that_asks_for_hours_is_not_waited_for(client: Any, stub: Stub) -> None:
    stub.refuse(503, "database_unavailable", Retry_After="7200")
    with pytest.raises(Unavailable):
        await client.graphs()
    assert len(stub.seen) == 1


async def test_what_is_wrong_is_not_repeated(client: Any, stub: Stub) -> None:
    for status, code in ((422, "invalid_input"), (500, "internal_error")):
        stub.refuse(status, code)
        with pytest.raises(ApiError) as caught:
            await client.invoke("echo", {})
        assert caught.value.code == code
    assert len(stub.seen) == 2


async def test_a_proxys_time_out_joins_the_same_run(client: Any, stub: Stub) -> None:
    stub.refuse(504)
    assert (await client.invoke("echo", {"a": 1})).result == {"a": 1}
    assert len(stub.runs) == 1


async def test_an_update_whose_answer_was_lost_is_not_repeated(client: Any, stub: Stub) -> None:
    stub.hang_up(carried_out=True)
    with pytest.raises(ConnectionFailed) as caught:
        await client.update_state("echo", "t", {})
    assert not caught.value.unsent
    assert len(stub.seen) == 1


async def test_an_update_that_was_refused_untouched_is_repeated(client: Any, stub: Stub) -> None:
    stub.refuse(503, "draining", Retry_After="0")
    assert (await client.update_state("echo", "t", {"a": 1})).values == {"a": 1}
    stub.refuse(503, "database_unavailable", Retry_After="0")
    with pytest.raises(Unavailable):
        await client.update_state("echo", "t", {"a": 2})


async def test_a_deletion_whose_answer_was_lost_has_worked(client: Any, stub: Stub) -> None:
    await client.update_state("echo", "t", {})
    stub.hang_up(carried_out=True)
    assert await client.delete_thread("t") is None
    assert not stub.states


async def test_a_cancellation_whose_answer_was_lost_has_worked(client: Any, stub: Stub) -> None:
    await client.invoke("approve", {})
    stub.hang_up(carried_out=True)
    assert (await client.cancel("approve", "run-1")).status == "cancelled"


async def test_nobody_listening_is_a_failed_connection(connect: Any) -> None:
    with pytest.raises(ConnectionFailed, match="ConnectError") as caught:
        await connect("http://127.0.0.1:9").graphs()
    assert caught.value.unsent
    assert caught.value.__cause__ is not None


async def test_an_answer_that_is_no_json_is_unexpected(client: Any, stub: Stub) -> None:
    stub.refuse(200)
    with pytest.raises(UnexpectedAnswer, match="not JSON"):
        await client.graphs()


async def test_a_redirect_is_not_followed(client: Any, stub: Stub) -> None:
    stub.refuse(307, Location="https://elsewhere.example/graphs")
    with pytest.raises(ApiError) as caught:
        await client.graphs()
    assert (caught.value.status, caught.value.code) == (307, "")


async def test_another_body_with_the_same_key_is_refused(client: Any) -> None:
    await client.invoke("echo", {"a": 1}, idempotency_key="k")
    with pytest.raises(BadRequest) as caught:
        await client.invoke("echo", {"a": 2}, idempotency_key="k")
    assert caught.value.code == "idempotency_key_reused"


async def test_one_client_serves_many_calls_at_once(client: Any, stub: Stub) -> None:
    answers = await asyncio.gather(*(client.invoke("echo", {"n": n}) for n in range(20)))
    assert [answer.result["n"] for answer in answers] == list(range(20))
    assert len(stub.runs) == 20
