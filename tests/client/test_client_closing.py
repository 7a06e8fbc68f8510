"""Connections are closed when the caller leaves, not when memory happens to be tidied."""

import contextlib
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from langgraph_client import ConnectionFailed, LangGraphClient, Retry, SyncLangGraphClient

FIRST = b"event: custom\ndata: 1\nid: 1-1\n\n"
TWICE = Retry(tries=2, first_pause=0)


class Stream(httpx.AsyncByteStream, httpx.SyncByteStream):
    """A body that gives one event, then more, then breaks; it knows whether it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield FIRST
        yield b": beat\n\n"
        message = "cut"
        raise httpx.ReadError(message)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


@pytest.fixture
def streams() -> list[Stream]:
    return []


@pytest.fixture
def transport(streams: list[Stream]) -> httpx.MockTransport:
    def answering(_request: httpx.Request) -> httpx.Response:
        streams.append(Stream())
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=streams[-1])

    return httpx.MockTransport(answering)


async def test_leaving_a_stream_closes_it(streams: list[Stream], transport: httpx.MockTransport) -> None:
    async with LangGraphClient("http://host", transport=transport) as client:
        async with contextlib.aclosing(client.join_stream("g", "r")) as events:
            await anext(events)
            assert not streams[0].closed
        assert streams[0].closed


def test_leaving_a_blocking_stream_closes_it(streams: list[Stream], transport: httpx.MockTransport) -> None:
    with SyncLangGraphClient("http://host", transport=transport) as client:
        with contextlib.closing(client.join_stream("g", "r")) as events:
            next(events)
            assert not streams[0].closed
        assert streams[0].closed


async def test_every_connection_of_a_stream_is_closed(
    streams: list[Stream], transport: httpx.MockTransport
) -> None:
    async with LangGraphClient("http://host", transport=transport, retry=TWICE) as client:
        with pytest.raises(ConnectionFailed):
            _ = [event async for event in client.join_stream("g", "r")]
    assert [stream.closed > 0 for stream in streams] == [True, True]


def test_every_connection_of_a_blocking_stream_is_closed(
    streams: list[Stream], transport: httpx.MockTransport
) -> None:
    client = SyncLangGraphClient("http://host", transport=transport, retry=TWICE)
    with client, pytest.raises(ConnectionFailed):
        list(client.join_stream("g", "r"))
    assert [stream.closed > 0 for stream in streams] == [True, True]
