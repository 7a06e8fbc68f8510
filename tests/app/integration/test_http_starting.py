"""The port answers from the first moment on, while the database is waited for and whatever happens to it."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import psycopg
import pytest
from app.support.storage_world import settings_for
from app.support.surface import GRAPHS, caller, invoke, new_thread, ok, problem, serving
from support.postgres import private_cluster
from support.server import ServerProcess, finish, start

from agent_server.storage.migrate import migrate

NOWHERE = "postgresql://u:pa55word@127.0.0.1:9/d"
WAIT_SECONDS = 3.0
ALIVE_SECONDS = 0.5
"""What a liveness probe may take at most, with all else stuck: its time-out in the cluster is 2 s."""


@contextmanager
def starting(database_url: str, command: str = "serve", **more: str) -> Iterator[ServerProcess]:
    """A server that has bound its port and waits."""
    server = start(database_url, GRAPHS, command=command, SURFACE_FOLDER="/nonexistent", **more)
    try:
        server.wait_until_alive()
        yield server
    finally:
        finish(server)


@contextmanager
def silent() -> Iterator[str]:
    """The URL of a database behind which nobody ever answers a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as deaf:
        yield f"postgresql://u@127.0.0.1:{deaf.getsockname()[1]}/d"


def alive(server: ServerProcess, times: int = 20) -> float:
    """The longest that `/health` took; each answer says that all is well."""
    longest = 0.0
    with caller(server) as http:
        for _ in range(times):
            began = time.monotonic()
            assert ok(http.get("/health"))["status"] == "healthy"
            longest = max(longest, time.monotonic() - began)
            time.sleep(0.05)
    return longest


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_database_that_is_not_there_is_asked_for_a_while_and_then_told_in_one_line(command: str) -> None:
    began = time.monotonic()
    with starting(NOWHERE, command, DATABASE_WAIT_SECONDS=str(WAIT_SECONDS)) as server:
        assert alive(server, 5) < ALIVE_SECONDS
        for path in ("/ready", "/graphs", "/threads/x"):
            answer = httpx.get(server.url + path)
            problem(answer, 503, "database_unavailable")
            assert int(answer.headers["retry-after"]) >= 1
        assert server.child.wait(30) == 1
        assert time.monotonic() - began >= WAIT_SECONDS - 1
        [line] = [line for line in server.log().splitlines() if not line.startswith("{")]
        assert line.startswith("agent_server: The database at 127.0.0.1 port 9 is not available")
        assert f"{WAIT_SECONDS:g} s" in line
        assert "pa55word" not in server.log()


def test_a_database_that_comes_later_is_found() -> None:
    with private_cluster() as cluster:
        asyncio.run(migrate(settings_for(cluster.url)))
        cluster.stop()
        with starting(cluster.url) as server:
            problem(httpx.get(f"{server.url}/ready"), 503, "database_unavailable")
            cluster.start()
            server.wait_until_ready()
            with caller(server) as http:
                ok(invoke(http, "echo", {}))
            assert server.terminate() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_start_at_once(number: signal.Signals) -> None:
    with silent() as url, starting(url) as server:
        server.send(number)
        began = time.monotonic()
        assert server.child.wait(10) == 0
        assert time.monotonic() - began < 1


def test_a_server_is_alive_while_its_database_is_silent() -> None:
    """No packet comes back, as after a network cut: each try takes seconds."""
    with silent() as url, starting(url) as server:
        assert alive(server) < ALIVE_SECONDS
        problem(httpx.get(f"{server.url}/ready"), 503, "database_unavailable")


def test_a_process_whose_pool_is_exhausted_is_alive_and_ready(migrated_database: str) -> None:
    with (
        serving(migrated_database, POOL_MIN_SIZE="1", POOL_MAX_SIZE="2") as server,
        psycopg.connect(migrated_database) as holding,
        caller(server) as http,
    ):
        holding.execute("lock table agent.threads")
        with httpx.Client(base_url=server.url, timeout=0.3) as impatient:
            for _ in range(8):
                with suppress(httpx.ReadTimeout):
                    invoke(impatient, "echo", {}, thread_id=new_thread())
        assert alive(server) < ALIVE_SECONDS
        assert ok(http.get("/ready"))["status"] == "ready"
        assert http.get("/threads").status_code == 503
        holding.rollback()
        ok(invoke(http, "echo", {}))


def test_a_frozen_database_leaves_the_server_alive_and_not_ready() -> None:
    with private_cluster() as cluster:
        asyncio.run(migrate(settings_for(cluster.url)))
        with serving(cluster.url) as server, caller(server) as http:
            frozen = backends(cluster.url)
            for pid in frozen:
                signal_to(pid, signal.SIGSTOP)
            try:
                assert alive(server) < ALIVE_SECONDS
                problem(http.get("/ready"), 503, "database_unavailable")
            finally:
                for pid in frozen:
                    signal_to(pid, signal.SIGCONT)


def backends(url: str) -> list[int]:
    """The server's own sessions."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select pid from pg_stat_activity"
            " where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )
        return [row[0] for row in rows]


def signal_to(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
