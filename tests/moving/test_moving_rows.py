"""docs/howto/move-to-kubernetes.md: rows of one database go on in another, under its own role and rights."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from app.support.roles import as_role, as_superuser
from support.plans import ROOT
from support.postgres import empty_database
from support.server import finish, servers, start

from agent_server.storage import bucket
from agent_server.storage.attachments import AttachmentRecord
from agent_server.storage.folder import Folder
from langgraph_client import SyncLangGraphClient
from lgp.embedded import Cluster
from lgp.embedded.binaries import program_folder

PAGE = (ROOT / "docs" / "howto" / "move-to-kubernetes.md").read_text()
GRAPHS = ROOT / "app" / "langgraph.json"
SAMPLES = ROOT / "app" / "graphs" / "samples" / "document"
ROLE, PASSWORD = "langgraph_app", "of-the-stack"


def sample(name: str) -> dict:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def migrated(url: str, **more: str) -> None:
    child = start(url, GRAPHS, command="migrate", AUTH="none", **more)
    assert child.child.wait(120) == 0, child.log()
    finish(child)


def program(name: str, *arguments: str, given: bytes = b"") -> bytes:
    done = subprocess.run(
        [program_folder(None) / name, *arguments], input=given, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def options(command: str) -> list[str]:
    """What the page gives a program beside the database."""
    text = PAGE.replace("\\\n", " ")
    (line,) = re.findall(rf"{command} .*", text)
    return [word for word in re.findall(r"(?<= )--[a-z-]+(?:=[\w.]+)?", line) if word not in {"--quiet"}]


@dataclass
class Moved:
    """The rows of Compose, and the server of the stack that has them."""

    dump: str
    database: str
    client: SyncLangGraphClient
    done: str
    waiting: str
    before: dict[str, dict]


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory, postgres_cluster: Cluster) -> Iterator[Moved]:
    folder: Path = tmp_path_factory.mktemp("moved")
    (folder / "password").write_text(PASSWORD)
    with empty_database(postgres_cluster) as old, empty_database(postgres_cluster) as fresh:
        new = as_superuser(postgres_cluster, fresh)
        migrated(old)
        with (
            servers(old, GRAPHS, 1, AUTH="none", ATTACHMENTS_DIR=str(folder)) as (server,),
            SyncLangGraphClient(server.url, "unused") as client,
        ):
            done = client.invoke("document", sample("invoice")["input"]).thread_id
            waiting = client.invoke("document", sample("needs_approval")["input"]).thread_id
            client.attachments.upload(done, b"hello", filename="a.txt", content_type="text/plain")
            before = {thread: client.get_state("document", thread).values for thread in (done, waiting)}
        migrated(new, APPLICATION_ROLE=ROLE, APPLICATION_ROLE_PASSWORD_FILE=str(folder / "password"))
        dump = program("pg_dump", *options("pg_dump"), old)
        program("psql", "--quiet", "--single-transaction", "-v", "ON_ERROR_STOP=1", new, given=dump)
        with (
            servers(as_role(fresh, ROLE, PASSWORD), GRAPHS, 1, AUTH="none") as (server,),
            SyncLangGraphClient(server.url, "unused") as client,
        ):
            yield Moved(dump.decode(), new, client, done, waiting, before)


def test_the_page_loads_all_or_nothing():
    assert "--single-transaction -v ON_ERROR_STOP=1 -f /tmp/rows.sql" in PAGE


def test_threads_have_the_state_that_they_had(moved):
    for thread, values in moved.before.items():
        assert moved.client.get_state("document", thread).values == values


def test_a_question_that_waited_is_answered_in_the_stack(moved):
    answer = moved.client.resume("document", moved.waiting, sample("needs_approval.resume")["resume_data"])
    assert not answer.interrupted
    assert moved.client.get_state("document", moved.waiting).next == ()


def test_a_thread_goes_on_and_new_ones_begin(moved):
    assert moved.client.invoke("document", sample("receipt")["input"]).thread_id
    assert {moved.done, moved.waiting} <= {each.thread_id for each in moved.client.threads().items}


def test_loading_needs_no_superuser(moved):
    """RDS gives nobody one: no triggers are switched off, no owner is named."""
    assert "DISABLE TRIGGER" not in moved.dump
    assert "OWNER TO" not in moved.dump


def test_the_keys_of_before_are_not_in_the_dump(moved):
    assert "agent.api_keys" not in moved.dump
    assert "agent.audit_log" in moved.dump


def test_attachments_name_the_bucket_once_the_statement_of_the_page_was_carried_out(moved):
    (statement,) = re.findall(r"^update agent\.attachments .*$", PAGE, re.MULTILINE)
    assert Folder.name in statement
    with psycopg.connect(moved.database) as connection:
        connection.execute(statement.replace("BUCKET", "theirs").encode())
        places = connection.execute("select distinct place from agent.attachments").fetchall()
    assert places == [("s3://theirs",)]
    assert bucket.Bucket("theirs", None, None, None).name == "s3://theirs"


def test_a_content_in_the_folder_has_the_key_in_the_bucket_that_the_page_gives_it(tmp_path):
    record = AttachmentRecord(
        uuid4(),
        "acme",
        "t",
        "a.txt",
        "text/plain",
        5,
        b"\x01" * 32,
        "x",
        datetime.now(UTC),
        datetime.now(UTC),
    )
    file = Folder(tmp_path).path(record)
    assert bucket._key(record) == f"attachments/{file.parent.relative_to(tmp_path)}"
