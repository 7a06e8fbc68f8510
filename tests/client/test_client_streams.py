"""Streams over real sockets that are cut, through both clients."""

import asyncio
import contextlib
import time
from typing import Any

import pytest
from client_stub import Cut, Event, Stub, a_log

from langgraph_client import (
    ConnectionFailed,
    LangGraphClient,
    NotFound,
    RunCancelled,
    RunFailed,
    RunTimedOut,
    StreamEvent,
    ThreadBusy,
    TimedOut,
    Unavailable,
    UnexpectedAnswer,
)

pytestmark = pytest.mark.timeout(30)

WHOLE = ["1-1", "1-2", "1-3", "1-4", "9-9"]
CUTS = ["close", "abort", "half then close", "half then abort"]


async def collect(events: Any) -> list[StreamEvent]:
    return [event async for event in events]


async def ids(events: Any) -> list[str]:
    return [event.id for event in await collect(events)]


async def test_events_come_in_order_from_metadata_to_end(client: Any, stub: Stub) -> None:
    events = await collect(client.stream("echo", {"q": 1}, "t", {"tags": ["x"]}, stream_mode="updates"))
    assert [event.event for event in events] == ["metadata", "updates", "updates", "updates", "end"]
    assert events[0].data == {"run_id": "run-1", "thread_id": "t", "attempt": 1}
    assert events[1] == StreamEvent("updates", {"step": 2}, "1-2")
    assert events[-1].data["status"] == "success"
    sent = stub.seen[0]
    assert sent.body["stream_mode"] == "updates"
    assert sent.body["config"] == {"tags": ["x"]}
    assert sent.headers["accept"] == "text/event-stream"
    assert sent.headers["accept-encoding"] == "identity"


async def test_stream_takes_the_names_of_the_listing(client: Any) -> None:
    assert await ids(client.stream(graph_name="echo", input_data={}, thread_id="t")) == WHOLE


async def test_an_interrupted_run_ends_with_its_question(client: Any) -> None:
    *_, end = await collect(client.stream("approve", {}))
    assert (end.event, end.data["status"]) == ("end", "interrupted")
    assert end.data["interrupts"][0]["id"] == "ask-1"


async def test_events_of_a_subgraph_name_their_place(client: Any, stub: Stub) -> None:
    stub.logs.append(a_log("run-1", "t", Event("1-2", "messages|outer:1|inner:2", [{"content": "hé"}, {}])))
    event = (await collect(client.stream("echo", {}, subgraphs=True)))[1]
    assert (event.mode, event.namespace) == ("messages", ("outer:1", "inner:2"))
    assert event.data[0] == {"content": "hé"}


@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize("after", range(5))
async def test_a_lost_connection_goes_on_where_it_broke_off(
    client: Any, stub: Stub, how: Any, after: int
) -> None:
    stub.cuts.append(Cut(after, how))
    assert await ids(client.stream("echo", {})) == WHOLE
    assert [seen.method for seen in stub.seen] == ["POST", "GET"]
    assert stub.seen[1].path == "/graphs/echo/runs/run-1/stream"
    assert stub.seen[1].headers.get("last-event-id") == (WHOLE[after - 1] if after else None)
    assert stub.seen[1].body is None
    assert len(stub.runs) == 1


async def test_many_losses_are_outlived_while_events_come(client: Any, stub: Stub) -> None:
    stub.cuts.extend(Cut(1, how) for how in CUTS)
    assert await ids(client.stream("echo", {})) == WHOLE
    assert len(stub.seen) == 5


async def test_losses_without_an_event_are_bounded(client: Any, stub: Stub) -> None:
    stub.cuts.append(Cut(2, "close"))
    stub.cuts.extend([Cut(0, "close")] * 9)
    events = client.stream("echo", {})
    assert [(await anext(events)).id, (await anext(events)).id] == WHOLE[:2]
    with pytest.raises(ConnectionFailed, match="closed before the run ended"):
        await anext(events)
    assert len(stub.seen) == 4


async def test_a_stream_that_never_opened_is_started_again_as_the_same_run(client: Any, stub: Stub) -> None:
    stub.hang_up(times=2, carried_out=True)
    assert await ids(client.stream("echo", {})) == WHOLE
    assert len(stub.runs) == 1
    assert [seen.method for seen in stub.seen] == ["POST"] * 3


