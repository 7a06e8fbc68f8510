"""Physical names: a stack that gets another name keeps everything that holds data."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from google.protobuf import struct_pb2
from support.plans import ROOT, unwarned

from lgp.planning import monitor
from lgp.planning.compare import Comparison, PropertyChange, compare
from lgp.planning.program import plan
from lgp.planning.recording import Recording
from lgp.planning.replacements import is_stateful

COMPONENTS = ROOT / "components" / "langgraph_components"
SETTINGS = "langgraph-platform:platform"
WITH_PASSWORDS = {
    "credentials": "secret",
    "replicas": 2,
}
"""Of the database: everything that it can make."""


def project(folder: Path, stack: str, **database: Any) -> Path:
    """A copy of the project with the stack `prod` under another name."""
    folder.mkdir(exist_ok=True)
    for name in ("Pulumi.yaml", "__main__.py"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    if not (folder / "app").exists():
        (folder / "app").symlink_to(ROOT / "app")
    config = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())
    config["config"][SETTINGS]["database"] |= database
    (folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(config))
    return folder


def planned(folder: Path, stack: str, **database: Any) -> Recording:
    with unwarned():
        return plan(project(folder, stack, **database), stack).recording


class Keeping(monitor.RecordingMonitor):
    """What the engine does on an update: an ignored property has the value that it had.

    What other resources make of the outputs then shows whether anything computes such a name anew.
    """

    known: Recording

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the protocol's name
        before = {each.urn.split("::", 2)[2]: each for each in self.known.resources}
        old = before.get(self.make_urn(request.parent, request.type, request.name).split("::", 2)[2])
        for path in request.ignoreChanges:
            if old is not None and path in old.inputs:
                kept = struct_pb2.Struct()
                kept.update({path: cast("Any", old.inputs[path])})
                request.object.fields[path].CopyFrom(kept.fields[path])
        return super().RegisterResource(request)


@pytest.fixture(scope="module")
def prod(tmp_path_factory) -> Recording:
    return planned(tmp_path_factory.mktemp("before"), "prod", **WITH_PASSWORDS)


@pytest.fixture(scope="module")
def renamed(prod, tmp_path_factory) -> Comparison:
    """What `pulumi up` would do after `pulumi stack rename production`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeping, "known", prod, raising=False)
        patch.setattr(monitor, "RecordingMonitor", Keeping)
        found = planned(tmp_path_factory.mktemp("after"), "production", **WITH_PASSWORDS)
    return compare(prod, found)


def test_a_renamed_stack_replaces_nothing_that_holds_data(renamed):
    assert (renamed.added, renamed.removed) == ((), ())
    assert renamed.replaced() == []
    assert [change.new.name for change in renamed.changed if change.effect] == []


def test_a_renamed_stack_changes_nothing_but_tags_and_descriptions(renamed):
    def only_said(change: PropertyChange) -> bool:
        said = {"tags.Name", "description", "defaultTags.tags.stack"}
        return change.path in said or change.path.startswith("tagSpecifications[")

    found = {
        (change.new.name, each.path)
        for change in renamed.changed
        for each in change.properties
        if not only_said(each)
    }
    assert found == set()
    assert renamed.outputs == ()


def test_without_the_engine_a_plan_of_the_renamed_stack_says_the_same_of_what_holds_data(
    prod, tmp_path_factory
):
    found = compare(prod, planned(tmp_path_factory.mktemp("plain"), "production", **WITH_PASSWORDS))
    stateful = [change for change in found.changed if is_stateful(change.new.type)]
    assert {(change.new.name, change.effect) for change in stateful if change.effect} == set()
    ignored = {each.path for change in stateful for each in change.properties if each.effect == "ignored"}
    assert {"identifier", "replicationGroupId", "name", "namePrefix", "bucket"} <= ignored


def test_every_name_of_two_stacks_differs(prod, tmp_path_factory):
    """Else the second stack of an account meets the first one's names."""
    other = planned(tmp_path_factory.mktemp("second"), "staging", **WITH_PASSWORDS)
    named = ("identifier", "replicationGroupId", "userId", "userGroupId", "bucket", "namePrefix", "name")
    taken = [
        (old.name, path)
        for old, new in zip(prod.resources, other.resources, strict=True)
        for path in named
        if old.type.startswith("aws:")
        and not old.type.startswith(("aws:route53/", "aws:wafv2/"))
        and path in old.inputs
        and old.inputs[path] == new.inputs[path]
    ]
    assert taken == []


def test_a_cluster_s_chosen_name_is_meant_and_not_ignored(graph):
    def ignored(**settings: Any) -> tuple[str, ...]:
        return graph(_cluster(settings)).named("cluster-eks").ignore_changes

    assert ignored() == ("name",)
    assert ignored(cluster_name="mine") == ()


def _cluster(settings: dict[str, Any]) -> Callable[[], Any]:
    from langgraph_components.cluster import Cluster  # noqa: PLC0415  # a second of import, for one test

    args: dict[str, Any] = {
        "account_id": "111122223333",
        "region": "eu-west-1",
        "subnet_ids": ["subnet-1", "subnet-2"],
        "cluster_key_arn": "arn:aws:kms:eu-west-1:111122223333:key/1",
        "logs_key_arn": "arn:aws:kms:eu-west-1:111122223333:key/2",
        "admin_principals": ["arn:aws:iam::111122223333:role/admin"],
        **settings,
    }
    return lambda: Cluster("cluster", cast("Any", args))


def test_a_log_that_is_there_before_its_source_keeps_its_name_with_it(prod):
    """RDS and EKS write to the log group of their own name; were one of the two renamed, it would be lost."""
    groups = [each for each in prod.resources if each.type == "aws:cloudwatch/logGroup:LogGroup"]
    assert len(groups) >= 1 + 1 + 3 * 2
    assert {each.ignore_changes for each in groups} == {("name",)}


def test_only_one_module_computes_names_of_the_stack():
    """So each of them is found by looking for that module's users."""
    users = {
        path.name
        for path in COMPONENTS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "get_stack"
    }
    assert users == {"physical_names.py"}
