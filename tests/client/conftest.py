"""One suite for both clients: the sync one stands behind awaits, every call in a thread."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any

import pytest
from client_stub import Stub, serving

from langgraph_client import LangGraphClient, Retry, StreamEvent, SyncLangGraphClient

QUICK = Retry(tries=4, first_pause=0.01, longest_pause=0.05, longest_retry_after=2)
STREAMS = {"stream", "join_stream"}


class Blocking:
    """The sync client with the async one's way of being called."""

    def __init__(self, client: SyncLangGraphClient) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        return functools.partial(self._watch if name in STREAMS else asyncio.to_thread, method)

    async def aclose(self) -> None:
        self.client.close()

    async def _watch(
        self, method: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> AsyncIterator[StreamEvent]:
        events: Generator[StreamEvent, None, None] = method(*args, **kwargs)
        try:
            while (event := await asyncio.to_thread(next, events, None)) is not None:
                yield event
        finally:
            events.close()


Connect = Callable[..., Any]


@pytest.fixture(scope="session")
def fresh_stub() -> Iterator[Callable[[], Stub]]:
    with serving() as fresh:
        yield fresh


@pytest.fixture
def stub(fresh_stub: Callable[[], Stub]) -> Stub:
    return fresh_stub()


@pytest.fixture(params=["async", "sync"])
async def connect(request: pytest.FixtureRequest, stub: Stub) -> AsyncIterator[Connect]:
    """Give what makes a client of the kind under test; it is closed afterwards."""
    made: list[Any] = []

    def connect(url: str | None = None, api_key: Any = None, **settings: Any) -> Any:
        settings = {"timeout": 5.0, "retry": QUICK} | settings
        address = url or stub.url
        if request.param == "async":
            made.append(LangGraphClient(address, api_key, **settings))
        else:
            made.append(Blocking(SyncLangGraphClient(address, api_key, **settings)))
        return made[-1]

    yield connect
    for client in made:
        await client.aclose()


@pytest.fixture
def client(connect: Connect) -> Any:
    return connect()
