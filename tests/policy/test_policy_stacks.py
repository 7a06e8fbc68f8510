"""The stacks of this repository keep every rule; a property changed for the worse breaks its own."""

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from infra.infra_stacks import planned

from langgraph_policy import RULES, Resource, report
from lgp.planning.policy import policy_report, seen


@pytest.fixture(scope="module", params=["dev", "prod", "local"])
def recording(request):
    return planned(request.param)


@pytest.fixture(scope="module")
def prod() -> list[Resource]:
    return [seen(resource) for resource in planned("prod").resources]


def broken(resources: list[Resource], environment: str = "prod") -> set[str]:
    """The rules that are broken, but for what the stack excepts."""
    excepted = {("namespace-restricted", "langgraph-monitoring-namespace")}
    found = report(resources, environment).findings
    return {each.rule for each in found if (each.rule, each.resource) not in excepted}


def changed(resources: list[Resource], name: str, type_: str, path: str, value: Any) -> list[Resource]:
    """The stack with another value in one resource: `DELETE` for none, or what a function makes of it."""
    hits = [each for each in resources if each.name == name and each.type.endswith(type_)]
    assert len(hits) == 1, f"{len(hits)} resources are {type_} {name}"
    other = replace(hits[0], inputs=_with(hits[0].inputs, path.split("."), value))
    return [other if each is hits[0] else each for each in resources]


DELETE = object()


def _with(inputs: Any, path: list[str], value: Any) -> Any:
    copy = deepcopy(dict(inputs))
    holder: Any = copy
    for step in path[:-1]:
        holder = holder[int(step)] if step.isdigit() else holder[step]
    last = path[-1]
    if value is DELETE:
        del holder[last]
    elif callable(value):
        holder[last] = value(holder[last])
    else:
        holder[int(last) if last.isdigit() else last] = value
    return copy


def rewritten(**changes: Any):
    """A policy's text with another value in its first statement."""

    def rewrite(text: str) -> str:
        document = json.loads(text)
        document["Statement"][0].update(changes)
        return json.dumps(document)

    return rewrite


def without_conditions(text: str) -> str:
    document = json.loads(text)
    for statement in document["Statement"]:
        statement.pop("Condition", None)
    return json.dumps(document)


API, MIGRATION, RETENTION = (f"langgraph-workload-{name}" for name in ("api", "migration", "retention"))
POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.0"
EKS, RDS, REDIS = ":Cluster", "rds/instance:Instance", ":ReplicationGroup"
FILES = "langgraph-attachments"

