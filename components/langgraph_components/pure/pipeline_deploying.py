"""What the role of deployments may change: what has the stack's name or its tags, and nothing of the account.

Several small policies, as one may have 6,144 characters. Where AWS asks for a right on more than one thing at
once (a subnet, and its VPC), each has a statement of its own.
"""

from collections.abc import Sequence

from langgraph_components.pure import pipeline_reading as named
from langgraph_components.pure.iam import Policy, Statement, allow, document
from langgraph_components.pure.pipeline_actions import NEEDS
from langgraph_components.pure.pipeline_scope import Scope

_CREATED = {
    "AllocateAddress": "elastic-ip",
    "CreateFlowLogs": "vpc-flow-log",
    "CreateInternetGateway": "internet-gateway",
    "CreateLaunchTemplate": "launch-template",
    "CreateNatGateway": "natgateway",
    "CreateRouteTable": "route-table",
    "CreateSecurityGroup": "security-group",
    "CreateSubnet": "subnet",
    "CreateVpc": "vpc",
    "CreateVpcEndpoint": "vpc-endpoint",
}
"""Action of EC2 → what it makes, with its tags in the same request."""

_INTO = ("elastic-ip", "route-table", "security-group", "subnet", "vpc")
"""What the above are made in, or of."""

_RULES = ("ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress")
_TAKEN = ("ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress", "ec2:ModifySecurityGroupRules")


def _writes(service: str, *, without: Sequence[str] = ()) -> list[str]:
    """The actions of one service that all types need together."""
    found = {action for each in NEEDS.values() for action in each.writes}
    return sorted(a for a in found if a.startswith(f"{service}:") and a not in without)


def network(scope: Scope) -> Policy:
    """EC2: made with the tags, changed by the tags."""
    made = [f"ec2:{action}" for action in _CREATED]
    kinds = sorted(set(_CREATED.values()))
    apart = (*made, "ec2:CreateTags", "ec2:DeleteTags", "ec2:RunInstances")
    of_eks = {"StringEquals": {"aws:ResourceTag/aws:eks:cluster-name": scope.cluster}}
    on_creation = {"StringEquals": {**scope.tags("aws:RequestTag"), "ec2:CreateAction": list(_CREATED)}}
    untagged = {**scope.asked(), "Null": {"aws:ResourceTag/stack": "true"}}
    rules = scope.arn("ec2", "security-group-rule/*")
    groups = scope.arn("ec2", "security-group/*")
    templates = scope.arn("ec2", "launch-template/*")
    return document(
        allow("MakeTagged", made, scope.arn("ec2", *(f"{k}/*" for k in kinds)), conditions=scope.asked()),
        allow("MakeInOurs", made, scope.arn("ec2", *(f"{k}/*" for k in _INTO)), conditions=scope.ours()),
        allow("ChangeOurs", _writes("ec2", without=apart), ["*"], conditions=scope.ours()),
        allow("TagMade", ["ec2:CreateTags"], ["*"], conditions=on_creation),
        allow("TagOurs", ["ec2:CreateTags", "ec2:DeleteTags"], ["*"], conditions=scope.ours()),
        # a rule gets its tags after it was made. Not a group: with our tags anybody's could be opened
        allow("TagRules", ["ec2:CreateTags"], rules, conditions=untagged),
        allow("MakeRules", _RULES, rules, conditions=_if_asked(scope)),
        allow("RulesOfNodes", [*_RULES, *_TAKEN], groups, conditions=of_eks),
        # EKS asks whether whoever makes a node group might start what is in its template
        allow(
            "StartNodes",
            ["ec2:RunInstances"],
            ["*"],
            conditions={"ArnLike": {"ec2:LaunchTemplate": templates}},
        ),
    )


def _if_asked(scope: Scope) -> dict[str, dict[str, str]]:
    return {"StringEqualsIfExists": scope.tags("aws:RequestTag")}


def stores(scope: Scope) -> Policy:
    """Cluster, database, cache, secrets, logs: by name."""
    defaults = [*scope.arn("rds", "pg:default*", "og:default*")]
    master = scope.arn("secretsmanager", "secret:rds!*")
    groups = [*named.log_groups(scope), *(f"{arn}:*" for arn in named.log_groups(scope))]
    return document(
        allow("Cluster", _writes("eks"), named.cluster(scope)),
        allow("Database", _writes("rds"), [*named.databases(scope), *defaults]),
        allow(
            "Cache",
            _writes("elasticache"),
            [*named.caches(scope), *scope.arn("elasticache", "parametergroup:default*")],
        ),
        allow("Secrets", _writes("secretsmanager"), named.secrets(scope)),
        # RDS makes the master's secret in the name of who makes the instance
        allow("MasterSecret", ["secretsmanager:CreateSecret", "secretsmanager:TagResource"], master),
        allow("Logs", _writes("logs"), groups),
    )


