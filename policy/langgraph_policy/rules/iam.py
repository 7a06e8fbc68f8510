"""Who may do what in AWS."""

import re
from collections.abc import Iterator

from langgraph_policy.conditions import names_callers, wanted
from langgraph_policy.model import Fault, Faults, Resource, of_resource
from langgraph_policy.reading import undecided
from langgraph_policy.values import Hidden, Node

ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
POLICY = "aws:iam/policy:Policy"
ATTACHMENTS = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
)
KEY = "aws:kms/key:Key"
GRANTING = (
    ROLE_POLICY,
    POLICY,
    ROLE,
    "aws:iam/groupPolicy:GroupPolicy",
    "aws:iam/userPolicy:UserPolicy",
)
RESOURCE_POLICIES = (
    KEY,
    "aws:kms/externalKey:ExternalKey",
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:kms/replicaKey:ReplicaKey",
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketV2:BucketV2",
    "aws:secretsmanager/secret:Secret",
    "aws:sns/topic:Topic",
    "aws:sqs/queue:Queue",
    "aws:ecr/repositoryPolicy:RepositoryPolicy",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:secretsmanager/secretPolicy:SecretPolicy",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
)

ACTION_FAMILIES = frozenset({"kms:GenerateDataKey*", "kms:ReEncrypt*"})
"""Wildcards that stand for the variants of one operation; AWS writes them so in its own key policies."""

