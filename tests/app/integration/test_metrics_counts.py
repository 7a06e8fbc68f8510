"""What happens is counted under names that do not grow with the traffic."""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from uuid import uuid4

import httpx
import pytest
from app.support.observed_world import OBSERVED, observed, run
from app.support.scrapes import scrape, total, value
from support.ports import free_port
from support.server import ServerProcess, finish, servers, start

from agent_server.storage.queries import load


@pytest.fixture(scope="module")
def server(module_migrated_database: str) -> Iterator[ServerProcess]:
    with observed(module_migrated_database) as started:
        yield started


def gained(server: ServerProcess, sample: str, since: float = 0, /, **labels: str) -> float:
    """How much a counter has grown, once it has."""
    deadline = time.monotonic() + 5
    while (found := total(scrape(server), sample, **labels)) <= since and time.monotonic() < deadline:
        time.sleep(0.05)
    return found - since


def test_a_request_is_counted_under_its_routes_template(server: ServerProcess) -> None:
    labels = {"method": "POST", "endpoint": "/graphs/{name}/invoke"}
    before = total(scrape(server), "langgraph_requests_total", status="200", **labels)
    assert run(server, "talk", "hello", "t-1").status_code == 200
    assert gained(server, "langgraph_requests_total", before, status="200", **labels) == 1
    assert value(scrape(server), "langgraph_request_latency_seconds_bucket", le="120.0", **labels)


def test_probes_are_not_counted(server: ServerProcess) -> None:
    httpx.get(f"{server.url}/ready")
    assert total(scrape(server), "langgraph_requests_total", endpoint="/ready") == 0


def test_a_stream_is_counted_at_its_first_byte(server: ServerProcess) -> None:
    url, body = f"{server.url}/graphs/wait/stream", {"input": {"seconds": 2}, "thread_id": "slow"}
    with httpx.stream("POST", url, json=body, timeout=60) as stream:
        chunks = stream.iter_raw()
        next(chunks)
        told = scrape(server)
        labels = {"method": "POST", "endpoint": "/graphs/{name}/stream"}
        assert value(told, "langgraph_requests_total", status="200", **labels) == 1
        assert value(told, "langgraph_request_latency_seconds_bucket", le="1.0", **labels) == 1
        assert value(told, "langgraph_open_streams") == 1
        assert value(told, "langgraph_active_threads") == 1
        for _ in chunks:
            pass
    told = scrape(server)
    assert value(told, "langgraph_open_streams") == 0
    assert value(told, "langgraph_active_threads") == 0


def test_executions_are_counted_by_how_they_ended(server: ServerProcess) -> None:
    endings = {"talk": "success", "fail": "error", "ask": "interrupted"}
    for graph, status in endings.items():
        run(server, graph, "hello", f"ended-{graph}")
        assert gained(server, "langgraph_graph_executions_total", graph_name=graph, status=status) >= 1
        assert gained(server, "langgraph_graph_execution_seconds_count", graph_name=graph) >= 1
    assert gained(server, "langgraph_first_event_seconds_count", graph_name="talk") >= 1
    assert gained(server, "langgraph_checkpoint_bytes_count", graph_name="talk") >= 3
    assert gained(server, "langgraph_checkpoint_bytes_sum", graph_name="talk") > 500


def test_a_refused_resume_is_counted_as_refused_and_an_update_of_the_state_not_at_all(
    server: ServerProcess,
) -> None:
    run(server, "talk", "hello", "done")
    state = f"{server.url}/graphs/talk/state"
    before = total(scrape(server), "langgraph_graph_executions_total", status="success")
    assert httpx.post(state, json={"thread_id": "done", "values": {"answer": "no"}}).status_code == 200
    answer = httpx.post(f"{server.url}/graphs/talk/resume", json={"thread_id": "done", "resume_data": 1})
    assert answer.status_code == 409
    assert gained(server, "langgraph_graph_executions_total", graph_name="talk", status="refused") == 1
    assert total(scrape(server), "langgraph_graph_executions_total", status="success") == before


