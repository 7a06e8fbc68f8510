"""What the roles of the pipelines may see: of AWS, and of Pulumi's state."""

from collections.abc import Sequence
from typing import Any

from langgraph_components.pure.iam import Policy, allow, dns_suffix, document
from langgraph_components.pure.pipeline_actions import reads
from langgraph_components.pure.pipeline_scope import Scope

EVERYWHERE = (
    "ec2:Describe",
    "eks:DescribeAddonVersions",
    "elasticloadbalancing:Describe",
    "kms:ListAliases",
    "logs:DescribeLogGroups",
)
"""How the reads begin that AWS lets nobody limit to a resource; a test compares them with its reference."""

LIMITED = ("ec2:DescribeVpcAttribute",)
"""Those among them that it does."""


def look(scope: Scope, zones: Sequence[str]) -> Policy:
    """Whatever a refresh reads, but no value of a secret."""
    wanted = sorted(reads())
    everywhere = [a for a in wanted if a.startswith(EVERYWHERE) and a not in LIMITED]
    named = _named(scope, zones)
    tagged = [a for a in wanted if a not in everywhere and a.partition(":")[0] not in named]
    statements = [
        allow("Look", everywhere, ["*"], conditions=scope.here()),
        allow("LookAtTagged", tagged, ["*"], conditions=scope.ours()),
    ]
    for service, resources in named.items():
        actions = [a for a in wanted if a.startswith(f"{service}:") and a not in everywhere]
        if resources:
            statements.append(allow(f"LookAt{service.capitalize()}", actions, resources))
    balancers = scope.arn("elasticloadbalancing", f"loadbalancer/app/{scope.platform}-*")
    return document(*statements, allow("LookAtFirewall", ["wafv2:GetWebACLForResource"], balancers))


def _named(scope: Scope, zones: Sequence[str]) -> dict[str, list[str]]:
    """Services whose things are known by name, with the names."""
    return {
        "ecr": repositories(scope),
        "eks": cluster(scope),
        "elasticache": caches(scope),
        "iam": scope.roles(f"{scope.platform}-*", "aws-service-role/*"),
        "logs": log_groups(scope),
        "rds": databases(scope),
        "route53": scope.zones(*zones),
        "s3": scope.buckets(f"{scope.named}-*"),
        "secretsmanager": secrets(scope),
    }


def secret_values(scope: Scope) -> Policy:
    """The values of the stack's own secrets, which a refresh compares with the state."""
    through = {"kms:ViaService": f"secretsmanager.{scope.region}.{dns_suffix(scope.region)}"}
    ours = {"StringEquals": {**scope.tags("aws:ResourceTag"), **through}}
    return document(
        allow("SecretValues", ["secretsmanager:GetSecretValue"], secrets(scope)),
        allow("SecretKey", ["kms:Decrypt"], ["*"], conditions=ours),
    )


def state(scope: Scope, bucket: str, secrets_key: Any, bucket_key: Any | None, *, change: bool) -> Policy:
    """The stack's state in the bucket, and the key of its secrets.

    A preview takes no lock and writes nothing (`Preview` in pulumi/pulumi, `pkg/backend/diy/backend.go`).
    """
    place = f"{scope.project}/{scope.stack}"
    kept = [f"stacks/{place}.json*", *(f"{kind}/{place}/*" for kind in ("backups", "history"))]
    locks = f"locks/organization/{place}/*"
    files = scope.buckets(*(f"{bucket}/.pulumi/{path}" for path in (*kept, locks)))
    meta = scope.buckets(f"{bucket}/.pulumi/meta.yaml")
    statements = [
        allow("StateList", ["s3:ListBucket"], scope.buckets(bucket)),
        allow("StateRead", ["s3:GetObject"], [*meta, *files]),
        allow("StateSecrets", ["kms:Decrypt", *(["kms:Encrypt"] if change else [])], [secrets_key]),
    ]
    if change:
        statements.append(allow("StateWrite", ["s3:DeleteObject", "s3:PutObject"], files))
    if bucket_key is not None:
        use = ["kms:Decrypt", *(["kms:GenerateDataKey"] if change else [])]
        through = {"kms:ViaService": f"s3.{scope.region}.{dns_suffix(scope.region)}"}
        statements.append(allow("StateKey", use, [bucket_key], conditions={"StringEquals": through}))
    return document(*statements)


def cluster(scope: Scope) -> list[str]:
    """The EKS cluster and all that is below it: node groups, add-ons, entries, identities."""
    return scope.arn("eks", f"cluster/{scope.cluster}", f"*/{scope.cluster}/*")


def databases(scope: Scope) -> list[str]:
    """Instances and snapshots by their computed names, groups by those that the provider makes up."""
    return scope.arn(
        "rds", f"*:{scope.named}-*", *(f"{kind}:{scope.platform}-*" for kind in ("pg", "subgrp"))
    )


def caches(scope: Scope) -> list[str]:
    """Likewise of ElastiCache."""
    made_up = ("parametergroup", "subnetgroup")
    names = (f"{kind}:{scope.platform}-*" for kind in made_up)
    return scope.arn("elasticache", f"*:{scope.named}-*", *names)


def repositories(scope: Scope) -> list[str]:
    """The image's."""
    return scope.arn("ecr", f"repository/{scope.named}-*")


def log_groups(scope: Scope) -> list[str]:
    """Those of flow logs, of the cluster and of the database."""
    prefixes = (
        f"/{scope.project}/{scope.stack}/*",
        f"/aws/eks/{scope.cluster}/*",
        f"/aws/rds/instance/{scope.named}-*",
    )
    return scope.arn("logs", *(f"log-group:{prefix}" for prefix in prefixes))


def secrets(scope: Scope) -> list[str]:
    """The stack's own."""
    return scope.arn("secretsmanager", f"secret:{scope.project}/{scope.stack}/*")
