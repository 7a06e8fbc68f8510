"""A worker answers the probes on its port, and nothing else; it stops as a server does."""

import asyncio
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from app.support.storage_world import settings_for
from app.support.surface import GRAPHS, invoke, ok, problem
from psycopg.conninfo import conninfo_to_dict
from support.postgres import private_cluster
from support.server import ServerProcess, finish, servers, start

from agent_server.storage.migrate import migrate


@pytest.fixture(scope="module")
def worker(module_migrated_database: str) -> Iterator[ServerProcess]:
    # every address: the probes of a pod come from outside it, and there is nothing else to guard
    started = start(module_migrated_database, GRAPHS, command="worker", HOST="0.0.0.0")
    started.wait_until_ready()
    yield started
    finish(started)


def test_it_is_alive_and_ready(worker: ServerProcess) -> None:
    assert ok(httpx.get(f"{worker.url}/health"))["status"] == "healthy"
    assert ok(httpx.get(f"{worker.url}/ready"))["database"] == "connected"


@pytest.mark.parametrize(
    "path", ["/", "/graphs", "/threads", "/openapi.json", "/docs", "/graphs/echo/invoke"]
)
def test_there_is_nothing_else(worker: ServerProcess, path: str) -> None:
    problem(httpx.get(worker.url + path), 404, "not_found")
    problem(httpx.post(worker.url + path), 404, "not_found")


def test_it_executes_what_a_server_without_a_worker_enqueues(
    worker: ServerProcess, module_migrated_database: str
) -> None:
    with (
        servers(module_migrated_database, GRAPHS, 1, "--no-worker") as (server,),
        ThreadPoolExecutor(2) as pool,
    ):
        with httpx.Client(base_url=server.url, timeout=60) as http:
            first = pool.submit(invoke, http, "slow", {"seconds": 0.5}, thread_id="t")
            while not ok(http.get("/graphs/slow/runs", params={"thread_id": "t"}), 200)["runs"]:
                time.sleep(0.02)
            enqueued = ok(invoke(http, "slow", {"seconds": 0}, thread_id="t", on_busy="enqueue"))
            assert ok(first.result())["status"] == "success"
        assert f'"run_id":"{enqueued["run_id"]}"' in worker.log()


def test_a_port_that_is_taken_is_one_line(module_migrated_database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = start(module_migrated_database, GRAPHS, command="worker", PORT=str(port))
        assert refused.child.wait(60) == 1
        assert f"agent_server: Cannot listen on 127.0.0.1 port {port}" in refused.log()
        refused.log_file.unlink()


def test_it_is_not_ready_without_its_database_and_ends_with_exit_code_0() -> None:
    with private_cluster() as cluster:
        asyncio.run(migrate(settings_for(cluster.url)))
        started = start(cluster.url, GRAPHS, command="worker")
        try:
            started.wait_until_ready()
            cluster.stop()
            problem(httpx.get(f"{started.url}/ready", timeout=10), 503, "database_unavailable")
            assert httpx.get(f"{started.url}/health").status_code == 200
            password = str(conninfo_to_dict(cluster.url)["password"])
            assert started.terminate() == 0
            assert password not in started.log()
        finally:
            finish(started)
