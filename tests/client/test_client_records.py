"""What answers become: whatever the server sends is a record, an `ApiError` or `UnexpectedAnswer`."""

import contextlib
import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from client_world import World, a_run, answer
from hypothesis import given, settings
from hypothesis import strategies as st

import langgraph_client as lgc
from langgraph_client import ConnectionFailed
from langgraph_client._runs import cancel, get_run, invoke, join, resume, runs
from langgraph_client._streams import stream
from langgraph_client._threads import get_state, graphs, health, history, threads

NAMES = {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": "c"}
QUESTION = {"id": "i", "value": 1, "response_schema": None}
STATE: dict[str, Any] = {
    "thread_id": "t",
    "values": {},
    "next": ["node"],
    "interrupts": [QUESTION],
    "checkpoint": NAMES,
    "parent_checkpoint": None,
    "created_at": "2026-01-01T00:00:00Z",
    "metadata": {},
}
THREAD = dict.fromkeys(("created_at", "updated_at"), STATE["created_at"]) | {
    "thread_id": "t",
    "status": "idle",
}
GRAPH = {"name": "g", "description": None, "input_schema": {}}
RUN = a_run("interrupted", interrupts=[QUESTION], error={"code": "c", "detail": "d"})
CALLS: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
    (invoke, ("g", {}), RUN),
    (resume, ("g", "t", 1), RUN),
    (get_run, ("g", "r"), RUN),
    (join, ("g", "r"), RUN),
    (cancel, ("g", "r"), RUN),
    (runs, ("g",), {"runs": [RUN], "total": 1}),
    (get_state, ("g", "t"), STATE),
    (history, ("g", "t"), {"history": [STATE]}),
    (threads, (), {"threads": [THREAD], "total": 1}),
    (graphs, (), {"graphs": [GRAPH]}),
    (health, (), {"status": "ready", "version": "1", "database": "connected"}),
]
EVENTS: dict[str, Any] = {
    "metadata": {"run_id": "run-1", "thread_id": "t", "attempt": 1},
    "gap": {"after": None, "attempt": 2},
    "error": {"code": "run_failed", "detail": "why"},
    "end": {"run_id": "run-1", "thread_id": "t", "status": "success", "interrupts": []},
    "values": [1],
}
WRONG = st.sampled_from(
    [None, True, 7, 0.5, "", "x", [], [1], ["x"], {}, {"code": 7}, "2026-13-01", "error", "running"]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Go through every place in a JSON value, itself first."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


def spoiled(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    """Return the value with something else at one place."""
    if not path:
        return wrong
    twin = copy.deepcopy(value)
    inner = twin
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = wrong
    return twin


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0].__name__)
def test_what_the_contract_promises_is_a_record(call: Any) -> None:
    flow, arguments, body = call
    assert World([answer(200, body)]).run(flow, *arguments) is not None


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0].__name__)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_other_answer_is_a_record_or_an_error_of_ours(call: Any, data: st.DataObject) -> None:
    flow, arguments, body = call
    status = data.draw(st.sampled_from([200, 200, 200, 202, 404, 500, 504]))
    body = body | {"code": "still_running"} if status == 504 else body
    body = spoiled(body, data.draw(st.sampled_from(list(places(body)))), data.draw(WRONG))
    world = World([answer(status, body)] * 9, lgc.Retry(tries=2), timeout=1.0)
    with contextlib.suppress(lgc.LangGraphError):
        world.run(flow, *arguments)


@pytest.mark.parametrize("event", EVENTS)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_any_event_is_given_or_an_error_of_ours(event: str, data: st.DataObject) -> None:
    said = EVENTS[event]
    said = spoiled(said, data.draw(st.sampled_from(list(places(said)))), data.draw(WRONG))
    frame = b"event: " + event.encode() + b"\ndata: " + answer(200, said).body + b"\n\n"
    opened = answer(200, content_type="text/event-stream")
    script = [opened, frame, ConnectionFailed("cut"), opened, b""]
    with contextlib.suppress(lgc.LangGraphError):
        World(script, lgc.Retry(tries=2)).run(stream, "g", {})


