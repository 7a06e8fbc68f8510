"""What guards the three stacks: secrets, rights, flows, encryption, and the objects Kubernetes gets."""

import base64
import json
import re

import pytest
from infra.infra_flows import Network, Outside, Pod
from infra.infra_linter import faults, restricted
from infra.infra_schemas import problems
from infra.infra_settings import STACKS
from infra.infra_stacks import (
    ON_AWS,
    changed,
    inputs,
    kind,
    objects,
    of_kind,
    planned,
    secrets_in,
    statements,
)
from infra.infra_workloads import pod_templates

from langgraph_components.pure import cluster_policies, operator_policies
from lgp.planning.document import plan_document
from lgp.planning.values import MASK, masked, revealed

# Secrets: where they may be, and that they are nowhere else

HOLDERS = {
    "aws:Instance": {"password"},
    "aws:SecretVersion": {"secretString"},
    "aws:User": {"passwords"},
    "kubernetes:Secret": {"stringData"},
    "pulumi:kubernetes": {"kubeconfig"},
}
"""The properties that may hold a secret: encrypted in Pulumi's state, and masked wherever they are shown."""


@pytest.mark.parametrize("stack", STACKS)
def test_secrets_are_where_they_belong_and_marked_as_such(stack):
    found = planned(stack)
    for each in found.resources:
        places = {path.partition(".")[0] for path in secrets_in(each.inputs)}
        assert places <= HOLDERS.get(kind(each), set()), each.urn
    for each in of_kind(found, "aws:SecretVersion", "aws:User", "kubernetes:Secret"):
        (name,) = HOLDERS[kind(each)]
        assert list(secrets_in(each.inputs[name], name)), each.urn


@pytest.mark.parametrize("stack", STACKS)
def test_what_is_random_is_seen_in_the_clear_nowhere(stack):
    found = planned(stack)
    made = [f"{each.name}-result" for each in of_kind(found, "random:RandomPassword")]
    assert made
    hidden = str([revealed(each.inputs) for each in found.resources])
    encoded = [base64.b64encode(value.encode()).decode() for value in made]
    seen = str([masked(each.inputs) for each in found.resources]) + json.dumps(plan_document(found))
    for value in made:
        assert value in hidden, "a password that nobody uses"
    assert not [value for value in [*made, *encoded] if value in seen]


@pytest.mark.parametrize("stack", STACKS)
def test_no_output_config_map_or_chart_holds_a_secret(stack):
    found = planned(stack)
    assert list(secrets_in(found.outputs)) == []
    assert MASK not in str(found.outputs)
    for each in of_kind(found, "kubernetes:ConfigMap", "kubernetes:Release"):
        assert list(secrets_in(each.inputs)) == [], each.urn


@pytest.mark.parametrize("stack", STACKS)
def test_pods_get_their_secrets_as_files(stack):
    for name, template in pod_templates(objects(planned(stack))).items():
        for container in template["spec"]["containers"]:
            values = [each for each in container.get("env", []) if "valueFrom" in each]
            assert not values, name
            assert not [each for each in container.get("envFrom", []) if "secretRef" in each], name


def test_a_model_key_of_the_local_stack_is_in_its_secret_alone():
    config = {"langgraph-platform:openaiApiKey": {"secure": "v1:x:y"}}
    found = changed("local", {}, config)
    holding = {
        f"{kind(each)} {each.name}"
        for each in found.resources
        if "OPENAI_API_KEY" in str(revealed(each.inputs))
    }
    assert holding == {"kubernetes:Secret langgraph-workload-env-secret"}
    names = {each.name for each in planned("local").resources}
    assert "OPENAI_API_KEY" not in str([revealed(each.inputs) for each in planned("local").resources])
    assert {each.name for each in found.resources} == names


# Bar K4: rights

EVERYWHERE = set(operator_policies.EVERYWHERE)


def documents(recording):
    """Every policy of the stack that grants something, by the name of what bears it."""
    for each in recording.resources:
        for key in ("policy", "assumeRolePolicy"):
            text = revealed(each.inputs).get(key)
            if isinstance(text, str) and '"Statement"' in text:
                yield f"{kind(each)} {each.name}", key, statements(text)


