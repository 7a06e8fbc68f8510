"""How resources are told apart and named for people; all in the order of their URNs."""

import base64
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, cast

from lgp.planning.recording import Recording, Resource
from lgp.planning.values import MASK, masked, revealed

CHART = "kubernetes:helm.sh/v3:Release"
SECRET = "kubernetes:core/v1:Secret"  # noqa: S105  # the type of secrets, not one of them


def short_type(token: str) -> str:
    """`aws:rds/instance:Instance` → `aws:rds:Instance`, as the engine shows it."""
    package, _, rest = token.partition(":")
    module, _, name = rest.rpartition(":")
    folder, _, file = module.rpartition("/")
    return f"{package}:{folder}:{name}" if file.lower() == name.lower() else token


def is_object(resource: Resource) -> bool:
    """A Kubernetes object of ours, with every field in sight."""
    return resource.type.startswith("kubernetes:") and {"apiVersion", "kind"} <= resource.inputs.keys()


def is_chart(resource: Resource) -> bool:
    """A third party's chart."""
    return resource.type == CHART


def shown_inputs(resource: Resource) -> dict[str, Any]:
    """The inputs as anyone may see them; of a Kubernetes Secret the keys alone, whoever made its values.

    Each value of a Secret is a stand-in of the form its field has, so that the object stays valid.
    """
    if resource.type != SECRET:
        return masked(resource.inputs)
    inputs: dict[str, Any] = revealed(resource.inputs)
    form = "{}" if "docker" in str(inputs.get("type")) else MASK
    stand_ins = {"data": base64.b64encode(form.encode()).decode(), "stringData": form}
    return masked(resource.inputs) | {
        field: dict.fromkeys(sorted(cast("Mapping[str, str]", inputs[field])), stand_in)
        for field, stand_in in stand_ins.items()
        if isinstance(inputs.get(field), Mapping)
    }


def kind_of(resource: Resource) -> str:
    """What it counts as: component, chart, provider, or its package."""
    if not resource.custom:
        return "component"
    if is_chart(resource):
        return "chart"
    package = resource.type.partition(":")[0]
    return "provider" if package == "pulumi" else package


def kinds_of(resources: Iterable[Resource]) -> dict[str, int]:
    """How many there are of each kind, `{"components": 5, "chart": 1, "aws": 40}`: our own names first."""
    found = Counter(kind_of(resource) for resource in resources)
    plurals = {"component": "components", "chart": "charts", "provider": "providers"}
    ordered = sorted(found.items(), key=lambda pair: (pair[0] not in plurals, pair[0]))
    return {plurals.get(kind, kind) if number > 1 else kind: number for kind, number in ordered}


def owner_of(resource: Resource) -> str:
    """`PostgresDatabase langgraph-database`: what it is a part of; `the stack` for what has no parent."""
    if resource.parent is None:
        return "the stack"
    _, _, types, name = resource.parent.split("::", 3)
    return f"{types.rpartition('$')[2].rpartition(':')[2]} {name}"


def counts(recording: Recording) -> dict[str, int]:
    """How many resources there are of each type, by short type."""
    return dict(sorted(Counter(short_type(resource.type) for resource in recording.resources).items()))


def children(resources: Iterable[Resource]) -> dict[str | None, list[Resource]]:
    """Resources by their parent's URN, those of one parent in the order of type and name."""
    found: dict[str | None, list[Resource]] = {}
    for resource in sorted(resources, key=lambda each: (each.custom, each.type, each.name)):
        found.setdefault(resource.parent, []).append(resource)
    return found
