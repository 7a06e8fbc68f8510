"""The graph of the three stacks: what there is, whose it is, in which order, and what stays."""

import pytest
from infra.infra_settings import SAMPLES, STACKS
from infra.infra_stacks import (
    ON_AWS,
    before,
    below,
    changed,
    counts,
    inputs,
    kind,
    objects,
    of_kind,
    planned,
)

from lgp.planning.values import revealed

COMPONENTS = {
    "dev": {
        *("Platform", "Network", "Encryption", "Cluster", "PostgresDatabase", "SecretsOperator"),
        *("NodeAutoscaler", "ContainerImage", "AgentWorkload"),
    },
    "local": {"Platform", "ContainerImage", "LocalPostgres", "LocalRedis", "AgentWorkload"},
}
COMPONENTS["prod"] = COMPONENTS["dev"] | {"RedisCache", "Observability", "Edge", "Attachments"}

ESSENTIAL = {
    "dev": {
        "aws:Vpc": 1,
        "aws:Subnet": 6,
        "aws:NatGateway": 1,
        "aws:VpcEndpoint": 1,
        "aws:FlowLog": 1,
        "aws:Key": 4,
        "aws:NodeGroup": 1,
        "aws:Instance": 1,
        "aws:ReplicationGroup": 0,
        "aws:LoadBalancer": 0,
        "aws:Bucket": 0,
        "aws:PodIdentityAssociation": 3,
        "kubernetes:Deployment": 1,
        "kubernetes:PodDisruptionBudget": 0,
        "kubernetes:ServiceMonitor": 0,
        "kubernetes:ExternalSecret": 2,
        "kubernetes:Secret": 0,
    },
    "prod": {
        "aws:Vpc": 1,
        "aws:Subnet": 9,
        "aws:NatGateway": 3,
        "aws:VpcEndpoint": 6,
        "aws:Key": 4,
        "aws:Cluster": 1,
        "aws:Addon": 6,
        "aws:Instance": 1,
        "aws:ReplicationGroup": 1,
        "aws:LoadBalancer": 1,
        "aws:WebAcl": 1,
        "aws:WebAclAssociation": 1,
        "aws:Certificate": 1,
        "aws:Bucket": 1,
        "aws:Repository": 1,
        "docker-build:Image": 1,
        "aws:PodIdentityAssociation": 4,
        "kubernetes:Deployment": 2,
        "kubernetes:HorizontalPodAutoscaler": 1,
        "kubernetes:PodDisruptionBudget": 1,
        "kubernetes:Job": 1,
        "kubernetes:CronJob": 1,
        "kubernetes:ServiceMonitor": 2,
        "kubernetes:PrometheusRule": 1,
        "kubernetes:TargetGroupBinding": 1,
        "kubernetes:ClusterSecretStore": 1,
        "kubernetes:ExternalSecret": 3,
    },
    "local": {
        "kubernetes:Deployment": 1,
        "kubernetes:StatefulSet": 2,
        "kubernetes:Job": 1,
        "kubernetes:CronJob": 1,
        "kubernetes:HorizontalPodAutoscaler": 1,
        "kubernetes:Secret": 7,
        "kubernetes:ExternalSecret": 0,
        "kubernetes:Release": 0,
        "random:RandomPassword": 4,
        "pulumi:kubernetes": 1,
    },
}


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_is_made_of_its_components_each_once(stack):
    found = planned(stack)
    made = [kind(each).partition(":")[2] for each in found.resources if kind(each).startswith("langgraph:")]
    assert sorted(made) == sorted(COMPONENTS[stack])


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_has_what_is_essential_to_it_and_so_many(stack):
    found = counts(planned(stack))
    assert {name: found[name] for name in ESSENTIAL[stack]} == ESSENTIAL[stack]


def test_local_knows_of_no_cloud():
    packages = {each.type.partition(":")[0] for each in planned("local").resources}
    assert packages == {"kubernetes", "langgraph", "pulumi", "random"}
    assert of_kind(planned("local"), "pulumi:aws") == []
    texts = str([revealed(each.inputs) for each in planned("local").resources])
    assert "arn:aws" not in texts
    assert "AWS_REGION" not in texts


def test_prod_is_in_three_zones():
    prod = planned("prod")
    zones = {each.inputs["availabilityZone"] for each in of_kind(prod, "aws:Subnet")}
    assert zones == {"eu-west-1a", "eu-west-1b", "eu-west-1c"}
    nats = {each.references["subnetId"] for each in of_kind(prod, "aws:NatGateway")}
    assert len(nats) == 3
    ways_out = [each.references for each in of_kind(prod, "aws:Route") if "natGatewayId" in each.references]
    assert len({each["natGatewayId"] for each in ways_out}) == 3