CHANGES: dict[str, tuple[str, str, str, Any]] = {
    "balancer-deletion-protection": (
        "langgraph-edge-alb",
        ":LoadBalancer",
        "enableDeletionProtection",
        False,
    ),
    "balancer-strict": ("langgraph-edge-alb", ":LoadBalancer", "dropInvalidHeaderFields", False),
    "balancer-tls": ("langgraph-edge-http", ":Listener", "defaultActions.0.redirect.protocol", "HTTP"),
    "bucket-owner": (f"{FILES}-owner", ":BucketOwnershipControls", "rule.objectOwnership", "ObjectWriter"),
    "bucket-own-key": (
        f"{FILES}-encryption",
        ":BucketServerSideEncryptionConfiguration",
        "rules.0.applyServerSideEncryptionByDefault.sseAlgorithm",
        "AES256",
    ),
    "bucket-private": (f"{FILES}-private", ":BucketPublicAccessBlock", "blockPublicAcls", False),
    "bucket-tls": (f"{FILES}-tls", ":BucketPolicy", "policy", without_conditions),
    "bucket-versions": (
        f"{FILES}-versions",
        ":BucketVersioning",
        "versioningConfiguration.status",
        "Suspended",
    ),
    "cache-backed-up": ("langgraph-cache", REDIS, "snapshotRetentionLimit", 0),
    "cache-failover": ("langgraph-cache", REDIS, "multiAzEnabled", False),
    "cache-login": ("langgraph-cache", REDIS, "userGroupIds", DELETE),
    "cache-own-key": ("langgraph-cache", REDIS, "kmsKeyId", DELETE),
    "cache-private": ("langgraph-cache", REDIS, "subnetGroupName", DELETE),
    "cache-tls": ("langgraph-cache", REDIS, "transitEncryptionEnabled", False),
    "charts-pinned": ("langgraph-secrets-operator", ":Release", "version", DELETE),
    "cluster-access": (
        "langgraph-cluster-eks",
        EKS,
        "accessConfig.bootstrapClusterCreatorAdminPermissions",
        True,
    ),
    "cluster-deletion-protection": ("langgraph-cluster-eks", EKS, "deletionProtection", False),
    "cluster-endpoint": ("langgraph-cluster-eks", EKS, "vpcConfig.endpointPublicAccess", True),
    "cluster-logs": ("langgraph-cluster-eks", EKS, "enabledClusterLogTypes", ["api", "audit"]),
    "cluster-secrets-own-key": ("langgraph-cluster-eks", EKS, "encryptionConfig.resources", []),
    "database-backed-up": ("langgraph-database", RDS, "backupRetentionPeriod", 0),
    "database-backed-up-for-a-week": ("langgraph-database", RDS, "backupRetentionPeriod", 3),
    "database-deletion-protection": ("langgraph-database", RDS, "deletionProtection", False),
    "database-final-snapshot": ("langgraph-database", RDS, "skipFinalSnapshot", True),
    "database-logs": ("langgraph-database", RDS, "enabledCloudwatchLogsExports", DELETE),
    "database-multi-az": ("langgraph-database", RDS, "multiAz", False),
    "database-own-key": ("langgraph-database", RDS, "storageEncrypted", False),
    "database-parameters": ("langgraph-database", RDS, "parameterGroupName", DELETE),
    "database-private": ("langgraph-database", RDS, "publiclyAccessible", True),
    "database-tls": ("langgraph-database-parameters", ":ParameterGroup", "parameters.0.value", "0"),
    "default-group-closed": (
        "langgraph-network-default",
        ":DefaultSecurityGroup",
        "ingress",
        [{"protocol": "-1", "self": True}],
    ),
    "disks-own-key": (
        "langgraph-cluster-node",
        ":LaunchTemplate",
        "blockDeviceMappings.0.ebs.kmsKeyId",
        DELETE,
    ),
    "disruption-budget": ("langgraph-workload-budget", ":PodDisruptionBudget", "spec.minAvailable", "100%"),
    "flow-logs": ("langgraph-network-flow", ":FlowLog", "trafficType", "REJECT"),
    "iam-actions": ("langgraph-server-policy", ":RolePolicy", "policy", rewritten(Action="rds-db:*")),
    "iam-no-administrators": (
        "langgraph-cluster-node-AmazonEKSWorkerNodePolicy",
        ":RolePolicyAttachment",
        "policyArn",
        "arn:aws:iam::aws:policy/AmazonEC2FullAccess",
    ),
    "iam-no-public-principal": (
        "langgraph-encryption-data",
        ":Key",
        "policy",
        rewritten(Principal={"AWS": "*"}),
    ),
    "iam-resources": ("langgraph-secrets-policy", ":RolePolicy", "policy", rewritten(Resource=["*"])),
    "iam-trust": ("langgraph-server-role", ":Role", "assumeRolePolicy", without_conditions),
    "image-by-digest": (API, ":Deployment", f"{CONTAINER}.image", "agents:1.2.3"),
    "key-deletion-window": ("langgraph-encryption-data", ":Key", "deletionWindowInDays", 7),
    "key-rotation": ("langgraph-encryption-data", ":Key", "enableKeyRotation", False),
    "logs-kept": ("langgraph-cluster-logs", ":LogGroup", "retentionInDays", DELETE),
    "logs-kept-a-year": ("langgraph-cluster-logs", ":LogGroup", "retentionInDays", 30),
    "logs-own-key": ("langgraph-cluster-logs", ":LogGroup", "kmsKeyId", DELETE),
    "namespace-restricted": ("langgraph-workload-namespace", ":Namespace", "metadata.labels", {}),
    "network-default-deny": (
        "langgraph-workload-policy-default-deny",
        ":NetworkPolicy",
        "spec.podSelector",
        {"matchLabels": {"app": "another"}},
    ),
    "network-policy-narrow": (
        "langgraph-workload-policy-agent-server-from-balancer",
        ":NetworkPolicy",
        "spec.ingress.0.from",
        DELETE,
    ),
    "nodes-metadata": (
        "langgraph-cluster-node",
        ":LaunchTemplate",
        "metadataOptions.httpPutResponseHopLimit",
        2,
    ),
    "nodes-no-ssh": ("langgraph-cluster-nodes", ":NodeGroup", "remoteAccess", {"ec2SshKey": "mine"}),
    "nodes-tagged": ("langgraph-cluster-node", ":LaunchTemplate", "tagSpecifications.0.tags.project", DELETE),
    "open-ports": ("langgraph-edge-in-443-0", ":SecurityGroupIngressRule", "toPort", 8443),
    "pod-probes": (API, ":Deployment", f"{CONTAINER}.livenessProbe", DELETE),
    "pod-read-only": (MIGRATION, ":Job", f"{CONTAINER}.securityContext.readOnlyRootFilesystem", False),
    "pod-resources": (
        RETENTION,
        ":CronJob",
        f"spec.jobTemplate.{CONTAINER}.resources.limits.memory",
        DELETE,
    ),
    "pod-restricted": (API, ":Deployment", f"{CONTAINER}.securityContext.privileged", True),
    "pod-without-token": (API, ":Deployment", f"{POD}.automountServiceAccountToken", True),
    "provider-account": ("aws", "providers:aws", "allowedAccountIds", DELETE),
    "provider-tags": ("aws", "providers:aws", "defaultTags", '{"tags": {"stack": "prod"}}'),
    "rbac-narrow": ("langgraph-monitoring-dashboards", ":ClusterRole", "rules.0.resources", ["*"]),
    "registry-immutable": ("langgraph-image-repository", ":Repository", "imageTagMutability", "MUTABLE"),
    "registry-own-key": (
        "langgraph-image-repository",
        ":Repository",
        "encryptionConfigurations.0.encryptionType",
        "AES256",
    ),
    "registry-scans": (
        "langgraph-image-repository",
        ":Repository",
        "imageScanningConfiguration.scanOnPush",
        False,
    ),
    "secret-own-key": ("langgraph-cache-login", "secret:Secret", "kmsKeyId", DELETE),
    "secret-recovery": ("langgraph-cache-login", "secret:Secret", "recoveryWindowInDays", 0),
    "secret-store-limited": ("langgraph-secrets-store", ":ClusterSecretStore", "spec.conditions", DELETE),
    "secrets-not-in-the-clear": (
        "langgraph-workload-settings",
        ":ConfigMap",
        "data.OPENAI_API_KEY",
        "sk-proj-0123456789abcdefghij",
    ),
    "service-internal": ("langgraph-workload-service", ":Service", "spec.type", "NodePort"),
    "subnets-private": ("langgraph-network-data-1", ":Subnet", "mapPublicIpOnLaunch", True),
    "volumes-own-key": ("langgraph-cluster-gp3", ":StorageClass", "parameters.encrypted", "false"),
    "volumes-tagged": ("langgraph-cluster-gp3", ":StorageClass", "parameters.tagSpecification_1", DELETE),
}
"""Of the prod stack, by the rule that must find it, and no other: resource, type, property, value."""

