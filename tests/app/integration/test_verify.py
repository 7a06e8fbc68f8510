"""`verify` on databases that were dumped and restored: what could be served is told, nothing is changed."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from app.support import attaching
from app.support.attaching import GRAPHS, TEXT, attached, begin_thread, files_in
from app.support.surface import caller
from support.postgres import empty_database
from support.server import REPOSITORY, environment

from lgp.embedded import Cluster
from lgp.embedded.binaries import program_folder

THREADS = 4


@dataclass(frozen=True)
class Backup:
    """What an operator keeps: a dump of the database, and the folder of the attachments."""

    dump: Path
    folder: Path
    threads: tuple[str, ...]


def program(name: str, *arguments: str) -> None:
    """One of PostgreSQL's own, of the version that runs."""
    subprocess.run([program_folder(None) / name, *arguments], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def backup(module_migrated_database: str, tmp_path_factory: pytest.TempPathFactory) -> Backup:
    folder = tmp_path_factory.mktemp("attachments")
    with (
        attaching.keeping(module_migrated_database, ATTACHMENTS_DIR=str(folder)) as server,
        caller(server) as http,
    ):
        threads = tuple(begin_thread(http) for _ in range(THREADS))
        attached(http, TEXT, thread_id=threads[0])
    with psycopg.connect(module_migrated_database, autocommit=True) as connection:
        connection.execute(
            "insert into agent.runs"
            " (run_id, thread_key, tenant, graph, kind, status, payload, created_by, request_id)"
            " select gen_random_uuid(), thread_key, tenant, graph, 'input', 'pending', '{}', 'local', 'r'"
            " from agent.threads limit 1"
        )
    dump = tmp_path_factory.mktemp("backup") / "lgp.dump"
    program("pg_dump", "--format=custom", f"--file={dump}", module_migrated_database)
    return Backup(dump, folder, threads)


@pytest.fixture
def restored(backup: Backup, new_database: Callable[[], str]) -> str:
    url = new_database()
    restore(backup, url)
    return url


def restore(backup: Backup, url: str) -> None:
    program("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={url}", str(backup.dump))


def verify(
    url: str, folder: Path, *arguments: str, config: Path = GRAPHS
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "agent_server", "verify", *arguments],
        cwd=REPOSITORY / "app",
        env=environment(url, config, ATTACHMENTS_DIR=str(folder)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def told(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def change(url: str, statement: str, *values: Any) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute(statement, values).rowcount > 0  # pyright: ignore[reportArgumentType]  # a test's own


def everything(url: str) -> list[Any]:
    """Every row of every table that is ours or LangGraph's."""
    tables = (
        "select schemaname, tablename from pg_tables where schemaname in ('agent', 'public') order by 1, 2"
    )
    with psycopg.connect(url) as connection:
        names = connection.execute(tables).fetchall()
        return [
            sorted(map(str, connection.execute(f'select t from "{schema}"."{table}" t').fetchall()))  # type: ignore[arg-type]
            for schema, table in names
        ]


def test_a_restored_database_is_whole_and_stays_as_it_is(backup: Backup, restored: str) -> None:
    before = everything(restored)
    done = verify(restored, backup.folder, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = told(done)
    assert found.pop("newest")
    assert found == {
        "threads": THREADS,
        "runs": THREADS + 1,
        "unfinished": 1,
        "checkpoints": found["checkpoints"],
        "audit_entries": 0,
        "keys": 0,
        "attachments": 1,
        "threads_read": THREADS,
        "attachments_found": 1,
        "problems": [],
    }
    assert found["checkpoints"] >= THREADS
    assert everything(restored) == before  # the run that waits was not executed


def test_people_get_a_line_for_each_kind_and_only_the_newest_are_read_where_that_is_wished(
    backup: Backup, restored: str
) -> None:
    done = verify(restored, backup.folder, "--limit", "1")
    assert done.returncode == 0
    lines = {f"threads: {THREADS}", "unfinished: 1", "attachments found: 1", "threads read: 1"}
    assert lines <= set(done.stdout.splitlines())


@pytest.fixture(scope="module")
def damaged(
    backup: Backup, postgres_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> subprocess.CompletedProcess[str]:
    """What is said of a copy of which one thread alone is whole: a process that loads the graphs for all."""
    _, without_state, unreadable, of_no_graph = backup.threads
    key = "(select thread_key::text from agent.threads where thread_id = %s)"
    garbage = (
        "insert into checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)"
        " select distinct thread_id, checkpoint_ns, v.key, v.value, 'msgpack', '\\xc1'::bytea"
        " from checkpoints, jsonb_each_text(checkpoint -> 'channel_versions') v"
        f" where thread_id = {key}"
        " on conflict (thread_id, checkpoint_ns, channel, version)"
        " do update set type = 'msgpack', blob = excluded.blob"
    )
    # the place has the folder's name, so it is the folder that loses the file
    kept = shutil.copytree(backup.folder, tmp_path_factory.mktemp("kept") / "attachments")
    with empty_database(postgres_cluster) as url:
        restore(backup, url)
        change(url, f"delete from checkpoints where thread_id = {key}", without_state)
        change(url, garbage, unreadable)
        change(url, "update agent.threads set graph = 'retired' where thread_id = %s", of_no_graph)
        for content in files_in(backup.folder):
            content.unlink()
        try:
            return verify(url, backup.folder, "--json")
        finally:
            shutil.copytree(kept, backup.folder, dirs_exist_ok=True)


@pytest.mark.parametrize(
    ("thread", "detail"),
    [
        (1, "its runs have ended, but it has no checkpoint"),
        (2, "A stored checkpoint of this thread is not read: its bytes are damaged."),
        (3, "retired"),
    ],
    ids=["no checkpoint", "garbage", "no graph"],
)
def test_a_thread_that_cannot_be_served_is_named_and_why(
    backup: Backup, damaged: subprocess.CompletedProcess[str], thread: int, detail: str
) -> None:
    subject = f"thread {backup.threads[thread]}"
    [problem] = [each for each in told(damaged)["problems"] if each["subject"] == subject]
    assert detail in problem["detail"]


def test_content_that_was_not_restored_is_named(damaged: subprocess.CompletedProcess[str]) -> None:
    found = told(damaged)
    assert found["attachments_found"] == 0
    assert found["problems"][-1]["subject"].startswith("attachment ")
    assert "does not hold its content" in found["problems"][-1]["detail"]


def test_each_problem_is_a_line_and_what_is_whole_is_none(
    damaged: subprocess.CompletedProcess[str],
) -> None:
    found = told(damaged)
    assert (damaged.returncode, found["threads_read"], len(found["problems"])) == (1, 1, 4)
    assert damaged.stderr.splitlines() == [
        f"agent_server: tenant {each['tenant']}, {each['subject']}: {each['detail']}"
        for each in found["problems"]
    ]


def test_a_database_of_another_version_is_one_line(backup: Backup, restored: str) -> None:
    change(restored, "delete from agent.migrations where name like 'fingerprint:%%'")
    done = verify(restored, backup.folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert "not migrated to this version" in done.stderr


def test_a_restored_copy_is_served_without_the_runs_that_an_operator_has_ended(
    backup: Backup, restored: str
) -> None:
    page = (REPOSITORY / "docs" / "howto" / "back-up-and-restore.md").read_text()
    [statement] = re.findall(r"`(update agent\.runs [^`]+)`", page)
    change(restored, statement)
    with attaching.keeping(restored, ATTACHMENTS_DIR=str(backup.folder)) as server, caller(server) as http:
        for thread in backup.threads:
            assert http.get("/graphs/reader/state", params={"thread_id": thread}).status_code == 200
            again = {"input": {}, "thread_id": thread}
            assert http.post("/graphs/reader/invoke", json=again).json()["status"] == "success"
        statuses = [run["status"] for run in http.get("/graphs/reader/runs").json()["runs"]]
        assert statuses.count("cancelled") == 1
