"""The stacks as their own program declares them, each planned once, and how to read such a plan."""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from infra.infra_settings import KEY, STACKS, stack_settings
from support.plans import ROOT, unwarned

from lgp.planning.program import plan
from lgp.planning.recording import Recording, Resource
from lgp.planning.shape import is_object
from lgp.planning.values import Secret, revealed

Json = dict[str, Any]
ON_AWS = tuple(stack for stack in STACKS if stack != "local")


@cache
def planned(stack: str) -> Recording:
    """The plan of a stack as its file has it; made once."""
    with unwarned():
        return plan(ROOT, stack).recording


def changed(stack: str, changes: Mapping[str, Any], config: Mapping[str, Any] | None = None) -> Recording:
    """The plan of a stack with other settings, and further keys of its configuration."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for path in (ROOT / "__main__.py", ROOT / "Pulumi.yaml"):
            shutil.copy(path, copy)
        (copy / "app").symlink_to(ROOT / "app")
        document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
        document["config"] |= {KEY: stack_settings(stack, changes), **(config or {})}
        (copy / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(document))
        with unwarned():
            return plan(copy, stack).recording


def counts(recording: Recording) -> Counter[str]:
    """How many there are of each type, by its last word with its package: `aws:Vpc`, `kubernetes:Job`."""
    return Counter(kind(resource) for resource in recording.resources)


def kind(resource: Resource) -> str:
    """`aws:ec2/vpc:Vpc` → `aws:Vpc`."""
    return f"{resource.type.partition(':')[0]}:{resource.type.rpartition(':')[2]}"


def of_kind(recording: Recording, *kinds: str) -> list[Resource]:
    """Those of these kinds."""
    return [resource for resource in recording.resources if kind(resource) in kinds]


def inputs(recording: Recording, wanted: str) -> Json:
    """The inputs of the one resource of a kind."""
    (one,) = of_kind(recording, wanted)
    return revealed(one.inputs)


def below(recording: Recording, resource: Resource) -> list[str]:
    """The names of its ancestors, the nearest first."""
    names: list[str] = []
    above = recording.by_urn(resource.parent)
    while above is not None:
        names.append(above.name)
        above = recording.by_urn(above.parent)
    return names


def before(recording: Recording, name: str, wanted: str) -> set[str]:
    """Kinds and names of all that comes before a resource: what it waits for, refers to, and its provider."""
    by_urn = {resource.urn: resource for resource in recording.resources}
    (first,) = (each for each in of_kind(recording, wanted) if each.name == name)
    found: dict[str, Resource] = {}
    waiting = [first]
    while waiting:
        one = waiting.pop()
        urns = {*one.depends_on, one.provider, *(urn for many in one.references.values() for urn in many)}
        for urn in urns & by_urn.keys() - found.keys():
            found[urn] = by_urn[urn]
            waiting.append(by_urn[urn])
    return {f"{kind(each)} {each.name}" for each in found.values()}


def objects(recording: Recording) -> list[Json]:
    """Every Kubernetes object of ours, secrets in the clear."""
    return [revealed(resource.inputs) for resource in recording.resources if is_object(resource)]


def secrets_in(value: Any, path: str = "") -> Iterator[str]:
    """Paths of the secrets inside."""
    if isinstance(value, Secret):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from secrets_in(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item, path)


def statements(policy: Any) -> list[Json]:
    """The statements of a policy document; actions and resources are lists."""
    document = json.loads(policy) if isinstance(policy, str) else policy
    return [
        {**each, "Action": _listed(each.get("Action")), "Resource": _listed(each.get("Resource"))}
        for each in document["Statement"]
    ]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