GONE: dict[str, tuple[str, str]] = {
    "bucket-owner": (f"{FILES}-owner", ":BucketOwnershipControls"),
    "bucket-own-key": (f"{FILES}-encryption", ":BucketServerSideEncryptionConfiguration"),
    "bucket-private": (f"{FILES}-private", ":BucketPublicAccessBlock"),
    "bucket-tls": (f"{FILES}-tls", ":BucketPolicy"),
    "bucket-versions": (f"{FILES}-versions", ":BucketVersioning"),
    "default-group-closed": ("langgraph-network-default", ":DefaultSecurityGroup"),
    "disruption-budget": ("langgraph-workload-budget", ":PodDisruptionBudget"),
    "flow-logs": ("langgraph-network-flow", ":FlowLog"),
    "nat-in-every-zone": ("langgraph-network-nat-2", ":NatGateway"),
    "network-default-deny": ("langgraph-workload-policy-default-deny", ":NetworkPolicy"),
    "open-only-at-the-balancer": ("langgraph-edge-alb", ":LoadBalancer"),
}
"""The same where the resource is not there at all."""

OTHERWISE = {
    "data-isolated",
    "iam-no-users",
    "outputs-without-secrets",
    "provider-named",
    "rbac-bound-narrowly",
    "state-protected",
}
"""Rules with a test of their own below: what breaks them is no property's value."""


