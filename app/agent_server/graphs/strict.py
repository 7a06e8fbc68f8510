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
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextvars import ContextVar
from enum import Enum
from types import FunctionType
from typing import Any, cast, get_args, get_origin

import ormsgpack
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde._msgpack import SAFE_MSGPACK_TYPES, STRICT_MSGPACK_ENABLED
from langgraph.checkpoint.serde.event_hooks import SerdeEvent, register_serde_event_listener
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from pydantic import AliasChoices, BaseModel
from typing_extensions import is_typeddict

from agent_server.core.errors import ConfigurationError, RunFailed, shorten
from agent_server.core.metrics import CHECKPOINTS_REFUSED
from agent_server.graphs.pregel import Graph

TypeName = tuple[str, ...]

_TUPLE = ("builtins", "tuple")
_OPTION = jsonplus._option | ormsgpack.OPT_PASSTHROUGH_TUPLE
_PLAIN = (str, bytes, bytearray, int, float, bool, complex, type(None), object)
_CONTAINERS = (list, tuple, dict, set, frozenset)
_ENCODINGS = frozenset({"null", "bytes", "bytearray", "msgpack"})
"""What `dumps_typed` makes; LangGraph would also read pickles and JSON that names constructors."""
_refused: ContextVar[list[str] | None] = ContextVar("refused", default=None)
_blocked: ContextVar[list[str] | None] = ContextVar("blocked", default=None)


class Unregistered(RunFailed):
    """A graph stored a value of a type that would not come back as it was."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The graph stored a value of type {name}, which would not come back as it was: name the type in "
            "the state's annotations, or list it under checkpointer.serde.allowed_msgpack_modules."
        )


class Unreadable(RunFailed):
    """A checkpoint holds what no write of this server has put there; nothing of it was executed."""

    def __init__(self, what: str) -> None:
        super().__init__(f"A stored checkpoint of this thread is not read: {what}.")


class StrictSerializer(JsonPlusSerializer):
    """LangGraph's serializer, which refuses to write what it would refuse to read; tuples stay tuples.

    Raises:
        Unregistered: by `dumps_typed`, with the type's name.
        Unreadable: by `loads_typed`.
    """

    def __init__(self, *, allowed_msgpack_modules: Collection[TypeName] = ()) -> None:
        super().__init__(allowed_msgpack_modules=(*allowed_msgpack_modules, _TUPLE))
        self._encode_object = _encoder(self._packed)

    def with_msgpack_allowlist(self, extra_allowlist: Iterable[TypeName | type]) -> JsonPlusSerializer:
        """Return a serializer that admits these types, too."""
        clone = super().with_msgpack_allowlist(extra_allowlist)
        if isinstance(clone, StrictSerializer) and clone is not self:
            clone._encode_object = _encoder(clone._packed)
        return clone

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Return the value's encoding and its bytes."""
        if obj is None or isinstance(obj, (bytes, bytearray)):
            return super().dumps_typed(obj)
        refused: list[str] = []
        token = _refused.set(refused)
        try:
            return "msgpack", ormsgpack.packb(obj, default=self._checked, option=_OPTION)
        except ormsgpack.MsgpackEncodeError:
            if refused:
                raise Unregistered(refused[0]) from None  # the encoder keeps nothing of what was raised in it
            raise
        finally:
            _refused.reset(token)

    def _packed(self, value: Any) -> bytes:
        # What arrives here is LangGraph's envelope (module, name, value), whose own type is of no interest.
        envelope = list(cast("tuple[Any, ...]", value)) if type(value) is tuple else value
        return ormsgpack.packb(envelope, default=self._checked, option=_OPTION)

    def _checked(self, obj: Any) -> Any:
        if type(obj) is tuple:
            parts = [*_TUPLE, list(cast("tuple[Any, ...]", obj))]
            return ormsgpack.Ext(jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG, self._packed(parts))
        if isinstance(obj, _DeltaSnapshot):
            inner = ormsgpack.packb(obj.value, default=self._checked, option=_OPTION)
            return ormsgpack.Ext(jsonplus.EXT_DELTA_SNAPSHOT, inner)
        if not self._comes_back(obj):
            name = _dotted(cast("type[Any]", type(obj)))
            _remember(name)
            raise Unregistered(name)
        if isinstance(obj, BaseModel) and _key(type(obj)) not in SAFE_MSGPACK_TYPES:
            parts = (*_key(type(obj)), _arguments_of(obj), "model_validate_json")
            return ormsgpack.Ext(jsonplus.EXT_PYDANTIC_V2, self._packed(parts))
        return self._encode_object(obj)

    def _comes_back(self, obj: Any) -> bool:
        key = _key(cast("type[Any]", type(obj)))
        if key in SAFE_MSGPACK_TYPES or key in cast("set[TypeName]", self._allowed_msgpack_modules or set()):
            return True
        return isinstance(obj, (BaseException, re.Pattern)) or key[0] == "numpy"

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Return the value; raises Unreadable for any type that is not admitted, and any other encoding."""
        try:
            return self._loaded(data)
        except Unreadable:
            CHECKPOINTS_REFUSED.inc()
            raise

    def _loaded(self, data: tuple[str, bytes]) -> Any:
        if data[0] not in _ENCODINGS:
            what = f"its encoding {shorten(data[0], 40)!r} is none that is written here"
            raise Unreadable(what)
        blocked: list[str] = []
        token = _blocked.set(blocked)
        try:
            value = super().loads_typed(data)
        except ormsgpack.MsgpackDecodeError:
            what = "its bytes are damaged"
            raise Unreadable(what) from None
        finally:
            _blocked.reset(token)
        if blocked:
            what = f"it names {shorten(blocked[0], 200)}, no type of this graph's state"
            raise Unreadable(what)
        return value


def _remember(name: str) -> None:
    refused = _refused.get()
    if refused is not None:
        refused.append(name)


def _encoder(pack: Callable[[Any], bytes]) -> Callable[[Any], Any]:
    """LangGraph's encoder of objects, with `pack` for what is inside them: it has no hook for that."""
    stock = jsonplus._msgpack_default
    return FunctionType(stock.__code__, {**vars(jsonplus), "_msgpack_enc": pack}, stock.__name__)


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
        for leaf, is_key in _leaves_of(part):
            admitted |= _admitted_key(name, leaf) if is_key else _admitted(name, leaf)
    return StrictSerializer(allowed_msgpack_modules=tuple(admitted))


