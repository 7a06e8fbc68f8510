"""JSON at the edges: a strict reader for what clients send, a total writer for what graphs yield."""

import base64
import dataclasses
import json
import json.decoder
import json.scanner
import math
import re
from collections import deque
from collections.abc import Callable, Collection, Mapping
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import PurePath
from typing import Any, cast

import orjson
from pydantic_core import to_jsonable_python

from agent_server.core.errors import Invalid, shorten

MAX_DEPTH = 200
"""Levels of nesting that are read, and mended: orjson carries 254, of which an answer adds some."""
MAX_CONTAINERS = 250_000
"""Arrays and objects of one body: some 50 MiB of them, and a round of the garbage collector below 50 ms."""
LARGE_BYTES = 256 * 2**10
"""Above it a body is read in a thread, by a parser that lets others in between any two values."""

_SUSPECT = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TEXTS = (
    *(Decimal, complex, date, time, timedelta, tzinfo, PurePath, re.Pattern),
    *(IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network),
)
_INT64_CHARACTERS = 20
_LONG_BITS = 10_000  # far below where Python refuses to write an integer in decimal
_PATH_CHARACTERS = 200
_MANY = 10_000
_PARSER = cast("Any", json.decoder)  # whose parts in Python are public, and not annotated
_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def loads(body: bytes) -> Any:
    """Parse what a client sent, refusing whatever would not come back as it was sent.

    Raises:
        Invalid: not JSON in UTF-8, a repeated key, a number beyond 64 bits, NaN or infinity, nesting
            deeper than 200 levels, more than 250,000 arrays and objects, or a NUL or lone surrogate in
            any string.
    """
    try:
        value = json.loads(
            body.decode(),
            cls=json.JSONDecoder if len(body) <= LARGE_BYTES else _PatientDecoder,
            object_pairs_hook=_unique,
            parse_int=_int64,
            parse_float=_finite,
            parse_constant=_refuse_constant,
        )
        _refuse_depth(value)
    except (ValueError, RecursionError) as error:
        raise Invalid(_reason(error)) from None
    if _SUSPECT.search(body):
        refuse_unsafe_text(value)
    return value


def refuse_unsafe_text(value: Any, path: str = "body") -> None:
    """Raise Invalid if a string anywhere in `value` holds a NUL or a lone surrogate.

    PostgreSQL stores neither in text, so the same words would pass or fail by the shape of the state.
    """
    below = _where_unsafe(value)
    if below is not None:
        reason = "NUL characters and lone surrogates are not accepted"
        field = shorten(path + below, _PATH_CHARACTERS)
        msg = f"{field}: {reason}."
        raise Invalid(msg, errors=[{"field": field, "message": reason}])


def dumps(value: Any) -> bytes:
    """Encode anything a graph may yield; messages and models as their `model_dump()`.

    Never raises: what JSON cannot carry is shown as near as it can (NaN as null, bytes as base64, lone
    surrogates as U+FFFD, integers beyond 64 bits as strings, cycles and depths beyond 200 by a word,
    other objects, and those that raise, by the name of their type).
    """
    try:
        return orjson.dumps(value, default=_plain, option=_OPTIONS)
    except (TypeError, RecursionError):
        return orjson.dumps(_mended(value, ()), option=_OPTIONS)


def _where_unsafe(value: Any) -> str | None:
    """Return the path below `value` to a string that PostgreSQL would not store, None if all are well."""
    if isinstance(value, str):
        return "" if _is_unsafe(value) else None
    if isinstance(value, dict):
        return _where_unsafe_in(cast("dict[str, Any]", value))
    if isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            if (below := _where_unsafe(item)) is not None:
                return f"[{index}]{below}"
    return None


def _where_unsafe_in(holder: dict[str, Any]) -> str | None:
    for key, item in holder.items():
        if _is_unsafe(key):
            return " (a key)"
        if (below := _where_unsafe(item)) is not None:
            return f".{shorten(key, _PATH_CHARACTERS)}{below}"
    return None


def _is_unsafe(text: str) -> bool:
    if "\x00" in text:
        return True
    try:
        text.encode()  # a tenth of the time of any search for surrogates
    except UnicodeEncodeError:
        return True
    return False


