"""An upgrade from the last release loses nothing of which its operators were not told."""

import json
import re
import tomllib
from dataclasses import replace
from functools import cache
from textwrap import dedent

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
import pytest
from support.plans import ROOT, recorded, unwarned

from lgp.errors import UsageProblem
from lgp.planning.recording import Recording
from lgp.planning.releases.alarms import Alarm, alarms
from lgp.planning.releases.announced import needless, read_announced, unannounced, with_settings
from lgp.planning.releases.baseline import Baseline, baseline_text, fixed_name, read_baseline
from lgp.planning.replacements import is_stateful
from lgp.planning.restaged import plan_with

STACKS = ("dev", "local", "prod")
GRAPHS = ROOT / "releases" / "graph"
TOLD = read_announced((ROOT / "releases" / "announced.toml").read_text("utf-8"))
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")


def baseline(stack: str) -> Baseline:
    return read_baseline((GRAPHS / f"{stack}.json").read_text("utf-8"))


@cache
def upgraded(stack: str) -> Recording:
    """The release's stack by today's program, its settings as its operator is told to change them."""
    with unwarned():
        return plan_with(ROOT, stack, with_settings(baseline(stack).config, TOLD, stack))


@cache
def found(stack: str) -> list[Alarm]:
    return alarms(baseline(stack), upgraded(stack))


# the release


@pytest.mark.parametrize("stack", STACKS)
def test_an_upgrade_from_the_last_release_loses_nothing_unannounced(stack):
    said = [str(each) for each in unannounced(found(stack), TOLD, stack)]
    assert not said, "ship an alias, or announce it: docs/howto/release.md"


def test_nothing_is_announced_that_does_not_happen():
    assert not needless({stack: found(stack) for stack in STACKS}, TOLD)


def unreleased() -> str:
    return " ".join(CHANGELOG.partition("## [Unreleased]")[2].partition("\n## [")[0].split())


def test_what_is_announced_is_in_the_changelog_too():
    for entry in TOLD.every():
        assert f"`{entry.what.split()[-1]}`" in unreleased()
        assert " ".join(entry.why.split()) in unreleased()
        assert " ".join(entry.do.split()) in unreleased()


def test_the_graphs_are_those_of_the_last_release():
    versions = {baseline(stack).version for stack in STACKS}
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", CHANGELOG, flags=re.MULTILINE)
    packages = {
        tomllib.loads((ROOT / name / "pyproject.toml").read_text("utf-8"))["project"]["version"]
        for name in ("app", "cli", "client", "components", "policy")
    }
    assert len(packages) == 1, "all packages have one version"
    assert versions == ({released[0]} if released else packages)


@pytest.mark.parametrize("stack", STACKS)
def test_a_graph_is_small_and_holds_no_secret(stack):
    text = (GRAPHS / f"{stack}.json").read_text("utf-8")
    assert len(text) < 100_000
    assert not re.search(r"PRIVATE KEY|AKIA[0-9A-Z]{16}|-result\b", text)


# what is an alarm, on today's real stacks


def as_released(stack: str) -> Baseline:
    """Today's stack as if it were released."""
    return read_baseline(baseline_text("9", {}, upgraded(stack)))


def renamed(recording: Recording, name: str, type_: str, *, alias: bool) -> Recording:
    """The same with another logical name of one resource, and perhaps an alias."""
    old = recording.named(name, type_)
    urn = f"{old.urn}-new"
    new = replace(old, urn=urn, name=f"{name}-new", aliases=(old.urn,) if alias else ())
    others = [each for each in recording.resources if each is not old]
    return replace(recording, resources=tuple(sorted([*others, new], key=lambda each: each.urn)))


@pytest.mark.parametrize("stack", STACKS)
def test_an_unchanged_stack_has_no_alarm(stack):
    assert alarms(as_released(stack), upgraded(stack)) == []


