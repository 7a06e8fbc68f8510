"""How long, how often and how patiently: the flows in virtual time, without a socket."""

import math

import pytest
from client_world import World, a_run, answer, refusal

from langgraph_client import (
    ConnectionFailed,
    Retry,
    RunFinished,
    TimedOut,
    TooMany,
    Unavailable,
    UnexpectedAnswer,
)
from langgraph_client._runs import cancel, get_run, invoke, join
from langgraph_client._streams import join_stream, stream
from langgraph_client._threads import delete_thread, graphs, update_state

CUT = ConnectionFailed("cut")
UNSENT = ConnectionFailed("refused", unsent=True)
SILENT = TimedOut("nothing came in time")
STREAM = answer(200, content_type="text/event-stream; charset=utf-8", location="/graphs/g/runs/run-1")
DRAIN = b'event: drain\nretry: 500\ndata: {"run_id":"run-1","thread_id":"t"}\n\n'
END = b'event: end\ndata: {"run_id":"run-1","thread_id":"t","status":"success","interrupts":[]}\nid: 1-9\n\n'


def test_pauses_double_up_to_the_longest() -> None:
    world = World([*[CUT] * 7, answer(200, {"graphs": []})])
    world.run(graphs)
    assert world.slept == [0.25, 0.5, 1, 2, 4, 8, 8]


@pytest.mark.parametrize("code", ["rate_limited", "too_many_runs", "too_many_streams"])
def test_too_much_is_asked_again_when_the_server_says(code: str) -> None:
    """Also what may not be sent twice: it was refused before anything was done."""
    done = answer(200, {"thread_id": "t", "values": {}})
    world = World([refusal(429, code, retry_after="7"), done])
    world.run(update_state, "g", "t", {"a": 1})
    assert world.slept == [7.25]
    assert len(world.sent) == 2


def test_too_much_for_longer_than_our_patience_is_told_at_once() -> None:
    world = World([refusal(429, "rate_limited", retry_after="3600")])
    with pytest.raises(TooMany) as caught:
        world.run(graphs)
    assert (caught.value.code, caught.value.retry_after, world.slept) == ("rate_limited", 3600, [])


def test_chance_shortens_a_pause_by_up_to_half() -> None:
    world = World([CUT, answer(200, {"graphs": []})])
    object.__setattr__(session := world.session(), "jitter", lambda: 1.0)
    world.session = lambda: session  # type: ignore[method-assign] - chance is the one thing under test
    world.run(graphs)
    assert world.slept == [0.125]


def test_the_last_try_raises_its_error() -> None:
    world = World([CUT, CUT, ConnectionFailed("the last one")], Retry(tries=3))
    with pytest.raises(ConnectionFailed, match="the last one"):
        world.run(graphs)
    assert len(world.sent) == 3


def test_one_try_is_no_repeat() -> None:
    world = World([UNSENT], Retry(tries=1))
    with pytest.raises(ConnectionFailed):
        world.run(graphs)
    assert world.slept == []


@pytest.mark.parametrize("numbers", [{"tries": 0}, {"first_pause": -1}, {"longest_pause": math.inf}])
def test_a_policy_that_means_nothing_is_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at least one try"):
        Retry(**numbers)  # type: ignore[arg-type] - wrong on purpose


def test_retry_after_is_a_floor_under_the_pause() -> None:
    world = World([refusal(503, "draining", retry_after="3"), CUT, answer(200, {"graphs": []})])
    world.run(graphs)
    assert world.slept == [3.25, 0.5]


@pytest.mark.parametrize("asked", ["61", "99999999999999999999", "Fri, 31 Dec 2999 23:59:59 GMT"])
def test_a_retry_after_beyond_patience_is_raised(asked: str) -> None:
    world = World([refusal(503, "draining", retry_after=asked)])
    with pytest.raises(Unavailable):
        world.run(graphs)


@pytest.mark.parametrize("asked", ["soon", "-1", "", "Fri, 31 Dec 1999 23:59:59 GMT"])
def test_a_retry_after_that_says_nothing_is_not_waited_for(asked: str) -> None:
    world = World([refusal(503, "draining", retry_after=asked), answer(200, {"graphs": []})])
    world.run(graphs)
    assert world.slept == [0.25]


def test_no_pause_goes_beyond_the_deadline() -> None:
    world = World([(1.9, CUT)], timeout=2.0)
    with pytest.raises(ConnectionFailed):
        world.run(invoke, "g", {})
    assert world.slept == []