def _leaves_of(graph: Graph) -> Iterator[tuple[type[Any], bool]]:
    seen: set[tuple[int, bool]] = set()
    for channel in graph.channels.values():
        for attribute in ("ValueType", "UpdateType"):
            yield from _leaves(getattr(channel, attribute, None), seen, is_key=False)


def _leaves(
    annotation: Any, seen: set[tuple[int, bool]], *, is_key: bool
) -> Iterator[tuple[type[Any], bool]]:
    """Yield the classes that an annotation is made of, and whether they are keys of a dict."""
    if (id(annotation), is_key) in seen:
        return
    seen.add((id(annotation), is_key))
    annotation = getattr(annotation, "__supertype__", annotation)  # of a NewType
    origin = get_origin(annotation)
    if origin is typing.Literal:
        return
    for index, argument in enumerate(_arguments(annotation)):
        yield from _leaves(argument, seen, is_key=is_key or (index == 0 and _is_mapping(origin)))
    if isinstance(annotation, types.UnionType) or not isinstance(origin or annotation, type):
        return
    cls: type[Any] = origin or annotation
    yield cls, is_key
    validated = issubclass(cls, BaseModel)  # which makes its keys anew from what comes back
    for field in _fields(cls):
        yield from ((leaf, key and not validated) for leaf, key in _leaves(field, seen, is_key=False))


def _arguments(annotation: Any) -> tuple[Any, ...]:
    arguments = get_args(annotation)
    return arguments[:1] if get_origin(annotation) is typing.Annotated else arguments


def _is_mapping(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, Mapping)


def _fields(cls: type[Any]) -> list[Any]:
    if not (is_typeddict(cls) or dataclasses.is_dataclass(cls) or issubclass(cls, BaseModel)):
        return []
    try:
        return list(typing.get_type_hints(cls).values())
    except (AttributeError, NameError, SyntaxError, TypeError):
        return []  # an annotation that only a type checker resolves: values are checked when they are written


def _admitted(name: str, cls: type[Any]) -> set[TypeName]:
    key = _key(cls)
    if cls in (*_PLAIN, *_CONTAINERS) or issubclass(cls, BaseMessage) or key in SAFE_MSGPACK_TYPES:
        return set()
    if is_typeddict(cls) or cls.__module__ in {"collections.abc", "numpy", "re", "typing"}:
        return set()
    if not _has_encoding(cls):
        msg = f"graph {name!r}: its state names {_dotted(cls)}, which a checkpoint cannot carry."
        raise ConfigurationError(msg)
    if getattr(sys.modules.get(cls.__module__), cls.__name__, None) is not cls:
        msg = f"graph {name!r}: its state names {_dotted(cls)}, which must be defined at the top of a module."
        raise ConfigurationError(msg)
    return {key}


def _admitted_key(name: str, cls: type[Any]) -> set[TypeName]:
    if cls not in (*_PLAIN, tuple, Any):
        msg = (
            f"graph {name!r}: its state names {_dotted(cls)} for keys of a dict; they would come back as str."
        )
        raise ConfigurationError(msg)
    return set()


def _has_encoding(cls: type[Any]) -> bool:
    """Whether LangGraph takes its values apart into what their constructor takes."""
    if dataclasses.is_dataclass(cls) and not issubclass(cls, Enum):
        return all(field.init for field in dataclasses.fields(cls)) and not _init_vars(cls)
    if issubclass(cls, BaseModel):
        return all(_argument(cls, name) for name in cls.model_fields)
    return issubclass(cls, Enum) or hasattr(cls, "_asdict")


def _arguments_of(model: BaseModel) -> dict[str, Any]:
    """What the model's constructor takes: its values as they are, under the names that it reads.

    LangGraph's own way, `model_dump()`, loses what has an alias, and the types behind `Any`.
    """
    cls = type(model)
    given = {_argument(cls, name) or name: model.__dict__[name] for name in cls.model_fields}
    return {**given, **(model.__pydantic_extra__ or {})}


def _argument(cls: type[BaseModel], name: str) -> str | None:
    """Return the name under which the constructor reads a field; None if only from within another value."""
    alias = cls.model_fields[name].validation_alias
    if alias is None or cls.model_config.get("populate_by_name") or cls.model_config.get("validate_by_name"):
        return name
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return next((choice for choice in choices if isinstance(choice, str)), None)


def _init_vars(cls: type[Any]) -> bool:
    fields = cast("dict[str, Any]", getattr(cls, "__dataclass_fields__", {}))
    return any(repr(field._field_type) == "_FIELD_INITVAR" for field in fields.values())


def _key(cls: type[Any]) -> TypeName:
    return cls.__module__, cls.__name__


def _dotted(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _note(event: SerdeEvent) -> None:
    blocked = _blocked.get()
    if blocked is not None and event["kind"].endswith("blocked"):
        blocked.append(f"{event['module']}.{event['name']}")


register_serde_event_listener(_note)
