"""What a cloud would answer, as typed stand-ins: the form of the real value, and visibly not one."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from pulumi import Output

ACCOUNT = "000000000000"
REGION = "planned"
DIGEST = "sha256:" + "0" * 64
"""The form of an image's digest before there is an image."""

_Inputs = Mapping[str, Any]
_Maker = Callable[[str, _Inputs], dict[str, Any]]


def outputs_of(type_: str, name: str, inputs: _Inputs) -> tuple[str, dict[str, Any]]:
    """The id and the properties of a resource: its inputs, an ARN if AWS has one, and what it computes."""
    properties: dict[str, Any] = {**inputs}
    if type_.startswith("aws:"):
        properties["arn"] = arn(type_, name)
    if maker := _COMPUTED.get(type_):
        for key, value in maker(name, inputs).items():
            properties[key] = _filled(inputs[key], value) if key in inputs else value
    return f"{name}-id", properties


def _filled(given: Any, computed: Any) -> Any:
    """What was given, and of an object also what only the cloud knows: the security group in `vpcConfig`."""
    if isinstance(given, Mapping) and isinstance(computed, Mapping):
        return {**cast("_Inputs", computed), **cast("_Inputs", given)}
    return cast("Any", given)


def arn(type_: str, name: str) -> str:
    """`aws:rds/instance:Instance` and `database` → `arn:aws:rds:planned:000000000000:instance/database`."""
    service, _, kind = type_.split(":")[1].partition("/")
    # Secrets Manager's have a colon there, and its readers look at it
    separator = ":" if service == "secretsmanager" else "/"
    region = "" if service == "iam" else REGION
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{kind}{separator}{name}"


def _cluster(name: str, _: _Inputs) -> dict[str, Any]:
    return {
        "name": name,
        "endpoint": f"https://{name}.eks.invalid",
        "certificateAuthority": {"data": "cGxhbm5lZA=="},
        "vpcConfig": {"clusterSecurityGroupId": f"{name}-cluster-sg"},
    }


def _database(name: str, _: _Inputs) -> dict[str, Any]:
    return {
        "address": f"{name}.rds.invalid",
        "port": 5432,
        "resourceId": f"db-{name}",
        "masterUserSecrets": [{"secretArn": arn("aws:secretsmanager/secret:Secret", f"{name}-master")}],
    }


def _cache(name: str, _: _Inputs) -> dict[str, Any]:
    return {"primaryEndpointAddress": f"{name}.cache.invalid", "port": 6379}


def _certificate(name: str, inputs: _Inputs) -> dict[str, Any]:
    option = {
        "resourceRecordName": f"_check.{inputs.get('domainName', name)}",
        "resourceRecordType": "CNAME",
        "resourceRecordValue": "_check.acm.invalid",
    }
    return {"domainValidationOptions": [option]}


_COMPUTED: dict[str, _Maker] = {
    "aws:eks/cluster:Cluster": _cluster,
    "aws:rds/instance:Instance": _database,
    "aws:elasticache/replicationGroup:ReplicationGroup": _cache,
    "aws:acm/certificate:Certificate": _certificate,
    "aws:lb/loadBalancer:LoadBalancer": lambda name, _: {"dnsName": f"{name}.elb.invalid", "zoneId": "Z0"},
    "aws:ecr/repository:Repository": lambda name, inputs: {
        "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.invalid/{inputs.get('name', name)}"
    },
    "docker-build:index:Image": lambda name, inputs: {
        "ref": f"{next(iter(inputs.get('tags') or [name]))}@{DIGEST}",
        "digest": DIGEST,
        "contextHash": "0" * 64,
    },
    "random:index/randomPassword:RandomPassword": lambda name, _: {"result": Output.secret(f"{name}-result")},
}