def test_the_answer_is_waited_for_until_the_deadline() -> None:
    world = World([(100.0, CUT), (180, SILENT), (20, SILENT)])
    with pytest.raises(TimedOut, match="no answer within 300 s"):
        world.run(invoke, "g", {})
    assert world.timeouts == pytest.approx([300, 199.75, 19.25])


def test_an_infinite_time_out_never_passes() -> None:
    world = World([refusal(504, "still_running", location="/graphs/g/runs/run-1"), answer(200, a_run())])
    assert world.run(invoke, "g", {}, timeout=math.inf).status == "success"
    assert world.timeouts == [math.inf, 75]


def test_the_run_of_a_wait_that_ended_is_taken_from_the_body_too() -> None:
    waiting = answer(504, {"code": "still_running", "detail": "", "run_id": "run 7/8"})
    world = World([waiting, answer(200, a_run())])
    world.run(invoke, "g", {})
    assert world.sent[1].path == "/graphs/g/runs/run%207%2F8"


def test_join_asks_again_until_the_run_ends() -> None:
    world = World([(60, answer(200, a_run("running")))] * 3 + [answer(200, a_run("interrupted"))])
    assert world.run(join, "g", "run-1").interrupted
    assert [request.params for request in world.sent] == [{"wait": "60"}] * 4
    assert world.slept == [0.25] * 3


def test_join_ends_at_its_own_deadline() -> None:
    world = World(
        [(60, answer(200, a_run("pending"))), (30, answer(200, a_run("running"))), (10, SILENT)], timeout=9
    )
    with pytest.raises(TimedOut, match="run run-1 has not ended within 100 s") as caught:
        world.run(join, "g", "run-1", timeout=100)
    assert caught.value.run_id == "run-1"
    assert [request.params["wait"] for request in world.sent] == ["60", "39", "9"]
    assert world.timeouts == pytest.approx([75, 39.75, 9.5])


def test_join_does_not_spin_when_the_server_does_not_wait() -> None:
    world = World([answer(200, a_run("running"))] * 500, timeout=10)
    with pytest.raises(TimedOut):
        world.run(join, "g", "run-1")
    assert len(world.sent) <= 41


def test_a_dead_connection_does_not_end_a_join() -> None:
    world = World([(75, SILENT), CUT, refusal(503, "draining", retry_after="5"), answer(200, a_run())])
    assert world.run(join, "g", "run-1").result == {"a": 1}


def test_waits_that_proxies_cut_off_go_on_until_the_deadline() -> None:
    world = World([(30, refusal(504, ""))] * 20, Retry(tries=2))
    with pytest.raises(Unavailable):
        world.run(invoke, "g", {})
    assert len(world.sent) == 10
    assert {request.headers["Idempotency-Key"] for request in world.sent} == {"key-1"}


@pytest.mark.parametrize("failure", [CUT, SILENT, refusal(502, ""), refusal(503, "database_unavailable")])
def test_an_update_is_not_repeated_if_it_may_have_happened(failure: object) -> None:
    world = World([failure])
    with pytest.raises((ConnectionFailed, TimedOut, Unavailable)):
        world.run(update_state, "g", "t", {})


@pytest.mark.parametrize("failure", [UNSENT, refusal(503, "draining"), refusal(503, "overloaded")])
def test_an_update_is_repeated_if_it_surely_did_not_happen(failure: object) -> None:
    world = World([failure, answer(200, {"thread_id": "t"})])
    assert world.run(update_state, "g", "t", {}).thread_id == "t"


def test_only_a_lost_answer_excuses_what_is_gone() -> None:
    gone = refusal(404, "unknown_thread")
    World([CUT, gone]).run(delete_thread, "t")
    for failure in (UNSENT, refusal(503, "draining")):
        with pytest.raises(Exception, match="unknown_thread"):
            World([failure, gone]).run(delete_thread, "t")
    over = refusal(409, "run_finished")
    assert World([CUT, over, answer(200, a_run("success"))]).run(cancel, "g", "run-1").status == "success"
    with pytest.raises(RunFinished):
        World([UNSENT, over]).run(cancel, "g", "run-1")


def test_a_single_look_at_a_run_has_no_wait() -> None:
    world = World([answer(200, a_run("running"))])
    assert not world.run(get_run, "g", "run-1").ended
    assert world.sent[0].params == {}


# ---------------------------------------------------------------------- streams


