"""PostgreSQL at RDS."""

from langgraph_policy.model import Fault, Faults, Resource, of_resource
from langgraph_policy.reading import (
    must_be_on,
    must_be_set,
    must_have_own_key,
    must_not_be_on,
    must_reach,
    undecided,
)
from langgraph_policy.values import Hidden, is_true, shown

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
CLUSTER_INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
CLUSTER_PARAMETERS = "aws:rds/clusterParameterGroup:ClusterParameterGroup"
WEEK = 7
"""Days."""


def _is_replica(resource: Resource) -> bool:
    """Its data is another instance's, which is backed up and protected itself."""
    return resource.root.at("replicateSourceDb") is not None


@of_resource(INSTANCE, CLUSTER_INSTANCE)
def database_private(resource: Resource) -> Faults:
    """A database has no public address.

    Why: its password, or a hole in PostgreSQL, would be all that is between the internet and every run and
    checkpoint.

    Fix: publiclyAccessible: false, in subnets without a way to the internet; people reach it through the
    cluster.
    """
    yield from must_not_be_on(resource.root, "publiclyAccessible")


@of_resource(INSTANCE, CLUSTER)
def database_own_key(resource: Resource) -> Faults:
    """A database, its master password and its Performance Insights are encrypted with a KMS key of ours.

    Why: with AWS's own key nobody can take access away, see its use in CloudTrail by role, or share a
    snapshot safely.

    Fix: storageEncrypted: true with kmsKeyId, and the same key as masterUserSecretKmsKeyId and
    performanceInsightsKmsKeyId.
    """
    root = resource.root
    yield from must_be_on(root, "storageEncrypted")
    if not _is_replica(resource) or root.at("kmsKeyId") is not None:
        yield from must_have_own_key(root, "kmsKeyId")
    if is_true(root.seen("manageMasterUserPassword")):
        yield from must_have_own_key(root, "masterUserSecretKmsKeyId")
    if is_true(root.seen("performanceInsightsEnabled")):
        yield from must_have_own_key(root, "performanceInsightsKmsKeyId")


@of_resource(PARAMETERS, CLUSTER_PARAMETERS)
def database_tls(resource: Resource) -> Faults:
    """A database refuses connections without TLS.

    Why: a client that forgets sslmode=verify-full would send its password and every document in the clear.

    Fix: the parameter rds.force_ssl: 1 in the parameter group.
    """
    family = resource.root.at("family")
    if isinstance(family, str) and "postgres" not in family:
        return
    found = [(node.seen("name"), node.at("value")) for node in resource.root.each("parameters")]
    value = next((value for name, value in found if name == "rds.force_ssl"), None)
    if isinstance(value, Hidden):
        yield undecided("parameters")
    elif str(value) not in {"1", "1.0"}:
        yield Fault(f"rds.force_ssl is {shown(value)}, not 1")


@of_resource(INSTANCE, CLUSTER)
def database_parameters(resource: Resource) -> Faults:
    """A database has a parameter group of its own.

    Why: AWS's default group cannot be changed, so TLS is not enforced by us and slow statements are not
    logged.

    Fix: parameterGroupName (dbClusterParameterGroupName of a cluster): a group with rds.force_ssl and
    log_min_duration_statement.
    """
    key = "parameterGroupName" if resource.type == INSTANCE else "dbClusterParameterGroupName"
    yield from must_be_set(resource.root, key)
    name = resource.root.at(key)
    if isinstance(name, str) and name.startswith("default."):
        yield Fault(f"{key} is {name}, which AWS keeps")


@of_resource(INSTANCE, CLUSTER)
def database_backed_up(resource: Resource) -> Faults:
    """A database has automatic backups.

    Why: without them there is no way back from a wrong migration or a deleted thread, not even in dev.

    Fix: backupRetentionPeriod: 1 or more days.
    """
    if not _is_replica(resource):
        yield from must_reach(resource.root, "backupRetentionPeriod", 1)


@of_resource(INSTANCE, CLUSTER, strict_only=True)
def database_backed_up_for_a_week(resource: Resource) -> Faults:
    """In prod, backups of a database reach back a week.

    Why: damage that is done on a Friday evening is found on Monday.

    Fix: database.backup_days: 7 or more.
    """
    days = resource.root.at("backupRetentionPeriod")
    if not _is_replica(resource) and days:
        yield from must_reach(resource.root, "backupRetentionPeriod", WEEK)


@of_resource(INSTANCE, strict_only=True)
def database_multi_az(resource: Resource) -> Faults:
    """In prod, a database has a standby in another zone.

    Why: else the loss of a zone, and every minor upgrade, is an outage of all agents for minutes to hours.

    Fix: database.multi_az: true.
    """
    if not _is_replica(resource):
        yield from must_be_on(resource.root, "multiAz")


@of_resource(INSTANCE, CLUSTER, strict_only=True)
def database_deletion_protection(resource: Resource) -> Faults:
    """In prod, AWS refuses to delete the database.

    Why: Pulumi's protection does not hold in the console, or for whoever has the state; AWS's does.

    Fix: database.deletion_protection: true.
    """
    if not _is_replica(resource):
        yield from must_be_on(resource.root, "deletionProtection")


@of_resource(INSTANCE, CLUSTER, strict_only=True)
def database_final_snapshot(resource: Resource) -> Faults:
    """In prod, a database that is deleted leaves a snapshot.

    Why: automatic backups may go with the instance; the last snapshot is what a mistake can be undone with.

    Fix: database.final_snapshot: true.
    """
    if not _is_replica(resource):
        yield from must_not_be_on(resource.root, "skipFinalSnapshot")
        yield from must_be_set(resource.root, "finalSnapshotIdentifier")


@of_resource(INSTANCE, CLUSTER)
def database_logs(resource: Resource) -> Faults:
    """A database's log goes to CloudWatch.

    Why: it is lost with the instance otherwise, and with it who logged in and what was slow.

    Fix: enabledCloudwatchLogsExports with postgresql.
    """
    if "postgresql" not in resource.root.values("enabledCloudwatchLogsExports"):
        yield Fault("enabledCloudwatchLogsExports has no postgresql")