def get(fields: dict[str, Any]) -> lgc.Run:
    return World([answer(200, fields)]).run(get_run, "g", "run-1")


def test_a_field_of_tomorrow_is_ignored() -> None:
    assert get(a_run() | {"of_tomorrow": 1}) == get(a_run())


@pytest.mark.parametrize("name", ["run_id", "thread_id", "status", "attempt", "created_at"])
def test_a_field_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(lgc.UnexpectedAnswer, match=name):
        get({key: value for key, value in a_run().items() if key != name})


def test_times_are_aware_whatever_their_offset() -> None:
    run = get(a_run(created_at="2026-01-01T02:00:00+02:00", started_at="2026-01-01T00:00:00.5Z"))
    assert run.created_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert run.started_at == run.created_at + timedelta(seconds=0.5)


def test_records_are_frozen() -> None:
    with pytest.raises(AttributeError):
        get(a_run()).status = "error"  # type: ignore[misc] - wrong on purpose


@pytest.mark.parametrize(
    "status", ["pending", "running", "success", "interrupted", "error", "timeout", "cancelled"]
)
def test_a_run_knows_whether_it_ended(status: str) -> None:
    run = get(a_run(status))
    assert run.ended == (status not in {"pending", "running"})
    assert run.interrupted == (status == "interrupted")


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [("error", lgc.RunFailed, 500), ("timeout", lgc.RunTimedOut, 504), ("cancelled", lgc.RunCancelled, 409)],
)
def test_a_bad_end_is_the_same_error_with_and_without_its_reason(status: Any, kind: Any, code: int) -> None:
    with pytest.raises(kind) as caught:
        World([answer(200, a_run(status))]).run(join, "g", "run-1")
    assert (caught.value.status, caught.value.run_id) == (code, "run-1")
    fault = {"code": "of_tomorrow", "detail": "why"}
    with pytest.raises(lgc.RunFailed, match="500 of_tomorrow: why"):
        World([answer(200, a_run(status, error=fault))]).run(join, "g", "run-1")


def test_a_page_is_its_items() -> None:
    page = World([answer(200, {"runs": [a_run(), a_run("error")], "total": 7})]).run(runs, "g")
    assert [run.status for run in page] == ["success", "error"]
    assert (len(page), page.total) == (2, 7)


USER = """
from typing import assert_type
from langgraph_client import LangGraphClient, Page, Run, RunResult, State, StreamEvent, SyncLangGraphClient

async def use(client: LangGraphClient, twin: SyncLangGraphClient) -> None:
    assert_type(await client.invoke("g", {"a": 1}, "t", {"tags": ["x"]}, on_busy="enqueue"), RunResult)
    assert_type(twin.invoke(graph_name="g", input_data=None, timeout=5), RunResult)
    assert_type(await client.get_state("g", "t"), State)
    assert_type(twin.history("g", "t", limit=3), list[State])
    assert_type(await client.runs("g"), Page[Run])
    assert_type(await client.delete_thread("t"), None)
    async for event in client.stream("g", {}, stream_mode=["values", "custom"]):
        assert_type(event, StreamEvent)
    for event in twin.join_stream("g", "r"):
        assert_type(event, StreamEvent)
    twin.invoke("g", {}, on_busy="wait")  # wrong
    twin.stream("g", {}, background=True)  # wrong
    await client.resume("g")  # wrong
"""


def test_a_type_checker_knows_every_call_of_both(tmp_path: Path) -> None:
    pytest.importorskip("pyright")
    (tmp_path / "use.py").write_text(USER)
    config = {"typeCheckingMode": "strict", "extraPaths": [str(Path(lgc.__file__).parent.parent)]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config))
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "-p", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = {
        int(line.split("use.py:")[1].split(":")[0]) for line in done.stdout.splitlines() if "error:" in line
    }
    wrong = {number for number, line in enumerate(USER.splitlines(), 1) if line.endswith("# wrong")}
    assert found == wrong, done.stdout
