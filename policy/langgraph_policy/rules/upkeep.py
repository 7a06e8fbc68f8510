"""Logs, keys, tags, providers, protection: what keeps a stack in order."""

from typing import Any

from langgraph_policy.model import Fault, Faults, Resource, Stack, of_resource, of_stack
from langgraph_policy.reading import must, must_be_on, must_have_own_key, must_reach
from langgraph_policy.values import Hidden, number

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
KEY = "aws:kms/key:Key"
AWS = "pulumi:providers:aws"
STATEFUL = (
    "aws:ec2/vpc:Vpc",
    "aws:ecr/repository:Repository",
    "aws:eks/cluster:Cluster",
    "aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:kms/key:Key",
    "aws:rds/cluster:Cluster",
    "aws:rds/instance:Instance",
    "aws:s3/bucket:Bucket",
    "aws:secretsmanager/secret:Secret",
)
NEED_PROVIDER = frozenset({"aws", "kubernetes"})
"""Packages whose default provider takes what the machine has: its profile, its region, its kube context."""
TAGS = ("project", "stack")
YEAR = 365
"""Days."""


@of_resource(LOG_GROUP)
def logs_kept(resource: Resource) -> Faults:
    """A log is kept for a named time.

    Why: without a retention logs are kept, and paid for, for ever, and personal data with them.

    Fix: retentionInDays: a number of days.
    """
    yield from must(resource.root, "retentionInDays", lambda days: number(days) > 0, "a number of days")


@of_resource(LOG_GROUP, strict_only=True)
def logs_kept_a_year(resource: Resource) -> Faults:
    """In prod, logs are kept for a year.

    Why: an intrusion is found after months, and most audits ask for a year.

    Fix: log_retention_days and flow_log_retention_days: 365 or more.
    """
    days = resource.root.at("retentionInDays")
    if isinstance(days, Hidden) or number(days) > 0:
        yield from must_reach(resource.root, "retentionInDays", YEAR)


@of_resource(LOG_GROUP)
def logs_own_key(resource: Resource) -> Faults:
    """A log is encrypted with a KMS key of ours.

    Why: audit logs say who did what; reading them is a right of its own.

    Fix: kmsKeyId: the ARN of a key of ours.
    """
    yield from must_have_own_key(resource.root, "kmsKeyId")


@of_resource(KEY)
def key_rotation(resource: Resource) -> Faults:
    """A KMS key gets new material every year.

    Why: what one key's material can open stays limited; what is encrypted stays readable.

    Fix: enableKeyRotation: true.
    """
    if resource.root.seen("keyUsage") in (None, "ENCRYPT_DECRYPT"):
        yield from must_be_on(resource.root, "enableKeyRotation")


@of_resource(KEY, strict_only=True)
def key_deletion_window(resource: Resource) -> Faults:
    """In prod, a key that is to be deleted can be had back for a month.

    Why: with the key goes everything it encrypts, backups too.

    Fix: encryption.deletion_window_days: 30.
    """
    yield from must(resource.root, "deletionWindowInDays", lambda days: number(days) >= 30, "30", absent=30)  # noqa: PLR2004  # as the sentence above has it


@of_resource(AWS)
def provider_tags(resource: Resource) -> Faults:
    """The AWS provider gives everything it makes the tags `project` and `stack`.

    Why: bills, alarms and clean-ups are made by tag; what has none belongs to nobody.

    Fix: defaultTags of the provider.
    """
    tags = _default_tags(resource)
    if missing := [tag for tag in TAGS if tag not in tags]:
        yield Fault(f"defaultTags has no {' and no '.join(missing)}")


@of_resource(AWS)
def provider_account(resource: Resource) -> Faults:
    """The AWS provider works in one named account only.

    Why: with the credentials of another account it would build a second prod there, or destroy its namesakes.

    Fix: allowedAccountIds with the account of the stack.
    """
    if resource.root.seen("allowedAccountIds") in (None, "", "[]", []):
        yield Fault("allowedAccountIds is not set")


def _default_tags(provider: Resource) -> dict[str, Any]:
    """A provider's own settings are texts of JSON."""
    return dict(provider.root.document("defaultTags").mapping("tags"))


@of_stack()
def provider_named(stack: Stack) -> Faults:
    """What is made at AWS or in a cluster names its provider.

    Why: the default provider takes the machine's profile, region and kube context: another account, another
    cluster.

    Fix: a provider in the resource's options, or in those of its component.
    """
    for resource in stack.resources:
        package = resource.type.partition(":")[0]
        if resource.custom and package in NEED_PROVIDER and resource.provider is None:
            yield Fault("it names no provider", resource)


@of_resource(*STATEFUL, strict_only=True)
def state_protected(resource: Resource) -> Faults:
    """In prod, the engine refuses to delete or replace what holds data.

    Why: a rename, or a setting that AWS changes by replacement, would take the data along in one `pulumi up`.

    Fix: protect: true of network, encryption, cluster, database, cache, attachments and image.
    """
    if not resource.protect and not resource.root.at("replicateSourceDb"):
        yield Fault("it is not protected")
