"""The AWS half of a plan in Terraform's language, which checkov reads: types, names, references.

It is never applied, and need not be what Terraform would take, only what checkov's rules look at. Types and
arguments have the names of the provider that Pulumi's is made from: camel case becomes snake case, a list of
objects becomes blocks.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

TYPES = {
    "aws:lb/loadBalancer:LoadBalancer": "aws_lb",
    "aws:rds/instance:Instance": "aws_db_instance",
    "aws:rds/parameterGroup:ParameterGroup": "aws_db_parameter_group",
    "aws:rds/subnetGroup:SubnetGroup": "aws_db_subnet_group",
}
"""Types whose name in Terraform is not that of their module and kind."""
WITHOUT_MODULE = frozenset({"ec2"})
BLOCKS = {
    "aliases": "alias",
    "default_actions": "default_action",
    "encryption_configurations": "encryption_configuration",
    "parameters": "parameter",
    "pod_identity_associations": "pod_identity_association",
    "rules": "rule",
    "rule_action_overrides": "rule_action_override",
}
"""Lists that Pulumi names in the plural and Terraform, block by block, in the singular."""
MAPS = frozenset({"tags"})
"""Objects that are one argument, not a block."""
LIST_ATTRIBUTES = frozenset({"ingress", "egress"})
"""Lists that are left out when they are empty: where there is no block there is no rule."""


def exported(resources: Sequence[Json]) -> str:
    """All resources of AWS as one file; `resources` as `lgp plan --out` writes them to `aws.json`."""
    ours = [each for each in resources if each["type"].startswith("aws:")]
    by_urn = {each["urn"]: each for each in ours}
    return "\n".join(_resource(each, by_urn) for each in ours)


def terraform_type(token: str) -> str:
    """`aws:kms/key:Key` → `aws_kms_key`."""
    if token in TYPES:
        return TYPES[token]
    module, _, kind = token.split(":")[1].partition("/")
    return "_".join(["aws", *([] if module in WITHOUT_MODULE else [module]), snake(kind)])


def snake(name: str) -> str:
    """`kmsKeyId` → `kms_key_id`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _label(resource: Json) -> str:
    return re.sub(r"\W", "_", resource["name"])


def _resource(resource: Json, by_urn: Mapping[str, Json]) -> str:
    lines: list[str] = []
    for key, value in resource["inputs"].items():
        referred = [by_urn[urn] for urn in resource["references"].get(key, ()) if urn in by_urn]
        lines += _argument(snake(key), value, referred, "  ")
    body = "\n".join(lines)
    return f'resource "{terraform_type(resource["type"])}" "{_label(resource)}" {{\n{body}\n}}\n'


def _argument(key: str, value: Any, referred: Sequence[Json], indent: str) -> Iterator[str]:
    if isinstance(value, dict) and key not in MAPS:
        yield from _block(key, value, referred, indent)
    elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        for each in value:
            yield from _block(BLOCKS.get(key, key), each, referred, indent)
    elif not (value == [] and key in LIST_ATTRIBUTES):
        yield f"{indent}{key} = {_value(value, referred)}"


def _block(key: str, value: Json, referred: Sequence[Json], indent: str) -> Iterator[str]:
    yield f"{indent}{key} {{"
    for name, item in value.items():
        yield from _argument(snake(name), item, referred, f"{indent}  ")
    yield f"{indent}}}"


def _value(value: Any, referred: Sequence[Json]) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(each, referred) for each in value)}]"
    if isinstance(value, dict):
        return (
            f"{{{', '.join(f'{json.dumps(key)} = {_value(item, referred)}' for key, item in value.items())}}}"
        )
    if isinstance(value, str):
        return _reference(value, referred) or json.dumps(value, ensure_ascii=False).replace("${", "$${")
    return json.dumps(value)


def _reference(value: str, referred: Sequence[Json]) -> str:
    """The attribute of another resource that a plan's stand-in stands for; empty if it is a plain text."""
    for each in referred:
        address = f"{terraform_type(each['type'])}.{_label(each)}"
        if value == f"{each['name']}-id":
            return f"{address}.id"
        if value.startswith("arn:") and value.endswith(f"/{each['name']}"):
            return f"{address}.arn"
        if value.startswith(f"{each['name']}.") and value.endswith(".invalid"):
            return f"{address}.dns_name"
        if value in {each["inputs"].get(key) for key in ("bucket", "name", "identifier")}:
            return f"{address}.id"
        if value == "<computed>" and len(referred) == 1:
            return f"{address}.id"
    return ""
