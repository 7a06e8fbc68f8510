"""The plan of the real stacks: what one setting changes, what a rename costs, what is never touched."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from support.plans import ROOT, lgp_plan, unwarned

from lgp.planning.compare import Comparison, compare
from lgp.planning.program import plan
from lgp.planning.recording import Recording

SETTINGS = "langgraph-platform:platform"
STACKS = ("dev", "prod", "local")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A copy of the project, whose stacks can be changed."""
    copy = tmp_path_factory.mktemp("stacks")
    for path in [ROOT / "__main__.py", *ROOT.glob("Pulumi*.yaml")]:
        shutil.copy(path, copy)
    (copy / "app").symlink_to(ROOT / "app")
    return copy


@pytest.fixture(scope="module")
def planned(folder) -> Callable[[str], Recording]:
    """The plan of a stack as it is; each is made once."""
    made: dict[str, Recording] = {}

    def of(stack: str) -> Recording:
        if stack not in made:
            with unwarned():
                made[stack] = plan(folder, stack).recording
        return made[stack]

    return of


@pytest.fixture
def changed(folder, planned) -> Callable[..., Comparison]:
    """What differs when settings of a stack are others: `changed("prod", {"database.backup_days": 21})`."""

    def by(stack: str, settings: dict[str, Any]) -> Comparison:
        before, file = planned(stack), folder / f"Pulumi.{stack}.yaml"
        kept = file.read_text()
        document = yaml.safe_load(kept)
        for path, value in settings.items():
            *steps, last = path.split(".")
            node = document["config"][SETTINGS]
            for step in steps:
                node = node.setdefault(step, {})
            node[last] = value
        file.write_text(yaml.safe_dump(document))
        try:
            with unwarned():
                return compare(before, plan(folder, stack).recording)
        finally:
            file.write_text(kept)

    return by


def paths(found: Comparison) -> dict[str, list[str]]:
    """By resource: the paths that differ."""
    return {change.new.name: [each.path for each in change.properties] for change in found.changed}


KEYS = [f"langgraph-encryption-{domain}" for domain in ("cluster", "data", "logs", "registry")]
API = "spec.template.spec.containers[api]"

ONE_SETTING: dict[str, tuple[str, str, Any, dict[str, list[str]]]] = {
    "Network": (
        "prod",
        "network.flow_log_retention_days",
        60,
        {"langgraph-network-flow": ["retentionInDays"]},
    ),
    "Encryption": ("prod", "encryption.rotation_days", 180, {key: ["rotationPeriodInDays"] for key in KEYS}),
    "Cluster": ("prod", "cluster.log_retention_days", 731, {"langgraph-cluster-logs": ["retentionInDays"]}),
    "PostgresDatabase": (
        "prod",
        "database.backup_days",
        21,
        {"langgraph-database": ["backupRetentionPeriod"]},
    ),
    "RedisCache": ("prod", "cache.snapshot_days", 9, {"langgraph-cache": ["snapshotRetentionLimit"]}),
    "SecretsOperator": (
        "prod",
        "secrets.replicas",
        3,
        {"langgraph-secrets-operator": ["values.replicaCount", "values.webhook.replicaCount"]},
    ),
    "NodeAutoscaler": (
        "prod",
        "node_autoscaler.replicas",
        3,
        {"langgraph-nodes-operator": ["values.replicaCount"]},
    ),
    "Observability": (
        "prod",
        "monitoring.retention_days",
        33,
        {"langgraph-monitoring-stack": ["values.prometheus.prometheusSpec.retention"]},
    ),
    "Edge": (
        "prod",
        "edge.controller_replicas",
        3,
        {"langgraph-edge-controller": ["values.replicaCount"]},
    ),
    "Attachments": (
        "prod",
        "attachments.noncurrent_days",
        99,
        {"langgraph-attachments-lifecycle": ["rules[0].noncurrentVersionExpiration.noncurrentDays"]},
    ),
    "ContainerImage": (
        "prod",
        "image.keep_last",
        7,
        {
            "langgraph-image-lifecycle": [
                "policy.rules[0].description",
                "policy.rules[0].selection.countNumber",
            ]
        },
    ),
    "AgentWorkload": (
        "prod",
        "workload.api.cpu_request",
        "450m",
        {"langgraph-workload-api": [f"{API}.resources.requests.cpu"]},
    ),
    "LocalPostgres": (
        "local",
        "local.postgres.storage_size",
        "3Gi",
        {"langgraph-database-store": ["spec.volumeClaimTemplates[0].spec.resources.requests.storage"]},
    ),
    "LocalRedis": (
        "local",
        "local.redis.storage_size",
        "3Gi",
        {"langgraph-cache-store": ["spec.volumeClaimTemplates[0].spec.resources.requests.storage"]},
    ),
    "Platform": (
        "prod",
        "tags.team",
        "other",
        {
            "aws": ["defaultTags.tags.team"],
            "langgraph-cluster-gp3": ["parameters.tagSpecification_3"],
            "langgraph-cluster-node": [f"tagSpecifications[{n}].tags.team" for n in range(3)],
        },
    ),
}


