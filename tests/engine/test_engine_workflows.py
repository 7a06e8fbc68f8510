"""The steps of the workflows that need Pulumi, as they stand there, on the real engine: preview and drift."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from engine.world import ENGINE_SECONDS, ROOT, World, with_program

pytestmark = pytest.mark.timeout(ENGINE_SECONDS)

PROGRAM = """
import pulumi, pulumi_aws as aws
tags = {"tags": {"project": pulumi.get_project(), "stack": pulumi.get_stack()}}
account = {"region": "eu-west-1", "allowed_account_ids": ["123456789012"], "default_tags": tags}
ours = pulumi.ResourceOptions(provider=aws.Provider("aws", **account), protect=True)
key = "arn:aws:kms:eu-west-1:123456789012:key/1"
hidden = {"hidden": pulumi.Output.secret("hunter2")}
for name in ("one", "two"):
    aws.cloudwatch.LogGroup(name, retention_in_days=365, kms_key_id=key, tags=hidden, opts=ours)
"""
MOVED = '''
import sys
from engine import echo
from pulumi.runtime.proto import provider_pb2

def read(self, request, context):
    """One is gone, the other was changed by hand."""
    if request.urn.endswith("::two"):
        return provider_pb2.ReadResponse(id="")
    found = {key: {**echo.plain(each), "retentionInDays": 1}
             for key, each in (("properties", request.properties), ("inputs", request.inputs))}
    return provider_pb2.ReadResponse(id=request.id, **{key: echo.wire(each) for key, each in found.items()})

echo.EchoProvider.Read = read
echo.serve(*sys.argv[1:])
'''


@pytest.fixture
def stack(world: World, pack: Path) -> World:
    """A deployed stack in a folder with the scripts of this repository and the policy."""
    program = with_program(world, "policed").program
    (program / "__main__.py").write_text(PROGRAM)
    for name in (".github", "tools"):
        (program / name).symlink_to(ROOT / name)
    shutil.copytree(pack, program / "policy", symlinks=True)
    world.stack("prod").up()
    return world


def run(world: World, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **world.variables(), "PULUMI_POLICY_PACKS": ""}
    command = [str(ROOT / ".github/scripts" / script), *arguments]
    return subprocess.run(command, cwd=world.program, env=env, capture_output=True, text=True, check=False)


def changed_by_hand(world: World) -> None:
    moved = world.base / "moved.py"
    moved.write_text(MOVED)
    plugin = world.base / "plugins" / "pulumi-resource-aws"
    plugin.write_text(plugin.read_text().replace("-m engine.echo", str(moved)))


def test_a_preview_is_a_text_with_its_verdict_and_without_secrets(stack: World) -> None:
    main = stack.program / "__main__.py"
    main.write_text(main.read_text().replace("365", "400"))
    done = run(stack, "preview.sh", "prod", "comment/preview.md")
    text = (stack.program / "comment" / "preview.md").read_text()
    assert done.returncode == 0, text
    assert text.startswith("`pulumi preview` of `prod` can be done.")
    assert "~ 2 to update" in text.partition("<details>")[0]
    assert "365 => 400" in text
    assert "hunter2" not in text + done.stdout + done.stderr


def test_a_preview_that_breaks_the_policy_fails_and_tells_the_rule(stack: World) -> None:
    main = stack.program / "__main__.py"
    main.write_text(main.read_text() + 'aws.iam.User("someone", opts=ours)\n')
    done = run(stack, "preview.sh", "prod", "comment/preview.md")
    text = (stack.program / "comment" / "preview.md").read_text()
    assert done.returncode != 0
    assert text.startswith("`pulumi preview` of `prod` **fails**.")
    assert "iam-no-users" in text


def test_a_world_that_is_as_the_state_says_is_no_drift(stack: World) -> None:
    done = run(stack, "drift.sh", "prod", "drift")
    assert done.returncode == 0, done.stderr
    found = json.loads((stack.program / "drift" / "prod.json").read_text())
    assert found == {"stack": "prod", "differences": []}


def test_what_was_changed_by_hand_is_told_by_name_and_the_state_stays_as_it_is(stack: World) -> None:
    before = stack.exported("prod")
    changed_by_hand(stack)
    done = run(stack, "drift.sh", "prod", "drift")
    assert done.returncode == 0, done.stderr
    found = json.loads((stack.program / "drift" / "prod.json").read_text())["differences"]
    assert [(each["op"], each["name"], each["properties"]) for each in found] == [
        ("update", "one", ["retentionInDays"]),
        ("delete", "two", []),
    ]
    assert stack.exported("prod") == before
    assert list((stack.base / "backend").rglob("*lock*/**/*.json")) == []


def test_a_stack_that_cannot_be_looked_at_leaves_no_report(stack: World) -> None:
    done = run(stack, "drift.sh", "nowhere", "drift")
    assert done.returncode != 0
    assert "no stack named 'nowhere'" in done.stderr
    assert list((stack.program / "drift").iterdir()) == []