class _PatientDecoder(json.JSONDecoder):
    """The standard library's parser in Python: that in C lets no other thread run until it is done."""

    def __init__(self, **hooks: Any) -> None:
        super().__init__(**hooks)
        self._containers = 0
        self.parse_array = self._counting(_PARSER.JSONArray)
        self.parse_object = self._counting(_PARSER.JSONObject)
        self.scan_once = cast("Any", json.scanner).py_make_scanner(self)

    def _counting(self, parse: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any) -> Any:
            self._containers += 1
            if self._containers > MAX_CONTAINERS:
                msg = f"it has more than {MAX_CONTAINERS:,} arrays and objects"
                raise ValueError(msg)
            return parse(*args)

        return counted


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Where they are many, one by one: `dict()` lets no other thread run until it is done.
    result = dict(pairs) if len(pairs) <= _MANY else {key: value for key, value in pairs}  # noqa: C416  # as said
    if len(result) != len(pairs):
        msg = "an object repeats a key"
        raise ValueError(msg)
    return result


def _fits(value: int) -> bool:
    """Whether JSON, msgpack and PostgreSQL carry the integer alike."""
    return -(2**63) <= value < 2**64  # `in range()` would count up to an IntEnum, one by one


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [item for holder in level for item in _items(holder) if isinstance(item, (dict, list))]
        if not level:
            return
    raise RecursionError


def _items(holder: Any) -> Collection[Any]:
    if isinstance(holder, dict):
        return cast("dict[str, Any]", holder).values()
    return cast("list[Any]", holder) if isinstance(holder, list) else ()


def _int64(text: str) -> int | float:
    value = int(text) if len(text) <= _INT64_CHARACTERS else 2**64
    if not _fits(value):
        msg = "an integer is beyond 64 bits"
        raise ValueError(msg)
    return -0.0 if text == "-0" else value


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        msg = "a number is too large"
        raise ValueError(msg)
    return value


def _refuse_constant(name: str) -> None:
    msg = f"{name} is not JSON"
    raise ValueError(msg)


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"The body is not JSON: {error.msg} at line {error.lineno} column {error.colno}."
    if isinstance(error, UnicodeDecodeError):
        return "The body is not UTF-8."
    if isinstance(error, RecursionError):
        return "The body is nested too deeply."
    return f"The body is not acceptable JSON: {error}."


def _plain(value: Any) -> Any:
    """Turn one object that orjson does not know into one that it does, or nearly does."""
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return value.model_dump()
    if isinstance(value, (set, frozenset, deque, tuple)):
        return list(cast("set[Any]", value))
    if isinstance(value, _TEXTS):
        return str(value) if isinstance(value, PurePath) else to_jsonable_python(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(cast("bytes", value))).decode()
    return _by_fields(value)


def _by_fields(value: Any) -> Any:
    if isinstance(value, type):
        return _name(cast("object", value))
    if isinstance(value, BaseException):
        return {"error": type(value).__name__}
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    slots = getattr(cast("object", value), "__slots__", ())
    if isinstance(slots, (tuple, list)):
        names = [name for name in cast("list[str]", slots) if not name.startswith("_")]
        if names:
            return {name: getattr(value, name, None) for name in names}
    return _name(cast("object", type(value)))


def _name(cls: object) -> str:
    return f"<{getattr(cls, '__qualname__', 'object')}>"


def _mended(value: Any, above: tuple[int, ...]) -> Any:
    """Rebuild a value that orjson refused; slow, for the rare. `above` holds the ids of what contains it."""
    if isinstance(value, (str, int, float, Enum)) or value is None:
        return _mended_scalar(value)
    if id(value) in above:
        return "<cycle>"
    if len(above) >= MAX_DEPTH:
        return "<too deep>"
    inside = (*above, id(value))
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return {_mended_key(key): _mended(item, inside) for key, item in items}
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return [_mended(item, inside) for item in cast("list[Any]", value)]
    return _mended_object(value, inside)


def _mended_scalar(value: str | float | Enum | None) -> Any:
    if isinstance(value, Enum):
        return _mended(value.value, ())
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, int) and not _fits(value):
        return hex(value) if value.bit_length() > _LONG_BITS else str(int(value))
    return value


def _mended_key(key: Any) -> str:
    """Spell a key as orjson would where it can, and else as Python does."""
    try:
        return next(iter(orjson.loads(orjson.dumps({key: None}, option=_OPTIONS))))
    except TypeError:
        return _SURROGATE.sub("\ufffd", key if isinstance(key, str) else _name(cast("object", type(key))))


def _mended_object(value: Any, inside: tuple[int, ...]) -> Any:
    try:
        return orjson.loads(orjson.dumps(value, option=_OPTIONS))
    except TypeError:
        pass
    try:
        plain = _plain(value)
    except Exception:  # noqa: BLE001  # a graph's own object may raise anything when it is looked at
        return _name(cast("object", type(value)))
    return _mended(plain, inside)
