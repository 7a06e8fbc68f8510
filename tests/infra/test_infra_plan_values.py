"""What a stack is told, and what its values become on their way into a plan."""

import json

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random
import pytest
import yaml
from support.plans import recorded

from lgp.errors import UsageProblem
from lgp.planning.project import StackInputs, read_stack, stacks
from lgp.planning.shape import shown_inputs
from lgp.planning.values import COMPUTED, MASK, Secret, holds_secret, masked, revealed
from lgp.planning.yaml_text import written


@pytest.fixture
def inputs(tmp_path):
    """`inputs("size: {type: integer}", "demo:size: 3")`: the stack `dev` as a program would get it."""

    def read(declared: str = "", given: str = "") -> StackInputs:
        indented = "\n".join(f"  {line}" for line in declared.splitlines())
        (tmp_path / "Pulumi.yaml").write_text(f"name: demo\nruntime: python\nconfig:\n{indented}\n")
        indented = "\n".join(f"  {line}" for line in given.splitlines())
        (tmp_path / "Pulumi.dev.yaml").write_text(f"config:\n{indented}\n")
        return read_stack(tmp_path, "dev")

    return read


def test_a_declared_default_applies_and_the_stack_overrides_it(inputs):
    declared = "size: {type: integer, default: 3}\ncolour: {type: string, default: red}\nplain: 7"
    assert inputs(declared, "demo:size: 5").config == {"demo:size": 5, "demo:colour": "red", "demo:plain": 7}


def test_values_for_other_packages_are_passed_on(inputs):
    assert inputs("aws:region: {value: eu-west-1}", "aws:profile: mine").config == {
        "aws:region": "eu-west-1",
        "aws:profile": "mine",
    }


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        ("integer", "3", "three"),
        ("integer", '"3"', "true"),
        ("integer", "-1", "1.5"),
        ("boolean", "true", "on"),
        ("boolean", '"false"', "0"),
        ("string", "12:30", "[a]"),
        ("string", "3", "{a: 1}"),
        ("array", "[1, 2]", "1"),
        ("array", "'[1]'", "{}"),
        ("object", "{a: 1}", "[a]"),
        ("object", "'{}'", "text"),
    ],
)
def test_a_value_of_another_type_is_refused_by_its_key(inputs, type_, good, bad):
    declared = f"it: {{type: {type_}}}"
    assert "demo:it" in inputs(declared, f"demo:it: {good}").config
    with pytest.raises(UsageProblem, match=rf"^Pulumi\.dev\.yaml: demo:it: must be of type {type_} \(got "):
        inputs(declared, f"demo:it: {bad}")


def test_a_required_value_that_is_missing_is_named_with_its_description(inputs):
    with pytest.raises(
        UsageProblem, match=r"^Pulumi\.dev\.yaml: demo:size: is required \(integer\): how many$"
    ):
        inputs("size: {type: integer, description: how many}")


def test_an_unknown_type_is_refused(inputs):
    with pytest.raises(
        UsageProblem, match=r"Pulumi\.yaml: config\.demo:size\.type: must be one of any, array"
    ):
        inputs("size: {type: number}")


def test_a_key_without_its_project_is_refused_as_the_engine_would(inputs):
    with pytest.raises(
        UsageProblem, match=r"Pulumi\.dev\.yaml: config\.size: a key is written with its project"
    ):
        inputs("", "size: 3")


def test_encrypted_values_are_stand_ins_of_the_declared_type_and_secret(inputs):
    declared = "\n".join(
        f"{name}: {{type: {name}}}" for name in ("string", "integer", "boolean", "array", "object")
    )
    given = "\n".join(
        f"demo:{name}: {{secure: AAAbbb}}"
        for name in ("string", "integer", "boolean", "array", "object", "any")
    )
    found = inputs(declared, given)
    assert found.config == {
        "demo:string": MASK,
        "demo:integer": 0,
        "demo:boolean": False,
        "demo:array": [],
        "demo:object": {},
        "demo:any": MASK,
    }
    assert set(found.secret_keys) == set(found.config)


def test_an_encrypted_leaf_makes_its_whole_key_secret(inputs):
    found = inputs("", "demo:all:\n  user: me\n  logins: [{password: {secure: AAAbbb}}]")
    assert found.config == {"demo:all": {"user": "me", "logins": [{"password": MASK}]}}
    assert found.secret_keys == ("demo:all",)


def test_a_value_declared_secret_is_hidden_even_in_the_clear(inputs):
    found = inputs("token: {type: string, secret: true, default: hush}", "demo:token: hush-hush")
    assert "hush" not in json.dumps(found.config)
    assert found.secret_keys == ("demo:token",)