def test_the_stack_keeps_every_rule_none_is_undecided_and_no_exception_idle(recording):
    assert [str(each) for each in policy_report(recording).findings] == []


def test_every_rule_is_broken_once_on_the_real_stack():
    assert CHANGES.keys() | GONE.keys() | OTHERWISE == {rule.name for rule in RULES}


@pytest.mark.parametrize("rule", sorted(CHANGES))
def test_one_changed_property_breaks_the_rule_for_it_and_no_other(rule, prod):
    assert broken(changed(prod, *CHANGES[rule])) == {rule}


@pytest.mark.parametrize("rule", sorted(GONE))
def test_what_is_missing_breaks_the_rule_for_it_and_no_other(rule, prod):
    name, type_ = GONE[rule]
    left = [each for each in prod if not (each.name == name and each.type.endswith(type_))]
    assert len(left) == len(prod) - 1
    assert broken(left) == {rule}


@pytest.mark.parametrize(
    "type_", ["rds/instance:Instance", "kms/key:Key", "s3/bucket:Bucket", "eks/cluster:Cluster"]
)
def test_what_holds_data_and_is_not_protected_is_found(type_, prod):
    loose = [replace(each, protect=each.protect and not each.type.endswith(type_)) for each in prod]
    assert broken(loose) == {"state-protected"}


def test_a_resource_with_the_default_provider_is_found(prod):
    loose = [replace(each, provider=None) if each.name == "langgraph-database" else each for each in prod]
    assert broken(loose) == {"provider-named"}


def test_data_subnets_with_a_way_to_the_internet_are_found(prod):
    """The route of the private subnets, now of the table of the data subnets."""
    table = next(
        each for each in prod if each.name == "langgraph-network-data" and each.type.endswith(":RouteTable")
    )
    routes = [
        replace(each, references={**each.references, "routeTableId": (table.urn,)})
        if each.type.endswith("route:Route") and each.name == "langgraph-network-private-1"
        else each
        for each in prod
    ]
    assert broken(routes) == {"data-isolated"}


def test_a_binding_to_cluster_admin_and_an_access_key_are_found(prod):
    binding = {"roleRef": {"name": "cluster-admin"}, "subjects": [{"name": "server"}]}
    of_kubernetes = next(
        each for each in prod if each.type.endswith("rbac.authorization.k8s.io/v1:ClusterRole")
    )
    admin = replace(
        of_kubernetes, type="kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", inputs=binding
    )
    of_aws = next(each for each in prod if each.type == "aws:iam/role:Role")
    key = replace(of_aws, type="aws:iam/accessKey:AccessKey", inputs={"user": "ci"})
    assert broken([*prod, admin, key]) == {"rbac-bound-narrowly", "iam-no-users"}


def test_an_output_that_is_a_secret_is_found(prod):
    found = report(prod, "dev", outputs={"url": "https://x", "database_password": "hunter2"}).findings
    assert [each.rule for each in found if each.rule.startswith("outputs")] == ["outputs-without-secrets"]


def test_a_stack_whose_kind_is_not_known_is_held_to_the_rules_of_prod(prod):
    single = changed(prod, "langgraph-database", RDS, "multiAz", False)
    assert broken(single, "my-new-stack") == {"database-multi-az"}
    assert broken(single, "dev") == set()