@pytest.mark.parametrize("stack", ON_AWS)
def test_no_policy_allows_everything_or_everywhere(stack):
    found = list(documents(planned(stack)))
    roles = [name for name, key, _ in found if name.startswith("aws:RolePolicy ")]
    assert len(roles) >= 6
    for name, key, granted in found:
        for each in granted:
            if each["Effect"] == "Deny":
                continue
            wide = [action for action in each["Action"] if action in {"*"} or action.endswith(":*")]
            assert not wide, (name, wide)
            if "*" in each["Resource"]:
                is_key = name.startswith("aws:Key ")
                assert is_key or set(each["Action"]) <= EVERYWHERE, (name, each)
            if key != "assumeRolePolicy":
                assert each["Resource"], (name, each)


@pytest.mark.parametrize("stack", ON_AWS)
def test_an_action_with_a_star_is_one_of_encryption_on_a_named_key(stack):
    starred = {
        action
        for name, _, granted in documents(planned(stack))
        for each in granted
        for action in each["Action"]
        if "*" in action and each["Effect"] == "Allow"
    }
    assert starred == {"kms:GenerateDataKey*", "kms:ReEncrypt*"}


@pytest.mark.parametrize("stack", ON_AWS)
def test_nobody_but_services_and_the_account_is_trusted(stack):
    for name, _, granted in documents(planned(stack)):
        for each in granted:
            principal = each.get("Principal")
            if principal is None or each["Effect"] == "Deny":
                continue
            assert principal != "*", name
            (who,) = principal.values()
            assert re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com|arn:aws:iam::111122223333:root", who), name


@pytest.mark.parametrize("stack", ON_AWS)
def test_a_role_of_pods_is_one_service_accounts_of_one_cluster(stack):
    found = planned(stack)
    associated = {
        each.references["roleArn"][0]: (each.inputs["namespace"], each.inputs["serviceAccount"])
        for each in of_kind(found, "aws:PodIdentityAssociation")
    }
    assert len(associated) >= 3
    for urn, (namespace, account) in associated.items():
        role = found.by_urn(urn)
        (trust,) = statements(role.inputs["assumeRolePolicy"])
        told = trust["Condition"]["StringEquals"]
        assert told["aws:SourceAccount"] == "111122223333"
        assert told["aws:RequestTag/kubernetes-namespace"] == namespace
        assert told["aws:RequestTag/kubernetes-service-account"] == account
        assert "cluster" in told["aws:RequestTag/eks-cluster-arn"]
    assert ("langgraph", "agent-server") in associated.values()


@pytest.mark.parametrize("stack", ON_AWS)
def test_policies_of_aws_are_the_named_few(stack):
    named = {
        *cluster_policies.CLUSTER,
        *cluster_policies.NODE,
        *cluster_policies.NETWORK,
        *cluster_policies.VOLUMES,
        "AmazonRDSEnhancedMonitoringRole",
    }
    attached = {
        each.inputs["policyArn"].rpartition("/")[2]
        for each in of_kind(planned(stack), "aws:RolePolicyAttachment")
    }
    assert attached == named
    assert not [each for each in named if "FullAccess" in each or "Administrator" in each]


@pytest.mark.parametrize("stack", ON_AWS)
def test_the_server_may_log_in_and_keep_files_and_nothing_else(stack):
    (role,) = [each for each in of_kind(planned(stack), "aws:RolePolicy") if "server" in each.name]
    granted = {each["Sid"] for each in statements(role.inputs["policy"])}
    files = {"AttachmentObjects", "AttachmentList", "AttachmentKey"} if stack == "prod" else set()
    assert granted == {"DatabaseLogin", *files}


@pytest.mark.parametrize("stack", ON_AWS)
def test_the_operator_reads_the_secrets_that_are_asked_for_and_no_others(stack):
    found = planned(stack)
    (role,) = [each for each in of_kind(found, "aws:RolePolicy") if each.name == "langgraph-secrets-policy"]
    (readable,) = [each for each in statements(role.inputs["policy"]) if each["Sid"] == "ReadSecrets"]
    asked = {
        entry["remoteRef"]["key"]
        for each in objects(found)
        if each["kind"] == "ExternalSecret"
        for entry in each["spec"]["data"]
    }
    prefixes = {arn.rstrip("*?").rstrip("-") for arn in readable["Resource"]}
    by_name = {prefix.rpartition(":secret:")[2]: prefix for prefix in prefixes}
    assert {by_name.get(key, key) for key in asked} == prefixes


