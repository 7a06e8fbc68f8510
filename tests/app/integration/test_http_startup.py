"""A server that is wrongly set says why in one line, at once; one that has started outlives its database."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from app.support.surface import GRAPHS, caller, invoke, new_thread, ok, problem, serving
from psycopg.conninfo import make_conninfo
from support.postgres import private_cluster
from support.server import REPOSITORY, ServerProcess, environment

from lgp.embedded import Cluster

SECONDS = 20
"""The longest that a refusal takes: the imports take one or two, several times that beside other tests."""
PASSWORD = "pa55word"
BROKEN = {
    "no JSON": ("{", "langgraph.json"),
    "no graphs": ("{}", "graphs"),
    "no such file": ('{"graphs": {"a": "./missing.py:graph"}}', "graph 'a'"),
    "no such graph": ('{"graphs": {"a": "./graph.py:missing"}}', "graph 'a'"),
    "no graph": ('{"graphs": {"a": "./graph.py:number"}}', "graph 'a'"),
    "a module that raises": ('{"graphs": {"a": "./raising.py:graph"}}', "graph 'a'"),
}


@pytest.fixture(scope="module")
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def refused(database_url: str, config: Path = GRAPHS, **more: str) -> str:
    """The one line with which a server refuses to start."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "agent_server", "serve"],
        cwd=REPOSITORY / "app",
        env=environment(database_url, config, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert time.monotonic() - began < SECONDS
    assert done.returncode == 1
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("agent_server: ")
    assert PASSWORD not in done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "DATABASE_URL"),
        (f"nonsense {PASSWORD}", "DATABASE_URL"),
        (f"mysql://u:{PASSWORD}@h/d", "DATABASE_URL"),
    ],
)
def test_a_wrong_database_is_told(url: str, word: str) -> None:
    assert word in refused(url)


def test_a_wrong_password_is_told(migrated_database: str) -> None:
    assert "refuses the password of lgp" in refused(make_conninfo(migrated_database, password=PASSWORD))


def test_a_database_that_was_not_migrated_is_told(fresh_database: str) -> None:
    assert "migrate" in refused(fresh_database)


@pytest.mark.parametrize(("content", "word"), BROKEN.values(), ids=BROKEN.keys())
def test_a_wrong_graph_is_told(tmp_path: Path, migrated_template: str, content: str, word: str) -> None:
    (tmp_path / "langgraph.json").write_text(content)
    (tmp_path / "graph.py").write_text("number = 1\n")
    (tmp_path / "raising.py").write_text("1 / 0\n")
    assert word in refused(migrated_template, tmp_path / "langgraph.json")


def test_a_missing_file_is_told(tmp_path: Path, migrated_template: str) -> None:
    assert "langgraph.json" in refused(migrated_template, tmp_path / "langgraph.json")


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"HOST": "0.0.0.0"}, "AUTH=none"),
        ({"AUTH": "keys"}, "API_KEY_PEPPER"),
        ({"AUTH": "keys", "API_KEY_PEPPER": "short"}, "API_KEY_PEPPER"),
        ({"AUTH": "oidc"}, "AUTH"),
        ({"LANGGRAPH_STRICT_MSGPACK": "false"}, "LANGGRAPH_STRICT_MSGPACK"),
        ({"PORT": "http"}, "PORT"),
        ({"LEASE_SECONDS": "1"}, "LEASE_RENEW_SECONDS"),
        ({"HOST": "203.0.113.1", "AUTH": "keys", "API_KEY_PEPPER": "x" * 32}, "203.0.113.1"),
    ],
)
def test_a_wrong_setting_is_told(migrated_template: str, told: dict[str, str], word: str) -> None:
    assert word in refused(migrated_template, **{"LEASE_RENEW_SECONDS": "0.9", **told})


def test_a_taken_port_is_told(migrated_template: str, taken: int) -> None:
    assert str(taken) in refused(migrated_template, PORT=str(taken))


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    with private_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def own_server(own_cluster: Cluster) -> Iterator[ServerProcess]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "agent_server", "migrate"],
        cwd=REPOSITORY / "app",
        env=environment(own_cluster.url, GRAPHS),
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    with serving(own_cluster.url) as server:
        yield server


def test_a_server_outlives_its_database(own_cluster: Cluster, own_server: ServerProcess) -> None:
    thread_id = new_thread()
    with caller(own_server) as http:
        ok(invoke(http, "echo", {}, thread_id=thread_id))
        own_cluster.stop()
        answer = http.get("/ready")
        problem(answer, 503, "database_unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        ok(http.get("/health"))
        ok(http.get("/graphs"))
        problem(invoke(http, "echo", {}), 503, "database_unavailable")
        own_cluster.start()
        deadline = time.monotonic() + SECONDS
        while http.get("/ready").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert len(ok(invoke(http, "echo", {}, thread_id=thread_id))["result"]["items"]) == 4


def test_what_nobody_foresaw_is_a_problem_and_a_line_in_the_log(
    own_cluster: Cluster, own_server: ServerProcess
) -> None:
    def rename(old: str, new: str) -> None:
        with psycopg.connect(own_cluster.url) as connection:
            connection.execute(f"alter table agent.{old} rename to {new}")  # pyright: ignore[reportArgumentType]

    rename("audit_log", "gone")
    rename("threads", "lost")
    try:
        with caller(own_server) as http:
            told = problem(http.get("/threads"), 500, "internal_error")
            assert "threads" not in json.dumps(told)
    finally:
        rename("lost", "threads")
        rename("gone", "audit_log")
    [line] = [line for line in own_server.log().splitlines() if "request failed" in line]
    assert json.loads(line)["request_id"] == told["request_id"]
    with caller(own_server) as http:
        ok(http.get("/threads"))


def test_it_stops_at_a_signal_with_exit_code_0(migrated_database: str) -> None:
    with serving(migrated_database) as server:
        with httpx.Client(base_url=server.url) as http:
            ok(invoke(http, "echo", {}))
        assert server.terminate() == 0
        assert '"stopped"' in server.log()