def test_a_stream_is_silent_for_60_seconds_at_most() -> None:
    world = World([STREAM, END])
    world.run(stream, "g", {})
    assert world.timeouts == [60]


def test_losses_in_a_row_are_bounded_and_paused() -> None:
    world = World([STREAM, CUT] * 8)
    with pytest.raises(ConnectionFailed):
        world.run(join_stream, "g", "run-1")
    assert world.slept == [0.25, 0.5, 1, 2, 4, 8, 8]


def test_an_event_starts_the_count_of_losses_over() -> None:
    beat = b"event: custom\ndata: 1\nid: 1-%d\n\n"
    script = [step for seq in range(50) for step in (STREAM, beat % seq, CUT)]
    world = World([*script, STREAM, END], Retry(tries=2))
    world.run(join_stream, "g", "run-1")
    assert len(world.events) == 51
    assert set(world.slept) == {0.25}


def test_heartbeats_over_a_connection_that_held_start_it_over_too() -> None:
    world = World([*[STREAM, (30, b": beat\n\n"), (30, b"")] * 50, STREAM, END], Retry(tries=2))
    world.run(join_stream, "g", "run-1")
    assert [event.event for event in world.events] == ["end"]


def test_a_server_that_only_greets_is_given_up() -> None:
    world = World([STREAM, b": hello\n\n", b""] * 9, Retry(tries=3))
    with pytest.raises(ConnectionFailed):
        world.run(join_stream, "g", "run-1")
    assert len(world.slept) == 2


def test_the_streams_own_retry_field_is_a_floor_too() -> None:
    world = World([STREAM, b"retry: 2000\n\n", b"", STREAM, END])
    world.run(join_stream, "g", "run-1")
    assert world.slept == [2.25]


def test_a_stream_that_is_sent_elsewhere_is_opened_again_at_once_and_nobody_sees_it() -> None:
    event = b"event: custom\ndata: 1\nid: 1-4\n\n"
    world = World([STREAM, event + DRAIN, STREAM, END])
    world.run(stream, "g", {})
    assert world.slept == [0]
    assert [event.event for event in world.events] == ["custom", "end"]
    assert (world.sent[1].method, world.sent[1].headers["Last-Event-ID"]) == ("GET", "1-4")


def test_a_stream_that_is_sent_elsewhere_again_and_again_has_patience_and_an_end() -> None:
    world = World([STREAM, DRAIN] * 9, Retry(tries=4))
    with pytest.raises(ConnectionFailed, match="stopped before the run ended"):
        world.run(join_stream, "g", "run-1")
    assert world.slept == [0, 0.5, 1]


def test_a_restart_every_minute_is_outlived_by_a_silent_stream() -> None:
    world = World([*[STREAM, (30, b": beat\n\n"), (30, DRAIN)] * 50, STREAM, END], Retry(tries=2))
    world.run(join_stream, "g", "run-1")
    assert world.slept == [0] * 50


def test_an_event_that_is_no_json_is_unexpected() -> None:
    with pytest.raises(UnexpectedAnswer, match="event custom is not JSON"):
        World([STREAM, b"event: custom\ndata: {\n\n"]).run(join_stream, "g", "run-1")


def test_events_without_an_id_are_given_and_keep_the_position() -> None:
    world = World(
        [STREAM, b"event: custom\ndata: 1\nid: 1-5\n\nevent: custom\ndata: 2\n\n", CUT, STREAM, END]
    )
    world.run(join_stream, "g", "run-1")
    assert [event.id for event in world.events] == ["1-5", "1-5", "1-9"]
    assert world.sent[1].headers["Last-Event-ID"] == "1-5"


def test_ids_that_are_not_the_contracts_are_only_compared() -> None:
    frames = (
        b"event: custom\ndata: 1\nid: b\n\nevent: custom\ndata: 1\nid: b\n\nevent: custom\ndata: 2\nid: a\n\n"
    )
    world = World([STREAM, frames + END])
    world.run(join_stream, "g", "run-1")
    assert [event.id for event in world.events] == ["b", "a", "1-9"]


def test_the_run_is_found_by_its_metadata_when_there_is_no_location() -> None:
    bare = answer(200, content_type="text/event-stream")
    metadata = b'event: metadata\ndata: {"run_id":"run-7","thread_id":"t","attempt":1}\nid: 1-0\n\n'
    world = World([bare, metadata, CUT, bare, END])
    world.run(stream, "g", {})
    assert [request.path for request in world.sent] == ["/graphs/g/stream", "/graphs/g/runs/run-7/stream"]
