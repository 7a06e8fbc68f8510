"""Every component is usable from every language: the inferred schema says what the model says."""

import inspect
import json
import re
from pathlib import Path

import pulumi
import pytest
import yaml
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.experimental.util import camel_case
from pydantic_core import PydanticUndefined

import langgraph_components
from langgraph_components.args import Args

COMPONENTS = sorted(
    (
        value
        for value in vars(langgraph_components).values()
        if inspect.isclass(value) and issubclass(value, pulumi.ComponentResource)
    ),
    key=lambda component: component.__name__,
)
ROOT = Path(__file__).resolve().parents[2]


def args_of(component):
    return inspect.get_annotations(component.__init__)["args"]


@pytest.fixture(scope="module")
def schema():
    provider = ComponentProvider(COMPONENTS, "langgraph")
    return json.loads(provider.schema)


def models_of(model, found=None):
    """The model and every model inside it."""
    found = set() if found is None else found
    if model in found:
        return found
    found.add(model)
    for field in model.model_fields.values():
        for inner in re.findall(r"langgraph_components[\w.]*\.(\w+)", repr(field.annotation)):
            candidate = getattr(inspect.getmodule(model), inner, None)
            if inspect.isclass(candidate) and issubclass(candidate, Args):
                models_of(candidate, found)
    return found


def test_every_component_of_the_architecture_is_exported():
    assert {component.__name__ for component in COMPONENTS} == {
        *("Network", "Encryption", "Cluster", "PostgresDatabase", "RedisCache", "SecretsOperator"),
        *("Observability", "Edge", "Attachments", "ContainerImage", "AgentWorkload", "Platform"),
        *("LocalPostgres", "LocalRedis", "NodeAutoscaler"),
    }


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_the_schema_has_the_fields_of_the_model_and_requires_what_the_model_requires(component, schema):
    resource = schema["resources"][f"langgraph:index:{component.__name__}"]
    model = args_of(component)
    assert set(resource["inputProperties"]) == {camel_case(field) for field in model.model_fields}
    required = {camel_case(name) for name, field in model.model_fields.items() if field.is_required()}
    assert set(resource.get("requiredInputs", [])) == required


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_every_output_is_typed_and_documented(component, schema):
    outputs = schema["resources"][f"langgraph:index:{component.__name__}"]["properties"]
    assert outputs, "a component without outputs cannot be built upon"
    assert [name for name, output in outputs.items() if not output.get("description")] == []


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_every_field_says_what_it_is_and_a_default_is_one_that_the_model_accepts(component):
    for model in models_of(args_of(component)):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name} has no docstring"
            assert field.description.strip().endswith((".", "`", ")")), f"{model.__name__}.{name}"
            assert field.default is PydanticUndefined or not field.is_required()


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_the_type_token_is_the_components_name(component):
    assert f'"langgraph:index:{component.__name__}"' in inspect.getsource(component)


def test_the_plugin_has_the_name_of_the_package():
    plugin = yaml.safe_load((ROOT / "components/PulumiPlugin.yaml").read_text())
    assert plugin["name"] == "langgraph"
    assert plugin["runtime"] == "python"
