"""Settings that reach the pods as they are: each field says where it goes, nothing else has to know it."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Optional, cast, get_args

from pydantic import Field
from pydantic.fields import FieldInfo

from langgraph_components.args import Args

_VARIABLE, _POD = "variable", "pod"


def variable(name: str, **field: Any) -> Any:
    """A field, as pydantic's `Field`, that is the environment variable `name` of the server's processes.

    Booleans are `true` and `false`, lists are joined by commas, and nothing is told of None. The variable
    can then not be set by `environment` besides.
    """
    return Field(**field, json_schema_extra={_VARIABLE: name})


def pod_field(name: str, **field: Any) -> Any:
    """A field, as pydantic's `Field`, that is the field `name` of the spec of every pod of the workload.

    Its value is as Kubernetes reads it. What is None or empty is left out.
    """
    return Field(**field, json_schema_extra={_POD: name})


def variables(args: Args) -> dict[str, str]:
    """Environment variables of a model and of the models inside it."""
    found: dict[str, str] = {}
    for field, info in type(args).model_fields.items():
        value, name = getattr(args, field), _mark(info, _VARIABLE)
        if isinstance(value, Args):
            found |= variables(value)
        elif name is not None and value is not None:
            found[name] = _text(value)
    return found


def variable_names(model: type[Args]) -> frozenset[str]:
    """All that `variables` could ever tell of such a model."""
    return frozenset(_names(model))


def pod_fields(args: Args) -> dict[str, Any]:
    """Fields of a pod's spec."""
    marked = {_mark(info, _POD): getattr(args, field) for field, info in type(args).model_fields.items()}
    return {name: value for name, value in marked.items() if name is not None and value}


def _names(model: type[Args]) -> Iterator[str]:
    for info in model.model_fields.values():
        if (name := _mark(info, _VARIABLE)) is not None:
            yield name
        for inner in (info.annotation, *get_args(info.annotation)):
            if isinstance(inner, type) and issubclass(inner, Args):
                yield from _names(inner)


def _mark(info: FieldInfo, mark: str) -> Optional[str]:
    return cast("dict[str, str]", info.json_schema_extra or {}).get(mark)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(_text, cast("list[Any]", value)))
    return value.value if isinstance(value, StrEnum) else str(value)
