"""What a stack shows, and that another program reads the same of it."""

import inspect
import json
import subprocess
import sys
from dataclasses import fields
from itertools import pairwise

import pulumi
import pytest
from infra.infra_settings import STACKS
from infra.infra_stacks import planned
from support.plans import ROOT, lgp_plan, recorded

from langgraph_components import Platform
from langgraph_components.outputs import PlatformOutputs
from lgp.planning.values import holds_secret

NAME = "acme/langgraph-platform/prod"
REQUIRED = {"environment", "namespace", "service", "image", "database_host", "database_port"}


REFUSALS = """
import json, sys
from langgraph_components.errors import MissingOutput
from langgraph_components.outputs import PlatformOutputs
from lgp.planning.monitor import record

name, stacks = json.load(sys.stdin)
for outputs in stacks:
    try:
        record(lambda: PlatformOutputs.read(name).export(), stacks={name: outputs})
    except MissingOutput as refused:
        print(refused)
"""


def refusals(*stacks):
    """What is said of each, in a process of its own: what fails leaves coroutines that nobody awaits."""
    command = [sys.executable, "-W", "ignore", "-c", REFUSALS]
    given = json.dumps([NAME, stacks])
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def shown(stack):
    return planned(stack).outputs


def read(outputs, *, take=PlatformOutputs.read):
    """What a program sees that reads a stack with these outputs."""
    seen = {}

    def program():
        found = take(NAME)
        for field in fields(found):
            output = getattr(found, field.name)
            pulumi.Output.all(output).apply(lambda value, key=field.name: seen.update({key: value[0]}))
            pulumi.export(field.name, output)

    return seen, recorded(program, stacks={NAME: outputs})


def test_the_outputs_of_a_platform_are_those_that_are_read():
    assert inspect.get_annotations(Platform) == {field.name: field.type for field in fields(PlatformOutputs)}


def test_both_say_the_same_of_each():
    def sentences(owner):
        lines = inspect.getsource(owner).splitlines()
        pairs = pairwise(lines)
        return {
            name.split(":")[0].strip(): told.strip().strip('"')
            for name, told in pairs
            if ": pulumi.Output[" in name and told.strip().startswith('"""')
        }

    platform, outputs = sentences(Platform), sentences(PlatformOutputs)
    assert platform.keys() == outputs.keys() == {field.name for field in fields(PlatformOutputs)}
    assert all(text.endswith(".") for text in [*platform.values(), *outputs.values()])


def test_what_every_stack_has_is_required_and_the_rest_is_optional():
    required = {field.name for field in fields(PlatformOutputs) if "Optional" not in str(field.type)}
    assert required == REQUIRED
    for stack in STACKS:
        assert {name for name in required if shown(stack).get(name) is not None} == required


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_shows_no_more_than_that_and_nothing_empty(stack):
    names = {field.name for field in fields(PlatformOutputs)}
    assert set(shown(stack)) <= names
    assert "" not in shown(stack).values()


def test_what_a_stack_has_not_is_not_shown():
    assert set(shown("local")) == REQUIRED
    assert set(shown("prod")) == {field.name for field in fields(PlatformOutputs)}
    assert set(shown("prod")) - set(shown("dev")) == {"attachments_bucket", "cache_host", "url"}


def test_what_is_shown_is_what_was_made():
    prod = shown("prod")
    assert prod["environment"] == "prod"
    assert prod["url"] == "https://agents.example.com"
    assert prod["service"] == "http://agent-server.langgraph.svc:8000"
    assert prod["image"].startswith(f"{prod['repository_url']}:")
    assert "@sha256:" in prod["image"]
    assert prod["region"] == "eu-west-1"
    assert prod["cluster_name"] == "langgraph-platform-prod"
    assert prod["database_secret_arn"].startswith("arn:aws:secretsmanager:")
    assert (prod["database_host"], prod["database_port"]) == ("langgraph-database.rds.invalid", 5432)
    assert shown("local")["database_host"] == "postgres.langgraph-postgres.svc"


# Reading them


@pytest.mark.parametrize("stack", STACKS)
def test_another_program_reads_what_a_stack_shows(stack):
    seen, recording = read(shown(stack))
    assert {name: value for name, value in seen.items() if value is not None} == shown(stack)
    assert recording.outputs == shown(stack)


def test_a_number_is_read_as_one():
    seen, _ = read(shown("prod"))
    assert str(seen["database_port"]) == "5432"


def test_a_reference_that_is_there_already_can_be_used():
    def take(name):
        return PlatformOutputs.read(pulumi.StackReference("platform", stack_name=name))

    seen, _ = read(shown("dev"), take=take)
    assert seen["cluster_name"] == "langgraph-platform-dev"


def test_a_stack_without_a_required_output_is_refused_with_both_names():
    names = sorted(REQUIRED)
    without = [{key: value for key, value in shown("prod").items() if key != name} for name in names]
    assert refusals(shown("prod"), shown("local"), *without, {}) == [
        f"the stack {NAME} has no output {name}: it is no platform, or it is not deployed"
        for name in [*names, "environment"]
    ]


def test_none_of_them_is_a_secret():
    for stack in STACKS:
        _, recording = read(shown(stack))
        assert recording.outputs
        assert not holds_secret([recording.outputs, shown(stack)])


def test_a_program_that_reads_a_stack_is_refused_in_one_line(tmp_path):
    program = (
        "import pulumi\npulumi.export('x', pulumi.StackReference('acme/platform/prod').get_output('x'))\n"
    )
    (tmp_path / "__main__.py").write_text(program)
    (tmp_path / "Pulumi.yaml").write_text("name: theirs\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    done = lgp_plan(tmp_path, "dev")
    assert (done.code, done.err) == (
        1,
        "lgp: acme/platform/prod: a plan reads no other stack; take the value from the stack's config\n",
    )


def test_the_program_of_the_stacks_exports_them():
    assert "outputs.export()" in (ROOT / "__main__.py").read_text()
