"""Which change replaces a stateful resource, that is: loses what it holds, or all that hangs on it.

The SDK does not carry this; it is in the providers' own sources, read on the day of `CHECKED`:

- hashicorp/terraform-provider-aws, `ForceNew` in internal/service: rds/instance.go,
  elasticache/replication_group.go, eks/cluster.go, kms/key.go, ec2/vpc_.go and vpc_subnet.go, s3/bucket.go,
  ecr/repository.go, secretsmanager/secret.go. The `identifier` of a database changes in place (#32687).
- pulumi/pulumi-kubernetes, provider/pkg/provider/diff.go and provider_diffconfig_test.go.

A type that is not here may be replaced too: `pulumi preview` knows.
"""

from dataclasses import dataclass
from typing import Literal

from lgp.planning.paths import Difference, within

CHECKED = "2026-11-23"

Effect = Literal["", "ignored", "may replace", "replaces"]


@dataclass(frozen=True)
class Rule:
    """What happens to resources of one type."""

    replaces: tuple[str, ...]
    """Paths whose change replaces it, always."""
    perhaps: tuple[str, ...] = ()
    """Paths whose change replaces it under a condition that a plan cannot see."""


_NAMED = ("metadata.name", "metadata.namespace")

RULES: dict[str, Rule] = {
    "aws:rds/instance:Instance": Rule(
        (
            *(
                "availabilityZone",
                "characterSetName",
                "dbName",
                "engine",
                "kmsKeyId",
                "ncharCharacterSetName",
            ),
            *(
                "restoreToPointInTime",
                "s3Import",
                "snapshotIdentifier",
                "storageEncrypted",
                "timezone",
                "username",
            ),
        ),
        ("region", "replicateSourceDb"),
    ),
    "aws:elasticache/replicationGroup:ReplicationGroup": Rule(
        (
            *("atRestEncryptionEnabled", "dataTieringEnabled", "globalReplicationGroupId", "kmsKeyId"),
            *("networkType", "port", "replicationGroupId", "snapshotArns", "snapshotName", "subnetGroupName"),
        ),
        # an older engine, an older version, TLS before 7.0.5
        ("engine", "engineVersion", "nodeGroupConfigurations", "region", "transitEncryptionEnabled"),
    ),
    "aws:eks/cluster:Cluster": Rule(
        (
            "accessConfig.bootstrapClusterCreatorAdminPermissions",
            *("bootstrapSelfManagedAddons", "name", "outpostConfig", "remoteNetworkConfig", "roleArn"),
            "kubernetesNetworkConfig.ipFamily",
            "kubernetesNetworkConfig.serviceIpv4Cidr",
        ),
        # once given: another role, or none
        ("computeConfig.nodeRoleArn", "encryptionConfig", "region"),
    ),
    "aws:kms/key:Key": Rule(
        ("customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"), ("region",)
    ),
    "aws:ec2/vpc:Vpc": Rule(
        ("cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"), ("instanceTenancy", "region")
    ),
    "aws:ec2/subnet:Subnet": Rule(
        (
            *("availabilityZone", "availabilityZoneId", "cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"),
            *("ipv6IpamPoolId", "ipv6Native", "ipv6NetmaskLength", "outpostArn", "vpcId"),
        ),
        ("ipv6CidrBlock", "region"),
    ),
    "aws:s3/bucket:Bucket": Rule(("bucket", "bucketPrefix"), ("objectLockEnabled", "region")),
    "aws:ecr/repository:Repository": Rule(("encryptionConfigurations", "name"), ("region",)),
    "aws:secretsmanager/secret:Secret": Rule(("name", "namePrefix"), ("region",)),
    "pulumi:providers:aws": Rule((), ("region",)),
    # all of its objects with it; with a clusterIdentifier, the connection alone replaces nothing
    "pulumi:providers:kubernetes": Rule(("clusterIdentifier",)),
    "kubernetes:core/v1:Namespace": Rule(("metadata.name",)),
    "kubernetes:core/v1:PersistentVolumeClaim": Rule((*_NAMED, "spec")),
    "kubernetes:apps/v1:StatefulSet": Rule(
        (
            *_NAMED,
            *("spec.podManagementPolicy", "spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"),
        )
    ),
}


NOUNS: dict[str, str] = {
    "aws:rds/instance:Instance": "database",
    "aws:elasticache/replicationGroup:ReplicationGroup": "cache",
    "aws:eks/cluster:Cluster": "cluster",
    "aws:kms/key:Key": "key",
    "aws:ec2/vpc:Vpc": "network",
    "aws:ec2/subnet:Subnet": "subnet",
    "aws:s3/bucket:Bucket": "bucket",
    "aws:ecr/repository:Repository": "image registry",
    "aws:secretsmanager/secret:Secret": "secret",
    "pulumi:providers:aws": "provider of all AWS resources",
    "pulumi:providers:kubernetes": "provider of all Kubernetes objects",
    "kubernetes:core/v1:Namespace": "namespace",
    "kubernetes:core/v1:PersistentVolumeClaim": "volume",
    "kubernetes:apps/v1:StatefulSet": "stateful set",
}
"""What people call the stateful types."""


def is_stateful(type_: str) -> bool:
    """Whether losing a resource of this type loses data, or all that hangs on it."""
    return type_ in RULES


def effect_of(type_: str, difference: Difference, ignored: tuple[str, ...] = ()) -> Effect:
    """What the engine would do about one difference of a resource."""
    if any(within(difference.path, path) for path in ignored):
        return "ignored"
    rule = RULES.get(type_)
    if rule is None:
        return ""
    if any(within(difference.path, path) for path in rule.replaces):
        return "replaces"
    return "may replace" if any(within(difference.path, path) for path in rule.perhaps) else ""


def replacing_inputs(type_: str) -> set[str]:
    """The inputs, by their first step, that replace a resource when what they are made of is replaced."""
    rule = RULES.get(type_)
    return {path.partition(".")[0] for path in rule.replaces} if rule else set()
