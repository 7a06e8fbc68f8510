"""What a cloud would add to the inputs of a resource, and which changes it would answer with a new one."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from lgp.planning.replacements import RULES, Rule

ACCOUNT = "111122223333"

Properties = dict[str, Any]

STATEFUL = frozenset(
    {
        "aws:ec2/vpc:Vpc",
        "aws:ecr/repository:Repository",
        "aws:eks/cluster:Cluster",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "aws:kms/key:Key",
        "aws:rds/instance:Instance",
        "aws:s3/bucket:Bucket",
        "aws:secretsmanager/secret:Secret",
        "kubernetes:apps/v1:StatefulSet",
        "random:index/randomPassword:RandomPassword",
    }
)
"""Types whose replacement loses data, or everything that was built on them."""

_IDENTITY = ("apiVersion", "kind", "metadata.name", "metadata.namespace")
"""What makes a Kubernetes object another one."""


def replacing(type_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    """The inputs whose change needs a new resource; where AWS only may need one, it does here."""
    rule = RULES.get(type_, Rule(()))
    paths = {*rule.replaces, *rule.perhaps, *(_IDENTITY if type_.startswith("kubernetes:") else ())}
    return sorted({path.split(".")[0] for path in paths if _at(olds, path) != _at(news, path)})


def is_regional(type_: str) -> bool:
    """Whether a resource of that type is in one region: then another region needs a new resource."""
    return type_.startswith("aws:") and not type_.startswith(("aws:iam/", "aws:route53/"))


def outputs_of(type_: str, identity: str, inputs: Properties, region: str = "eu-west-1") -> Properties:
    """All properties of a resource: its inputs, and what is made up from its id, the same for ever."""
    added: Properties = {}
    if type_.startswith("aws:"):
        added = {"arn": arn(type_, identity, inputs, region), "name": identity, "bucket": identity}
    if is_regional(type_):
        added["region"] = region
    if type_.startswith("kubernetes:"):
        added = {"status": {}}
    if maker := _MADE_UP.get(type_):
        added |= maker(identity, inputs)
    return _merged(added, inputs)


def arn(type_: str, identity: str, inputs: Properties, region: str) -> str:
    """As AWS writes them, as far as policies look into them; else `arn:aws:ec2:eu-west-1:ACCOUNT:vpc/ID`."""
    service, _, kind = type_.split(":")[1].partition("/")
    if service == "s3":
        return f"arn:aws:s3:::{inputs.get('bucket', identity)}"
    if service == "secretsmanager":
        kind, identity = "secret:", f"{inputs.get('namePrefix', '')}{identity}-{_hex(identity, 6)}"
    elif service == "rds":
        kind = "db:"
    elif service == "cloudwatch":
        service, kind, identity = "logs", "log-group:", inputs.get("name", identity)
    else:
        kind, identity = f"{kind}/", inputs.get("name", identity)
    return f"arn:aws:{service}:{'' if service == 'iam' else region}:{ACCOUNT}:{kind}{identity}"


def _at(properties: Mapping[str, Any], path: str) -> Any:
    value: Any = properties
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _merged(added: Properties, inputs: Properties) -> Properties:
    """The inputs, and below them what was added, also inside of objects that are inputs (`vpcConfig`)."""
    merged = {**added, **inputs}
    for key in added.keys() & inputs.keys():
        if isinstance(added[key], dict) and isinstance(inputs[key], dict):
            merged[key] = {**added[key], **inputs[key]}
    return merged


def _hex(identity: str, length: int) -> str:
    return sha256(identity.encode()).hexdigest()[:length]


def _cluster(identity: str, _: Properties) -> Properties:
    return {
        "endpoint": f"https://{_hex(identity, 32).upper()}.gr7.eks.invalid",
        "certificateAuthority": {"data": "ZWNobw=="},
        "identities": [{"oidcs": [{"issuer": f"https://oidc.eks.invalid/id/{_hex(identity, 32)}"}]}],
        "vpcConfig": {"clusterSecurityGroupId": f"sg-{_hex(identity, 17)}"},
        "status": "ACTIVE",
    }


def _database(identity: str, _: Properties) -> Properties:
    master = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:rds!db-{_hex(identity, 8)}"
    return {
        "address": f"{identity}.rds.invalid",
        "endpoint": f"{identity}.rds.invalid:5432",
        "port": 5432,
        "resourceId": f"db-{_hex(identity, 26).upper()}",
        "masterUserSecrets": [{"secretArn": master, "secretStatus": "active"}],
        "engineVersionActual": "18.1",
    }


def _cache(identity: str, _: Properties) -> Properties:
    return {
        "primaryEndpointAddress": f"master.{identity}.cache.invalid",
        "readerEndpointAddress": f"replica.{identity}.cache.invalid",
        "port": 6379,
    }


def _certificate(identity: str, inputs: Properties) -> Properties:
    domain = inputs.get("domainName", identity)
    option = {
        "domainName": domain,
        "resourceRecordName": f"_{_hex(identity, 32)}.{domain}",
        "resourceRecordType": "CNAME",
        "resourceRecordValue": f"_{_hex(domain, 32)}.acm-validations.invalid",
    }
    return {"domainValidationOptions": [option], "status": "ISSUED"}


def _image(identity: str, inputs: Properties) -> Properties:
    digest = f"sha256:{sha256(identity.encode()).hexdigest()}"
    tag = next(iter(inputs.get("tags") or [identity]))
    return {"ref": f"{tag}@{digest}", "digest": digest, "contextHash": digest.removeprefix("sha256:")}


def _repository(identity: str, inputs: Properties) -> Properties:
    name = inputs.get("name", identity)
    return {"repositoryUrl": f"{ACCOUNT}.dkr.ecr.amazonaws.invalid/{name}", "registryId": ACCOUNT}


def _release(identity: str, inputs: Properties) -> Properties:
    status = {
        "name": inputs.get("name", identity),
        "namespace": inputs.get("namespace"),
        "status": "deployed",
    }
    return {"name": identity, "status": {key: value for key, value in status.items() if value}}


def _password(identity: str, inputs: Properties) -> Properties:
    # The real provider's outputs are secret by its schema; this one has to mark them itself.
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    return {"result": {**secret, "value": _hex(identity, int(inputs.get("length", 32)))}}


_MADE_UP: dict[str, Callable[[str, Properties], Properties]] = {
    "aws:acm/certificate:Certificate": _certificate,
    "aws:ec2/eip:Eip": lambda identity, _: {"allocationId": f"eipalloc-{_hex(identity, 17)}"},
    "aws:ec2/launchTemplate:LaunchTemplate": lambda _, __: {"latestVersion": 1, "defaultVersion": 1},
    "aws:ec2/vpc:Vpc": lambda identity, _: {"defaultSecurityGroupId": f"sg-{_hex(identity, 17)}"},
    "aws:ecr/repository:Repository": _repository,
    "aws:eks/cluster:Cluster": _cluster,
    "aws:elasticache/replicationGroup:ReplicationGroup": _cache,
    "aws:kms/key:Key": lambda identity, _: {"keyId": _hex(identity, 32)},
    "aws:lb/loadBalancer:LoadBalancer": lambda identity, _: {
        "dnsName": f"{identity}.elb.invalid",
        "zoneId": "Z32O12XQLNTSW2",
        "arnSuffix": f"app/{identity}/{_hex(identity, 16)}",
    },
    "aws:lb/targetGroup:TargetGroup": lambda identity, _: {"arnSuffix": f"targetgroup/{identity}"},
    "aws:rds/instance:Instance": _database,
    "aws:route53/record:Record": lambda identity, inputs: {"fqdn": inputs.get("name", identity)},
    "docker-build:index:Image": _image,
    "kubernetes:helm.sh/v3:Release": _release,
    "random:index/randomPassword:RandomPassword": _password,
}
