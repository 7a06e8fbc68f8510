"""The sync client: performs the flows by blocking."""

import time
from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

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

    _client: httpx.Client
    _session: Session

    @staticmethod
    def _blocking(
        flow: Callable[Concatenate[Session, P], Call[T]],
    ) -> Callable[Concatenate["_Caller", P], T]:
        """Return the flow as a method, its first argument being the client's settings."""

        def method(self: "_Caller", /, *args: P.args, **kwargs: P.kwargs) -> T:
            return _run(self._client, flow(self._session, *args, **kwargs))

        return _http.described(method, flow)


class SyncAttachments(_Caller):
    """Files of threads: `client.attachments`."""

    def __init__(self, client: httpx.Client, session: Session) -> None:
        """Share a client's connections and settings."""
        self._client, self._session = client, session

    _blocking = _Caller._blocking  # noqa: SLF001 - of its own base
    upload = _blocking(_attachments.upload)
    download = _blocking(_attachments.download)
    get = _blocking(_attachments.get)
    delete = _blocking(_attachments.delete)


class SyncLangGraphClient(_Caller):
    """A project on the platform.

    What `LangGraphClient` promises, blocking. Any number of threads may share one. Leave it with `with` or
    `close()`.
    """

    def __init__(  # noqa: PLR0913 - one keyword a setting
        self,
        project_url: str,
        api_key: _http.SyncKey = None,
        *,
        timeout: float = 300.0,
        silence: float = 60.0,
        retry: Retry | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Connect to nothing yet; the arguments are those of `LangGraphClient`."""
        self._address = _http.address_of(project_url)
        self._session = _http.session_of(self._address, timeout=timeout, silence=silence, retry=retry)
        self._client = httpx.Client(
            base_url=self._address,
            headers=_http.headers_of(),
            auth=_http.Bearer(api_key),
            transport=transport,
            limits=_http.LIMITS,
        )
        self.attachments = SyncAttachments(self._client, self._session)

    def __repr__(self) -> str:
        """Return the address, without the key."""
        return f"{type(self).__name__}({self._address!r})"

    def __enter__(self) -> Self:
        """Return the client, to be closed on leaving."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close every connection; calls afterwards raise RuntimeError."""
        self._client.close()

    @staticmethod
    def _streamed(
        flow: Callable[Concatenate[Session, P], Watch],
    ) -> Callable[Concatenate["SyncLangGraphClient", P], Generator[StreamEvent, None, None]]:
        """Return the flow as a method that gives a generator."""

        def method(
            self: "SyncLangGraphClient", /, *args: P.args, **kwargs: P.kwargs
        ) -> Generator[StreamEvent, None, None]:
            return _events(self._client, flow(self._session, *args, **kwargs))

        return _http.described(method, flow, Generator[StreamEvent, None, None])

    _blocking = _Caller._blocking  # noqa: SLF001 - of its own base
    invoke = _blocking(_runs.invoke)
    stream = _streamed(_streams.stream)
    resume = _blocking(_runs.resume)

    get_state = _blocking(_threads.get_state)
    update_state = _blocking(_threads.update_state)
    history = _blocking(_threads.history)
    threads = _blocking(_threads.threads)
    delete_thread = _blocking(_threads.delete_thread)

    runs = _blocking(_runs.runs)
    get_run = _blocking(_runs.get_run)
    join = _blocking(_runs.join)
    join_stream = _streamed(_streams.join_stream)
    cancel = _blocking(_runs.cancel)

    graphs = _blocking(_threads.graphs)
    health = _blocking(_threads.health)
    ready = _blocking(_threads.ready)


def _run(http: httpx.Client, flow: Call[T]) -> T:
    wire = _Wire(http)
    step = advance(flow)
    while not isinstance(step, Done):
        step = advance(flow, wire.perform(step))
    return step.value


def _events(http: httpx.Client, flow: Watch) -> Generator[StreamEvent, None, None]:
    wire = _Wire(http)
    try:
        step = advance(flow)
        while not isinstance(step, Done):
            if isinstance(step, StreamEvent):
                yield step
                step = advance(flow)
            else:
                step = advance(flow, wire.perform(step))
    finally:
        wire.close()


class _Wire:
    """Performs effects with httpx; holds the one stream that may be open."""

    def __init__(self, http: httpx.Client) -> None:
        self._client = http
        self._response: httpx.Response | None = None
        self._chunks: Iterator[bytes] | None = None

    def perform(self, effect: Send | Open | Read | Sleep) -> object:
        """Return the effect's answer, or the error it ended in."""
        try:
            return self._answer(effect)
        except httpx.RequestError as error:
            return _http.failure_of(error, effect)

    def close(self) -> None:
        """Close the open stream, if there is one."""
        if self._response is not None:
            self._response.close()
        self._response = self._chunks = None

    def _answer(self, effect: Send | Open | Read | Sleep) -> object:
        match effect:
            case Send():
                response = self._client.send(
                    _http.request_of(self._client, effect), auth=_http.auth_of(effect)
                )
                return _http.reply_of(response, response.content)
            case Open():
                return self._open(effect)
            case Read():
                return b"" if self._chunks is None else next(self._chunks, b"")
            case Sleep():
                return time.sleep(effect.seconds)

    def _open(self, effect: Open) -> Reply:
        self.close()
        response = self._client.send(_http.request_of(self._client, effect), stream=True)
        self._response = response
        if not _http.is_stream(response):
            return _http.reply_of(response, response.read())
        self._chunks = response.iter_bytes()
        return _http.reply_of(response)