def edge(scope: Scope, zones: Sequence[str]) -> Policy:
    """Balancer, firewall, certificate, name, files, image."""
    balancing = ("loadbalancer/app", "listener/app", "targetgroup")
    balancers = scope.arn("elasticloadbalancing", *(f"{kind}/{scope.platform}-*" for kind in balancing))
    made = [f"elasticloadbalancing:Create{kind}" for kind in ("Listener", "LoadBalancer", "TargetGroup")]
    hook, tag = "elasticloadbalancing:SetWebAcl", "elasticloadbalancing:AddTags"
    firewall = scope.arn("wafv2", f"regional/webacl/{scope.platform}-*", "regional/managedruleset/*")
    certificates = scope.arn("acm", "certificate/*")
    login = "ecr:GetAuthorizationToken"
    files = scope.buckets(f"{scope.named}-*")
    statements = [
        allow("MakeBalancer", [*made, tag], balancers, conditions=scope.asked()),
        allow(
            "ChangeBalancer",
            _writes("elasticloadbalancing", without=[*made, hook]),
            balancers,
            conditions=scope.ours(),
        ),
        allow("Firewall", _writes("wafv2"), [*firewall, *balancers[:1]]),
        allow("Unlimited", [hook, login], ["*"], conditions=scope.here()),
        allow("MakeCertificate", ["acm:RequestCertificate"], ["*"], conditions=scope.asked()),
        allow("TagCertificate", ["acm:AddTagsToCertificate"], certificates, conditions=_asked_of_ours(scope)),
        allow(
            "ChangeCertificate",
            _writes("acm", without=["acm:RequestCertificate"]),
            certificates,
            conditions=scope.ours(),
        ),
        allow("Files", _writes("s3"), files),
        allow("Image", _writes("ecr", without=[login]), named.repositories(scope)),
    ]
    return document(*statements, *_zone(scope, zones))


def _asked_of_ours(scope: Scope) -> dict[str, dict[str, str]]:
    """A request with the stack's tags, on what has them, or none yet: nobody else's gets ours."""
    return {**scope.asked(), "StringEqualsIfExists": scope.tags("aws:ResourceTag")}


def _asked_of_new_key(scope: Scope) -> dict[str, dict[str, str]]:
    """Likewise on a key that has no alias yet: whose key has one, and no tags, it is somebody else's."""
    return {**_asked_of_ours(scope), "Null": {"kms:ResourceAliases": "true"}}


def _zone(scope: Scope, zones: Sequence[str]) -> list[Statement]:
    if not zones:
        return []
    kinds = {
        "ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA", "CNAME"]}
    }
    changes = [f"{scope.zones('x')[0].rpartition(':')[0]}:change/*"]
    return [
        allow("Names", ["route53:ChangeResourceRecordSets"], scope.zones(*zones), conditions=kinds),
        allow("NamesAreThere", ["route53:GetChange"], changes),
    ]


def keys(scope: Scope) -> Policy:
    """KMS keys, and what services do with them in the name of who deploys."""
    change = _writes("kms", without=["kms:CreateKey"])
    use = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKeyWithoutPlaintext")
    return document(
        allow("MakeKey", ["kms:CreateKey"], ["*"], conditions=scope.asked()),
        allow("TagKey", ["kms:TagResource"], scope.arn("kms", "key/*"), conditions=_asked_of_new_key(scope)),
        allow("ChangeKey", sorted({*change, *use}), ["*"], conditions=scope.ours()),
        allow(
            "NameKey",
            ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"],
            scope.arn("kms", f"alias/{scope.named}-*"),
        ),
    )


PASSED_TO = ("eks", "monitoring.rds", "pods.eks", "vpc-flow-logs")
"""Services that roles of a stack are given to."""

LINKED = ("autoscaling", "eks", "eks-nodegroup", "elasticache", "elasticloadbalancing", "rds", "spot")
"""Services that make themselves a role in an account that has not got it."""

_BOUND = (
    "iam:AttachRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
)
"""What AWS lets be limited to roles with a certain boundary."""


BY_PEOPLE = ("iam:UpdateAssumeRolePolicy",)
"""What types need and no pipeline may do."""


def roles(scope: Scope, boundary: str, attached: Sequence[str]) -> Policy:
    """Roles of the stack: only under the boundary, passed only to the services they are for.

    Who may take a role is said when it is made, and changed by people: AWS knows no condition on the boundary
    for it, and a role of the account that has no tags could be given ours, then a trust in whoever asks.
    """
    ours = scope.roles(f"{scope.platform}-*")
    bounded = {"iam:PermissionsBoundary": boundary}
    making = ("iam:CreateRole", "iam:CreateServiceLinkedRole", "iam:PassRole", "iam:TagRole")
    apart = (*_BOUND, *BY_PEOPLE, *making)
    tagged = scope.tags("aws:ResourceTag")
    in_policies = [a for a in _BOUND if a not in {"iam:AttachRolePolicy", "iam:DetachRolePolicy"}]
    return document(
        allow(
            "MakeRole",
            ["iam:CreateRole"],
            ours,
            conditions={"StringEquals": {**scope.tags("aws:RequestTag"), **bounded}},
        ),
        allow("TagRole", ["iam:TagRole"], ours, conditions=_asked_of_ours(scope)),
        allow("ChangeRole", _writes("iam", without=apart), ours, conditions=scope.ours()),
        allow("ChangeRights", in_policies, ours, conditions={"StringEquals": {**tagged, **bounded}}),
        allow(
            "AttachKnown",
            ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
            ours,
            conditions={
                "StringEquals": {**tagged, **bounded},
                "ArnEquals": {"iam:PolicyARN": list(attached)},
            },
        ),
        allow(
            "PassRole",
            ["iam:PassRole"],
            ours,
            conditions={"StringEquals": {"iam:PassedToService": [f"{s}.amazonaws.com" for s in PASSED_TO]}},
        ),
        allow(
            "LinkedRoles",
            ["iam:CreateServiceLinkedRole"],
            scope.roles("aws-service-role/*"),
            conditions={"StringEquals": {"iam:AWSServiceName": [f"{s}.amazonaws.com" for s in LINKED]}},
        ),
    )
