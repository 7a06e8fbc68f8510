# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# reason: pulumi's provider host is untyped
"""The components as the Pulumi package `langgraph`, for programs in any language."""

import inspect
import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pulumi
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.experimental.util import camel_case

import langgraph_components
from langgraph_components.args import Args

PACKAGE = "langgraph"


def components() -> list[type[pulumi.ComponentResource]]:
    """Every exported component."""
    found = (getattr(langgraph_components, name) for name in langgraph_components.__all__)
    return [one for one in found if isinstance(one, type) and issubclass(one, pulumi.ComponentResource)]


class Plugin(ComponentProvider):
    """Hosts the components; its schema describes inherited fields too, which Pulumi's own leaves bare."""

    def __init__(self) -> None:
        """Infer the schema of all components."""
        super().__init__(components(), PACKAGE, version=version("langgraph-components"))
        self.schema = json.dumps(described(json.loads(self.schema or "{}")))


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the docstring of each field of each component's arguments."""
    for component in components():
        resource = schema["resources"][f"{PACKAGE}:index:{component.__name__}"]
        outer, *inner = models(component)
        _describe(resource["inputProperties"], outer)
        for model in inner:
            nested = schema["types"].get(f"{PACKAGE}:index:{model.__name__}", {})
            _describe(nested.get("properties", {}), model)
    return schema


def _describe(properties: dict[str, dict[str, Any]], model: type[Args]) -> None:
    for name, field in model.model_fields.items():
        if field.description and camel_case(name) in properties:
            properties[camel_case(name)].setdefault("description", field.description)


def models(component: type[pulumi.ComponentResource]) -> list[type[Args]]:
    """The model of the component's arguments, then those inside it, each once."""
    return list(dict.fromkeys(_inside(inspect.get_annotations(component.__init__)["args"])))


def _inside(model: type[Args]) -> Iterator[type[Args]]:
    yield model
    for field in model.model_fields.values():
        for inner in _classes(field.annotation):
            if issubclass(inner, Args):
                yield from _inside(inner)


def _classes(annotation: Any) -> Iterator[type]:
    inside = getattr(annotation, "__args__", ())
    if isinstance(annotation, type) and not inside:
        yield annotation
    for inner in inside:
        yield from _classes(inner)
