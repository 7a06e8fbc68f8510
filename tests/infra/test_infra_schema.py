"""Every component is usable from every language: the inferred schema says what the model says."""

import inspect
import json
from pathlib import Path

import pytest
import yaml
from pulumi.provider.experimental.util import camel_case

from langgraph_components.plugin import Plugin, components, models

COMPONENTS = sorted(components(), key=lambda component: component.__name__)
ROOT = Path(__file__).resolve().parents[2]


def args_of(component):
    return inspect.get_annotations(component.__init__)["args"]


@pytest.fixture(scope="module")
def schema():
    return json.loads(Plugin().schema)


def test_every_component_of_the_architecture_is_exported():
    assert {component.__name__ for component in COMPONENTS} == {
        *("Network", "Encryption", "Cluster", "PostgresDatabase", "RedisCache", "SecretsOperator"),
        *("Observability", "Edge", "Attachments", "ContainerImage", "AgentWorkload", "Platform"),
        *("LocalPostgres", "LocalRedis", "NodeAutoscaler", "PipelineAccess", "PodIdentity"),
    }


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_the_schema_has_the_fields_of_the_model_and_requires_what_the_model_requires(component, schema):
    resource = schema["resources"][f"langgraph:index:{component.__name__}"]
    model = args_of(component)
    assert set(resource["inputProperties"]) == {camel_case(field) for field in model.model_fields}
    required = {camel_case(name) for name, field in model.model_fields.items() if field.is_required()}
    assert set(resource.get("requiredInputs", [])) == required


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_every_input_is_described_in_every_language(component, schema):
    inputs = schema["resources"][f"langgraph:index:{component.__name__}"]["inputProperties"]
    assert [name for name, field in inputs.items() if not field.get("description")] == []


def test_every_field_of_a_nested_type_is_described(schema):
    nested = {name: kind.get("properties", {}) for name, kind in schema["types"].items()}
    bare = [
        (name, field)
        for name, fields in nested.items()
        for field, told in fields.items()
        if not told.get("description")
    ]
    assert nested
    assert bare == []


def test_only_the_arguments_of_a_component_are_called_args(schema):
    """Every language adds `Args` to the name of a nested type: `VaultArgs` would be `VaultArgsArgs`."""
    nested = {name.rpartition(":")[2] for name in schema["types"]}
    ours = {f"{component.__name__}Args" for component in COMPONENTS}
    assert {name for name in nested if name.endswith("Args")} <= ours


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_every_output_is_typed_and_documented(component, schema):
    outputs = schema["resources"][f"langgraph:index:{component.__name__}"]["properties"]
    assert outputs, "a component without outputs cannot be built upon"
    assert [name for name, output in outputs.items() if not output.get("description")] == []


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_every_field_says_what_it_is_in_whole_sentences(component):
    for model in models(component):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name} has no docstring"
            assert field.description.strip().endswith((".", "`", ")")), f"{model.__name__}.{name}"


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_the_type_token_is_the_components_name(component):
    assert f'"langgraph:index:{component.__name__}"' in inspect.getsource(component)


def test_the_plugin_has_the_name_of_the_package():
    plugin = yaml.safe_load((ROOT / "components/PulumiPlugin.yaml").read_text())
    assert plugin["name"] == "langgraph"
    assert plugin["runtime"] == "python"
