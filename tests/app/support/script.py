"""What a provider may be told to answer, whatever its wire format."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class RefusedRequestError(Exception):
    """The real service would answer this request with 400 or 401."""


@dataclass(frozen=True)
class Say:
    """Text, streamed word by word."""

    text: str


@dataclass(frozen=True)
class Call:
    """Some text and then calls of tools: `(name, arguments)`."""

    calls: tuple[tuple[str, dict[str, Any]], ...]
    text: str = ""


@dataclass(frozen=True)
class Data:
    """A structured answer, in the way in which the request asks for it."""

    data: dict[str, Any]


@dataclass(frozen=True)
class Refuse:
    """A refusal, each provider in its own way."""

    text: str = "I cannot help with that."


@dataclass(frozen=True)
class Cut:
    """Text that breaks off because the connection is lost; without streaming nothing at all comes."""

    text: str


@dataclass(frozen=True)
class Full:
    """Text that ends where the limit of tokens is reached."""

    text: str


@dataclass(frozen=True)
class Fail:
    """An HTTP error."""

    status: int
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Silence:
    """Nothing for some seconds, then a lost connection."""

    seconds: float


Reply = Say | Call | Data | Refuse | Cut | Full | Fail | Silence


def words(text: str) -> list[str]:
    """Split a text into the pieces that a stream delivers."""
    return re.findall(r"\S+\s*", text)


def halves(value: Mapping[str, Any]) -> list[str]:
    """Split JSON into two pieces that are not JSON."""
    text = json.dumps(value)
    return [text[: len(text) // 2], text[len(text) // 2 :]]


def require(condition: object, problem: str) -> None:
    """Refuse the request with `problem` unless `condition` holds."""
    if not condition:
        raise RefusedRequestError(problem)
