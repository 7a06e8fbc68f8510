"""The stacks on AWS, on the real engine: what `pulumi up`, `preview` and `destroy` do with them."""

from subprocess import CalledProcessError

import pytest
from engine.echo_outputs import STATEFUL
from engine.order import Goes
from engine.world import ENGINE_SECONDS, Deployed, Told
from pulumi.automation import CommandError, ConfigValue
from pulumi.automation.events import OpType

pytestmark = pytest.mark.timeout(ENGINE_SECONDS)

K8S, WORKLOAD, RELEASE = "kubernetes:", "kubernetes:apps/v1:Deployment", "kubernetes:helm.sh/v3:Release"
NODES, CLUSTER, IDENTITY = "aws:eks/nodeGroup:", "aws:eks/cluster:", "aws:eks/podIdentityAssociation:"
ORDER = (
    Goes(K8S, CLUSTER, "an object is deleted through the API of its cluster"),
    Goes(K8S, NODES, "operators run on nodes, and finish what they look after"),
    Goes(K8S, "aws:eks/accessPolicyAssociation:", "who takes down has access until the end"),
    Goes(K8S, "aws:ec2/natGateway:", "operators reach AWS until they are gone"),
    Goes(K8S, "aws:ec2/route:", "operators reach AWS until they are gone", then_named="private"),
    Goes(K8S, "aws:eks/addon:", "webhooks are found by name and reached by network"),
    Goes(NODES, CLUSTER, "a cluster with nodes cannot be deleted"),
    Goes(NODES, "aws:eks/addon:", "pods that are drained lose no network", then_named="vpc-cni"),
    Goes(NODES, "aws:iam/rolePolicyAttachment:", "nodes leave by their own rights", then_named="-node-"),
    Goes(NODES, "aws:kms/grant:", "nodes have encrypted disks"),
    Goes(NODES, "aws:ec2/natGateway:", "draining nodes talk to the cluster"),
    Goes("aws:eks/addon:", NODES, "their pods run on nodes", "coredns"),
    Goes("aws:eks/addon:", NODES, "volumes are detached by their driver", "ebs-csi"),
    Goes(CLUSTER, "aws:cloudwatch/logGroup:", "EKS would make its log again", then_named="cluster"),
    Goes(
        CLUSTER, "aws:iam/rolePolicyAttachment:", "EKS removes its interfaces", then_named="cluster-cluster-"
    ),
    Goes("kubernetes:external-secrets.io/", RELEASE, "the operator knows it", then_named="secrets"),
    Goes(
        "kubernetes:external-secrets.io/v1:E",
        "kubernetes:external-secrets.io/v1:C",
        "it reads from the store",
    ),
    Goes(
        "kubernetes:external-secrets.io/", IDENTITY, "the operator's role reads secrets", then_named="secrets"
    ),
    Goes(
        "kubernetes:monitoring.coreos.com/",
        RELEASE,
        "it would go with its definition",
        then_named="monitoring",
    ),
    Goes(
        RELEASE, RELEASE, "its monitors would go with their definition", "monitoring-stack", "monitoring-crds"
    ),
    Goes(
        "kubernetes:elbv2.k8s.aws/", RELEASE, "the controller removes its finalizer", then_named="controller"
    ),
    Goes("kubernetes:elbv2.k8s.aws/", "aws:lb/targetGroup:", "the controller takes its targets out"),
    Goes(RELEASE, IDENTITY, "the controller's rights outlive it", "controller", "controller"),
    Goes(WORKLOAD, "aws:rds/instance:", "a draining pod stores what its runs did"),
    Goes(
        WORKLOAD, "aws:vpc/securityGroupIngressRule:", "it reaches database and cache", then_named="-client-"
    ),
    Goes(WORKLOAD, "aws:elasticache/replicationGroup:", "a draining pod wakes others by it"),
    Goes(WORKLOAD, IDENTITY, "a draining pod still logs in", then_named="server"),
    Goes(WORKLOAD, "kubernetes:networking.k8s.io/", "a draining pod talks to all it talked to"),
    Goes(WORKLOAD, "kubernetes:external-secrets.io/", "a pod that comes up meanwhile finds its files"),
    Goes(
        K8S, "kubernetes:core/v1:Namespace", "an object goes before its namespace", "workload-", "workload-"
    ),
    Goes(
        RELEASE, "kubernetes:core/v1:Namespace", "helm uninstalls what is still there", "secrets-", "secrets-"
    ),
    Goes(RELEASE, "kubernetes:core/v1:Namespace", "helm uninstalls what is still there", "edge-", "edge-"),
    Goes(RELEASE, "kubernetes:core/v1:Namespace", "helm uninstalls it", "monitoring-", "monitoring-"),
    Goes("aws:lb/loadBalancer:", "aws:ec2/internetGateway:", "a gateway with mapped addresses stays"),
    Goes("aws:ec2/eip:", "aws:ec2/internetGateway:", "a gateway with mapped addresses stays"),
    Goes("aws:rds/instance:", "aws:ec2/subnet:", "it has an address in them", then_named="-data-"),
    Goes(
        "aws:rds/instance:",
        "aws:cloudwatch/logGroup:",
        "RDS would make its log again",
        then_named="database-log",
    ),
    Goes("aws:ec2/flowLog:", "aws:iam/rolePolicy:", "it writes until it is gone", then_named="flow"),
)
"""Else AWS or Kubernetes would answer with an error, a deletion that hangs, or something left behind."""

