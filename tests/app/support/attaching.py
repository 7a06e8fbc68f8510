"""Servers that keep attachments, in a folder or in an S3 of their own, and what clients do there."""

import asyncio
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from app.support.storage_world import settings_for
from app.support.surface import ok
from support.server import ServerProcess, servers

from agent_server.storage.database import open_database
from agent_server.storage.retention import sweep_once

GRAPHS = Path(__file__).parent / "attached_graphs" / "langgraph.json"
REGION = "eu-central-1"
BUCKET = "attachments-of-tests"
TEXT = b"Invoice 17\nTotal: 20.00 EUR\n"
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 8
PNG = b"\x89PNG\r\n\x1a\n" + bytes(300)


def new_thread() -> str:
    return f"thread-{uuid4()}"


def described(content: bytes, **more: Any) -> dict[str, Any]:
    """The body of `POST /attachments` for a content."""
    told = {"filename": "note.txt", "content_type": "text/plain", "size": len(content)}
    return {"thread_id": new_thread(), **told, **more}


def add(http: httpx.Client, content: bytes = TEXT, **more: Any) -> Any:
    """Tell of a content; the Attachment, with where to put it."""
    return ok(http.post("/attachments", json=described(content, **more)), 201)


def put(http: httpx.Client, attachment: Any, content: Any = TEXT, **headers: str) -> httpx.Response:
    """Send the content to where the server said."""
    upload = attachment["upload"]
    given = {name: value for name, value in (upload["headers"] | headers).items() if value}
    return http.request(upload["method"], upload["url"], headers=given, content=content)


def attached(http: httpx.Client, content: bytes = TEXT, **more: Any) -> Any:
    """An attachment with its content."""
    attachment = add(http, content, **more)
    assert put(http, attachment, content).is_success
    return attachment


def begin_thread(http: httpx.Client, graph: str = "reader") -> str:
    """A thread with one run."""
    return ok(http.post(f"/graphs/{graph}/invoke", json={"input": {}}))["thread_id"]


def seen(http: httpx.Client, attachment: Any, graph: str = "reader", thread_id: str = "") -> httpx.Response:
    """What a node of the attachment's thread, or of another one, sees."""
    body = {
        "input": {"attachment_id": attachment["attachment_id"]},
        "thread_id": thread_id or attachment["thread_id"],
    }
    return http.post(f"/graphs/{graph}/invoke", json=body)


def what_is_seen(content: bytes, **more: str) -> dict[str, str]:
    told = {"filename": "note.txt", "content_type": "text/plain"} | more
    return {**told, "sha256": hashlib.sha256(content).hexdigest()}


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def age(database_url: str, days: float = 1.1) -> None:
    """All that has happened to attachments was so long ago."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "update agent.attachments set created_at = created_at - make_interval(secs => %(seconds)s),"
            " removed_at = removed_at - make_interval(secs => %(seconds)s)",
            {"seconds": days * 86400},
        )


def rows(database_url: str) -> list[tuple[Any, ...]]:
    """Id and state of every row."""
    with psycopg.connect(database_url) as connection:
        return connection.execute(
            "select attachment_id::text, settled, dropped_at is not null, removed_at is not null"
            " from agent.attachments order by 1"
        ).fetchall()


def swept(database_url: str, **settings: object) -> int:
    """Contents that a sweep has removed."""

    async def work() -> int:
        told = settings_for(database_url, **settings)
        async with open_database(told) as database:
            done = await sweep_once(database, told)
        assert done is not None
        return done.attachments

    return asyncio.run(work())


@contextmanager
def keeping(database_url: str, **more: str) -> Iterator[ServerProcess]:
    """One server of the reading graphs."""
    with servers(database_url, GRAPHS, **more) as started:
        yield started[0]


@contextmanager
def s3_server() -> Iterator[str]:
    """The URL of moto's S3, with an empty bucket."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=output,
            stderr=output,
            env={"PATH": os.environ["PATH"]},
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, child)
            assert httpx.put(f"{url}/{BUCKET}", content=_PLACE).is_success
            yield url
        finally:
            child.terminate()
            child.wait(10)


_PLACE = (
    "<CreateBucketConfiguration>"
    f"<LocationConstraint>{REGION}</LocationConstraint>"
    "</CreateBucketConfiguration>"
)


def s3_settings(url: str, **more: str) -> dict[str, str]:
    """What a server is told to keep attachments there."""
    return {
        "ATTACHMENTS_BUCKET": BUCKET,
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests",
        **more,
    }


def _wait_for(url: str, child: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert child.poll() is None, "moto's server has ended"
        with suppress(httpx.TransportError):
            httpx.get(f"{url}/moto-api/")
            return
        time.sleep(0.1)
    msg = "moto's server does not answer"
    raise AssertionError(msg)


def eventually(true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
