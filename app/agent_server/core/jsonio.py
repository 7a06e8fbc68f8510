"""JSON at the edges: a strict reader for what clients send, a total writer for what graphs yield."""

import base64
import dataclasses
import json
import math
import re
from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

import orjson

from agent_server.core.errors import Invalid

INT64 = range(-(2**63), 2**64)
"""The integers that JSON, msgpack and PostgreSQL carry alike."""

_SUSPECT = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
_UNSAFE_TEXT = re.compile("[\x00\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def loads(body: bytes) -> Any:
    """Parse what a client sent, refusing whatever would not come back as it was sent.

    Raises:
        Invalid: not JSON in UTF-8, a repeated key, a number beyond 64 bits, NaN or infinity, nesting
            too deep to parse, or a NUL or lone surrogate in any string.
    """
    try:
        value = json.loads(
            body.decode(),
            object_pairs_hook=_unique,
            parse_int=_int64,
            parse_float=_finite,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise Invalid(_reason(error)) from None
    if _SUSPECT.search(body):
        refuse_unsafe_text(value)
    return value


def refuse_unsafe_text(value: Any, path: str = "body") -> None:
    """Raise Invalid if a string anywhere in `value` holds a NUL or a lone surrogate.

    PostgreSQL stores neither in text, so the same words would pass or fail by the shape of the state.
    """
    if isinstance(value, str):
        if _UNSAFE_TEXT.search(value):
            msg = f"{path}: NUL characters and lone surrogates are not accepted."
            raise Invalid(msg)
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            refuse_unsafe_text(key, f"{path} (a key)")
            refuse_unsafe_text(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            refuse_unsafe_text(item, f"{path}[{index}]")


def dumps(value: Any) -> bytes:
    """Encode anything a graph may yield; messages and models as their `model_dump()`.

    Never raises: what JSON cannot carry is shown as near as it can (NaN as null, bytes as base64, lone
    surrogates as U+FFFD, integers beyond 64 bits as strings, other objects by the name of their type).
    """
    try:
        return orjson.dumps(value, default=_plain, option=_OPTIONS)
    except (TypeError, RecursionError):
        return orjson.dumps(_mended(value, depth=0), option=_OPTIONS)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        msg = "an object repeats a key"
        raise ValueError(msg)
    return result


def _int64(text: str) -> int | float:
    value = int(text)
    if value not in INT64:
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
    """Turn one object that orjson does not know into one that it does."""
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if isinstance(value, (set, frozenset, deque, tuple)):
        return list(cast("set[Any]", value))
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, BaseException):
        return {"error": type(value).__name__}
    return _by_fields(value)


def _by_fields(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return value._asdict()
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    slots: list[str] = [
        name for name in getattr(cast("object", value), "__slots__", ()) if not name.startswith("_")
    ]
    if slots:
        return {name: getattr(value, name, None) for name in slots}
    return f"<{type(value).__qualname__}>"


def _mended(value: Any, depth: int) -> Any:
    """Rebuild a value that orjson refused; slow, for the rare."""
    if depth > 200:  # noqa: PLR2004  # orjson stops at 254 levels
        return "<too deep>"
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return {_mended_key(key): _mended(item, depth + 1) for key, item in items}
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return [_mended(item, depth + 1) for item in cast("list[Any]", value)]
    if isinstance(value, (str, int, float)) or value is None:
        return _mended_scalar(value)
    return _mended_object(value, depth)


def _mended_scalar(value: str | float | None) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, int) and value not in INT64:
        return str(value)
    return value


def _mended_key(key: Any) -> str:
    return _SURROGATE.sub("\ufffd", key if isinstance(key, str) else str(key))


def _mended_object(value: Any, depth: int) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _mended({field.name: getattr(value, field.name) for field in dataclasses.fields(value)}, depth)
    try:
        return orjson.loads(orjson.dumps(value, option=_OPTIONS))
    except TypeError:
        return _mended(_plain(value), depth + 1)
