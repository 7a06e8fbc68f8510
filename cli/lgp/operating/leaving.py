"""What goes when a stack goes, and what stays: told before anybody says yes."""

from collections import Counter
from collections.abc import Iterator

from lgp.operating.exported import Exported
from lgp.shapes import an_object

_HOLDS = {
    "aws:rds/instance:Instance": "the database: threads, runs, checkpoints, API keys, audit",
    "aws:s3/bucket:Bucket": "the attachments",
    "aws:ecr/repository:Repository": "the images",
    "aws:eks/cluster:Cluster": "the cluster, with all that others run in it",
    "kubernetes:apps/v1:StatefulSet": "the data of a store in the cluster",
}
"""Types that hold what nobody can make again → what that is."""


def going(exported: Exported) -> list[str]:
    """What is lost, a line each: how much, and what it holds."""
    lines = [f"{len(exported.things)} resources"]
    found = Counter(str(one.get("type")) for one in exported.things)
    return lines + [told for type_, told in _HOLDS.items() if found[type_]]


def staying(exported: Exported) -> list[str]:
    """What is left afterwards, a line each."""
    return [*_snapshots(exported), *_keys(exported), "the settings in the stack's file, and the empty stack"]


def _snapshots(exported: Exported) -> Iterator[str]:
    for one in exported.of("aws:rds/instance:Instance"):
        inputs = an_object(one.get("inputs"))
        if inputs.get("replicateSourceDb"):
            continue
        name = inputs.get("finalSnapshotIdentifier")
        if name and not inputs.get("skipFinalSnapshot"):
            yield f"the final snapshot {name}: only the stack's data key opens it: keep that, or copy it"
        else:
            yield "NO snapshot of the database: database.final_snapshot is off"


def _keys(exported: Exported) -> Iterator[str]:
    for days, number in Counter(
        an_object(one.get("inputs")).get("deletionWindowInDays") for one in exported.of("aws:kms/key:Key")
    ).items():
        yield f"{number} KMS keys, deleted in {days} days: `aws kms cancel-key-deletion` keeps one"
