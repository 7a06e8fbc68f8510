"""The JSON Schemas of a graph's input, output and context, also where pydantic cannot make one as a whole."""

import typing
from collections.abc import Callable, Iterable
from typing import Any, cast

from pydantic import TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from agent_server.graphs.pregel import Graph

JsonSchema = dict[str, Any]


def input_schema(graph: Graph) -> JsonSchema:
    """Return the schema of what the graph takes."""
    return _whole_or_by_field(graph.get_input_jsonschema, declared(graph, "input_schema"))


def output_schema(graph: Graph) -> JsonSchema:
    """Return the schema of what it gives back."""
    return _whole_or_by_field(graph.get_output_jsonschema, declared(graph, "output_schema"))


def context_schema(graph: Graph) -> JsonSchema | None:
    """Return the schema of its run-time context; None if it has none."""
    if graph.context_schema is None:
        return None
    return _whole_or_by_field(graph.get_context_jsonschema, graph.context_schema)


def names_own_input(graph: Graph) -> bool:
    """Whether the author has declared what callers hand in, apart from the state."""
    return declared(graph, "input_schema") is not declared(graph, "state_schema")


def declared(graph: Graph, name: str) -> Any:
    """Return what the graph was built with under this name; None if it was not built by a StateGraph."""
    return getattr(getattr(graph, "builder", None), name, None)


def _whole_or_by_field(whole: Callable[[], JsonSchema | None], given: Any) -> JsonSchema:
    """Ask LangGraph; where a type has no schema, describe what can be described field by field.

    One such type is every `typing.TypedDict` on a Python before 3.12: pydantic wants that of
    typing_extensions there.
    """
    try:
        return whole() or {}
    except (PydanticUserError, PydanticSchemaGenerationError, TypeError):
        return _by_field(getattr(given, "__name__", "Object"), _hints(given))


def _hints(given: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(given)
    except (NameError, TypeError):
        return dict.fromkeys(cast("Iterable[str]", getattr(given, "__annotations__", {})), Any)


def _by_field(title: str, hints: dict[str, Any]) -> JsonSchema:
    definitions: JsonSchema = {}
    properties: JsonSchema = {}
    for name, hint in hints.items():
        schema = _field(hint)
        definitions |= schema.pop("$defs", {})
        properties[name] = schema
    found: JsonSchema = {"title": title, "type": "object", "properties": properties}
    return {**found, "$defs": definitions} if definitions else found


def _field(hint: Any) -> JsonSchema:
    try:
        return TypeAdapter(hint).json_schema()
    except (PydanticUserError, PydanticSchemaGenerationError, TypeError):
        return {}
