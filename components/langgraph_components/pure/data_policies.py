"""Who may reach the data: policies of the application and of the bucket, access strings, generations."""

from collections.abc import Sequence
from typing import Any

from langgraph_components.pure import iam

APPLICATION_ROLE = "langgraph_app"
"""The role in PostgreSQL that serves; the migration creates it."""

CACHE_USER = "langgraph"
"""The one user of the cache that can do anything."""

NOBODY = "off ~nothing -@all"
"""Access string of the cache's user `default`: it cannot log in, and could do nothing."""

_LEAST_RECOVERY_DAYS = 7

_CACHE_COMMANDS = (
    "+@read +@write +@pubsub +@connection +@transaction +eval +evalsha +script -@admin -@dangerous"
)
"""Data, fan-out, wake-ups and the scripts of the rate limits. Not KEYS, FLUSHALL, CONFIG and their like."""


def database_user_arn(region: str, account_id: str, resource_id: str) -> str:
    """The application's role on one instance, as IAM names it: by a resource id of its own."""
    where = f"arn:{iam.partition(region)}:rds-db:{region}:{account_id}"
    return f"{where}:dbuser:{resource_id}/{APPLICATION_ROLE}"


def database_login(user_arns: Sequence[Any]) -> iam.Statement:
    """Log in as exactly these: the application's role on the primary, and on each replica that is read."""
    return iam.allow("DatabaseLogin", ["rds-db:connect"], user_arns)


def slot_generations(generation: int) -> tuple[int, int]:
    """Of the two alternating credentials, the generation that each was made in; the first serves odd ones.

    Raising the generation by one renews the one that did not serve, and leaves the other as it is.
    """
    odd = generation % 2 == 1
    return (generation, generation - 1) if odd else (generation - 1, generation)


def recovery_days(days: int) -> int:
    """The same number, if Secrets Manager keeps a deleted secret so long; with 0 it is gone at once.

    Raises:
        ValueError: says what it admits.
    """
    if 0 < days < _LEAST_RECOVERY_DAYS:
        told = f"should be 0 or {_LEAST_RECOVERY_DAYS} to 30 (got {days})"
        raise ValueError(told)
    return days


def cache_access(key_prefix: str) -> str:
    """Access string of the application: its own keys and channels, and no command that harms others."""
    return f"on ~{key_prefix}* &{key_prefix}* -@all {_CACHE_COMMANDS}"


def attachments_access(
    bucket_arn: Any, objects_arn: Any, key_arn: Any, region: str, prefix: str
) -> list[iam.Statement]:
    """Objects of one bucket, the list of those below `prefix`, and its key as far as S3 uses it."""
    through_s3 = {
        "StringEquals": {
            "kms:ViaService": f"s3.{region}.{iam.dns_suffix(region)}",
            # with a bucket key, the context is the bucket and not the object
            "kms:EncryptionContext:aws:s3:arn": bucket_arn,
        }
    }
    return [
        iam.allow("AttachmentObjects", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [objects_arn]),
        iam.allow(
            "AttachmentList",
            ["s3:ListBucket"],
            [bucket_arn],
            conditions={"StringLike": {"s3:prefix": [f"{prefix}*"]}},
        ),
        iam.allow("AttachmentKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key_arn], conditions=through_s3),
    ]


def tls_only(bucket_arn: Any, objects_arn: Any) -> iam.Policy:
    """Refuse everybody who comes without TLS, or with one older than 1.2."""
    return iam.document(
        _refuse("NoPlaintext", [bucket_arn, objects_arn], {"Bool": {"aws:SecureTransport": "false"}}),
        _refuse("NoOldTls", [bucket_arn, objects_arn], {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    )


def _refuse(sid: str, resources: Sequence[Any], conditions: dict[str, Any]) -> iam.Statement:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": list(resources),
        "Condition": conditions,
    }
