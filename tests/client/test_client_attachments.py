"""Attachments through both clients, against real servers: one with a folder, one with S3 behind it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from app.support import attaching
from app.support.attaching import GRAPHS, PDF, TEXT
from support.postgres import module_database, postgres_cluster
from support.server import REPOSITORY, environment

import langgraph_client as api

__all__ = ["module_database", "postgres_cluster"]
KEY = "lgp_of-the-tests"
QUICK = api.Retry(tries=4, first_pause=0.01, longest_pause=0.05)
Fault = Callable[[httpx.Request], httpx.Response | None]


class Wire:
    """What both clients sent, and where the next requests of a method fail though they were carried out."""

    def __init__(self) -> None:
        self.sent: list[httpx.Request] = []
        self.lost: list[str] = []

    def loses(self, request: httpx.Request) -> bool:
        self.sent.append(request)
        if request.method in self.lost:
            self.lost.remove(request.method)
            return True
        return False


class AsyncWire(httpx.AsyncHTTPTransport):
    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.wire = wire

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        loses = self.wire.loses(request)
        response = await super().handle_async_request(request)
        if loses:
            await response.aread()
            raise httpx.ReadError(message="lost", request=request)
        return response


class SyncWire(httpx.HTTPTransport):
    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.wire = wire

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        loses = self.wire.loses(request)
        response = super().handle_request(request)
        if loses:
            response.read()
            raise httpx.ReadError(message="lost", request=request)
        return response


class Blocking:
    """The sync client's attachments with the async one's way of being called."""

    def __init__(self, attachments: api.SyncAttachments) -> None:
        self.attachments = attachments

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.attachments, name)
        return lambda *args, **kwargs: asyncio.to_thread(method, *args, **kwargs)


@pytest.fixture(scope="module")
def servers(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The URL of a server by where it keeps attachments."""
    subprocess.run(
        [sys.executable, "-P", "-m", "agent_server", "migrate"],
        cwd=REPOSITORY / "app",
        env=environment(module_database, GRAPHS),
        check=True,
        capture_output=True,
    )
    folder = str(tmp_path_factory.mktemp("attachments"))
    with (
        attaching.s3_server() as s3,
        attaching.keeping(module_database, ATTACHMENTS_DIR=folder) as here,
        attaching.keeping(module_database, **attaching.s3_settings(s3)) as there,
        attaching.keeping(module_database) as none,
    ):
        yield {"folder": here.url, "s3": there.url, "none": none.url}


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture(params=["async", "sync"])
async def connect(request: pytest.FixtureRequest, wire: Wire) -> AsyncIterator[Callable[[str], Any]]:
    """Give what makes the attachments of a client of either kind."""
    made: list[Any] = []

    def connected(url: str) -> Any:
        if request.param == "sync":
            client = api.SyncLangGraphClient(url, KEY, retry=QUICK, transport=SyncWire(wire))
            made.append(client.close)
            return Blocking(client.attachments)
        other = api.LangGraphClient(url, KEY, retry=QUICK, transport=AsyncWire(wire))
        made.append(other.aclose)
        return other.attachments

    yield connected
    for close in made:
        closed = close()
        if closed is not None:
            await closed


@pytest.fixture(params=["folder", "s3"])
def attachments(
    request: pytest.FixtureRequest, connect: Callable[[str], Any], servers: dict[str, str]
) -> Any:
    return connect(servers[request.param])


async def test_a_file_goes_there_and_comes_back(attachments: Any, tmp_path: Path) -> None:
    file = tmp_path / "Rechnung März.pdf"
    file.write_bytes(PDF)
    kept = await attachments.upload("t", file)
    assert (kept.filename, kept.content_type, kept.size) == (file.name, "application/pdf", len(PDF))
    assert (kept.thread_id, kept.stored, kept.created_by) == ("t", True, "local")
    assert await attachments.get(kept.attachment_id) == kept
    assert await attachments.download(kept.attachment_id) == PDF
    assert await attachments.delete(kept.attachment_id) is None
    for call in (attachments.get, attachments.download, attachments.delete):
        with pytest.raises(api.NotFound):
            await call(kept.attachment_id)


async def test_bytes_need_a_name(attachments: Any) -> None:
    kept = await attachments.upload("t", TEXT, filename="a.md")
    assert kept.content_type == "text/markdown"
    assert (
        await attachments.upload("t", TEXT, filename="a", content_type="text/csv")
    ).content_type == "text/csv"
    for name in (None, "a", "a.unheard-of"):
        with pytest.raises(ValueError, match="is needed"):
            await attachments.upload("t", TEXT, filename=name)


async def test_the_key_goes_to_the_server_alone(
    attachments: Any, wire: Wire, servers: dict[str, str]
) -> None:
    kept = await attachments.upload("t", TEXT, filename="a.txt")
    await attachments.download(kept.attachment_id)
    ours = [request for request in wire.sent if f"http://{request.url.netloc.decode()}" in servers.values()]
    others = [request for request in wire.sent if request not in ours]
    assert all(request.headers["authorization"] == f"Bearer {KEY}" for request in ours)
    assert not any(KEY in value for request in others for value in request.headers.values())
    assert len(others) in {0, 2}


async def test_lost_answers_are_outlived(attachments: Any, wire: Wire) -> None:
    wire.lost = ["POST", "PUT", "PUT", "GET", "DELETE"]
    kept = await attachments.upload("t", TEXT, filename="a.txt")
    assert kept.stored
    wire.lost.append("GET")
    assert await attachments.download(kept.attachment_id) == TEXT
    await attachments.delete(kept.attachment_id)
    assert wire.lost == []


async def test_what_the_server_does_not_take_is_a_bad_request(attachments: Any) -> None:
    with pytest.raises(api.BadRequest) as raised:
        await attachments.upload("t", TEXT, filename="a.html")
    assert (raised.value.status, raised.value.code) == (415, "unsupported_media_type")
    with pytest.raises(api.BadRequest) as refused:
        await attachments.upload("t", b"", filename="a.txt")
    assert refused.value.body["errors"][0]["field"] == "size"
    with pytest.raises(FileNotFoundError):
        await attachments.upload("t", "/nonexistent/a.txt")
    with pytest.raises(api.NotFound):
        await attachments.get(str(uuid4()))


async def test_a_server_that_keeps_none_says_so(
    connect: Callable[[str], Any], servers: dict[str, str]
) -> None:
    with pytest.raises(api.ApiError) as raised:
        await connect(servers["none"]).upload("t", TEXT, filename="a.txt")
    assert (raised.value.status, raised.value.code) == (501, "attachments_unavailable")


def test_both_clients_have_the_same_calls() -> None:
    ours, theirs = (
        {name for name in vars(kind) if not name.startswith("_")}
        for kind in (api.AsyncAttachments, api.SyncAttachments)
    )
    assert ours == theirs == {"upload", "download", "get", "delete"}
    for name in ours:
        assert getattr(api.AsyncAttachments, name).__doc__ == getattr(api.SyncAttachments, name).__doc__
