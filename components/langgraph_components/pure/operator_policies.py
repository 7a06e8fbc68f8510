"""What the operators in the cluster may do in AWS: named actions on named things."""

from collections.abc import Sequence

from langgraph_components.pure.iam import Policy, allow, document

EVERYWHERE = (
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeVpcs",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)
"""The only actions of an operator on `*`: they read, and AWS has no resource to limit them to."""


def secrets_reader(prefixes: Sequence[str], key_arns: Sequence[str], region: str) -> Policy:
    """Read the secrets whose ARN begins so, and decrypt them, but only through Secrets Manager.

    Raises:
        ValueError: a prefix that is no Secrets Manager ARN or would open every secret of the account.
    """
    readable = [f"{_checked(prefix)}*" for prefix in prefixes]
    statements = [
        allow("ReadSecrets", ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"], readable)
    ]
    if key_arns:
        through = {"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}}
        statements.append(allow("DecryptThem", ["kms:Decrypt"], key_arns, conditions=through))
    return document(*statements)


def _checked(prefix: str) -> str:
    parts = prefix.split(":", 6)
    if len(parts) < 7 or parts[2] != "secretsmanager" or not parts[6].strip("*"):  # noqa: PLR2004  # an ARN's parts
        message = f"{prefix}: is no ARN prefix arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME…"
        raise ValueError(message)
    return prefix.rstrip("*")


def target_registrar(target_group_arn: str) -> Policy:
    """What the load balancer controller needs for TargetGroupBindings to one group of IP targets.

    Its own policy also lets it create and delete balancers, rules and security groups, which are ours here.
    """
    return document(
        allow("Look", EVERYWHERE, ["*"]),
        allow(
            "Register",
            ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
            [target_group_arn],
        ),
    )