# Bar K3: flows

NAME, PART = "app.kubernetes.io/name", "app.kubernetes.io/component"


def ours(part):
    return Pod("langgraph", {NAME: "agent-server", PART: part})


API, WORKER, MIGRATION, RETENTION = map(ours, ("api", "worker", "migration", "retention"))
DNS, PROMETHEUS = Pod("kube-system", {"k8s-app": "kube-dns"}), Pod("monitoring", {NAME: "prometheus"})
IMDS, AGENT, PROVIDER = Outside("169.254.169.254"), Outside("169.254.170.23"), Outside("104.18.7.192")
PODS = (API, WORKER, MIGRATION, RETENTION)


def within(stack, tier):
    """An address in the first subnet of a tier, where balancers, nodes or data are."""
    network = planned(stack).named(f"langgraph-network-{tier}-1", "aws:ec2/subnet:Subnet").inputs["cidrBlock"]
    return Outside(network.partition("/")[0][:-1] + "7")


def policies(stack):
    return Network([each for each in objects(planned(stack)) if each["kind"] == "NetworkPolicy"])


def test_in_prod_exactly_the_flows_that_are_needed_are_open():
    network = policies("prod")
    data, public, private = (within("prod", tier) for tier in ("data", "public", "private"))
    allowed = [
        *((pod, DNS, 53, "UDP") for pod in PODS),
        *((pod, data, 5432, "TCP") for pod in PODS),
        *((pod, data, 6379, "TCP") for pod in (API, WORKER)),
        *((pod, AGENT, 80, "TCP") for pod in (API, WORKER, RETENTION)),
        *((pod, PROVIDER, 443, "TCP") for pod in (API, WORKER)),
        *((pod, private, 443, "TCP") for pod in (API, WORKER)),
        # the sweep removes attachments: of S3's addresses nothing is known but that they are not ours
        *((RETENTION, end, 443, "TCP") for end in (PROVIDER, private)),
        (public, API, 8000, "TCP"),
        (PROMETHEUS, API, 9464, "TCP"),
        (PROMETHEUS, WORKER, 9464, "TCP"),
    ]
    far = [
        *((DNS, 53, "UDP"), (AGENT, 80, "TCP"), (IMDS, 80, "TCP"), (PROVIDER, 443, "TCP")),
        *((PROVIDER, 80, "TCP"), (PROVIDER, 5432, "TCP"), (Outside("8.8.8.8"), 53, "UDP")),
        *((data, 5432, "TCP"), (data, 6379, "TCP"), (data, 22, "TCP"), (private, 443, "TCP")),
        *((private, 5432, "TCP"), (public, 443, "TCP"), (Outside("192.168.1.1"), 443, "TCP")),
    ]
    sources = (public, private, PROVIDER, DNS, API, PROMETHEUS, Pod("default", dict(API.labels)))
    flows = [(pod, *end) for pod in PODS for end in far]
    flows += [(source, pod, port, "TCP") for pod in PODS for source in sources for port in (8000, 9464)]
    assert len(flows) > 100
    assert sorted(map(str, (flow for flow in flows if network.allows(*flow)))) == sorted(map(str, allowed))


@pytest.mark.parametrize("stack", STACKS)
def test_a_neighbour_in_the_namespace_reaches_nobody_and_nobody_reaches_it(stack):
    network = policies(stack)
    neighbour = Pod("langgraph", {NAME: "shell"})
    for far in (DNS, PROVIDER, IMDS, API):
        assert not network.allows(neighbour, far, 443)
    assert not network.allows(neighbour, DNS, 53, "UDP")
    assert not network.allows(API, neighbour, 8000)


