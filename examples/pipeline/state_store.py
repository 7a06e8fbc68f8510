"""Pulumi's state: a bucket that keeps every version, its key, and a key for the secrets of each stack."""

import json
from typing import Any

import pulumi
from pulumi_aws import kms, s3

_KEPT_DAYS = 90
"""Days that an older state can be restored."""


class StateStore(pulumi.ComponentResource):
    """A private bucket under a key of its own; both are protected: without them no stack can be changed.

    The secrets in a stack's file are in the repository, for all to read who have its key: with one key for
    all stacks a preview of dev could read those of prod.
    """

    def __init__(self, name: str, bucket: str, account_id: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("pipelines:index:StateStore", name, {}, opts)
        self.name, self._name, self._account_id = bucket, name, account_id
        kept = pulumi.ResourceOptions(parent=self, protect=True)
        key = self._key(f"{name}-key", "Pulumi's state")
        self.key_arn: pulumi.Output[str] = key.arn
        made = s3.Bucket(f"{name}-bucket", bucket=bucket, opts=kept)
        self._close(name, made)
        self._keep(name, made, key)
        self.register_outputs({})

    def secrets_key(self, stack: str) -> pulumi.Output[str]:
        """ARN of the key of one stack's secrets: in its state, and in its file in the repository."""
        return self._key(f"{self._name}-{stack}-secrets", f"Pulumi's secrets of {stack}").arn

    def _key(self, name: str, description: str) -> kms.Key:
        return kms.Key(
            name,
            description=description,
            enable_key_rotation=True,
            policy=json.dumps(_key_policy(self._account_id)),
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )

    def _close(self, name: str, bucket: s3.Bucket) -> None:
        """Nobody from outside, no other owner, no plaintext."""
        child = pulumi.ResourceOptions(parent=self)
        private = s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        s3.BucketOwnershipControls(
            f"{name}-owner",
            bucket=bucket.bucket,
            rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=child,
        )
        s3.BucketPolicy(
            f"{name}-tls",
            bucket=bucket.bucket,
            policy=pulumi.Output.json_dumps(_tls_only(bucket.arn)),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[private]),
        )

    def _keep(self, name: str, bucket: s3.Bucket, key: kms.Key) -> None:
        """Encrypted, and every version for a while."""
        child = pulumi.ResourceOptions(parent=self)
        default = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms", kms_master_key_id=key.arn
        )
        s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.bucket,
            rules=[
                s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=default, bucket_key_enabled=True
                )
            ],
            opts=child,
        )
        versions = s3.BucketVersioning(
            f"{name}-versions",
            bucket=bucket.bucket,
            versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=child,
        )
        expiry = s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=_KEPT_DAYS
        )
        s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.bucket,
            rules=[
                s3.BucketLifecycleConfigurationRuleArgs(
                    id="older",
                    status="Enabled",
                    filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    noncurrent_version_expiration=expiry,
                )
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versions]),
        )


_ADMINISTRATION = """
CancelKeyDeletion CreateGrant Decrypt DescribeKey DisableKey EnableKey EnableKeyRotation Encrypt
GenerateDataKey* GetKeyPolicy GetKeyRotationStatus ListGrants ListKeyPolicies ListResourceTags PutKeyPolicy
ReEncrypt* RevokeGrant ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription
"""


def _key_policy(account_id: str) -> dict[str, Any]:
    """The account's IAM policies say who may use it."""
    statement = {
        "Sid": "AccountGoverns",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
        "Action": [f"kms:{action}" for action in _ADMINISTRATION.split()],
        "Resource": ["*"],
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _tls_only(arn: pulumi.Output[str]) -> dict[str, Any]:
    statement = {
        "Sid": "NoPlaintext",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, pulumi.Output.format("{0}/*", arn)],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