def test_yaml_is_read_as_the_engine_reads_it(inputs):
    given = (
        "demo:a: on\ndemo:b: 12:30\ndemo:c: 2026-01-01\ndemo:d: 0o17\ndemo:e: true\ndemo:f: 1e3\ndemo:g: 0x10"
    )
    assert inputs("", given).config == {
        "demo:a": "on",
        "demo:b": "12:30",
        "demo:c": "2026-01-01",
        "demo:d": "0o17",
        "demo:e": True,
        "demo:f": 1000.0,
        "demo:g": 16,
    }


def test_an_unknown_stack_names_those_that_exist(inputs, tmp_path):
    inputs()
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {}")
    assert stacks(tmp_path) == ["dev", "prod"]
    with pytest.raises(UsageProblem, match=r"no stack 'pord' \(Pulumi\.pord\.yaml\); there are: dev, prod"):
        read_stack(tmp_path, "pord")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", r"^Pulumi\.dev\.yaml:\d+: is not YAML: "),
        ("- a", r"^Pulumi\.dev\.yaml: must be a mapping$"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(inputs, tmp_path, content, said):
    inputs()
    (tmp_path / "Pulumi.dev.yaml").write_text(content)
    with pytest.raises(UsageProblem, match=said):
        read_stack(tmp_path, "dev")


def test_a_folder_without_a_project_is_refused(tmp_path):
    with pytest.raises(UsageProblem, match=r"has no Pulumi\.yaml: it is no Pulumi project$"):
        read_stack(tmp_path, "dev")


def test_a_project_without_a_name_is_refused(inputs, tmp_path):
    inputs()
    (tmp_path / "Pulumi.yaml").write_text("runtime: python")
    with pytest.raises(UsageProblem, match=r"^Pulumi\.yaml: name: is required$"):
        read_stack(tmp_path, "dev")


# values


def test_a_secret_shows_in_no_form_but_the_one_that_is_asked_for():
    value = {"a": [1, Secret({"b": "hush", "c": [Secret("hush")]})], "d": "seen"}
    assert "hush" not in repr(value)
    assert masked(value) == {"a": [1, MASK], "d": "seen"}
    assert revealed(value) == {"a": [1, {"b": "hush", "c": ["hush"]}], "d": "seen"}
    assert holds_secret(value)
    assert not holds_secret({"a": [1, "seen"]})


def test_secrets_stay_secret_through_what_a_program_makes_of_them():
    def program() -> None:
        password = random.RandomPassword("it", length=12)
        url = pulumi.Output.format("postgres://app:{0}@db/app", password.result)
        kubernetes.core.v1.ConfigMap(
            "map", metadata={"name": "map"}, data={"url": url, "json": pulumi.Output.json_dumps({"u": url})}
        )
        pulumi.export("url", url)

    found = recorded(program)
    data = found.named("map").inputs["data"]
    assert {"url", "json"} <= set(revealed(data))
    assert holds_secret(data["url"] if isinstance(data, dict) else data)
    assert "it-result" not in json.dumps([shown_inputs(r) for r in found.resources])
    assert masked(found.outputs) == {"url": MASK}


def test_whole_numbers_booleans_and_unknowns_keep_their_form():
    def program() -> None:
        key = random.RandomId("id", byte_length=4)
        kubernetes.core.v1.ConfigMap(
            "map", metadata={"name": "map"}, data={"hex": key.hex, "text": "1"}, immutable=True
        )
        pulumi.export("values", {"int": 3, "float": 1.5, "list": [True, None, "x"]})

    found = recorded(program)
    assert found.named("id").inputs == {"byteLength": 4}
    assert found.named("map").inputs["data"] == {"hex": COMPUTED, "text": "1"}
    assert found.named("map").inputs["immutable"] is True
    assert found.outputs == {"values": {"float": 1.5, "int": 3, "list": [True, None, "x"]}}
    assert isinstance(found.outputs["values"]["int"], int)


@pytest.mark.parametrize(
    "text", ["1e3", "12:30", "on", "yes", "0123", "null", "~", "1.0", "2026-01-01", "", "- a"]
)
def test_a_text_that_looks_like_another_value_is_quoted_for_kubectl(text):
    line = written({"a": text})
    assert line.startswith(("a: '", 'a: "'))
    assert yaml.safe_load(line) == {"a": text}


def test_written_yaml_has_blocks_for_lines_and_no_anchors():
    shared = {"x": 1}
    assert (
        written({"a": "one\ntwo\n", "b": shared, "c": shared})
        == "a: |\n  one\n  two\nb:\n  x: 1\nc:\n  x: 1\n"
    )