def test_without_balancer_and_monitoring_nobody_gets_into_dev():
    network = policies("dev")
    for source in (within("dev", "public"), within("dev", "private"), PROMETHEUS, PROVIDER, DNS):
        assert not [port for port in (8000, 9464) if network.allows(source, API, port)]
    assert network.allows(API, within("dev", "data"), 5432)
    assert not network.allows(API, within("dev", "data"), 6379)


# Bar K5: data


def primary(stack):
    (one,) = [each for each in of_kind(planned(stack), "aws:Instance") if each.name == "langgraph-database"]
    return one


def test_the_database_of_prod_is_encrypted_doubled_backed_up_and_kept():
    database = primary("prod")
    wanted = {
        "backupRetentionPeriod": 14,
        "deletionProtection": True,
        "engine": "postgres",
        "iamDatabaseAuthenticationEnabled": True,
        "instanceClass": "db.m7g.xlarge",
        "multiAz": True,
        "performanceInsightsEnabled": True,
        "publiclyAccessible": False,
        "skipFinalSnapshot": False,
        "storageEncrypted": True,
        "storageType": "gp3",
    }
    assert {key: database.inputs.get(key) for key in wanted} == wanted
    assert [urn.rpartition("::")[2] for urn in database.references["kmsKeyId"]] == [
        "langgraph-encryption-data"
    ]
    told = parameters("aws:rds/parameterGroup:ParameterGroup")
    assert told["rds.force_ssl"] == "1"
    assert int(told["log_min_duration_statement"]) > 0
    assert int(told["idle_in_transaction_session_timeout"]) == 30_000


def test_where_rds_can_keep_the_masters_password_it_does():
    """Without a replica; with one, it refuses to."""
    for stack in ("dev", "prod"):
        assert primary(stack).inputs["manageMasterUserPassword"] is True
        assert "password" not in primary(stack).inputs


def parameters(type_):
    (group,) = planned("prod").of_type(type_)
    return {each["name"]: str(each["value"]) for each in group.inputs["parameters"]}


def test_a_read_replica_is_what_the_server_reads_from():
    prod = changed("prod", {"database.replicas": 1})
    replica = prod.named("langgraph-database-replica-0")
    assert [urn.rpartition("::")[2] for urn in replica.references["replicateSourceDb"]] == [
        "langgraph-database"
    ]
    (settings,) = [each["data"] for each in objects(prod) if "HOST" in each.get("data", {})]
    assert "langgraph-database-replica-0" in settings["DATABASE_READ_URL"]
    assert "langgraph-database.rds" in settings["DATABASE_URL"]


def test_the_cache_of_prod_is_encrypted_both_ways_and_evicts_nothing():
    cache = inputs(planned("prod"), "aws:ReplicationGroup")
    assert cache["atRestEncryptionEnabled"] is True
    assert cache["transitEncryptionEnabled"] is True
    assert cache["transitEncryptionMode"] == "required"
    assert cache["automaticFailoverEnabled"] is True
    assert cache["multiAzEnabled"] is True
    assert cache["userGroupIds"]
    policy = parameters("aws:elasticache/parameterGroup:ParameterGroup")["maxmemory-policy"]
    assert policy == "noeviction"


@pytest.mark.parametrize("stack", ON_AWS)
def test_what_lies_on_disk_has_a_key_of_ours(stack):
    found = planned(stack)
    keys = {each.urn for each in of_kind(found, "aws:Key")}
    holders = {
        "aws:Instance": "kmsKeyId",
        "aws:ReplicationGroup": "kmsKeyId",
        "aws:Secret": "kmsKeyId",
        "aws:LogGroup": "kmsKeyId",
        "aws:Cluster": "encryptionConfig",
        "aws:Repository": "encryptionConfigurations",
        "aws:LaunchTemplate": "blockDeviceMappings",
        "aws:BucketServerSideEncryptionConfiguration": "rules",
    }
    for each in of_kind(found, *holders):
        if "replicateSourceDb" in each.inputs:
            continue  # a replica in the region has the key of its primary
        assert set(each.references.get(holders[kind(each)], ())) & keys, each.urn


