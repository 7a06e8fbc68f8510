"""Strict msgpack, made visible: what a state may hold is known at the start and checked at each write.

LangGraph in strict mode turns a value of an unknown type into a dict when it is *read*, silently. Here
the types that a graph's annotations name are registered when it is loaded, a type that cannot survive
is refused by name at the start, and a value of an unknown type fails its run when it is *written*.
"""

# ruff: noqa: SLF001
# pyright: reportPrivateUsage=false
# The serializer's own encoder is extended, and it offers no public way; a contract test holds it.

import dataclasses
import re
import types
import typing
from collections.abc import Collection, Iterator
from contextvars import ContextVar
from enum import Enum
from typing import Any, cast, get_args, get_origin

import ormsgpack
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde._msgpack import SAFE_MSGPACK_TYPES, STRICT_MSGPACK_ENABLED
from langgraph.checkpoint.serde.event_hooks import SerdeEvent, register_serde_event_listener
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from pydantic import BaseModel
from typing_extensions import is_typeddict

from agent_server.core.errors import ConfigurationError, RunFailed
from agent_server.graphs.pregel import Graph

TypeName = tuple[str, ...]

_PLAIN = (str, bytes, bytearray, int, float, bool, complex, type(None), object)
_CONTAINERS = (list, tuple, dict, set, frozenset)
_blocked: ContextVar[list[str] | None] = ContextVar("blocked", default=None)


class Unregistered(RunFailed):
    """A graph stored a value of a type that would not come back as it was."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The graph stored a value of type {name}, which would not come back as it was: name the type in "
            "the state's annotations, or list it under checkpointer.serde.allowed_msgpack_modules."
        )


class StrictSerializer(JsonPlusSerializer):
    """LangGraph's serializer, which refuses to write what it would refuse to read.

    Raises:
        Unregistered: by `dumps_typed`, with the type's name.
    """

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Return the value's encoding and its bytes."""
        if obj is None or isinstance(obj, (bytes, bytearray)):
            return super().dumps_typed(obj)
        try:
            return "msgpack", ormsgpack.packb(obj, default=self._checked, option=jsonplus._option)
        except ormsgpack.MsgpackEncodeError as error:
            if isinstance(error.__cause__, Unregistered):
                raise error.__cause__ from None
            raise

    def _checked(self, obj: Any) -> Any:
        if not self._comes_back(obj):
            raise Unregistered(_dotted(cast("type[Any]", type(obj))))
        return jsonplus._msgpack_default(obj)

    def _comes_back(self, obj: Any) -> bool:
        key = (type(obj).__module__, type(obj).__name__)
        if key in SAFE_MSGPACK_TYPES or key in cast("set[TypeName]", self._allowed_msgpack_modules or set()):
            return True
        return isinstance(obj, (BaseException, re.Pattern, _DeltaSnapshot)) or key[0] == "numpy"

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Return the value; a type that is not admitted raises instead of becoming a dict."""
        blocked: list[str] = []
        token = _blocked.set(blocked)
        try:
            value = super().loads_typed(data)
        finally:
            _blocked.reset(token)
        if blocked:
            raise Unregistered(blocked[0])
        return value


def require_strict_mode() -> None:
    """Raise ConfigurationError where the environment has switched strict msgpack off."""
    if not STRICT_MSGPACK_ENABLED:
        msg = "LANGGRAPH_STRICT_MSGPACK must not be false: checkpoint bytes could then run code."
        raise ConfigurationError(msg)


def serializer_for(name: str, graph: Graph, extra: Collection[TypeName]) -> StrictSerializer:
    """Build the serializer of a graph, with every type that its and its subgraphs' states name.

    Raises:
        ConfigurationError: a state names a type that no checkpoint can carry.
    """
    admitted: set[TypeName] = set(extra)
    for part in (graph, *(sub for _, sub in graph.get_subgraphs(recurse=True))):
        admitted |= getattr(part, "_serde_allowlist", None) or set()
        for leaf in _leaves_of(part):
            admitted |= _admitted(name, leaf)
    return StrictSerializer(allowed_msgpack_modules=tuple(admitted))


def _leaves_of(graph: Graph) -> Iterator[type[Any]]:
    seen: set[int] = set()
    for channel in graph.channels.values():
        for attribute in ("ValueType", "UpdateType"):
            yield from _leaves(getattr(channel, attribute, None), seen)


def _leaves(annotation: Any, seen: set[int]) -> Iterator[type[Any]]:
    """Yield the classes that an annotation is made of."""
    if id(annotation) in seen:
        return
    seen.add(id(annotation))
    origin = get_origin(annotation)
    if origin is typing.Literal:
        return
    for argument in get_args(annotation):
        yield from _leaves(argument, seen)
    if isinstance(annotation, types.UnionType) or not isinstance(origin or annotation, type):
        return
    cls: type[Any] = origin or annotation
    yield cls
    for field in _fields(cls):
        yield from _leaves(field, seen)


def _fields(cls: type[Any]) -> list[Any]:
    if not (is_typeddict(cls) or dataclasses.is_dataclass(cls) or issubclass(cls, BaseModel)):
        return []
    try:
        return list(typing.get_type_hints(cls).values())
    except (NameError, TypeError):
        return []  # an annotation that only a type checker resolves: its values are checked when written


def _admitted(name: str, cls: type[Any]) -> set[TypeName]:
    key = (cls.__module__, cls.__name__)
    if cls in _PLAIN or issubclass(cls, (*_CONTAINERS, BaseMessage)) or key in SAFE_MSGPACK_TYPES:
        return set()
    if is_typeddict(cls) or cls.__module__ in {"collections.abc", "numpy", "re", "typing"}:
        return set()
    if not _has_encoding(cls):
        msg = f"graph {name!r}: its state names {_dotted(cls)}, which a checkpoint cannot carry."
        raise ConfigurationError(msg)
    if cls.__qualname__ != cls.__name__:
        msg = f"graph {name!r}: its state names {_dotted(cls)}, which must be defined at the top of a module."
        raise ConfigurationError(msg)
    return {key}


def _has_encoding(cls: type[Any]) -> bool:
    return issubclass(cls, (Enum, BaseModel)) or dataclasses.is_dataclass(cls) or hasattr(cls, "_asdict")


def _dotted(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _note(event: SerdeEvent) -> None:
    blocked = _blocked.get()
    if blocked is not None and event["kind"].endswith("blocked"):
        blocked.append(f"{event['module']}.{event['name']}")


register_serde_event_listener(_note)
