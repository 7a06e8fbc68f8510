"""Attachments go with their threads, contents follow their rows, what nobody waits for goes after a day."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from app.support import attaching
from app.support.attaching import (
    GRAPHS,
    TEXT,
    add,
    age,
    attached,
    begin_thread,
    described,
    files_in,
    put,
    rows,
    seen,
)
from app.support.surface import caller, ok, problem
from support.server import REPOSITORY, ServerProcess, environment

PEPPER = "a pepper of the tests, 32 characters and more"


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("attachments")


@pytest.fixture(scope="module")
def server(module_migrated_database: str, module_folder: Path) -> Iterator[ServerProcess]:
    with attaching.keeping(module_migrated_database, ATTACHMENTS_DIR=str(module_folder)) as started:
        yield started


@pytest.fixture
def url(module_migrated_database: str) -> str:
    """The module's database, empty."""
    with psycopg.connect(module_migrated_database, autocommit=True) as connection:
        connection.execute("truncate agent.attachments, agent.threads cascade")
    return module_migrated_database


@pytest.fixture
def folder(module_folder: Path) -> Path:
    """The module's folder, empty."""
    for found in module_folder.iterdir():
        shutil.rmtree(found)
    return module_folder


@pytest.fixture
def http(server: ServerProcess, url: str) -> Iterator[httpx.Client]:
    with caller(server) as client:
        yield client


def command(database_url: str, *arguments: str, **more: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "agent_server", *arguments, "--json"],
        cwd=REPOSITORY / "app",
        env=environment(database_url, GRAPHS, **more),
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def swept(database_url: str, folder: Path, **more: object) -> int:
    return attaching.swept(database_url, attachments_dir=folder, **more)


def test_a_thread_takes_its_attachments_with_it_also_when_its_process_dies_before_the_sweep(
    folder: Path, migrated_database: str
) -> None:
    with attaching.keeping(migrated_database, ATTACHMENTS_DIR=str(folder)) as server, caller(server) as http:
        thread = begin_thread(http)
        gone = [attached(http, thread_id=thread) for _ in range(3)]
        kept = attached(http, thread_id=begin_thread(http))
        assert http.delete(f"/threads/{thread}").status_code == 204
        for attachment in gone:
            problem(http.get(f"/attachments/{attachment['attachment_id']}"), 404, "unknown_attachment")
        server.kill()
    assert len(files_in(folder)) == 4
    told = command(migrated_database, "retention", ATTACHMENTS_DIR=str(folder))
    assert told["swept"]["attachments"] == 3
    assert [file.parent.name for file in files_in(folder)] == [kept["attachment_id"]]
    assert swept(migrated_database, folder) == 0
    assert len(rows(migrated_database)) == 4
    age(migrated_database, 0.1)
    assert swept(migrated_database, folder) == 0
    assert [row[0] for row in rows(migrated_database)] == [kept["attachment_id"]]


def test_a_thread_of_the_same_id_sees_nothing_of_the_one_before(http: httpx.Client) -> None:
    attachment = attached(http)
    ok(seen(http, attachment))
    assert http.delete(f"/threads/{attachment['thread_id']}").status_code == 204
    problem(seen(http, attachment), 500, "run_failed")


def test_what_comes_after_the_deletion_is_removed_by_the_second_pass(
    http: httpx.Client, folder: Path, url: str
) -> None:
    attachment = attached(http)
    assert http.delete(f"/attachments/{attachment['attachment_id']}").status_code == 204
    assert swept(url, folder) == 1
    late = folder / "25bf8e1a2393f1108d37029b3df55932" / attachment["attachment_id"] / ("0" * 64)
    late.parent.mkdir(parents=True)
    late.write_bytes(TEXT)  # as a process would that stood still between its upload and its mark
    swept(url, folder)
    assert files_in(folder) == [late]
    age(url, 0.1)
    swept(url, folder)
    assert files_in(folder) == []
    assert rows(url) == []


def test_an_upload_that_a_deletion_overtakes_leaves_nothing(http: httpx.Client, folder: Path) -> None:
    content = b"x" * 300_000
    attachment = add(http, content)

    def parts() -> Iterator[bytes]:
        yield content[:200_000]
        assert http.delete(f"/attachments/{attachment['attachment_id']}").status_code == 204
        yield content[200_000:]

    headers = {"Content-Length": "", "Transfer-Encoding": "chunked"}
    problem(put(http, attachment, parts(), **headers), 404, "unknown_attachment")
    assert files_in(folder) == []


