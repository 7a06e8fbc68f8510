"""The stacks on AWS, on the real engine: what `pulumi up`, `preview` and `destroy` do with them."""

from subprocess import CalledProcessError

import pytest
from engine.echo_outputs import STATEFUL
from engine.order import Goes
from engine.world import ENGINE_SECONDS, Deployed, Told
from pulumi.automation import CommandError
from pulumi.automation.events import OpType

pytestmark = pytest.mark.timeout(ENGINE_SECONDS)

ORDER = (
    Goes("kubernetes:", "aws:eks/cluster:", "an object is deleted through the API of its cluster"),
    Goes("kubernetes:", "aws:eks/nodeGroup:", "operators run on nodes, and finish what they look after"),
    Goes("kubernetes:", "aws:eks/accessPolicyAssociation:", "who takes down needs access until the end"),
    Goes("kubernetes:", "aws:ec2/natGateway:", "nodes reach AWS and registries until they are gone"),
    Goes("aws:eks/nodeGroup:", "aws:eks/cluster:", "a cluster with nodes cannot be deleted"),
    Goes(
        "aws:eks/nodeGroup:",
        "aws:iam/rolePolicyAttachment:",
        "nodes without policies hang",
        then_named="node",
    ),
    Goes("aws:eks/nodeGroup:", "aws:ec2/natGateway:", "draining nodes talk to the cluster and to AWS"),
    Goes("kubernetes:external-secrets.io/", "kubernetes:helm.sh/", "its operator removes the finalizer"),
    Goes("kubernetes:elbv2.k8s.aws/", "kubernetes:helm.sh/", "its controller removes the finalizer"),
    Goes("kubernetes:elbv2.k8s.aws/", "aws:lb/targetGroup:", "the controller takes the targets out"),
    Goes("kubernetes:monitoring.coreos.com/", "kubernetes:helm.sh/", "with its CRD, it is gone already"),
    Goes("kubernetes:apps/v1:", "aws:rds/", "a pod without its database fails its runs"),
    Goes("kubernetes:apps/v1:", "aws:elasticache/", "a pod without its cache is slow while it drains"),
    Goes("kubernetes:apps/v1:", "aws:eks/podIdentityAssociation:", "a draining pod still logs in"),
    Goes("kubernetes:apps/v1:", "kubernetes:core/v1:Namespace", "each object goes before its namespace"),
    Goes("aws:rds/", "aws:ec2/subnet:", "an instance has an address in them"),
    Goes("aws:", "aws:ec2/vpc:", "a VPC goes last", first_named="network"),
)

KEPT = STATEFUL - {"random:index/randomPassword:RandomPassword"}
"""What prod protects: all that holds data, but for passwords that the cloud's own copy outlives."""


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


def test_a_renamed_stack_loses_nothing(deployed: Deployed) -> None:
    told, name = Told(), f"{deployed.name}-renamed"
    deployed.stack().rename(name)
    deployed.world.stack(name).preview(**told.arguments())
    assert told.lost() == []


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
    holds_data = {entry.urn for entry in prod.state().custom if entry.type in KEPT}
    with pytest.raises(CommandError, match="because it is protected"):
        prod.stack().destroy()
    assert holds_data <= prod.state().entries.keys()
