"""Whom AWS trusts for the pipelines of a stack, and what nobody in them may do."""

from collections.abc import Sequence
from typing import Any

from langgraph_components.pure import cluster_policies
from langgraph_components.pure import pipeline_reading as named
from langgraph_components.pure.iam import Policy, allow, document
from langgraph_components.pure.pipeline_scope import Scope

GITHUB = "token.actions.githubusercontent.com"
"""Issuer of GitHub.com's tokens; that of a GitHub Enterprise Server is `HOST/_services/token`."""

AUDIENCE = "sts.amazonaws.com"
"""For whom a job asks its token."""


def environment(purpose: str, stack: str) -> str:
    """The environment of GitHub whose jobs take the role: `preview-prod`, `drift-prod`; to deploy `prod`."""
    return stack if purpose == "deploy" else f"{purpose}-{stack}"


def trust(provider_arn: Any, issuer: str, repository: str, environment: str) -> Policy:
    """Jobs of one repository in one environment, and no others.

    Not `repo:…:pull_request`: every pull request of the repository has that one. Not `…:ref:…`: which
    branch may run is a rule of the environment.
    """
    subject = {f"{issuer}:aud": AUDIENCE, f"{issuer}:sub": f"repo:{repository}:environment:{environment}"}
    return document(
        allow(
            "GitHub",
            ["sts:AssumeRoleWithWebIdentity"],
            principal={"Federated": provider_arn},
            conditions={"StringEquals": subject},
        )
    )


ATTACHED = (
    *cluster_policies.CLUSTER,
    *cluster_policies.NETWORK,
    *cluster_policies.NODE,
    *cluster_policies.VOLUMES,
    "service-role/AmazonRDSEnhancedMonitoringRole",
)
"""Policies of AWS's that roles of a stack have."""


def attached(scope: Scope) -> list[str]:
    """Their ARNs."""
    return [cluster_policies.managed(scope.region, name) for name in ATTACHED]


_NODES = """
AssignPrivateIpAddresses AttachNetworkInterface AttachVolume AuthorizeSecurityGroupIngress CopyVolumes
CreateNetworkInterface CreateRoute CreateSecurityGroup CreateSnapshot CreateTags CreateVolume
DeleteNetworkInterface DeleteRoute DeleteSecurityGroup DeleteSnapshot DeleteTags DeleteVolume
DescribeAccountAttributes DescribeAddresses DescribeAvailabilityZones DescribeDhcpOptions
DescribeInstanceTopology DescribeInstanceTypes DescribeInstances DescribeInternetGateways
DescribeLaunchTemplateVersions DescribeNetworkInterfaces DescribeRouteTables DescribeSecurityGroups
DescribeSnapshots DescribeSubnets DescribeTags DescribeVolumeStatus DescribeVolumes
DescribeVolumesModifications DescribeVpcs DetachNetworkInterface DetachVolume EnableFastSnapshotRestores
LockSnapshot ModifyInstanceAttribute ModifyNetworkInterfaceAttribute ModifyVolume RevokeSecurityGroupIngress
UnassignPrivateIpAddresses
"""
_BALANCERS = """
AddTags ApplySecurityGroupsToLoadBalancer AttachLoadBalancerToSubnets ConfigureHealthCheck CreateListener
CreateLoadBalancer CreateLoadBalancerListeners CreateLoadBalancerPolicy CreateTargetGroup DeleteListener
DeleteLoadBalancer DeleteLoadBalancerListeners DeleteTargetGroup DeregisterInstancesFromLoadBalancer
DeregisterTargets DescribeListeners DescribeLoadBalancerAttributes DescribeLoadBalancerPolicies
DescribeLoadBalancers DescribeTargetGroupAttributes DescribeTargetGroups DescribeTargetHealth
DetachLoadBalancerFromSubnets ModifyListener ModifyLoadBalancerAttributes ModifyTargetGroup
ModifyTargetGroupAttributes RegisterInstancesWithLoadBalancer RegisterTargets
SetLoadBalancerPoliciesForBackendServer SetLoadBalancerPoliciesOfListener
"""
_SCALING = """
DescribeAutoScalingGroups DescribeScalingActivities SetDesiredCapacity TerminateInstanceInAutoScalingGroup
UpdateAutoScalingGroup
"""
_IMAGES = "BatchGetImage BatchImportUpstreamImage GetAuthorizationToken GetDownloadUrlForLayer"
_LOGS = """
CreateLogGroup CreateLogStream DescribeLogGroups DescribeLogStreams GetLogEvents PutLogEvents
PutRetentionPolicy
"""
_KEYS = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey*",
    "kms:ListGrants",
    "kms:ReEncrypt*",
    "kms:RevokeGrant",
)


