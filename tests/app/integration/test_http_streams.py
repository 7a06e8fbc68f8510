"""Streams over HTTP: every mode, their order, their readers, their size."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from app.support.surface import (
    SECRET,
    caller,
    events_of,
    invoke,
    new_thread,
    ok,
    problem,
    resume,
    serving,
    state,
    stream,
)
from support.server import ServerProcess

MODES = ["values", "updates", "messages", "custom", "events"]
HI = {"messages": [{"role": "user", "content": "hi"}]}
MIB = 2**20


def names(events: list[tuple[str, Any, str]]) -> list[str]:
    return [name for name, _, _ in events]


def data(events: list[tuple[str, Any, str]], name: str) -> list[Any]:
    return [data for found, data, _ in events if found == name]


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_each_mode_gives_its_own_events_only(http: httpx.Client, mode: str, listed: bool) -> None:
    events = stream(http, "chat", HI, stream_mode=[mode] if listed else mode)
    assert set(names(events)) == {"metadata", mode, "end"}


def test_what_the_modes_hold(http: httpx.Client) -> None:
    events = stream(http, "chat", HI, stream_mode=MODES)
    assert [len(values["messages"]) for values in data(events, "values")] == [1, 2]
    [update] = data(events, "updates")
    assert update["speak"]["messages"][0]["content"] == "one two three"
    assert data(events, "custom") == [{"progress": 1}]
    tokens = [message["content"] for message, _ in data(events, "messages")]
    assert "".join(tokens) == "one two three"
    assert len([token for token in tokens if token]) == 3
    kinds = [event["event"] for event in data(events, "events")]
    assert kinds.count("on_chat_model_stream") >= 3
    assert {"on_chain_start", "on_chat_model_start", "on_chat_model_end", "on_chain_end"} <= set(kinds)


@pytest.mark.parametrize("subgraphs", [True, False])
def test_events_of_subgraphs_come_when_asked_for(http: httpx.Client, subgraphs: bool) -> None:
    events = stream(http, "outer_chat", HI, stream_mode=MODES[:4], subgraphs=subgraphs)
    inner = [name for name in names(events) if "|" in name]
    assert bool(inner) == subgraphs
    assert all(re.fullmatch(r"(values|updates|messages|custom)\|inner:[0-9a-f-]{36}", name) for name in inner)
    if subgraphs:
        assert {name.partition("|")[0] for name in inner} == set(MODES[:4])


def test_ids_count_up_and_the_end_has_none(http: httpx.Client) -> None:
    events = stream(http, "chat", HI, stream_mode=MODES)
    ids = [position for _, _, position in events]
    assert ids == [f"1-{number}" for number in range(1, len(events))] + [""]


def test_a_run_that_waits_says_so_at_its_end(http: httpx.Client) -> None:
    thread_id = new_thread()
    events = stream(http, "ask", {}, thread_id=thread_id, stream_mode="updates")
    end = events[-1][1]
    assert end["status"] == "interrupted"
    assert end["interrupts"] == state(http, "ask", thread_id)["interrupts"]
    assert data(events, "updates")[0]["__interrupt__"][0]["value"] == {"question": "?"}


@pytest.mark.parametrize("mode", MODES)
def test_a_failure_ends_a_stream_in_every_mode(http: httpx.Client, mode: str) -> None:
    *_, error, end = stream(http, "secret", {}, stream_mode=mode)
    assert (error[0], error[1]["code"], end[0], end[1]["status"]) == ("error", "run_failed", "end", "error")
    assert SECRET not in str(error)


def test_a_refused_stream_is_a_problem_and_no_stream(http: httpx.Client) -> None:
    answer = http.post("/graphs/echo/stream", json={"input": None, "thread_id": new_thread()})
    problem(answer, 409, "nothing_to_resume")


def test_the_uuid_of_a_thread_inside_is_shown_nowhere(http: httpx.Client, surface_database: str) -> None:
    thread_id = new_thread()
    told = [stream(http, "outer_chat", HI, thread_id=thread_id, stream_mode=MODES, subgraphs=True)]
    told += [stream(http, "outer_chat", HI, thread_id=thread_id, stream_mode=MODES)]
    told += [invoke(http, "outer_chat", HI, thread_id=thread_id).json(), state(http, "outer_chat", thread_id)]
    told += [http.get("/graphs/outer_chat/history", params={"thread_id": thread_id}).json()]
    told += [http.get("/graphs/outer_chat/runs", params={"thread_id": thread_id}).json()]
    told += [http.get("/threads").json()]
    with psycopg.connect(surface_database) as connection:
        statement = "select thread_key from agent.threads where thread_id = %s"
        row = connection.execute(statement, (thread_id,)).fetchone()
    assert row is not None
    seen = str(told)
    where = seen.find(str(row[0]))
    assert where < 0, seen[max(where - 300, 0) : where + 100]
    assert thread_id in str(data(told[0], "events")[0]["metadata"])


def test_a_silent_stream_is_kept_alive_by_comments(http: httpx.Client) -> None:
    answer = http.post("/graphs/slow/stream", json={"input": {"seconds": 2.5}, "stream_mode": "updates"})
    comments = re.findall(rb"(?m)^: .*\n\n", answer.content)
    assert 1 <= len(comments) <= 8
    assert names(events_of(answer.content)) == ["metadata", "updates", "end"]


def test_readers_that_join_midway_or_after_the_end_read_the_same_bytes(http: httpx.Client) -> None:
    body = {"input": {"count": 100, "pause": 0.01}, "stream_mode": ["custom", "values"]}
    with http.stream("POST", "/graphs/many/stream", json=body) as answer:
        location = f"{answer.headers['location']}/stream"
        chunks = answer.iter_bytes()
        whole = next(chunks)
        midway = http.get(location)
        whole += b"".join(chunks)
    assert without_comments(midway.content) == without_comments(whole)
    assert without_comments(http.get(location).content) == without_comments(whole)
    assert len(data(events_of(whole), "custom")) == 100


@pytest.mark.parametrize("after", [1, 50, 102, 103, 10_000])
def test_a_reader_goes_on_behind_any_event(http: httpx.Client, after: int) -> None:
    told = http.post(
        "/graphs/many/stream", json={"input": {"count": 100}, "stream_mode": ["custom", "values"]}
    )
    headers = {"Last-Event-ID": f"1-{after}"}
    rest = http.get(f"{told.headers['location']}/stream", headers=headers)
    frames = without_comments(told.content).split(b"\n\n")
    assert rest.content.split(b"\n\n") == frames[min(after, len(frames) - 2) :]


@pytest.mark.parametrize("after", ["0", "-1", ""])
def test_a_reader_may_name_the_beginning(http: httpx.Client, after: str) -> None:
    told = http.post("/graphs/many/stream", json={"input": {"count": 3}, "stream_mode": "custom"})
    again = http.get(f"{told.headers['location']}/stream", headers={"Last-Event-ID": after})
    assert again.content == told.content


def test_many_readers_of_a_run_read_the_same(http: httpx.Client) -> None:
    body = {"input": {"count": 60, "pause": 0.01}, "stream_mode": "custom"}
    location = http.post("/graphs/many/invoke", json=body, headers={"Prefer": "respond-async"}).headers[
        "location"
    ]
    with ThreadPoolExecutor(10) as pool:
        read = list(pool.map(lambda _: http.get(f"{location}/stream").content, range(10)))
    assert len({without_comments(content) for content in read}) == 1
    assert len(data(events_of(read[0]), "custom")) == 60


def test_a_reader_that_leaves_does_not_end_the_run(http: httpx.Client) -> None:
    body = {"input": {"count": 30, "pause": 0.01}, "stream_mode": "custom"}
    with http.stream("POST", "/graphs/many/stream", json=body) as answer:
        location = answer.headers["location"]
        next(answer.iter_bytes())
    assert ok(http.get(location, params={"wait": 20}))["status"] == "success"


@pytest.mark.parametrize("route", ["stream", "invoke"])
def test_a_reader_that_leaves_ends_the_run_if_it_said_so(http: httpx.Client, route: str) -> None:
    thread_id = new_thread()
    body = {"input": {"seconds": 60}, "thread_id": thread_id, "on_disconnect": "cancel"}
    with pytest.raises(httpx.ReadTimeout):
        http.post(f"/graphs/slow/{route}", json=body, timeout=httpx.Timeout(30, read=0.7))
    [run] = ok(http.get("/graphs/slow/runs", params={"thread_id": thread_id}))["runs"]
    assert ok(http.get(f"/graphs/slow/runs/{run['run_id']}", params={"wait": 10}))["status"] == "cancelled"


def test_a_resumed_run_has_a_stream_of_its_own(http: httpx.Client) -> None:
    thread_id = new_thread()
    ok(invoke(http, "ask", {}, thread_id=thread_id))
    answer = resume(http, "ask", thread_id, resume_data=1, stream_mode=["values", "updates"])
    events = events_of(http.get(f"{answer.headers['location']}/stream").content)
    assert names(events)[0] == "metadata"
    assert data(events, "updates") == [{"node": {"answers": [1]}}]
    assert events[-1][1]["status"] == "success"


@pytest.fixture(scope="module")
def lone_server(module_migrated_database: str) -> Iterator[ServerProcess]:
    """A server that nobody else makes grow."""
    with serving(module_migrated_database) as server:
        yield server


@pytest.mark.parametrize(("count", "size"), [(50, MIB), (5000, 200)])
def test_a_slow_reader_gets_all_in_order_and_costs_bounded_memory(
    lone_server: ServerProcess, count: int, size: int
) -> None:
    process = psutil.Process(lone_server.pid)
    before, peak, over = process.memory_info().rss, [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            peak[0] = max(peak[0], process.memory_info().rss)

    watching = threading.Thread(target=watch)
    watching.start()
    body = {"input": {"count": count, "size": size}, "stream_mode": "custom"}
    content = bytearray()
    with caller(lone_server) as http, http.stream("POST", "/graphs/many/stream", json=body) as answer:
        time.sleep(1.5)  # the run is over by then, or waits for nobody
        for chunk in answer.iter_raw():
            content += chunk
    over.set()
    watching.join()
    numbers = [event["number"] for event in data(events_of(bytes(content)), "custom")]
    assert numbers == list(range(count))
    assert peak[0] - before < 150 * MIB


def without_comments(content: bytes) -> bytes:
    return re.sub(rb"(?m)^: .*\n\n", b"", content)