@pytest.mark.parametrize("stack", ON_AWS)
def test_only_the_balancer_is_open_to_anybody(stack):
    found = planned(stack)
    open_ = [
        each
        for each in of_kind(found, "aws:SecurityGroupIngressRule")
        if "/0" in str(each.inputs.get("cidrIpv4")) or each.inputs.get("cidrIpv6")
    ]
    assert {each.name.rpartition("-in-")[0] for each in open_} == (
        {"langgraph-edge"} if stack == "prod" else set()
    )
    assert {each.inputs["fromPort"] for each in open_} <= {80, 443}
    for each in of_kind(found, "aws:Subnet"):
        assert not each.inputs.get("mapPublicIpOnLaunch")


# Bar K7: the cluster


@pytest.mark.parametrize("stack", ON_AWS)
def test_the_cluster_encrypts_its_secrets_logs_everything_and_is_open_to_named_networks_at_most(stack):
    cluster = inputs(planned(stack), "aws:Cluster")
    assert cluster["encryptionConfig"]["resources"] == ["secrets"]
    assert set(cluster["enabledClusterLogTypes"]) == {
        *("api", "audit", "authenticator", "controllerManager", "scheduler")
    }
    network = cluster["vpcConfig"]
    assert network["endpointPrivateAccess"] is True
    assert network["endpointPublicAccess"] is (stack == "dev")
    assert network.get("publicAccessCidrs", []) == (["203.0.113.0/24"] if stack == "dev" else [])
    access = cluster["accessConfig"]
    assert access["authenticationMode"] == "API"
    assert access["bootstrapClusterCreatorAdminPermissions"] is False
    assert all(each.startswith("langgraph-network-private") for each in network["subnetIds"])


@pytest.mark.parametrize("stack", ON_AWS)
def test_nodes_are_private_and_their_credentials_are_out_of_the_pods_reach(stack):
    found = planned(stack)
    assert all(
        each.startswith("langgraph-network-private") for each in inputs(found, "aws:NodeGroup")["subnetIds"]
    )
    imds = inputs(found, "aws:LaunchTemplate")["metadataOptions"]
    assert (imds["httpTokens"], imds["httpPutResponseHopLimit"]) == ("required", 1)


@pytest.mark.parametrize("stack", ON_AWS)
def test_every_add_on_and_chart_is_pinned(stack):
    found = planned(stack)
    for each in of_kind(found, "aws:Addon"):
        assert re.fullmatch(r"v\d+\.\d+\.\d+-eksbuild\.\d+", each.inputs["addonVersion"]), each.name
    for each in of_kind(found, "kubernetes:Release"):
        assert re.fullmatch(r"\d+\.\d+\.\d+", each.inputs["version"]), each.name
        assert (each.inputs["atomic"], each.inputs["cleanupOnFail"]) == (True, True)
    network = [each for each in of_kind(found, "aws:Addon") if each.inputs["addonName"] == "vpc-cni"]
    assert json.loads(network[0].inputs["configurationValues"])["enableNetworkPolicy"] == "true"


# The objects


@pytest.mark.parametrize("stack", STACKS)
def test_every_object_is_one_that_kubernetes_takes(stack):
    found = objects(planned(stack))
    assert len(found) >= 20
    assert {
        f"{each['kind']}/{each['metadata']['name']}": told for each in found if (told := problems(each))
    } == {}


@pytest.mark.parametrize("stack", STACKS)
def test_no_object_has_a_fault_that_the_linter_knows(stack):
    assert faults(objects(planned(stack))) == {}


@pytest.mark.parametrize("stack", STACKS)
def test_every_pod_is_restricted_and_so_is_the_namespace_that_it_is_in(stack):
    found = objects(planned(stack))
    templates = pod_templates(found)
    assert {name: told for name, template in templates.items() if (told := restricted(template))} == {}
    enforced = {
        each["metadata"]["name"]: each["metadata"]["labels"].get("pod-security.kubernetes.io/enforce")
        for each in found
        if each["kind"] == "Namespace"
    }
    assert enforced["langgraph"] == "restricted"
    # what measures the nodes needs to see them
    assert {name for name, level in enforced.items() if level != "restricted"} == (
        {"monitoring"} if stack == "prod" else set()
    )
    used = {each["metadata"].get("namespace") for each in found} - {None}
    assert used <= set(enforced)