@pytest.mark.parametrize("component", ONE_SETTING)
def test_one_setting_of_a_component_changes_exactly_what_it_says(changed, component):
    stack, path, value, expected = ONE_SETTING[component]
    found = changed(stack, {path: value})
    assert paths(found) == expected
    assert (found.added, found.removed, found.outputs) == ((), (), ())


def test_every_component_of_the_stacks_is_among_those_whose_settings_are_changed(planned):
    declared = {
        resource.type.rpartition(":")[2]
        for stack in STACKS
        for resource in planned(stack).resources
        if resource.type.startswith("langgraph:index:")
    }
    assert declared == set(ONE_SETTING)


@pytest.mark.parametrize("stack", STACKS)
def test_the_same_settings_have_no_difference(changed, stack):
    assert changed(stack, {}).is_empty()


def test_a_setting_that_replaces_a_database_is_named_in_red(changed):
    found = changed("prod", {"database.database": "another"})
    (database,) = [change for change in found.replaced() if change.new.type == "aws:rds/instance:Instance"]
    assert [each.path for each in database.properties if each.effect == "replaces"] == ["dbName"]
    assert database.old.protect


def test_a_new_network_is_said_to_replace_what_lies_in_it(changed):
    found = changed("prod", {"network.cidr": "10.9.0.0/16"})
    assert {change.new.type for change in found.replaced()} == {"aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"}


def test_a_setting_that_is_wrong_is_one_line_with_its_path(folder, capfd, monkeypatch):
    document = yaml.safe_load((folder / "Pulumi.prod.yaml").read_text())
    document["config"][SETTINGS] |= {"colour": "red", "region": "mars"}
    (folder / "Pulumi.wrong.yaml").write_text(yaml.safe_dump(document))
    done = lgp_plan(folder, "wrong", PATH="/usr/bin:/bin")
    (folder / "Pulumi.wrong.yaml").unlink()
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "platform.region: " in done.err
    assert "platform.colour: there is no such setting" in done.err


def test_a_plan_opens_no_connection_and_no_kubeconfig(tmp_path):
    (tmp_path / "kubeconfig").write_text("{{{ garbage")
    guarded = """
        import sys

        def refuse(event, arguments):
            opened = str(arguments[0]) if event == "open" else ""
            asked = event in ("socket.connect", "socket.getaddrinfo")
            if asked or "kubeconfig" in opened or "/.kube" in opened:
                raise SystemExit(f"{event} {arguments}")

        sys.addaudithook(refuse)
        from lgp.main import main

        sys.exit(main(sys.argv[1:]))
        """
    for stack in STACKS:
        done = subprocess.run(
            [sys.executable, "-c", dedent(guarded), "plan", stack, "--json"],
            env={"KUBECONFIG": str(tmp_path / "kubeconfig"), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["stack"] == stack


def test_every_object_of_a_stack_is_a_file_with_kind_and_name(tmp_path, folder):
    done = lgp_plan(folder, "prod", "--out", str(tmp_path / "out"), PYTHONHASHSEED="1")
    again = lgp_plan(folder, "prod", "--out", str(tmp_path / "again"), PYTHONHASHSEED="2")
    assert (done.code, done.out) == (again.code, again.out) == (0, done.out)
    found = {p.relative_to(tmp_path / "out"): p.read_bytes() for p in (tmp_path / "out").rglob("*.*")}
    assert found == {
        p.relative_to(tmp_path / "again"): p.read_bytes() for p in (tmp_path / "again").rglob("*.*")
    }
    manifests = [yaml.safe_load(text) for path, text in found.items() if path.parts[0] == "kubernetes"]
    assert {"Deployment", "Job", "NetworkPolicy", "ClusterSecretStore"} <= {
        each["kind"] for each in manifests
    }
    assert all(each["metadata"]["name"] and each["apiVersion"] for each in manifests)
    charts = [yaml.safe_load(text) for path, text in found.items() if path.parts[0] == "charts"]
    assert len(charts) >= 3
    assert all(each["name"] and each["version"] and "values" in each for each in charts)


def test_no_secret_of_a_stack_is_written(tmp_path, folder):
    out = tmp_path / "out"
    assert lgp_plan(folder, "local", "--out", str(out)).code == 0
    secrets = [each for p in out.rglob("secret-*.yaml") if (each := yaml.safe_load(p.read_text()))]
    assert secrets
    for each in secrets:
        assert set({**each.get("stringData", {}), **each.get("data", {})}.values()) <= {
            "<secret>",
            "PHNlY3JldD4=",
        }
    assert not [p for p in out.rglob("*.*") if "-result" in p.read_text()]


def test_a_stack_that_moves_to_another_region_is_said_to_replace_what_holds_data(changed):
    found = changed("prod", {"region": "eu-central-1"})
    assert (found.added, found.removed) == ((), ())
    effects = {change.new.type: change.effect for change in found.changed}
    assert effects["pulumi:providers:aws"] == "may replace"
    assert effects["aws:ec2/subnet:Subnet"] == "replaces"