def test_refused_requests_are_counted_by_their_code(server: ServerProcess) -> None:
    answer = httpx.get(f"{server.url}/graphs", headers={"Host": "example.org"})
    assert answer.status_code == 403
    assert gained(server, "langgraph_refused_requests_total", code="forbidden_host") == 1


def test_each_statement_has_the_name_of_its_query(server: ServerProcess) -> None:
    run(server, "talk", "hello", "named")
    names = {
        dict(labels)["statement"]
        for (sample, labels) in scrape(server)
        if sample == "langgraph_db_query_seconds_count"
    }
    folder = files("agent_server.storage") / "sql"
    modules = [file.name.removesuffix(".sql") for file in folder.iterdir()]
    known = {query.name for module in modules for query in load(module).values()}
    assert {"runs.begin", "runs.finish", "saver.put", "saver.read"} <= names
    assert names <= known | {"saver.read", "ping"}


def test_a_run_of_a_dead_process_is_a_takeover(migrated_database: str) -> None:
    ports = {"METRICS_PORT": str(free_port())}
    dying = start(migrated_database, OBSERVED, METRICS_PORT=str(free_port()))
    with servers(migrated_database, OBSERVED, **ports) as (living,):
        dying.wait_until_ready()
        begin(dying, seconds=1)
        dying.kill()
        finish(dying)
        assert gained(living, "langgraph_takeovers_total") == 1
        assert gained(living, "langgraph_graph_executions_total", graph_name="wait", status="success") == 1


def test_a_run_that_is_handed_over_is_no_takeover(migrated_database: str) -> None:
    with observed(migrated_database) as leaving, observed(migrated_database) as living:
        begin(leaving, seconds=1)
        with ThreadPoolExecutor(1) as pool:
            stopped = pool.submit(leaving.terminate)
            gone = {"graph_name": "wait", "status": "handed_over"}
            assert gained(leaving, "langgraph_graph_executions_total", **gone) == 1, "told to the end"
            assert stopped.result() == 0
        assert gained(living, "langgraph_graph_executions_total", graph_name="wait", status="success") == 1
        assert total(scrape(living), "langgraph_takeovers_total") == 0


def begin(server: ServerProcess, seconds: float) -> None:
    """Begin a run whose second node takes as long as its first."""
    body = {"input": {"seconds": seconds}, "thread_id": str(uuid4())}
    answer = httpx.post(f"{server.url}/graphs/wait/invoke", json=body, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202


def test_ten_thousand_paths_and_threads_add_no_more_than_fifty_series(server: ServerProcess) -> None:
    run(server, "talk", "hello", "warm")
    pipelined(server, [odd_request(number) for number in range(50)])  # each kind once
    before = scrape(server)
    codes = pipelined(server, [odd_request(number) for number in range(10_000)])
    assert (len(codes), set(codes)) == (10_000, {404, 405})
    added = set(scrape(server)) - set(before)
    assert len(added) <= 50, sorted(added)


def odd_request(number: int) -> str:
    """Method and path as scanners make them, and clients with ids of their own."""
    name = uuid4().hex
    if number % 10:
        return f"GET /{name}"
    return (
        f"GET /graphs/talk/state?thread_id={name}",
        f"DELETE /threads/{name}",
        "REPORT /graphs",
        f"GET /graphs/{name}/runs/{name}",
        f"PUT /graphs/{name}/invoke",
    )[number // 10 % 5]


def pipelined(server: ServerProcess, requests: list[str]) -> list[int]:
    """The statuses of the answers to requests that are sent 30 at a time."""
    address = httpx.URL(server.url)
    codes: list[int] = []
    with socket.create_connection((address.host, address.port or 80), timeout=60) as connection:
        for start in range(0, len(requests), 30):
            some = requests[start : start + 30]
            head = f" HTTP/1.1\r\nHost: {address.netloc.decode()}\r\n\r\n"
            connection.sendall("".join(line + head for line in some).encode())
            answers = b""
            while len(found := re.findall(rb"HTTP/1.1 (\d+) ", answers)) < len(some):
                received = connection.recv(2**20)
                assert received, found
                answers += received
            codes += map(int, found)
    return codes