@pytest.mark.parametrize(("code", "seconds"), [("draining", 1), ("overloaded", 0), ("", 0)])
async def test_an_unavailable_server_is_asked_again(client: Any, stub: Stub, code: str, seconds: int) -> None:
    stub.refuse(503, code, Retry_After=str(seconds))
    began = time.monotonic()
    assert await ids(client.stream("echo", {})) == WHOLE
    assert seconds <= time.monotonic() - began < seconds + 1
    assert len(stub.seen) == 2


async def test_a_server_that_drains_during_the_run_is_left_and_found_again(client: Any, stub: Stub) -> None:
    stub.cuts.append(Cut(2, "close"))
    events = client.stream("echo", {})
    first = await anext(events)
    stub.refuse(503, "draining", times=2, Retry_After="0")
    assert [first.id, *[event.id async for event in events]] == WHOLE


async def test_a_gap_is_handed_to_the_caller(client: Any, stub: Stub) -> None:
    gap = {"after": "1-2", "attempt": 2}
    again = {"run_id": "run-1", "thread_id": "t", "attempt": 2}
    stub.cuts.append(Cut(3, "abort"))
    stub.logs.append(a_log("run-1", "t"))
    stub.logs.append(
        a_log(
            "run-1",
            "t",
            Event("1-2", "updates", {"step": 2}),
            Event("2-1", "metadata", again),
            Event("2-2", "gap", gap),
            Event("2-3", "updates", {"step": "other"}),
        )
    )
    events = await collect(client.stream("echo", {}))
    assert [event.id for event in events] == ["1-1", "1-2", "1-3", "2-1", "2-2", "2-3", "9-9"]
    assert (events[4].event, events[4].data) == ("gap", gap)


async def test_a_gap_in_front_of_the_position_is_handed_over_too(client: Any, stub: Stub) -> None:
    stub.cuts.append(Cut(3, "abort"))
    stub.logs.append(a_log("run-1", "t"))
    stub.logs.append([Event("1-9", "gap", {"after": None, "attempt": 2}), *a_log("run-1", "t")[4:]])
    events = await collect(client.stream("echo", {}))
    assert [event.event for event in events] == ["metadata", "updates", "updates", "gap", "end"]


async def test_events_that_come_again_are_dropped(client: Any, stub: Stub) -> None:
    names = {"run_id": "run-1", "thread_id": "t"}
    stub.cuts.append(Cut(3, "close"))
    log = a_log("run-1", "t")
    replay = [Event("5-0", "metadata", {**names, "attempt": 1}), *log[1:]]
    stub.logs.extend([log, replay])
    assert await ids(client.stream("echo", {}, "t")) == WHOLE


async def test_heartbeats_keep_a_silent_stream_open(connect: Any, stub: Stub) -> None:
    stub.heartbeat = (6, 0.06)
    assert await ids(connect(silence=0.25).stream("echo", {})) == WHOLE
    assert len(stub.seen) == 1


async def test_silence_is_a_lost_connection(connect: Any, stub: Stub) -> None:
    stub.heartbeat = (1, 1.0)
    with pytest.raises(TimedOut):
        await ids(connect(silence=0.1).stream("echo", {}))
    assert [seen.method for seen in stub.seen] == ["POST", "GET", "GET", "GET"]


async def test_the_error_event_is_raised(client: Any, stub: Stub) -> None:
    log = a_log(
        "run-1", "t", Event("1-2", "error", {"code": "poison", "detail": "died 3 times"}), status="error"
    )
    stub.logs.append(log)
    with pytest.raises(RunFailed, match="500 poison: died 3 times") as caught:
        await ids(client.stream("echo", {}))
    assert caught.value.run_id == "run-1"
    assert len(stub.seen) == 1


@pytest.mark.parametrize(
    ("status", "error"), [("error", RunFailed), ("timeout", RunTimedOut), ("cancelled", RunCancelled)]
)
async def test_a_bad_end_is_raised(client: Any, stub: Stub, status: str, error: type[Exception]) -> None:
    stub.logs.append(a_log("run-1", "t", status=status))
    with pytest.raises(error):
        await ids(client.stream("echo", {}))


