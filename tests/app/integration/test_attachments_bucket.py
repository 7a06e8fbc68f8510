"""Attachments in S3, on a server of its API: clients write and read there, and what they may is signed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
from app.support import attaching
from app.support.attaching import (
    BUCKET,
    PDF,
    TEXT,
    add,
    age,
    begin_thread,
    rows,
    s3_settings,
    seen,
    what_is_seen,
)
from app.support.storage_world import ALICE, BOB, begun, runs_of, settings_for
from app.support.surface import caller, ok, problem
from support.server import ServerProcess

from agent_server.attachments import ThreadAttachments
from agent_server.core.errors import StorageUnavailable, UnknownAttachment
from agent_server.storage.attachments import AttachmentRecord, AttachmentStore, NewAttachment
from agent_server.storage.database import Database


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with attaching.s3_server() as url:
        yield url


@pytest.fixture(scope="module")
def server(module_migrated_database: str, s3: str) -> Iterator[ServerProcess]:
    with attaching.keeping(module_migrated_database, **s3_settings(s3)) as started:
        yield started


@pytest.fixture
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    with caller(server) as client:
        yield client


def put(attachment: Any, content: bytes = TEXT, **headers: str) -> httpx.Response:
    """As a client does it that has nothing but what it was told: without any key."""
    upload = attachment["upload"]
    return httpx.request(
        upload["method"], upload["url"], headers=upload["headers"] | headers, content=content
    )


def stored(http: httpx.Client, content: bytes = TEXT, **more: Any) -> Any:
    attachment = add(http, content, **more)
    assert put(attachment, content).status_code == 200
    return attachment


def keys(s3: str) -> str:
    return httpx.get(f"{s3}/{BUCKET}").text


def swept(url: str, s3: str) -> int:
    return attaching.swept(url, **{name.lower(): value for name, value in s3_settings(s3).items()})


def test_a_content_goes_to_s3_and_comes_from_there(http: httpx.Client, s3: str) -> None:
    attachment = add(http, PDF, filename="Rechnung März.pdf", content_type="application/pdf")
    path = f"/attachments/{attachment['attachment_id']}"
    upload = attachment["upload"]
    assert upload["url"].startswith(f"{s3}/{BUCKET}/attachments/")
    assert upload["headers"] == {
        "Content-Length": str(len(PDF)),
        "Content-Type": "application/pdf",
        "If-None-Match": "*",
    }
    left = datetime.fromisoformat(upload["expires_at"]) - datetime.now(UTC)
    assert timedelta(seconds=590) < left <= timedelta(seconds=600)
    assert ok(http.get(path))["stored"] is False
    problem(http.get(f"{path}/content"), 404, "unknown_attachment")
    assert put(attachment, PDF).status_code == 200
    assert ok(http.get(path))["stored"] is True
    answer = http.get(f"{path}/content")
    assert answer.status_code == 307
    assert answer.headers["location"].startswith(f"{s3}/{BUCKET}/")
    content = httpx.get(answer.headers["location"])
    assert content.content == PDF
    assert content.headers["content-type"] == "application/pdf"
    assert content.headers["content-disposition"] == "attachment; filename*=utf-8''Rechnung%20M%C3%A4rz.pdf"


def test_a_second_content_is_refused_by_s3(http: httpx.Client) -> None:
    attachment = stored(http)
    assert put(attachment, TEXT.upper()).status_code == 412
    path = f"/attachments/{attachment['attachment_id']}/content"
    assert httpx.get(http.get(path).headers["location"]).content == TEXT


def test_the_content_is_not_taken_by_the_server_itself(http: httpx.Client) -> None:
    attachment = add(http)
    answer = http.put(f"/attachments/{attachment['attachment_id']}/content", content=TEXT)
    problem(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("graph", ["reader", "sync_reader"])
def test_a_node_reads_what_is_attached_to_its_thread(http: httpx.Client, graph: str) -> None:
    attachment = stored(http)
    assert ok(seen(http, attachment, graph))["result"]["seen"] == what_is_seen(TEXT)
    problem(seen(http, attachment, thread_id=attaching.new_thread()), 500, "run_failed")
    problem(seen(http, add(http)), 500, "run_failed")


@pytest.mark.parametrize("content", [TEXT[:-1], TEXT + b"x"], ids=["short", "long"])
def test_a_content_of_another_length_counts_as_none(http: httpx.Client, content: bytes) -> None:
    """moto does not hold clients to the length that was signed; S3 does."""
    attachment = add(http)
    assert put(attachment, content, **{"Content-Length": str(len(content))}).status_code == 200
    assert ok(http.get(f"/attachments/{attachment['attachment_id']}"))["stored"] is False
    problem(seen(http, attachment), 500, "run_failed")


def test_a_node_gets_no_content_of_another_type(http: httpx.Client) -> None:
    attachment = stored(http, b"<html>" * 9, content_type="application/pdf")
    problem(seen(http, attachment), 500, "run_failed")


def test_objects_go_after_their_rows(http: httpx.Client, s3: str, module_migrated_database: str) -> None:
    thread = begin_thread(http)
    gone = [stored(http, thread_id=thread) for _ in range(3)]
    kept = stored(http, thread_id=begin_thread(http))
    assert http.delete(f"/threads/{thread}").status_code == 204
    for attachment in gone:
        problem(http.get(f"/attachments/{attachment['attachment_id']}"), 404, "unknown_attachment")
        assert attachment["attachment_id"] in keys(s3)
    assert swept(module_migrated_database, s3) == 3
    assert not any(attachment["attachment_id"] in keys(s3) for attachment in gone)
    assert kept["attachment_id"] in keys(s3)


def test_what_was_uploaded_though_nobody_asked_stays_and_the_rest_goes_after_a_day(
    http: httpx.Client, s3: str, module_migrated_database: str
) -> None:
    with psycopg.connect(module_migrated_database, autocommit=True) as connection:
        connection.execute("truncate agent.attachments")
    whole = stored(http, thread_id=begin_thread(http))
    add(http, thread_id=begin_thread(http))  # no content
    stored(http)  # no thread
    age(module_migrated_database)
    assert swept(module_migrated_database, s3) == 2
    left = [row for row in rows(module_migrated_database) if not row[2]]
    assert [(row[0], row[1]) for row in left] == [(whole["attachment_id"], True)]
    assert ok(http.get(f"/attachments/{whole['attachment_id']}"))["stored"]


def test_with_s3_away_clients_are_asked_to_come_again_and_a_sweep_goes_on_later(
    module_migrated_database: str, s3: str
) -> None:
    away = s3_settings("http://127.0.0.1:9")
    with attaching.keeping(module_migrated_database, **away) as server, caller(server) as http:
        attachment = add(http)  # signed without S3
        answer = http.get(f"/attachments/{attachment['attachment_id']}")
        problem(answer, 503, "storage_unavailable")
        assert answer.headers["retry-after"]
        assert http.delete(f"/attachments/{attachment['attachment_id']}").status_code == 204
        problem(http.get(f"/attachments/{attachment['attachment_id']}"), 404, "unknown_attachment")
    with pytest.raises(StorageUnavailable):
        swept(module_migrated_database, "http://127.0.0.1:9")
    assert swept(module_migrated_database, s3) >= 1


class Flaky:
    """A place that is away three times."""

    name = "flaky"

    def __init__(self) -> None:
        self.failures = 3

    async def read(self, record: AttachmentRecord) -> bytes:
        self.failures -= 1
        if self.failures >= 0:
            msg = "away"
            raise StorageUnavailable(msg)
        return TEXT


async def test_a_run_waits_for_s3_and_goes_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_server.storage.database.asyncio.sleep", _at_once)
    claim = await begun(runs_of(database))
    new = NewAttachment(claim.thread_id, "note.txt", "text/plain", len(TEXT))
    record = await AttachmentStore(database, Flaky.name).add(ALICE, new)
    place: Any = Flaky()
    readable = ThreadAttachments(database, place, ALICE, claim.thread_key)
    assert (await readable.read(str(record.attachment_id))).content == TEXT
    assert place.failures == -1
    for other in (
        ThreadAttachments(database, place, BOB, claim.thread_key),
        ThreadAttachments(database, place, ALICE, uuid4()),
    ):
        with pytest.raises(UnknownAttachment):
            await other.read(str(record.attachment_id))


async def _at_once(seconds: float) -> None:
    """Of a pause, nothing."""


@pytest.mark.parametrize("missing", ["AWS_REGION", "AWS_SECRET_ACCESS_KEY"])
def test_a_bucket_needs_a_region_and_credentials(missing: str, s3: str) -> None:
    told = {name.lower(): value for name, value in s3_settings(s3).items() if name != missing}
    with pytest.raises(ValueError, match=missing):
        settings_for("postgresql://u@h/d", **told)


def test_no_secret_of_the_bucket_is_in_the_log(server: ServerProcess, http: httpx.Client) -> None:
    attachment = stored(http)
    http.get(f"/attachments/{attachment['attachment_id']}/content")
    assert "secret-of-the-tests" not in server.log()
    assert "X-Amz-Signature" not in server.log()
    assert urlsplit(attachment["upload"]["url"]).path not in server.log()
