"""Buckets, and the registry of images."""

from collections.abc import Iterator

from langgraph_policy.model import Fault, Faults, Resource, Stack, of_resource, of_stack
from langgraph_policy.reading import must_be, must_be_on, must_have_own_key
from langgraph_policy.rules.iam import listed, statements
from langgraph_policy.values import Node, is_true

BUCKETS = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
REPOSITORY = "aws:ecr/repository:Repository"


def _beside(stack: Stack, bucket: Resource, type_: str) -> list[Resource]:
    """The resources of a type that are about this bucket: by reference, or by its name."""
    name = bucket.root.at("bucket")
    return [
        each
        for each in stack.of(type_, _older(type_))
        if each.refers("bucket", bucket) or (isinstance(name, str) and each.root.at("bucket") == name)
    ]


def _older(type_: str) -> str:
    """The token of a type in the provider's sixth version: `aws:s3/bucketVersioningV2:BucketVersioningV2`."""
    return f"{type_.replace(':Bucket', 'V2:Bucket')}V2"


def _buckets(stack: Stack, type_: str) -> Iterator[tuple[Resource, Resource | None]]:
    for bucket in stack.of(*BUCKETS):
        yield bucket, next(iter(_beside(stack, bucket, type_)), None)


@of_stack()
def bucket_private(stack: Stack) -> Faults:
    """No bucket can be made public.

    Why: one wrong policy or object, years later, publishes what users handed in.

    Fix: a BucketPublicAccessBlock for the bucket with all four settings true.
    """
    for bucket, block in _buckets(stack, BLOCK):
        keys = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        if block is None:
            yield Fault("it has no BucketPublicAccessBlock", bucket)
        elif missing := [key for key in keys if not is_true(block.root.seen(key))]:
            yield Fault(f"{', '.join(missing)} is not true", block)


@of_stack()
def bucket_own_key(stack: Stack) -> Faults:
    """A bucket is encrypted with a KMS key of ours.

    Why: with S3's own key whoever may read the object may read its content; with ours a second permission is
    needed.

    Fix: a BucketServerSideEncryptionConfiguration with sseAlgorithm: aws:kms and kmsMasterKeyId.
    """
    for bucket, encryption in _buckets(stack, ENCRYPTION):
        if encryption is None:
            yield Fault("it has no BucketServerSideEncryptionConfiguration", bucket)
            continue
        for rule in encryption.root.each("rules"):
            default = rule.part("applyServerSideEncryptionByDefault")
            found = [*must_be(default, "sseAlgorithm", "aws:kms", "aws:kms:dsse")]
            found += must_have_own_key(default, "kmsMasterKeyId")
            yield from (Fault(each.text, encryption, undecided=each.undecided) for each in found)


@of_stack()
def bucket_tls(stack: Stack) -> Faults:
    """A bucket refuses requests without TLS.

    Why: S3 answers plain HTTP unless it is told not to.

    Fix: a BucketPolicy with a Deny where aws:SecureTransport is false.
    """
    for bucket, policy in _buckets(stack, POLICY):
        if policy is None or not any(map(_refuses_plain_text, statements(policy, "policy"))):
            yield Fault("no policy refuses requests without TLS", policy or bucket)


def _refuses_plain_text(statement: Node) -> bool:
    refused = statement.at("Condition.Bool")
    return (
        statement.at("Effect") == "Deny"
        and {"s3:*", "*"} & set(listed(statement, "Action")) != set()
        and statement.at("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
        # with another condition beside it would be refused at times
        and set(statement.mapping("Condition")) == {"Bool"}
        and isinstance(refused, dict)
        and len(refused) == 1  # pyright: ignore[reportUnknownArgumentType]  # any JSON
        and str(refused.get("aws:SecureTransport")).lower() == "false"  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]  # any JSON
    )


@of_stack()
def bucket_owner(stack: Stack) -> Faults:
    """A bucket has no access lists: all in it belongs to the account.

    Why: an access list on one object is seen by no policy and no review.

    Fix: BucketOwnershipControls with objectOwnership: BucketOwnerEnforced.
    """
    for bucket, controls in _buckets(stack, OWNERSHIP):
        if controls is None:
            yield Fault("it has no BucketOwnershipControls", bucket)
            continue
        for fault in must_be(controls.root, "rule.objectOwnership", "BucketOwnerEnforced"):
            yield Fault(fault.text, controls, undecided=fault.undecided)


@of_stack(strict_only=True)
def bucket_versions(stack: Stack) -> Faults:
    """In prod, what is overwritten or deleted in a bucket can be had back for a while.

    Why: there is no other backup of attachments.

    Fix: BucketVersioning with status: Enabled, and a lifecycle rule that ends old versions.
    """
    for bucket, versioning in _buckets(stack, VERSIONING):
        if versioning is None:
            yield Fault("it has no BucketVersioning", bucket)
            continue
        for fault in must_be(versioning.root, "versioningConfiguration.status", "Enabled"):
            yield Fault(fault.text, versioning, undecided=fault.undecided)


@of_resource(REPOSITORY)
def registry_immutable(resource: Resource) -> Faults:
    """A tag in the registry is never moved.

    Why: what was reviewed and scanned under a name is what runs under it.

    Fix: imageTagMutability: IMMUTABLE.
    """
    yield from must_be(resource.root, "imageTagMutability", "IMMUTABLE")


@of_resource(REPOSITORY)
def registry_scans(resource: Resource) -> Faults:
    """The registry scans what is pushed.

    Why: known holes in the image are found before it runs.

    Fix: imageScanningConfiguration with scanOnPush: true.
    """
    yield from must_be_on(resource.root, "imageScanningConfiguration.scanOnPush")


@of_resource(REPOSITORY)
def registry_own_key(resource: Resource) -> Faults:
    """Images are encrypted with a KMS key of ours.

    Why: they hold your graphs and prompts.

    Fix: encryptionConfigurations with encryptionType: KMS and kmsKey.
    """
    configurations = list(resource.root.each("encryptionConfigurations"))
    if not configurations:
        yield Fault("encryptionConfigurations is not set")
    for each in configurations:
        yield from must_be(each, "encryptionType", "KMS", "KMS_DSSE")
        yield from must_have_own_key(each, "kmsKey")