async def test_join_stream_starts_at_the_beginning_or_behind_an_event(client: Any, stub: Stub) -> None:
    run = await client.invoke("echo", {})
    assert await ids(client.join_stream("echo", run.run_id)) == WHOLE
    assert await ids(client.join_stream("echo", run.run_id, "0")) == WHOLE
    assert await ids(client.join_stream("echo", run.run_id, last_event_id="1-3")) == ["1-4", "9-9"]
    stub.cuts.append(Cut(0, "abort"))
    assert await ids(client.join_stream("echo", run.run_id, "1-3")) == ["1-4", "9-9"]
    assert stub.seen[-1].headers["last-event-id"] == "1-3"


async def test_a_run_nobody_knows_is_not_asked_for_twice(client: Any, stub: Stub) -> None:
    with pytest.raises(NotFound):
        await ids(client.join_stream("echo", "run-9"))
    assert len(stub.seen) == 1


async def test_a_refused_stream_raises_its_reason(client: Any, stub: Stub) -> None:
    stub.refuse(409, "thread_busy")
    with pytest.raises(ThreadBusy):
        await ids(client.stream("echo", {}))


async def test_a_run_that_is_lost_for_good_raises_the_last_reason(client: Any, stub: Stub) -> None:
    stub.refuse(503, "draining", times=9, Retry_After="0")
    with pytest.raises(Unavailable):
        await ids(client.stream("echo", {}))
    assert len(stub.seen) == 4


@pytest.mark.parametrize(
    "location", ["http://elsewhere.example{path}", "//elsewhere.example{path}", "http://[oops", "/login", ""]
)
async def test_a_location_is_never_followed_elsewhere(client: Any, stub: Stub, location: str) -> None:
    stub.location = location
    stub.cuts.append(Cut(2, "close"))
    assert await ids(client.stream("echo", {})) == WHOLE
    assert stub.seen[1].path == "/graphs/echo/runs/run-1/stream"


async def test_without_any_name_of_the_run_the_first_request_is_repeated(client: Any, stub: Stub) -> None:
    stub.location = ""
    stub.cuts.append(Cut(0, "close"))
    assert await ids(client.stream("echo", {})) == WHOLE
    assert [seen.method for seen in stub.seen] == ["POST", "POST"]
    assert len(stub.runs) == 1


async def test_an_absolute_location_of_the_same_origin_names_the_run(client: Any, stub: Stub) -> None:
    stub.location = stub.url + "{path}/stream"
    stub.cuts.append(Cut(0, "close"))
    assert await ids(client.stream("echo", {})) == WHOLE
    assert [seen.method for seen in stub.seen] == ["POST", "GET"]


async def test_a_page_instead_of_a_stream_is_unexpected(client: Any, stub: Stub) -> None:
    stub.refuse(200)
    with pytest.raises(UnexpectedAnswer, match="text/html"):
        await ids(client.stream("echo", {}))


async def test_a_loop_that_is_just_left_closes_the_connection_too(client: Any, stub: Stub) -> None:
    stub.heartbeat, stub.heartbeat_from = (500, 0.02), 1
    async for event in client.stream("echo", {}):
        assert event.event == "metadata"
        break
    assert await asyncio.to_thread(stub.hung_up.wait, 5)


async def test_a_cancelled_wait_closes_the_connection_and_leaves_the_client_usable(stub: Stub) -> None:
    stub.heartbeat, stub.heartbeat_from = (500, 0.02), 1
    async with LangGraphClient(stub.url) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(collect(client.stream("echo", {})), 0.2)
        assert await asyncio.to_thread(stub.hung_up.wait, 5)
        stub.heartbeat = (0, 0)
        assert await ids(client.join_stream("echo", "run-1")) == WHOLE


async def test_streams_side_by_side_do_not_wait_for_each_other(client: Any, stub: Stub) -> None:
    stub.heartbeat = (2, 0.05)
    began = time.monotonic()
    logs = await asyncio.gather(*(ids(client.stream("echo", {})) for _ in range(4)))
    assert logs == [WHOLE] * 4
    assert time.monotonic() - began < 4 * 0.5


async def test_leaving_the_loop_closes_the_connection(client: Any, stub: Stub) -> None:
    stub.heartbeat, stub.heartbeat_from = (500, 0.02), 1
    async with contextlib.aclosing(client.stream("echo", {}, on_disconnect="cancel")) as events:
        await anext(events)
    assert await asyncio.to_thread(stub.hung_up.wait, 5)
