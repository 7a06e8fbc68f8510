"""Policy documents: least privilege, as data. Equal input gives equal documents."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Statement = dict[str, Any]
Policy = dict[str, Any]

THIS_KEY = ("*",)
"""The only resource a key policy can name: inside it, `*` is the key that bears it."""


def partition(region: str) -> str:
    """`aws`, `aws-cn` or `aws-us-gov`: the first part of every ARN of that region."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def dns_suffix(region: str) -> str:
    """What the hosts of AWS's services end in there, as conditions on `kms:ViaService` name them."""
    return "amazonaws.com.cn" if partition(region) == "aws-cn" else "amazonaws.com"


def document(*statements: Statement) -> Policy:
    """A policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def merged(policies: Sequence[str]) -> str:
    """One policy document, as JSON, with the statements of several; a statement's name stays its own.

    Raises:
        ValueError: none of them allows anything: IAM refuses a policy without statements.
    """
    statements = [one for policy in policies for one in json.loads(policy)["Statement"]]
    if not statements:
        message = "policies: none has a statement: leave the identity out, its pods need nothing of AWS"
        raise ValueError(message)
    return json.dumps(document(*statements))


def allow(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[Any] = (),
    *,
    principal: Mapping[str, Any] | None = None,
    conditions: Mapping[str, Any] | None = None,
) -> Statement:
    """One `Allow`. `resources` is left out of trust policies, which have none."""
    statement: Statement = {"Sid": sid, "Effect": "Allow"}
    if principal is not None:
        statement["Principal"] = dict(principal)
    statement["Action"] = list(actions)
    if resources:
        statement["Resource"] = list(resources)
    if conditions:
        statement["Condition"] = dict(conditions)
    return statement


def trust_service(service: str, *, account_id: str | None = None) -> Policy:
    """A role that an AWS service assumes, such as `eks.amazonaws.com`.

    With `account_id` only for that account: a service that takes roles for every customer could otherwise be
    made to take ours for another one (AWS: "the confused deputy problem").
    """
    conditions = {"StringEquals": {"aws:SourceAccount": account_id}} if account_id else None
    principal = {"Service": service}
    return document(allow("AssumeRole", ["sts:AssumeRole"], principal=principal, conditions=conditions))


def trust_pod_identity(account_id: str, cluster_arn: Any, *, namespace: Any, service_account: str) -> Policy:
    """A role that the pods of one service account of one cluster get through EKS Pod Identity.

    The association binds it too; by the session's tags the role refuses even a wrong association. The cluster
    is known by its tag, as the EKS User Guide has it: what `aws:SourceArn` would be is told nowhere.
    """
    conditions = {
        "StringEquals": {
            "aws:SourceAccount": account_id,
            "aws:RequestTag/eks-cluster-arn": cluster_arn,
            "aws:RequestTag/kubernetes-namespace": namespace,
            "aws:RequestTag/kubernetes-service-account": service_account,
        }
    }
    principal = {"Service": "pods.eks.amazonaws.com"}
    return document(
        allow("PodIdentity", ["sts:AssumeRole", "sts:TagSession"], principal=principal, conditions=conditions)
    )


_KEY_ADMINISTRATION = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:Encrypt",
    "kms:GenerateDataKey*",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListAliases",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:ReEncrypt*",
    "kms:RetireGrant",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
"""What the account may delegate by its IAM policies, by name: a policy with `kms:*` passes no review."""

_KEY_USE = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")


def key_policy(account_id: str, region: str, *, logs: bool = False) -> Policy:
    """A KMS key that the account's IAM policies govern, and with `logs` that its CloudWatch Logs may use."""
    root = {"AWS": f"arn:{partition(region)}:iam::{account_id}:root"}
    account = allow("AccountGoverns", _KEY_ADMINISTRATION, THIS_KEY, principal=root)
    if not logs:
        return document(account)
    groups = f"arn:{partition(region)}:logs:{region}:{account_id}:log-group:*"
    service = allow(
        "CloudWatchLogs",
        _KEY_USE,
        THIS_KEY,
        principal={"Service": f"logs.{region}.amazonaws.com"},
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )
    return document(account, service)