@pytest.mark.parametrize("stack", STACKS)
def test_each_resource_that_holds_data_is_missed_when_it_is_gone_and_kept_by_an_alias(stack):
    released, today = as_released(stack), upgraded(stack)
    stateful = [each for each in today.resources if is_stateful(each.type)]
    assert stateful
    for each in stateful:
        gone = replace(today, resources=tuple(other for other in today.resources if other is not each))
        assert each.name in {alarm.resource.split()[-1] for alarm in alarms(released, gone)}
        without = alarms(released, renamed(today, each.name, each.type, alias=False))
        assert ("renames", each.name) in [(alarm.word, alarm.resource.split()[-1]) for alarm in without]
        assert alarms(released, renamed(today, each.name, each.type, alias=True)) == []


@pytest.mark.parametrize("stack", STACKS)
def test_any_resource_renamed_without_an_alias_is_an_alarm_and_with_one_is_none(stack):
    released, today = as_released(stack), upgraded(stack)
    for each in [each for each in today.resources if each.custom][::7]:
        (alarm,) = [
            each
            for each in alarms(released, renamed(today, each.name, each.type, alias=False))
            if not each.through
        ]
        assert alarm.word == "renames"
        assert alarms(released, renamed(today, each.name, each.type, alias=True)) == []


def test_an_object_whose_name_is_taken_is_said_to_stop_the_upgrade():
    today = upgraded("local")
    (alarm,) = alarms(
        as_released("local"), renamed(today, "langgraph-workload-service", SERVICE, alias=False)
    )
    assert alarm.why == (
        "kubernetes:core/v1:Service langgraph-workload-service-new is made first, and its name "
        "langgraph/agent-server is taken: the upgrade stops there; an alias keeps it"
    )


SERVICE = "kubernetes:core/v1:Service"


def test_another_key_of_the_database_is_an_alarm_with_the_property():
    today = upgraded("prod")
    old = today.named("langgraph-database", "aws:rds/instance:Instance")
    new = replace(old, inputs={**old.inputs, "kmsKeyId": "another"})
    changed = replace(today, resources=tuple(new if each is old else each for each in today.resources))
    assert [str(each) for each in alarms(as_released("prod"), changed)] == [
        "replaces aws:rds:Instance langgraph-database: another kmsKeyId"
    ]


# real programs


def database(name: str, aliases: list[str] | None = None):
    aws.rds.Instance(
        name,
        instance_class="db.t4g.medium",
        engine="postgres",
        kms_key_id=aws.kms.Key(f"{name}-key", opts=_known(aliases, "-key")).arn,
        opts=_known(aliases),
    )


def _known(aliases: list[str] | None, end: str = "") -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(aliases=[pulumi.Alias(name=f"{each}{end}") for each in aliases or []])


def test_a_program_that_renames_with_an_alias_passes_though_ids_in_its_plan_are_others():
    released = read_baseline(baseline_text("1", {}, recorded(lambda: database("old"))))
    assert alarms(released, recorded(lambda: database("new", ["old"]))) == []
    assert {each.word for each in alarms(released, recorded(lambda: database("new")))} == {"renames"}


def test_what_is_made_of_a_renamed_resource_is_announced_with_it():
    def program(name: str):
        vpc = aws.ec2.Vpc(name, cidr_block="10.0.0.0/16")
        aws.ec2.Subnet("data", vpc_id=vpc.id, cidr_block="10.0.1.0/24")

    released = read_baseline(baseline_text("1", {}, recorded(lambda: program("old"))))
    renames, subnet = alarms(released, recorded(lambda: program("new")))
    assert (subnet.word, subnet.resource, subnet.through) == (
        "replaces",
        "aws:ec2:Subnet data",
        renames.resource,
    )
    told = ENTRY.replace("aws:ec2:Vpc net", "aws:ec2:Vpc old").replace('"replaces"', '"renames"')
    assert unannounced([renames, subnet], read_announced(told), "prod") == []


