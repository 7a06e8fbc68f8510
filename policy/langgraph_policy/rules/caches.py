"""Redis and Valkey at ElastiCache."""

from langgraph_policy.model import Fault, Faults, Resource, of_resource
from langgraph_policy.reading import must_be, must_be_on, must_be_set, must_have_own_key, must_reach

CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"


@of_resource(CACHE)
def cache_own_key(resource: Resource) -> Faults:
    """A cache is encrypted at rest with a KMS key of ours.

    Why: its snapshots hold tenants' rate limits and names, and leave the machine.

    Fix: atRestEncryptionEnabled: true and kmsKeyId.
    """
    yield from must_be_on(resource.root, "atRestEncryptionEnabled")
    yield from must_have_own_key(resource.root, "kmsKeyId")


@of_resource(CACHE)
def cache_tls(resource: Resource) -> Faults:
    """A cache speaks TLS and nothing else.

    Why: in the mode `preferred` a client may still send its password in the clear.

    Fix: transitEncryptionEnabled: true and transitEncryptionMode: required.
    """
    yield from must_be_on(resource.root, "transitEncryptionEnabled")
    yield from must_be(resource.root, "transitEncryptionMode", "required", absent="required")


@of_resource(CACHE)
def cache_login(resource: Resource) -> Faults:
    """A cache asks who is there.

    Why: else whatever runs in the VPC reads and flushes it.

    Fix: userGroupIds with a user that may do only what the server needs, or an authToken.
    """
    if not any(resource.root.at(key) for key in ("userGroupIds", "authToken", "authTokenWo")):
        yield Fault("it has neither userGroupIds nor authToken")


@of_resource(CACHE)
def cache_private(resource: Resource) -> Faults:
    """A cache is in subnets that we name.

    Why: without a subnet group it lands in the account's default VPC.

    Fix: subnetGroupName.
    """
    yield from must_be_set(resource.root, "subnetGroupName")


@of_resource(CACHE, strict_only=True)
def cache_failover(resource: Resource) -> Faults:
    """In prod, a cache has a copy in another zone that takes over by itself.

    Why: limits that all pods share would be gone for as long as a node takes to be replaced.

    Fix: two or more nodes (cache.replicas), automaticFailoverEnabled: true and multiAzEnabled: true.
    """
    yield from must_be_on(resource.root, "automaticFailoverEnabled")
    yield from must_be_on(resource.root, "multiAzEnabled")
    if resource.root.at("numNodeGroups") is None:
        yield from must_reach(resource.root, "numCacheClusters", 2)


@of_resource(CACHE, strict_only=True)
def cache_backed_up(resource: Resource) -> Faults:
    """In prod, a cache has a snapshot a day.

    Why: it is made anew without one, and every limit begins at zero at the same moment.

    Fix: snapshotRetentionLimit: 1 or more.
    """
    yield from must_reach(resource.root, "snapshotRetentionLimit", 1)
