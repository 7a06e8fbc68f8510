"""The HTTP surface under test: a real server of graphs made for it, and short words for what clients do."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from app.support.storage_world import settings_for
from psycopg import sql
from support.postgres import empty_database
from support.server import ServerProcess, servers

from agent_server.storage.migrate import migrate
from lgp.embedded import Cluster

GRAPHS = Path(__file__).parent / "surface_graphs" / "langgraph.json"
SECRET = "s3cr3t-in-an-exception"
CONSOLE = "https://console.example"
"""The one origin of browser pages that the server admits."""
TABLES = (
    *("agent.threads", "agent.runs", "agent.run_events", "agent.idempotency_keys"),
    *("public.checkpoints", "public.checkpoint_blobs", "public.checkpoint_writes"),
)


@contextmanager
def serving(database_url: str, **more: str) -> Iterator[ServerProcess]:
    """One server of the graphs in `surface_graphs`, on a migrated database."""
    folder = tempfile.mkdtemp(prefix="lgp-surface-")
    try:
        with servers(database_url, GRAPHS, **{"SURFACE_FOLDER": folder, **more}) as started:
            yield started[0]
    finally:
        shutil.rmtree(folder)


@contextmanager
def caller(server: ServerProcess, **headers: str) -> Iterator[httpx.Client]:
    """A plain HTTP client of the server."""
    with httpx.Client(base_url=server.url, timeout=60, headers=headers) as http:
        yield http


@pytest.fixture(scope="session")
def surface_database(postgres_cluster: Cluster) -> Iterator[str]:
    """The URL of the migrated database that all tests of the surface share."""
    with empty_database(postgres_cluster) as url:
        asyncio.run(migrate(settings_for(url)))
        yield url


@pytest.fixture(scope="session")
def surface_server(surface_database: str) -> Iterator[ServerProcess]:
    """The server that they share: nobody stops it."""
    with serving(surface_database, HEARTBEAT_SECONDS="0.3", ALLOWED_ORIGINS=CONSOLE) as server:
        yield server


@pytest.fixture(scope="session")
def http(surface_server: ServerProcess) -> Iterator[httpx.Client]:
    """A plain HTTP client of it."""
    with caller(surface_server) as client:
        yield client


def new_thread() -> str:
    return f"thread-{uuid4()}"


def invoke(http: httpx.Client, graph: str, graph_input: Any = None, **more: Any) -> httpx.Response:
    return http.post(f"/graphs/{graph}/invoke", json={"input": graph_input, **more})


def resume(http: httpx.Client, graph: str, thread_id: str, **more: Any) -> httpx.Response:
    return http.post(f"/graphs/{graph}/resume", json={"thread_id": thread_id, **more})


def state(http: httpx.Client, graph: str, thread_id: str) -> Any:
    return http.get(f"/graphs/{graph}/state", params={"thread_id": thread_id}).json()


def ok(answer: httpx.Response, status: int = 200) -> Any:
    """The JSON of an answer that has this status."""
    assert answer.status_code == status, answer.text
    return answer.json()


def problem(answer: httpx.Response, status: int, code: str) -> Any:
    """The JSON of a problem with this status and code, in the contract's form."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["code"] == code, body
    assert isinstance(body["detail"], str)
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    assert set(body) <= {"code", "detail", "request_id", "errors", "known", "run_id", "thread_id", "waiting"}
    if code == "invalid_request":
        assert {"field", "message"} == set(body["errors"][0]), body
    return body


def events_of(content: bytes) -> list[tuple[str, Any, str]]:
    """Name, data and id of each event of a stream; comments are left out."""
    found: list[tuple[str, Any, str]] = []
    for frame in content.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in frame.splitlines() if not line.startswith(":"))
        if fields:
            assert set(fields) <= {"event", "data", "id"}, frame
            found.append((fields["event"], json.loads(fields["data"]), fields.get("id", "")))
    return found


def stream(
    http: httpx.Client, graph: str, graph_input: Any = None, **more: Any
) -> list[tuple[str, Any, str]]:
    """All events of a new run."""
    answer = http.post(f"/graphs/{graph}/stream", json={"input": graph_input, **more})
    assert answer.status_code == 200, answer.text
    return events_of(answer.content)


def counts(database_url: str) -> dict[str, int]:
    """How many rows there are in each table that runs write to."""
    with psycopg.connect(database_url) as connection:
        return {table: _count(connection, table) for table in TABLES}


def everything(database_url: str) -> str:
    """All rows of all those tables as text; blobs as the text that they hold."""
    with psycopg.connect(database_url) as connection:
        rows = [row for table in TABLES for row in connection.execute(_all(table))]
    return "\n".join(str(_readable(value)) for row in rows for value in row)


def _count(connection: psycopg.Connection[Any], table: str) -> int:
    row = connection.execute(sql.SQL("select count(*) from {}").format(_name(table))).fetchone()
    assert row is not None
    return row[0]


def _all(table: str) -> sql.Composed:
    return sql.SQL("select * from {}").format(_name(table))


def _name(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


def _readable(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, (bytes, memoryview)) else value
