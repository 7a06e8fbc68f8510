"""The async client: performs the flows by awaiting."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx

from langgraph_client import _attachments, _http, _runs, _streams, _threads
from langgraph_client._flow import Call, Done, Open, Read, Reply, Send, Sleep, Watch, advance
from langgraph_client._models import StreamEvent
from langgraph_client._retry import Retry
from langgraph_client._session import Session

P = ParamSpec("P")
T = TypeVar("T")


class _Caller:
    """What a method needs that performs a flow."""

    _client: httpx.AsyncClient
    _session: Session

    @staticmethod
    def _awaited(
        flow: Callable[Concatenate[Session, P], Call[T]],
    ) -> Callable[Concatenate["_Caller", P], Coroutine[Any, Any, T]]:
        """Return the flow as a coroutine method, its first argument being the client's settings."""

        async def method(self: "_Caller", /, *args: P.args, **kwargs: P.kwargs) -> T:
            return await _run(self._client, flow(self._session, *args, **kwargs))

        return _http.described(method, flow)


class AsyncAttachments(_Caller):
    """Files of threads: `client.attachments`."""

    def __init__(self, client: httpx.AsyncClient, session: Session) -> None:
        """Share a client's connections and settings."""
        self._client, self._session = client, session

    _awaited = _Caller._awaited  # noqa: SLF001 - of its own base
    upload = _awaited(_attachments.upload)
    download = _awaited(_attachments.download)
    get = _awaited(_attachments.get)
    delete = _awaited(_attachments.delete)


class LangGraphClient(_Caller):
    """A project on the platform.

    Any number of tasks of one event loop may share a client. Leave it with `async with` or `aclose()`.
    """

    def __init__(  # noqa: PLR0913 - one keyword a setting
        self,
        project_url: str,
        api_key: _http.Key = None,
        *,
        timeout: float = 300.0,
        silence: float = 60.0,
        retry: Retry | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            project_url: `http(s)://host[:port][/prefix]`; the key goes nowhere else
            api_key: `lgp_…` or a token of the issuer that the server trusts, sent as a bearer token; or a
                function, async or not, that returns one: it is asked before each request, for tokens that
                do not live long. None where the server asks for none
            timeout: seconds a call may take, waits and repeats included. A stream as a whole has no limit
            silence: seconds without a byte after which a stream is taken for dead and opened again;
                must stay above the server's heartbeat of 15 s
            retry: how often failures are repeated
            transport: httpx's, for a proxy, a private CA, or a test

        Raises:
            ValueError: an argument can never work; the message does not show the key.
        """
        self._address = _http.address_of(project_url)
        self._session = _http.session_of(self._address, timeout=timeout, silence=silence, retry=retry)
        self._client = httpx.AsyncClient(
            base_url=self._address,
            headers=_http.headers_of(),
            auth=_http.Bearer(api_key),
            transport=transport,
            limits=_http.LIMITS,
        )
        self.attachments = AsyncAttachments(self._client, self._session)

    def __repr__(self) -> str:
        """Return the address, without the key."""
        return f"{type(self).__name__}({self._address!r})"

    async def __aenter__(self) -> Self:
        """Return the client, to be closed on leaving."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection; calls afterwards raise RuntimeError."""
        await self._client.aclose()

    @staticmethod
    def _streamed(
        flow: Callable[Concatenate[Session, P], Watch],
    ) -> Callable[Concatenate["LangGraphClient", P], AsyncGenerator[StreamEvent, None]]:
        """Return the flow as a method that gives an async generator."""

        def method(
            self: "LangGraphClient", /, *args: P.args, **kwargs: P.kwargs
        ) -> AsyncGenerator[StreamEvent, None]:
            return _events(self._client, flow(self._session, *args, **kwargs))

        return _http.described(method, flow, AsyncGenerator[StreamEvent, None])

    _awaited = _Caller._awaited  # noqa: SLF001 - of its own base
    invoke = _awaited(_runs.invoke)
    stream = _streamed(_streams.stream)
    resume = _awaited(_runs.resume)

    get_state = _awaited(_threads.get_state)
    update_state = _awaited(_threads.update_state)
    history = _awaited(_threads.history)
    threads = _awaited(_threads.threads)
    delete_thread = _awaited(_threads.delete_thread)

    runs = _awaited(_runs.runs)
    get_run = _awaited(_runs.get_run)
    join = _awaited(_runs.join)
    join_stream = _streamed(_streams.join_stream)
    cancel = _awaited(_runs.cancel)

    graphs = _awaited(_threads.graphs)
    health = _awaited(_threads.health)
    ready = _awaited(_threads.ready)


async def _run(http: httpx.AsyncClient, flow: Call[T]) -> T:
    wire = _Wire(http)
    step = advance(flow)
    while not isinstance(step, Done):
        step = advance(flow, await wire.perform(step))
    return step.value


async def _events(http: httpx.AsyncClient, flow: Watch) -> AsyncGenerator[StreamEvent, None]:
    wire = _Wire(http)
    try:
        step = advance(flow)
        while not isinstance(step, Done):
            if isinstance(step, StreamEvent):
                yield step
                step = advance(flow)
            else:
                step = advance(flow, await wire.perform(step))
    finally:
        await wire.close()


class _Wire:
    """Performs effects with httpx; holds the one stream that may be open."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._client = http
        self._response: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None

    async def perform(self, effect: Send | Open | Read | Sleep) -> object:
        """Return the effect's answer, or the error it ended in."""
        try:
            return await self._answer(effect)
        except httpx.RequestError as error:
            return _http.failure_of(error, effect)

    async def close(self) -> None:
        """Close the open stream, if there is one."""
        if self._response is not None:
            await self._response.aclose()
        self._response = self._chunks = None

    async def _answer(self, effect: Send | Open | Read | Sleep) -> object:
        match effect:
            case Send():
                response = await self._client.send(
                    _http.request_of(self._client, effect), auth=_http.auth_of(effect)
                )
                return _http.reply_of(response, response.content)
            case Open():
                return await self._open(effect)
            case Read():
                return b"" if self._chunks is None else await anext(self._chunks, b"")
            case Sleep():
                return await asyncio.sleep(effect.seconds)

    async def _open(self, effect: Open) -> Reply:
        await self.close()
        response = await self._client.send(_http.request_of(self._client, effect), stream=True)
        self._response = response
        if not _http.is_stream(response):
            return _http.reply_of(response, await response.aread())
        self._chunks = response.aiter_bytes()
        return _http.reply_of(response)
