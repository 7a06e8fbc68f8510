"""What the operators in the cluster may do in AWS: named actions on named things."""

from collections.abc import Sequence

from langgraph_components.pure import node_scaling
from langgraph_components.pure.iam import Policy, allow, dns_suffix, document, partition

REGISTRAR_LOOKS = (
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeVpcs",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)
AUTOSCALER_LOOKS = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeScalingActivities",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplateVersions",
)
"""What cluster-autoscaler 1.36 calls for managed node groups (its `cloudprovider/aws/aws_wrapper.go`).

Its manual lists more: for launch configurations and groups by attributes, which managed node groups are not.
"""
EVERYWHERE = (*REGISTRAR_LOOKS, *AUTOSCALER_LOOKS)
"""The only actions of an operator on `*`: they read, and AWS has no resource to limit them to."""


def secrets_reader(prefixes: Sequence[str], key_arns: Sequence[str], region: str) -> Policy:
    """Read the secrets whose ARN begins so, and decrypt them, but only through Secrets Manager.

    Raises:
        ValueError: a prefix that is no Secrets Manager ARN or would open every secret of the account.
    """
    readable = [_checked(prefix) for prefix in prefixes]
    statements = [
        allow("ReadSecrets", ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"], readable)
    ]
    if key_arns:
        host = f"secretsmanager.{region}.{dns_suffix(region)}"
        through = {"StringEquals": {"kms:ViaService": host}}
        statements.append(allow("DecryptThem", ["kms:Decrypt"], key_arns, conditions=through))
    return document(*statements)


def _checked(prefix: str) -> str:
    parts = prefix.split(":", 6)
    if len(parts) < 7 or parts[2] != "secretsmanager" or not parts[6].strip("*"):  # noqa: PLR2004  # an ARN's parts
        message = f"{prefix}: is no ARN prefix arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME…"
        raise ValueError(message)
    # `??????` are the letters that Secrets Manager adds: exactly one secret
    return prefix if prefix.endswith("?") else f"{prefix.rstrip('*')}*"


def target_registrar(target_group_arn: str) -> Policy:
    """What the load balancer controller needs for TargetGroupBindings to one group of IP targets.

    Its own policy also lets it create and delete balancers, rules and security groups, which are ours here.
    """
    return document(
        allow("Look", REGISTRAR_LOOKS, ["*"]),
        allow(
            "Register",
            ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
            [target_group_arn],
        ),
    )


def node_scaler(cluster_name: str, account_id: str, region: str) -> Policy:
    """What the cluster autoscaler needs: to resize the node groups of this cluster, and no others."""
    place = f"{region}:{account_id}"
    groups = f"arn:{partition(region)}:autoscaling:{place}:autoScalingGroup:*:autoScalingGroupName/*"
    node_groups = f"arn:{partition(region)}:eks:{place}:nodegroup/{cluster_name}/*/*"
    owned = {f"aws:ResourceTag/{key}": value for key, value in node_scaling.tags(cluster_name).items()}
    return document(
        allow("Look", AUTOSCALER_LOOKS, ["*"]),
        allow("LookAtNodeGroups", ["eks:DescribeNodegroup"], [node_groups]),
        allow(
            "Resize",
            ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
            [groups],
            conditions={"StringEquals": owned},
        ),
    )
