"""METRICS_PORT: what a process counts, beside its API, whatever becomes of its database."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import httpx
import pytest
from app.support.scrapes import Series, scrape, value
from app.support.storage_world import settings_for
from app.support.surface import GRAPHS, caller, new_thread, ok, serving
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from support.ports import free_port
from support.postgres import private_cluster
from support.server import ServerProcess, finish, servers, start

from agent_server import __version__
from agent_server.storage.migrate import migrate


@pytest.fixture(scope="module")
def server(module_migrated_database: str) -> Iterator[ServerProcess]:
    with serving(module_migrated_database, METRICS_PORT=str(free_port())) as started:
        yield started


def test_it_is_on_a_port_of_its_own(server: ServerProcess) -> None:
    assert httpx.get(f"{server.url}/metrics").status_code == 404
    assert value(scrape(server), "langgraph_build_info", version=__version__) == 1


@pytest.mark.parametrize(("path", "status"), [("/", 404), ("/health", 404), ("/metrics/", 404)])
def test_nothing_else_is_there(server: ServerProcess, path: str, status: int) -> None:
    assert httpx.get(server.metrics_url.removesuffix("/metrics") + path).status_code == status


def test_only_reading_is_answered(server: ServerProcess) -> None:
    answer = httpx.post(server.metrics_url)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    head = httpx.head(server.metrics_url)
    assert (head.status_code, head.content) == (200, b"")


def test_prometheus_gets_its_text_and_who_asks_for_it_openmetrics(server: ServerProcess) -> None:
    plain = httpx.get(server.metrics_url)
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    accept = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.3"
    answer = httpx.get(server.metrics_url, headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"langgraph_build", "langgraph_open_streams"} & names


def test_an_odd_request_is_answered_all_the_same(server: ServerProcess) -> None:
    odd = {"Accept": "application/openmetrics-text;version=\udcff".encode("utf8", "surrogateescape")}
    assert httpx.get(f"{server.metrics_url}?name[]=%ff", headers=odd).status_code == 200


def test_a_worker_has_it_too(module_migrated_database: str) -> None:
    worker = start(module_migrated_database, GRAPHS, command="worker", METRICS_PORT=str(free_port()))
    try:
        worker.wait_until_ready()
        assert value(scrape(worker), "langgraph_active_threads") == 0
    finally:
        finish(worker)


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_taken_port_is_one_line(module_migrated_database: str, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = start(module_migrated_database, GRAPHS, command=command, METRICS_PORT=str(port))
        assert refused.child.wait(60) == 1
        lines = [line for line in refused.log().splitlines() if not line.startswith("{")]
        assert lines == [
            f"agent_server: METRICS_PORT: Cannot listen on 127.0.0.1 port {port}: Address already in use."
            " Set another one, or 0 for none."
        ]
        refused.log_file.unlink()


def test_one_port_for_both_is_one_line(module_migrated_database: str) -> None:
    port = str(free_port())
    refused = start(module_migrated_database, GRAPHS, PORT=port, METRICS_PORT=port)
    try:
        assert refused.child.wait(60) == 1
        assert f"METRICS_PORT: Cannot listen on 127.0.0.1 port {port}" in refused.log()
    finally:
        finish(refused)


def test_the_pool_and_the_queue_are_read_when_asked(server: ServerProcess) -> None:
    with caller(server) as http:
        thread = new_thread()
        slow = ok(begin_slow(http, thread), 202)
        waiting = ok(begin_slow(http, thread, on_busy="enqueue"), 202)
        told = until(server, lambda told: value(told, "langgraph_runs", status="pending") == 1)
        assert value(told, "langgraph_runs", status="running") == 1
        assert value(told, "langgraph_queue_age_seconds") == 0, "it could not begin: its thread is busy"
        assert value(told, "langgraph_active_threads") == 1
        free, used = (value(told, "langgraph_db_pool_size", state=state) for state in ("free", "used"))
        assert (free or 0) + (used or 0) == 20
        assert value(told, "langgraph_db_pool_waiting") == 0
        for run in (waiting, slow):
            http.post(f"/graphs/slow/runs/{run['run_id']}/cancel")


def test_a_run_that_nobody_takes_up_ages(migrated_database: str) -> None:
    with servers(migrated_database, GRAPHS, 1, "--no-worker", METRICS_PORT=str(free_port())) as (server,):
        with caller(server) as http:
            thread = new_thread()
            slow = ok(begin_slow(http, thread), 202)
            ok(begin_slow(http, thread, on_busy="enqueue"), 202)
            http.post(f"/graphs/slow/runs/{slow['run_id']}/cancel")
        told = until(server, lambda told: (value(told, "langgraph_queue_age_seconds") or 0) > 1)
        assert (value(told, "langgraph_queue_age_seconds") or 0) < 60


def test_a_scrape_neither_fails_nor_waits_for_a_database_that_is_away() -> None:
    with private_cluster() as cluster:
        asyncio.run(migrate(settings_for(cluster.url)))
        server = start(cluster.url, GRAPHS, METRICS_PORT=str(free_port()))
        try:
            server.wait_until_ready()
            assert value(scrape(server), "langgraph_runs", status="running") == 0
            cluster.stop()
            told = until(server, lambda told: value(told, "langgraph_runs", status="running") is None)
            assert value(told, "langgraph_queue_age_seconds") is None, "absent, not stale"
            assert value(told, "langgraph_active_threads") == 0
            began = time.monotonic()
            scrape(server)
            assert time.monotonic() - began < 3
        finally:
            finish(server)


def test_metrics_are_there_before_the_database_is() -> None:
    port = free_port()
    waiting = start(f"postgresql://nobody@127.0.0.1:{free_port()}/none", GRAPHS, METRICS_PORT=str(port))
    try:
        deadline = time.monotonic() + 30
        while True:
            with suppress(httpx.TransportError):
                assert value(scrape(waiting), "langgraph_build_info", version=__version__) == 1
                return
            assert time.monotonic() < deadline, waiting.log()
            time.sleep(0.1)
    finally:
        finish(waiting)


def until(server: ServerProcess, condition: Callable[[Series], bool], seconds: float = 20) -> Series:
    """What a server tells once the condition holds: the database is read every five seconds at most."""
    deadline = time.monotonic() + seconds
    while not condition(told := scrape(server)):
        assert time.monotonic() < deadline, told
        time.sleep(0.2)
    return told


def begin_slow(http: httpx.Client, thread: str, **more: str) -> httpx.Response:
    body = {"input": {"seconds": 30}, "thread_id": thread, **more}
    return http.post("/graphs/slow/invoke", json=body, headers={"Prefer": "respond-async"})