KEPT = STATEFUL - {"random:index/randomPassword:RandomPassword"}
"""What prod protects: all that holds data, but for passwords, which the secrets have too, and replicas."""


def test_a_first_up_only_creates_and_no_output_is_a_secret(deployed: Deployed) -> None:
    assert len(deployed.state().custom) > 50
    assert {step.op for step in deployed.told.steps()} == {OpType.CREATE}
    assert deployed.outputs
    assert [name for name, output in deployed.outputs.items() if output.secret] == []


def test_an_unchanged_stack_has_nothing_to_do_and_again_nothing(deployed: Deployed) -> None:
    for _ in range(2):
        told = Told()
        summary = deployed.stack().preview(**told.arguments()).change_summary
        assert told.changes() == []
        assert list(summary) == [OpType.SAME]
    assert list(deployed.stack().up().summary.resource_changes or {}) == [OpType.SAME]


def test_changed_source_is_a_new_image_a_migration_and_a_rollout_and_nothing_else(deployed: Deployed) -> None:
    told = Told()
    source = deployed.world.program / "app" / "graphs" / "__init__.py"
    source.write_text(f"{source.read_text()}\nCHANGED = True\n")
    deployed.stack().up(**told.arguments())
    assert told.names(OpType.REPLACE) == {"langgraph-workload-migration"}
    rolled = {entry.name for entry in deployed.state().of(WORKLOAD)}
    assert told.names(OpType.UPDATE) == rolled | {"langgraph-image-build", "langgraph-workload-retention"}
    assert told.names(OpType.CREATE) | told.names(OpType.DELETE) == set()


def test_a_renamed_stack_loses_nothing(deployed: Deployed) -> None:
    told, name = Told(), f"{deployed.name}-renamed"
    deployed.stack().rename(name)
    deployed.world.stack(name).preview(**told.arguments())
    assert told.lost() == []


def test_prod_is_not_moved_to_another_region(prod: Deployed) -> None:
    stack, before = prod.stack(), prod.state()
    stack.set_config("platform.region", ConfigValue("eu-central-1"), path=True)
    with pytest.raises(CalledProcessError) as refused:
        prod.world.pulumi("up", "--yes", "--stack", "prod")
    assert "protect" in refused.value.stdout
    assert prod.state().entries.keys() == before.entries.keys()


def test_down_goes_everything_in_its_order(deployed: Deployed) -> None:
    told, state = Told(), deployed.state()
    deployed.world.pulumi("state", "unprotect", "--all", "--yes", "--stack", deployed.name)
    deployed.stack().destroy(**told.arguments())
    assert deployed.state().custom == []
    assert {str(rule): found for rule in ORDER if (found := rule.unsaid(state))} == {}
    assert {str(rule): found for rule in ORDER if (found := rule.broken(state, told.moments()))} == {}


def test_every_rule_of_order_is_about_something(prod: Deployed) -> None:
    state = prod.state()
    assert [str(rule) for rule in ORDER if not rule.pairs(state)] == []


def test_prod_is_not_destroyed_by_one_command(prod: Deployed) -> None:
    before = prod.state()
    with pytest.raises(CalledProcessError) as refused:
        prod.world.pulumi("destroy", "--yes", "--stack", "prod")
    assert any(f"{entry.urn}" in refused.value.stdout for entry in before.custom if entry.protect)
    assert "because it is protected" in refused.value.stdout
    assert prod.state().entries.keys() == before.entries.keys()


def test_what_holds_data_survives_even_a_destroy_without_a_preview(prod: Deployed) -> None:
    kept = [entry for entry in prod.state().custom if entry.type in KEPT]
    holds_data = {entry.urn for entry in kept if not entry.raw["inputs"].get("replicateSourceDb")}
    with pytest.raises(CommandError, match="because it is protected"):
        prod.stack().destroy()
    assert holds_data <= prod.state().entries.keys()