def test_what_has_neither_content_nor_thread_goes_after_a_day(
    http: httpx.Client, folder: Path, url: str
) -> None:
    whole = attached(http, thread_id=begin_thread(http))
    add(http, thread_id=begin_thread(http))  # no content
    attached(http)  # no thread
    assert swept(url, folder) == 0
    assert [settled for _, settled, *_ in rows(url)] == [False] * 3
    age(url)
    assert swept(url, folder) == 2
    assert [row[:3] for row in rows(url) if not row[2]] == [(whole["attachment_id"], True, False)]
    assert http.get(whole["upload"]["url"]).content == TEXT
    assert len(files_in(folder)) == 1
    assert http.delete(f"/threads/{whole['thread_id']}").status_code == 204
    assert swept(url, folder) == 1


def test_threads_that_retention_deletes_take_their_attachments_with_them(
    http: httpx.Client, folder: Path, url: str
) -> None:
    attached(http, thread_id=begin_thread(http))
    assert swept(url, folder, retention_threads_days=1e-7) == 1
    assert files_in(folder) == []


def test_a_busy_thread_keeps_its_attachments(http: httpx.Client, url: str) -> None:
    attachment = attached(http, thread_id=begin_thread(http))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("update agent.runs set status = 'pending', finished_at = null")
    problem(http.delete(f"/threads/{attachment['thread_id']}"), 409, "thread_busy")
    assert ok(http.get(f"/attachments/{attachment['attachment_id']}"))["stored"]


def test_a_server_sweeps_by_itself(migrated_database: str, folder: Path) -> None:
    told = {"ATTACHMENTS_DIR": str(folder), "RETENTION_SWEEP_SECONDS": "0.2"}
    with attaching.keeping(migrated_database, **told) as server, caller(server) as http:
        attachment = attached(http)
        http.delete(f"/attachments/{attachment['attachment_id']}")
        attaching.eventually(lambda: files_in(folder) == [])


def test_another_place_knows_nothing_of_them_and_removes_nothing(
    http: httpx.Client, url: str, folder: Path
) -> None:
    attachment = attached(http)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("update agent.attachments set place = 's3://before'")
    problem(http.get(f"/attachments/{attachment['attachment_id']}"), 404, "unknown_attachment")
    age(url)
    assert swept(url, folder) == 0
    assert len(files_in(folder)) == 1


def test_attachments_are_their_tenants_and_roles_may_what_the_table_says(
    migrated_database: str, folder: Path
) -> None:
    def key(tenant: str, role: str) -> dict[str, str]:
        given = ("keys", "create", "--tenant", tenant, "--name", role, "--role", role)
        made = command(migrated_database, *given, API_KEY_PEPPER=PEPPER)
        return {"Authorization": f"Bearer {made['key']}"}

    told = {"ATTACHMENTS_DIR": str(folder), "AUTH": "keys", "API_KEY_PEPPER": PEPPER}
    wanted = [("a", "admin"), ("a", "operator"), ("a", "viewer"), ("a", "approver"), ("b", "admin")]
    with ThreadPoolExecutor(2) as pool:
        keys = dict(zip(wanted, pool.map(lambda one: key(*one), wanted), strict=True))
    with attaching.keeping(migrated_database, **told) as server, caller(server) as http:
        http.headers = keys["a", "operator"]  # type: ignore[assignment] - httpx takes a dict
        attachment = attached(http)
        path, content = f"/attachments/{attachment['attachment_id']}", attachment["upload"]["url"]
        ok(seen(http, attachment))
        problem(http.delete(path), 403, "forbidden_role")
        for role in ("viewer", "approver"):
            http.headers = keys["a", role]  # type: ignore[assignment]
            assert ok(http.get(path))["stored"]
            assert http.get(content).content == TEXT
            problem(http.post("/attachments", json=described(TEXT)), 403, "forbidden_role")
            problem(put(http, attachment), 403, "forbidden_role")
            problem(http.delete(path), 403, "forbidden_role")
        http.headers = keys["b", "admin"]  # type: ignore[assignment]
        for answer in (http.get(path), http.get(content), http.delete(path), put(http, attachment)):
            problem(answer, 404, "unknown_attachment")
        problem(seen(http, attachment), 500, "run_failed")
        http.headers = {}  # type: ignore[assignment]
        for answer in (http.get(path), http.get(content), http.delete(path), put(http, attachment)):
            problem(answer, 401, "unauthenticated")
        http.headers = keys["a", "admin"]  # type: ignore[assignment]
        assert http.delete(path).status_code == 204