WITHOUT_RESOURCES = frozenset(
    {
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:DescribeLaunchConfigurations",
        "autoscaling:DescribeScalingActivities",
        "autoscaling:DescribeTags",
        "cloudwatch:PutMetricData",
        "ec2:DescribeAccountAttributes",
        "ec2:DescribeAddresses",
        "ec2:DescribeAddressesAttribute",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeFlowLogs",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeInstances",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeNatGateways",
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribePrefixLists",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcs",
        "ecr:GetAuthorizationToken",
        "eks:DescribeAddonVersions",
        "elasticloadbalancing:DescribeCapacityReservation",
        "elasticloadbalancing:DescribeListenerAttributes",
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
        "elasticloadbalancing:SetWebAcl",
        "kms:ListAliases",
        "logs:DescribeLogGroups",
        "sts:GetCallerIdentity",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
)
"""Actions that AWS lets nobody limit to a resource; a test compares the list with AWS's own reference."""

ADMINISTRATORS = re.compile(
    r"/(AdministratorAccess|PowerUserAccess|\w+FullAccess(V\d)?|\w+Administrator|SecretsManagerReadWrite)$"
)

WORKERS = {
    "monitoring.rds.amazonaws.com": ("aws:sourceaccount", "aws:sourcearn"),
    "pods.eks.amazonaws.com": ("aws:sourceaccount", "aws:sourcearn", "aws:requesttag/eks-cluster-arn"),
    "vpc-flow-logs.amazonaws.com": ("aws:sourceaccount", "aws:sourcearn"),
}
"""Services that act for other accounts too: their trust has to say for which, by one of these conditions."""


def listed(node: Node, key: str) -> list[str]:
    """`Action` and its like are one text or a list of them.

    Raises:
        Undecided: one is hidden.
    """
    return [str(value) for value in node.values(key)]


def statements(resource: Resource, key: str) -> Iterator[Node]:
    """The statements of a policy, and nothing where there is none.

    Raises:
        Undecided: the policy, or part of it, is hidden.
    """
    yield from resource.root.document(key).each("Statement")


def _allowed(resource: Resource, key: str = "policy") -> Iterator[Node]:
    found = statements(resource, key)
    if resource.type == ROLE and key == "policy":
        inline = resource.root.each("inlinePolicies")
        found = (each for one in inline for each in one.document("policy").each("Statement"))
    return (each for each in found if each.seen("Effect") == "Allow")


def _title(statement: Node) -> str:
    return f"statement {statement.at('Sid') or statement.path}"


@of_resource(*GRANTING, *RESOURCE_POLICIES)
def iam_actions(resource: Resource) -> Faults:
    """A policy allows named actions.

    Why: `s3:*` is also DeleteBucket and PutBucketPolicy, and whatever AWS adds next year.

    Fix: name the actions that are used; CloudTrail and the access advisor tell which.
    """
    for statement in _allowed(resource):
        if statement.at("NotAction") is not None:
            yield Fault(f"{_title(statement)} allows all but NotAction")
        for action in listed(statement, "Action"):
            if {"*", "?"} & set(action) and action not in ACTION_FAMILIES:
                yield Fault(f"{_title(statement)} allows {action}")


@of_resource(*GRANTING)
def iam_resources(resource: Resource) -> Faults:
    """A policy allows its actions on named resources.

    Why: a role that may read every secret of the account is the account's weakest pod.

    Fix: name the ARN, or limit by a condition on the resource's tags; `*` only for actions that know no
    resource.
    """
    for statement in _allowed(resource):
        if statement.at("NotResource") is not None:
            yield Fault(f"{_title(statement)} allows all but NotResource")
        wide = [arn for arn in listed(statement, "Resource") if _is_wide(arn)]
        limited = set(listed(statement, "Action")) <= WITHOUT_RESOURCES or _by_tag(statement)
        if wide and not limited:
            yield Fault(
                f"{_title(statement)} allows {', '.join(listed(statement, 'Action')[:3])} on {wide[0]}"
            )


_ARN_PARTS = 6
_KINDS = frozenset({"autoScalingGroupName", "index", "log-stream", "stream"})
"""Words inside an ARN's names that name nothing."""


def _is_wide(arn: str) -> bool:
    """Whether an ARN names nothing of its own: `*`, `arn:aws:s3:::*`, `…:secret:*`, `…:key/*`."""
    parts = arn.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS:
        return bool({"*", "?"} & set(arn))
    kind, *names = re.split(r"[:/]", parts[-1])
    if parts[2] == "s3" or not names:
        return not kind.strip("*?")
    return not any(name.strip("*?") for name in names if name not in _KINDS)


def _by_tag(statement: Node) -> bool:
    """Whether a condition wants a tag of the resource, or of the request that makes it."""
    return any("resourcetag/" in key or "requesttag/" in key for key in wanted(statement))


@of_resource(*ATTACHMENTS, ROLE)
def iam_no_administrators(resource: Resource) -> Faults:
    """No role of a stack is an administrator.

    Why: whoever takes over the pod or the node has the account.

    Fix: a policy with the actions that are used.
    """
    for key in ("policyArn", "policyArns", "managedPolicyArns"):
        for policy in resource.root.each(key):
            if isinstance(policy.value, Hidden):
                yield undecided(policy.path)
            elif ADMINISTRATORS.search(str(policy.value)):
                yield Fault(f"it attaches {policy.value}")


@of_resource("aws:iam/user:User", "aws:iam/accessKey:AccessKey")
def iam_no_users(resource: Resource) -> Faults:
    """A stack makes no IAM users and no access keys.

    Why: a key that does not expire leaks sooner or later, and its secret is in the state.

    Fix: a role: Pod Identity for pods, OpenID Connect for pipelines, IAM Identity Center for people.
    """
    yield Fault(f"it is an {resource.type.rpartition(':')[2]}")


@of_resource(*RESOURCE_POLICIES)
def iam_no_public_principal(resource: Resource) -> Faults:
    """Nothing is open to every AWS account.

    Why: `Principal: "*"` is everyone with an account, which is everyone.

    Fix: name the account or the role; or ask for the organisation, the account or the VPC endpoint in a
    condition.
    """
    for statement in _allowed(resource):
        anyone = any(_is_anyone(principal) for _, principal in _principals(statement))
        if (anyone and not names_callers(wanted(statement))) or "NotPrincipal" in statement.mapping():
            yield Fault(f"{_title(statement)} allows everyone")


def _principals(statement: Node) -> list[tuple[str, str]]:
    """Kind and name of each: `("Service", "ec2.amazonaws.com")`.

    Raises:
        Undecided: one is hidden.
    """
    whole = statement.seen("Principal")
    if not isinstance(whole, dict):
        return [("AWS", str(whole))] if whole is not None else []
    kinds: list[str] = list(whole)  # pyright: ignore[reportUnknownArgumentType]  # any JSON
    return [(kind, name) for kind in kinds for name in listed(statement.part("Principal"), kind)]


def _is_anyone(principal: str) -> bool:
    return principal == "*" or principal.endswith("::*:root")


@of_resource(ROLE)
def iam_trust(resource: Resource) -> Faults:
    """A role says who may take it: one service for this account, or one named subject.

    Why: a trust without a condition lets the same service, or the same identity provider, bring in strangers.

    Fix: aws:SourceAccount for services that serve every account; `aud` and a whole `sub` for OpenID Connect;
    a role, not an account, for AWS.
    """
    for statement in _allowed(resource, "assumeRolePolicy"):
        conditions = wanted(statement)
        for kind, principal in _principals(statement):
            if problem := _mistrust(kind, principal, conditions):
                yield Fault(f"{_title(statement)}: {problem}")


def _mistrust(kind: str, principal: str, conditions: dict[str, list[str]]) -> str:
    """What is wrong with trusting a principal under these conditions; empty if nothing is."""
    if kind == "Service":
        wanted = WORKERS.get(principal, ())
        return "" if not wanted or conditions.keys() & set(wanted) else f"{principal} for any account"
    if kind == "Federated":
        return _loose_token(conditions)
    if _is_anyone(principal):
        return "" if names_callers(conditions) else "everyone"
    is_account = principal.endswith(":root") or principal.isdigit()
    limited = names_callers(conditions) or any(_of_one(key) for key in conditions)
    return f"all of the account {principal}" if is_account and not limited else ""


def _of_one(key: str) -> bool:
    """Whether a condition's key tells apart who of an account asks."""
    return key in {"sts:externalid", "aws:userid", "aws:username"} or key.startswith("aws:principaltag/")


def _loose_token(conditions: dict[str, list[str]]) -> str:
    """Of OpenID Connect: the audience has to be named, and the subject to its repository and environment."""
    by_claim = {key.rpartition(":")[2]: values for key, values in conditions.items()}
    if not by_claim.get("aud"):
        return "tokens for any audience"
    subjects = by_claim.get("sub", [])
    loose = [subject for subject in subjects if {"*", "?"} & set(subject)]
    return "" if subjects and not loose else f"any subject ({', '.join(loose) or 'none is named'})"