def boundary(scope: Scope, secrets: Sequence[str]) -> Policy:
    """The most that any role of the stack can ever do, whatever its own policies say.

    It is what AWS's policies of cluster, nodes, network and volumes hold, and what ours do; nothing of IAM,
    and no other role: whoever writes a policy into the stack gets no further than this. `secrets` is how the
    names begin of those that the workload reads beside the stack's own.
    """
    services = {
        "autoscaling": _SCALING,
        "ec2": _NODES,
        "ecr": _IMAGES,
        "eks": "DescribeCluster DescribeNodegroup",
        "eks-auth": "AssumeRoleForPodIdentity",
        "elasticloadbalancing": _BALANCERS,
        "logs": _LOGS,
    }
    run = [f"{service}:{name}" for service, names in services.items() for name in names.split()]
    readable = [
        *named.secrets(scope),
        *scope.arn("secretsmanager", "secret:rds!*", *(f"secret:{name}*" for name in secrets)),
    ]
    return document(
        allow("Run", run, ["*"], conditions=scope.here()),
        allow("Keys", _KEYS, ["*"], conditions=scope.ours()),
        allow("Secrets", ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"], readable),
        allow(
            "Files",
            ["s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"],
            scope.buckets(f"{scope.named}-*"),
        ),
        allow("Login", ["rds-db:connect"], scope.arn("rds-db", "dbuser:*/langgraph_app")),
        scope.not_another(),
        # what has the stack's tags a deployment may change: nobody gives them to what is there already
        {
            "Sid": "NotByTags",
            "Effect": "Deny",
            "Action": ["ec2:CreateTags"],
            "Resource": ["*"],
            "Condition": {
                "Null": {"ec2:CreateAction": "true"},
                "ForAnyValue:StringEquals": {"aws:TagKeys": ["project", "stack"]},
            },
        },
    )


PURPOSES = ("preview", "drift", "deploy")
"""The roles: of pull requests, of the search for drift, of updates."""

POLICIES: dict[str, tuple[str, ...]] = {
    "preview": ("look", "state-read"),
    "drift": ("look", "values", "state-read"),
    "deploy": ("look", "values", "state-write", "network", "stores", "edge", "keys", "roles", "guard"),
}
"""Which policies each of them has; AWS allows 10."""


def guard(scope: Scope, issuer: str) -> Policy:
    """What the role of deployments is refused even if another policy allows it.

    To widen itself, and to reach another stack of the project.
    """
    own = [scope.policy(name) for name in ("boundary", *POLICIES["deploy"], "state-read")]
    return document(
        {
            "Sid": "NotItself",
            "Effect": "Deny",
            "NotAction": ["iam:Get*", "iam:List*"],
            "Resource": [
                *scope.roles(*map(scope.role, PURPOSES)),
                *scope.policies(*own),
                scope.provider(issuer),
            ],
        },
        {
            "Sid": "NotWithoutBoundary",
            "Effect": "Deny",
            "Action": ["iam:DeleteRolePermissionsBoundary"],
            "Resource": ["*"],
        },
        scope.not_another(),
    )
