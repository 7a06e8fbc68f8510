"""One run is followed through the log by its id: in every process, through nodes' own loggers and threads."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from app.support.observed_world import lines_of, observed, run
from support.server import ServerProcess

REQUEST = "request-of-a-client-1"


@pytest.fixture(scope="module")
def server(module_migrated_database: str) -> Iterator[ServerProcess]:
    with observed(module_migrated_database, LOG_LEVEL="DEBUG") as started:
        yield started


def told(server: ServerProcess, **names: str) -> list[dict[str, Any]]:
    """The lines that have all these names; a request's own comes just after its answer."""
    deadline = time.monotonic() + 5
    while True:
        whole = server.log().rpartition("\n")[0]
        found = [line for line in lines_of(whole) if names.items() <= line.items()]
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


def test_what_nodes_log_names_their_run_and_its_request(server: ServerProcess) -> None:
    answer = run(server, "talk", "hello", "thread of a client", **{"X-Request-Id": REQUEST}).json()
    names = {
        "run_id": answer["run_id"],
        "thread_id": "thread of a client",
        "graph": "talk",
        "request_id": REQUEST,
    }
    assert told(server, event="request", request_id=REQUEST)  # the last of them
    events = {line["event"]: line for line in told(server, **names)}
    assert {"a node thinks", "a node thinks aloud", "a node in a thread", "request"} <= set(events)
    assert events["a node in a thread"]["logger"] == "graph.search"
    assert events["request"]["route"] == "/graphs/{name}/invoke"


def test_a_failure_names_its_run_beside_what_was_raised(server: ServerProcess) -> None:
    answer = run(server, "fail", "this", "t-2")
    [line] = told(server, event="run failed", thread_id="t-2", graph="fail")
    assert line["run_id"] == answer.json()["run_id"]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert "cannot do with this" in json.dumps(line["exception"])


def test_a_request_names_what_its_address_is_about(server: ServerProcess) -> None:
    run_id = run(server, "talk", "hello", "t-3").json()["run_id"]
    httpx.get(f"{server.url}/graphs/talk/runs/{run_id}", headers={"X-Request-Id": "asked-1"})
    httpx.get(f"{server.url}/graphs/talk/state?thread_id=t-3", headers={"X-Request-Id": "asked-2"})
    assert told(server, event="request", request_id="asked-1", graph="talk", run_id=run_id)
    assert told(server, event="request", request_id="asked-2", graph="talk", thread_id="t-3")


def test_names_of_one_request_are_not_in_the_lines_of_the_next(server: ServerProcess) -> None:
    with httpx.Client(base_url=server.url) as http:  # one connection
        http.get("/graphs/talk/state", params={"thread_id": "t-4"}, headers={"X-Request-Id": "first"})
        http.get("/threads", headers={"X-Request-Id": "second"})
    [line] = told(server, event="request", request_id="second")
    assert not {"thread_id", "run_id", "graph"} & line.keys()


def test_a_run_that_another_process_goes_on_with_keeps_its_names(migrated_database: str) -> None:
    with observed(migrated_database) as leaving, observed(migrated_database) as living:
        headers = {"Prefer": "respond-async", "X-Request-Id": REQUEST}
        body = {"input": {"seconds": 1}, "thread_id": "t-1"}
        begun = httpx.post(f"{leaving.url}/graphs/wait/invoke", json=body, headers=headers).json()
        assert leaving.terminate() == 0
        url = f"{living.url}/graphs/wait/runs/{begun['run_id']}"
        assert httpx.get(url, params={"wait": 20}, timeout=30).json()["status"] == "success"
        names = {"run_id": begun["run_id"], "thread_id": "t-1", "graph": "wait", "request_id": REQUEST}
        assert {"a node waits", "a node has waited"} <= {line["event"] for line in told(living, **names)}


def test_every_line_is_json_with_the_same_three_fields(server: ServerProcess) -> None:
    for line in lines_of(server.log()):
        assert {"event", "level", "timestamp"} <= line.keys()
        assert line["timestamp"].endswith("Z")