def test_dev_is_small_and_gone_with_one_destroy():
    dev = planned("dev")
    assert not [each.name for each in dev.resources if each.protect]
    database, nodes = inputs(dev, "aws:Instance"), inputs(dev, "aws:NodeGroup")
    assert (database["deletionProtection"], database["skipFinalSnapshot"]) == (False, True)
    assert (database["multiAz"], database["instanceClass"]) == (False, "db.t4g.medium")
    assert (nodes["capacityType"], nodes["instanceTypes"]) == ("SPOT", ["t4g.large"])
    assert inputs(dev, "aws:Repository")["forceDelete"] is True
    assert inputs(dev, "aws:Cluster").get("deletionProtection") in (None, False)
    assert {each.inputs["recoveryWindowInDays"] for each in of_kind(dev, "aws:Secret")} == {0}
    assert {each.inputs["deletionWindowInDays"] for each in of_kind(dev, "aws:Key")} == {7}
    kept = ("deletionProtection", "enableDeletionProtection", "retainOnDelete")
    assert not [each.name for each in dev.resources if any(each.inputs.get(key) for key in kept)]


PROTECTED = {
    "aws:Bucket langgraph-attachments",
    "aws:Cluster langgraph-cluster-eks",
    "aws:Instance langgraph-database",
    "aws:Key langgraph-encryption-cluster",
    "aws:Key langgraph-encryption-data",
    "aws:Key langgraph-encryption-logs",
    "aws:Key langgraph-encryption-registry",
    "aws:ReplicationGroup langgraph-cache",
    "aws:Repository langgraph-image-repository",
    "aws:Secret langgraph-api-key-pepper",
    "aws:Secret langgraph-cache-login",
    "aws:Vpc langgraph-network-vpc",
}


def test_prod_protects_exactly_what_holds_something():
    protected = {f"{kind(each)} {each.name}" for each in planned("prod").resources if each.protect}
    assert protected == PROTECTED
    assert not [each.name for each in planned("local").resources if each.protect]


# Whose it is


