"""What a call asks of the outside world, as values.

The protocol is written once, as generators that yield these and receive the answers; whoever performs them
decides between blocking and awaiting. A performer answers

    Send   -> Reply with its whole body     or the error, which is raised where the generator waits
    Open   -> Reply; its body is empty when the status is 200, for it is read by Read
    Read   -> the next bytes of what Open opened, b"" after a clean end
    Sleep  -> nothing
    StreamEvent -> nothing: it is handed to the caller
"""

import json
import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote

from langgraph_client._errors import LangGraphError
from langgraph_client._models import StreamEvent

T = TypeVar("T")
E = TypeVar("E")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, without the address and the key, which are the performer's."""

    method: str
    path: str
    """Quoted, from the first `/` behind the project's address; with `keyless`, a whole address."""
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    repeatable: bool = True
    """Whether it may be sent again after it may have been carried out."""
    keyless: bool = False
    """Whether it goes to another server, which gets neither the key nor our word for anything."""
    patience: float = math.inf
    """Seconds its answer may take; the caller's own deadline bounds it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A status, headers by lower-case name, and a body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request and read the whole answer."""

    request: Request
    timeout: float
    """Seconds of silence after which it is `TimedOut`; may be infinite."""


@dataclass(frozen=True, slots=True)
class Open:
    """Close what was open, send the request, and read the answer only if it is no event stream."""

    request: Request
    timeout: float
    """Seconds of silence after which it, or any later Read, is `TimedOut`."""


@dataclass(frozen=True, slots=True)
class Read:
    """Wait for more bytes."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Let time pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The flow has returned."""

    value: T


Call: TypeAlias = Generator[Send | Sleep, Any, T]
"""A flow that ends in one value."""
Watch: TypeAlias = Generator[Open | Read | Sleep | StreamEvent, Any, None]
"""A flow that gives events."""


def advance(flow: Generator[E, Any, T], answer: object = None) -> E | Done[T]:
    """Hand the last effect's answer to the flow; return its next effect, or its value when it is through."""
    try:
        return flow.throw(answer) if isinstance(answer, LangGraphError) else flow.send(answer)
    except StopIteration as stop:
        return Done(stop.value)


def route(*segments: str) -> str:
    """Return the path of these segments, each quoted whole; raises ValueError for one no path can carry."""
    for segment in segments:
        if segment in {"", ".", ".."}:
            message = f"{segment!r} cannot be part of a path"
            raise ValueError(message)
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def header(name: str, value: str) -> dict[str, str]:
    """Return one header; raises ValueError when its value is empty or holds what no header may carry."""
    if not value or not all(" " <= character <= "~" for character in value):
        message = f"{name} must be printable ASCII and not empty"
        raise ValueError(message)
    return {name: value}


def encoded(body: object) -> bytes:
    """Return JSON in UTF-8; raises TypeError or ValueError for what JSON cannot say."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}