def test_an_object_that_moves_to_another_namespace_is_another_one():
    def program(namespace: str):
        kubernetes.core.v1.PersistentVolumeClaim(
            "data", metadata={"name": "data", "namespace": namespace}, spec={"resources": {}}
        )

    released = read_baseline(baseline_text("1", {}, recorded(lambda: program("a"))))
    (alarm,) = alarms(released, recorded(lambda: program("b")))
    assert str(alarm) == (
        "replaces kubernetes:core/v1:PersistentVolumeClaim data: another metadata.namespace"
    )


def test_a_type_that_held_no_data_at_the_release_has_no_inputs_to_compare():
    today = recorded(lambda: database("it"))
    document = json.loads(baseline_text("1", {}, today))
    for each in document["resources"]:
        each.pop("inputs", None)
    assert alarms(read_baseline(json.dumps(document)), today) == []


def test_the_fixed_name_is_the_one_outside():
    prod = upgraded("prod")
    names = {each.name: fixed_name(each) for each in prod.resources if each.custom}
    assert names["langgraph-database"] == "langgraph-platform-prod-langgraph-database"
    assert names["langgraph-workload-api"] == "langgraph/agent-server"
    assert names["langgraph-monitoring-stack"].endswith("/kube-prometheus-stack")
    assert names["langgraph-network-vpc"] == ""


# announcing

ENTRY = dedent(
    """
    [[change]]
    stacks = ["prod"]
    resource = "aws:ec2:Vpc net"
    word = "replaces"
    why = "It grows."
    do = "Move."

    [[setting]]
    stacks = ["prod"]
    path = "platform.network.size"
    value = 3
    why = "It has another name."
    do = "Rename it."

    [[setting]]
    stacks = ["prod"]
    path = "platform.network.old"
    why = "It is gone."
    do = "Take it away."
    """
)


def test_an_announced_change_is_no_alarm_and_covers_what_it_takes_along():
    told = read_announced(ENTRY)
    vpc = Alarm("replaces", "aws:ec2:Vpc net", "another cidrBlock")
    subnet = Alarm("may replace", "aws:ec2:Subnet a", "it is made of the id of it", through="aws:ec2:Vpc net")
    other = Alarm("destroys", "aws:ec2:Vpc net", "it is gone")
    assert unannounced([vpc, subnet], told, "prod") == []
    assert unannounced([vpc, subnet, other], told, "dev") == [vpc, subnet, other]
    assert unannounced([other], told, "prod") == [other], "another word is another thing"


def test_an_announcement_that_nothing_needs_is_named():
    told = read_announced(ENTRY)
    assert needless({"prod": []}, told) == ["aws:ec2:Vpc net in prod"]
    assert needless({"prod": [Alarm("replaces", "aws:ec2:Vpc net", "")]}, told) == []


def test_a_release_s_settings_are_changed_as_its_operator_is_told():
    config = {"langgraph-platform:platform": {"network": {"old": 1, "kept": 2}}, "pulumi:x": []}
    told = read_announced(ENTRY)
    assert with_settings(config, told, "dev") == config
    assert with_settings(config, told, "prod") == {
        "langgraph-platform:platform": {"network": {"kept": 2, "size": 3}},
        "pulumi:x": [],
    }
    assert config["langgraph-platform:platform"]["network"] == {"old": 1, "kept": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[change]]\nstacks = []", "a [[change]] has do, resource, stacks, why, word: see 'do'"),
        ("[[changes]]\n", "changes: there is [[change]] and [[setting]]"),
        ("[[setting]]\nstacks=[]\npath='a'\nwhy=''\ndo=''\nmore=1", "see 'more'"),
        ("what?", "Expected '='"),
    ],
    ids=["a key is missing", "another table", "a key too many", "no TOML"],
)
def test_a_file_of_announcements_that_is_wrong_says_where(text, said):
    with pytest.raises(UsageProblem, match=re.escape(said)):
        read_announced(text)