@pytest.mark.parametrize("stack", STACKS)
def test_no_two_resources_have_one_urn_nor_two_objects_one_name(stack):
    found = planned(stack)
    assert found.duplicates == ()
    names = [
        (each["apiVersion"], each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for each in objects(found)
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("stack", STACKS)
def test_everything_is_below_the_platform(stack):
    found = planned(stack)
    roots = {f"{kind(each)} {each.name}" for each in found.resources if each.parent is None}
    aws = {"pulumi:aws aws"} if stack in ON_AWS else set()
    assert roots == {"langgraph:Platform langgraph", *aws}
    for each in found.resources:
        if each.parent is not None:
            assert below(found, each)[-1] == "langgraph"


@pytest.mark.parametrize("stack", STACKS)
def test_a_child_is_named_after_its_component(stack):
    found = planned(stack)
    for each in found.resources:
        parent = found.by_urn(each.parent)
        assert parent is None or each.name.startswith(parent.name), each.urn


@pytest.mark.parametrize("stack", STACKS)
def test_every_child_has_the_one_provider_of_its_package(stack):
    found = planned(stack)
    providers = {kind(each): each.urn for each in found.resources if each.type.startswith("pulumi:providers")}
    assert set(providers) == {"pulumi:kubernetes", *(["pulumi:aws"] if stack in ON_AWS else [])}
    for each in found.resources:
        package = each.type.partition(":")[0]
        if package in {"aws", "kubernetes"}:
            assert each.provider == providers[f"pulumi:{package}"], each.urn
        else:
            # what needs no account; the rest of `random` and `docker-build` has nothing to configure
            assert package in {"langgraph", "pulumi", "random", "docker-build"}


@pytest.mark.parametrize("stack", ON_AWS)
def test_the_provider_is_of_one_account_and_its_tags_say_whose_all_is(stack):
    told = inputs(planned(stack), "pulumi:aws")
    assert told["region"] == "eu-west-1"
    assert "111122223333" in str(told["allowedAccountIds"])
    tags = str(told["defaultTags"])
    for word in ("langgraph-platform", stack, *(["team"] if stack == "prod" else [])):
        assert word in tags


def test_the_kubernetes_provider_is_the_clusters_and_stays_when_its_token_changes():
    for stack in ON_AWS:
        told = inputs(planned(stack), "pulumi:kubernetes")
        assert "eks.invalid" in told["clusterIdentifier"]
        assert "AWS_PROFILE" not in told["kubeconfig"]
    local = changed("local", {"local.context": "kind-agents"})
    assert inputs(local, "pulumi:kubernetes")["context"] == "kind-agents"
    assert "context" not in inputs(planned("local"), "pulumi:kubernetes")


# In which order

WORKLOAD = "langgraph-workload"


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_serves_before_the_migration_nor_that_before_its_policies(stack):
    found = planned(stack)
    policies = {
        f"kubernetes:NetworkPolicy {each.name}"
        for each in of_kind(found, "kubernetes:NetworkPolicy")
        if each.name.startswith(f"{WORKLOAD}-")
    }
    job = f"kubernetes:Job {WORKLOAD}-migration"
    assert policies <= before(found, f"{WORKLOAD}-migration", "kubernetes:Job")
    for each in of_kind(found, "kubernetes:Deployment", "kubernetes:CronJob"):
        assert {job, *policies} <= before(found, each.name, kind(each))


def test_the_workload_comes_after_what_it_stands_on():
    prod = planned("prod")
    for each in of_kind(prod, "kubernetes:Job", "kubernetes:Deployment", "kubernetes:ExternalSecret"):
        assert {
            "kubernetes:ClusterSecretStore langgraph-secrets-store",
            "kubernetes:Release langgraph-secrets-operator",
            "kubernetes:Release langgraph-monitoring-crds",
            "kubernetes:Release langgraph-monitoring-stack",
            "kubernetes:Release langgraph-edge-controller",
            "aws:PodIdentityAssociation langgraph-server-identity",
            "aws:RolePolicy langgraph-server-policy",
        } <= before(prod, each.name, kind(each))
    for each in of_kind(prod, "kubernetes:Job", "kubernetes:Deployment"):
        first = before(prod, each.name, kind(each))
        assert {"aws:Instance langgraph-database", "docker-build:Image langgraph-image-build"} <= first
    serving = before(prod, f"{WORKLOAD}-api", "kubernetes:Deployment")
    assert "aws:Listener langgraph-edge-https" in serving
    for each in of_kind(planned("dev"), "kubernetes:Job", "kubernetes:Deployment"):
        assert "aws:PodIdentityAssociation langgraph-server-identity" in before(
            planned("dev"), each.name, kind(each)
        )


@pytest.mark.parametrize("stack", ON_AWS)
def test_charts_are_installed_where_nodes_and_their_network_are(stack):
    """An atomic release waits for its pods: before the nodes it would fail, and undo itself."""
    found = planned(stack)
    releases = of_kind(found, "kubernetes:Release")
    assert len(releases) >= 3
    for each in releases:
        first = before(found, each.name, kind(each))
        assert "aws:NodeGroup langgraph-cluster-nodes" in first, each.name
        assert {"aws:Addon langgraph-cluster-coredns", "aws:Addon langgraph-cluster-vpc-cni"} <= first


@pytest.mark.parametrize("stack", ON_AWS)
def test_whoever_reads_a_store_waits_for_it(stack):
    receiver = {"name": "ops", "kind": "webhook", "remote": "ops/hook"}
    monitoring = {"monitoring.receivers.0": receiver, "monitoring.grafana_admin_remote": "ops/grafana"}
    found = changed(stack, monitoring)
    readers = of_kind(found, "kubernetes:ExternalSecret")
    assert {"langgraph-monitoring-ops", "langgraph-monitoring-grafana-admin"} <= {
        each.name for each in readers
    }
    for each in readers:
        first = before(found, each.name, kind(each))
        assert "kubernetes:ClusterSecretStore langgraph-secrets-store" in first, each.name
    store = inputs(found, "kubernetes:ClusterSecretStore")
    served = store["spec"]["conditions"][0]["namespaces"]
    assert {each.inputs["metadata"]["namespace"] for each in readers} == set(served)


def test_the_number_of_pods_that_are_scaled_is_nobodys_but_the_autoscalers():
    for stack in STACKS:
        found = planned(stack)
        scaled = {
            each["spec"]["scaleTargetRef"]["name"] for each in objects(found) if each["kind"][:3] == "Hor"
        }
        assert scaled == {"agent-server"}
        for each in of_kind(found, "kubernetes:Deployment"):
            is_scaled = each.inputs["metadata"]["name"] in scaled
            assert ("replicas" not in each.inputs["spec"]) is is_scaled
            assert ("spec.replicas" in each.ignore_changes) is is_scaled


def test_adopting_what_is_there_makes_none_of_it():
    theirs = {
        "network": {"existing": SAMPLES["network.existing"]},
        "cluster": {"existing": SAMPLES["cluster.existing"]},
        "database": {"existing": SAMPLES["database.existing"]},
        "monitoring": {"existing": {"namespace": "prometheus"}},
        "secrets.existing_store": "theirs",
        "node_autoscaler": None,
    }
    found = counts(changed("prod", theirs))
    gone = ("Vpc", "Subnet", "NatGateway", "Cluster", "NodeGroup", "Addon", "Instance", "ClusterRole")
    assert not [name for name in gone if found[f"aws:{name}"] or found[f"kubernetes:{name}"]]
    assert found["kubernetes:ServiceMonitor"] == 1
    assert found["kubernetes:ClusterSecretStore"] == 0
    assert found["kubernetes:Release"] == 1
