"""What both clients tell httpx, and how they read what it says."""

import inspect
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar, get_args
from urllib.parse import urlsplit

import httpx

from langgraph_client._errors import ConnectionFailed, LangGraphError, TimedOut
from langgraph_client._flow import Open, Reply, Send
from langgraph_client._problems import origin_of
from langgraph_client._retry import Retry
from langgraph_client._session import Session

M = TypeVar("M", bound=Callable[..., Any])

SyncKey = str | None | Callable[[], str | None]
"""An API key or a token, or what returns one: it is asked before each request."""
Key = SyncKey | Callable[[], Awaitable[str | None]]

CONNECT_SECONDS = 10.0
"""How long reaching the server may take; a repeat may find another one."""
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=3.0)
"""Connections without number, for a stream holds one as long as its run; idle ones are closed after 3 s,
before uvicorn does after 5 s: a request that met its closing would be lost."""


def address_of(project_url: str) -> str:
    """Return the project's address without a trailing slash; raises ValueError for an unusable one."""
    parts = urlsplit(project_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "project_url must be an http:// or https:// address"
        raise ValueError(message)
    if "@" in parts.netloc or parts.query or parts.fragment:
        message = "project_url must hold no user, query or fragment; the key is api_key's business"
        raise ValueError(message)
    return project_url.rstrip("/")


def headers_of() -> dict[str, str]:
    """Return what every request carries beside its key."""
    return {"Accept": "application/json", "User-Agent": f"lgp-client/{_version()}"}


class Bearer(httpx.Auth):
    """Puts the key on each request; of a function, what it returns just then.

    White space around a key is dropped. Raises ValueError, without the key, for one that no header can carry.
    """

    def __init__(self, api_key: Key) -> None:
        if not callable(api_key):
            _authorization(api_key)  # one that no header can carry is refused now
        self._ask: Callable[[], str | Awaitable[str | None] | None]
        self._ask = api_key if callable(api_key) else lambda: api_key

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with the key."""
        key = self._ask()
        if inspect.isawaitable(key):
            if inspect.iscoroutine(key):
                key.close()
            message = "an api_key that is awaited is for LangGraphClient"
            raise TypeError(message)
        request.headers.update(_authorization(key))
        yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with the key."""
        key = self._ask()
        request.headers.update(_authorization(await key if inspect.isawaitable(key) else key))
        yield request


def _authorization(api_key: str | None) -> dict[str, str]:
    key = (api_key or "").strip()
    if not all("!" <= character <= "~" for character in key):
        message = "api_key holds a character that no header can carry"
        raise ValueError(message)
    return {"Authorization": f"Bearer {key}"} if key else {}


def session_of(address: str, *, timeout: float, silence: float, retry: Retry | None) -> Session:
    """Return the settings of a client; raises ValueError for time-outs that are not above 0 s."""
    if not (timeout > 0 and silence > 0):
        message = "timeout and silence must be more than 0 s"
        raise ValueError(message)
    return Session(origin=origin_of(address), timeout=timeout, silence=silence, retry=retry or Retry())


def request_of(http: httpx.Client | httpx.AsyncClient, effect: Send | Open) -> httpx.Request:
    """Return the request as httpx sends it, with the client's address, key and time-outs."""
    request = effect.request
    seconds = None if math.isinf(effect.timeout) else effect.timeout
    connect = min(CONNECT_SECONDS, effect.timeout)
    return http.build_request(
        request.method,
        request.path,
        params=dict(request.params) or None,
        headers=dict(request.headers),
        content=request.body,
        timeout=httpx.Timeout(seconds, connect=connect),
    )


def auth_of(effect: Send | Open) -> Any:
    """Return what httpx is told of the key: nothing, so that it adds it, or that there is none."""
    return None if effect.request.keyless else httpx.USE_CLIENT_DEFAULT


def reply_of(response: httpx.Response, body: bytes = b"") -> Reply:
    """Return the answer; the body is given where it was read."""
    return Reply(status=response.status_code, headers=dict(response.headers), body=body)


def is_stream(response: httpx.Response) -> bool:
    """Whether the body is left to be read piece by piece."""
    kind = response.headers.get("content-type", "")
    return response.status_code == HTTPStatus.OK and kind.startswith("text/event-stream")


def failure_of(error: httpx.RequestError, effect: object) -> LangGraphError:
    """Return our error for one of httpx, with it as its cause and nothing of its headers in its message."""
    failure = _failure(error, _named(effect))
    failure.__cause__ = error
    return failure


def _failure(error: httpx.RequestError, what: str) -> LangGraphError:
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return TimedOut(f"{what}: nothing came in time")
    unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    reason = f" ({error})" if isinstance(error, httpx.NetworkError) and str(error) else ""
    return ConnectionFailed(f"{what}: {type(error).__name__}{reason}", unsent)


def _named(effect: object) -> str:
    if isinstance(effect, Send | Open):
        return f"{effect.request.method} {effect.request.path.partition('?')[0]}"
    return "the open stream"


def described(method: M, flow: Callable[..., object], returns: object = None) -> M:
    """Give a method its flow's name, promise and signature; it returns the flow's result by default."""
    signature = inspect.signature(flow)
    of_self = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    parameters = [of_self, *list(signature.parameters.values())[1:]]
    result = returns or get_args(signature.return_annotation)[-1]
    function: Any = method
    function.__signature__ = inspect.Signature(parameters, return_annotation=result)
    function.__name__, function.__doc__ = flow.__name__, flow.__doc__
    return method


def _version() -> str:
    try:
        return version("lgp-client")
    except PackageNotFoundError:  # used from a source tree that is not installed
        return "0"
