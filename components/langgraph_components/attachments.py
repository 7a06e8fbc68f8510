"""A private bucket for what users attach to their runs."""

from typing import Optional

import pulumi
from pulumi_aws import s3
from pydantic import Field

from langgraph_components.args import Args, Defaulted, In
from langgraph_components.physical_names import of_stack
from langgraph_components.pure import data_policies
from langgraph_components.pure import iam as policies

_NAME_LIMIT = 63


class AttachmentsSettings(Args):
    """How long attachments are kept."""

    prefix: Defaulted[str] = Field(default="attachments/", pattern=r"^[A-Za-z0-9_.-]+/$")
    """Keys below this can be listed by the application; it should store nothing elsewhere."""

    expire_days: Defaulted[int] = Field(default=0, ge=0)
    """Days after which an attachment is deleted. 0 keeps it: who deletes a thread deletes its attachments."""

    noncurrent_days: Defaulted[int] = Field(default=30, ge=1)
    """Days that a deleted or replaced attachment can be restored. 30: time to notice."""

    abort_days: Defaulted[int] = Field(default=7, ge=1)
    """Days after which the parts of an unfinished upload are deleted. 7; they cost, and nobody sees them."""

    force_destroy: Defaulted[bool] = False
    """Whether the bucket is deleted with all that is in it. Off: deleting one that holds something fails."""

    protect: Defaulted[bool] = False
    """Whether Pulumi refuses to delete the bucket. Off: a stack that holds nothing yet can be destroyed."""


class AttachmentsArgs(AttachmentsSettings):
    """Whose bucket it is, and how long what is in it is kept."""

    account_id: str = Field(pattern=r"^\d{12}$")
    """AWS account of the bucket, 12 digits: it is part of the name, which is unique in the world."""

    region: str
    """AWS region, such as `eu-west-1`: part of the name, and of the policy on the key."""

    data_key_arn: In[str]
    """KMS key of the objects."""


class Attachments(pulumi.ComponentResource):
    """A bucket without a public way in: our key, our owner, TLS only, every version for a while."""

    bucket: pulumi.Output[str]
    """Name of the bucket."""
    arn: pulumi.Output[str]
    """ARN of the bucket."""
    access_policy: pulumi.Output[str]
    """Policy, as JSON, that lets a role store, read, list and delete attachments: for `PodIdentity`."""

    def __init__(
        self, name: str, args: AttachmentsArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare the bucket and what guards it."""
        super().__init__("langgraph:index:Attachments", name, {}, opts)
        self._name = name
        self._args = settings = AttachmentsArgs.of(args)
        bucket = s3.Bucket(
            name,
            bucket=self._physical(),
            force_destroy=settings.force_destroy,
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protect, ignore_changes=["bucket"]),
        )
        self.bucket = bucket.bucket
        self.arn = pulumi.Output.format(
            "arn:{0}:s3:::{1}", policies.partition(settings.region), bucket.bucket
        )
        self._close(bucket)
        self._encrypt(bucket)
        self._keep(bucket)
        self.access_policy = pulumi.Output.json_dumps(policies.document(*self.access_statements()))
        self.register_outputs({"bucket": self.bucket, "arn": self.arn, "accessPolicy": self.access_policy})

    def access_statements(self) -> list[policies.Statement]:
        """What the application's role in AWS needs to store, read, list and delete attachments."""
        args = self._args
        return data_policies.attachments_access(
            self.arn, self._objects(), args.data_key_arn, args.region, args.prefix
        )

    def _objects(self) -> pulumi.Output[str]:
        return pulumi.Output.format("{0}/*", self.arn)

    def _physical(self) -> str:
        args = self._args
        return of_stack(self._name, args.account_id, args.region, limit=_NAME_LIMIT)

    def _close(self, bucket: s3.Bucket) -> None:
        """No public access, no object with another owner, no plaintext."""
        child = pulumi.ResourceOptions(parent=self)
        block = s3.BucketPublicAccessBlock(
            f"{self._name}-private",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        s3.BucketOwnershipControls(
            f"{self._name}-owner",
            bucket=bucket.bucket,
            rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=child,
        )
        s3.BucketPolicy(
            f"{self._name}-tls",
            bucket=bucket.bucket,
            policy=pulumi.Output.json_dumps(data_policies.tls_only(self.arn, self._objects())),
            # S3 answers a conflict to two changes of a bucket's access at once
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )

    def _encrypt(self, bucket: s3.Bucket) -> None:
        """With our key, and a key of the bucket below it: one call to KMS for many objects."""
        by_key = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms", kms_master_key_id=self._args.data_key_arn
        )
        s3.BucketServerSideEncryptionConfiguration(
            f"{self._name}-encryption",
            bucket=bucket.bucket,
            rules=[
                s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=by_key, bucket_key_enabled=True
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _keep(self, bucket: s3.Bucket) -> None:
        versions = s3.BucketVersioning(
            f"{self._name}-versions",
            bucket=bucket.bucket,
            versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        s3.BucketLifecycleConfiguration(
            f"{self._name}-lifecycle",
            bucket=bucket.bucket,
            rules=self._rules(),
            # rules on old versions need versions
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versions]),
        )

    def _rules(self) -> list[s3.BucketLifecycleConfigurationRuleArgs]:
        args = self._args
        everything = s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="")
        rules = [
            s3.BucketLifecycleConfigurationRuleArgs(
                id="leftovers",
                status="Enabled",
                filter=everything,
                abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                    days_after_initiation=args.abort_days
                ),
                noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                    noncurrent_days=args.noncurrent_days
                ),
            )
        ]
        if args.expire_days:
            expiration = s3.BucketLifecycleConfigurationRuleExpirationArgs(days=args.expire_days)
        else:
            expiration = s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True)
        rules.append(
            s3.BucketLifecycleConfigurationRuleArgs(
                id="expiry", status="Enabled", filter=everything, expiration=expiration
            )
        )
        return rules
