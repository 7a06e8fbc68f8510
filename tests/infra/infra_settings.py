"""Every setting of a stack by its path, documents in which it can be set, and what fits it or does not."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo
from support.plans import ROOT

from langgraph_components.args import Args
from langgraph_components.errors import InvalidSettings
from langgraph_components.settings import PlatformSettings

Json = dict[str, Any]
STACKS = ("dev", "prod", "local")
KEY = "langgraph-platform:platform"

SAMPLES: dict[str, Any] = {
    "workload.oidc": {"issuer": "https://login.example", "audience": "agents"},
    "network.existing": {
        "vpc_id": "vpc-1",
        "vpc_cidr": "10.0.0.0/16",
        "public_subnet_ids": ["subnet-1", "subnet-2"],
        "private_subnet_ids": ["subnet-3", "subnet-4"],
        "data_subnet_ids": ["subnet-5", "subnet-6"],
        "public_subnet_cidrs": ["10.0.0.0/24"],
        "private_subnet_cidrs": ["10.0.1.0/24"],
        "data_subnet_cidrs": ["10.0.2.0/24"],
    },
    "cluster.existing": {
        "name": "theirs",
        "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/theirs",
        "endpoint": "https://theirs.example",
        "certificate_authority": "Y2E=",
        "security_group_id": "sg-1",
    },
    "database.existing": {
        "host": "db.example",
        "master_secret_arn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db",
        "security_group_id": "sg-2",
        "max_connections": 4000,
        "resource_id": "db-ABC",
    },
    "edge": {"hostname": "a.example.com", "zone_id": "Z1", "allowed_cidrs": ["203.0.113.0/24"]},
    "monitoring.existing": {"namespace": "prometheus"},
    "monitoring.receivers.0": {"name": "ops", "kind": "webhook", "secret_name": "hook"},
    "secrets.vault": {"server": "https://vault.example", "role": "reader"},
    "secrets.gcp": {"project": "acme", "audience": "//iam.googleapis.com/x"},
    "workload.callers.x": {"namespace": "ingress"},
    "workload.collector": {"namespace": "tracing"},
    "workload.egress_proxy": {"namespace": "proxy"},
    "workload.tolerations.0": {"key": "agents"},
}
"""What an object needs before anything else is said of it."""


@cache
def _read(stack: str) -> Json:
    return yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"][KEY]


def stack_settings(stack: str, changes: Mapping[str, Any] | None = None) -> Json:
    """What the file of a stack says, with settings of these paths changed; None leaves one out."""
    document = deepcopy(_read(stack))
    for path, value in (changes or {}).items():
        put(document, path, value)
    return document


def put(document: Json, path: str, value: Any) -> None:
    """Set what is at a path; objects on the way are made with what they need."""
    node: Any = document
    steps = path.split(".")
    for depth, step in enumerate(steps[:-1], 1):
        key = int(step) if isinstance(node, list) else step
        there = key < len(node) if isinstance(node, list) else node.get(key) is not None
        if not there:
            sample = deepcopy(SAMPLES.get(".".join(steps[:depth]), {}))
            made = [] if steps[depth].isdigit() else sample
            if isinstance(node, list):
                node.append(made)
            else:
                node[key] = made
        node = node[key]
    if isinstance(node, list):
        node[:] = [value]
    else:
        node[steps[-1]] = value


def refusal(document: Any) -> list[str]:
    """The lines that settings are refused with; none if they are not."""
    try:
        PlatformSettings.of(document)
    except InvalidSettings as refused:
        return str(refused).splitlines()
    return []


@dataclass(frozen=True)
class Setting:
    """One field of one object of the settings."""

    path: str
    form: Any
    """Its type, with neither None nor what an output may be."""
    info: FieldInfo

    def limit(self, name: str) -> Any:
        """`ge`, `le`, `pattern`…, None if there is none."""
        return next((getattr(each, name) for each in self.info.metadata if hasattr(each, name)), None)

    def a_wrong_type(self) -> Any:
        """Something that it is not."""
        if self.form in (int, float, bool) or _is_enum(self.form):
            return "nonsense"
        return {"an": "object"} if self.form is str else 5


def objects() -> dict[str, type[Args]]:
    """Every object of the settings by its path; the first of a list, and `x` of a mapping."""
    return dict(_objects(PlatformSettings, ""))


def settings() -> list[Setting]:
    """Every setting."""
    return [
        Setting(f"{path}.{name}".lstrip("."), form_of(info.annotation), info)
        for path, model in objects().items()
        for name, info in model.model_fields.items()
    ]


def _objects(model: type[Args], path: str) -> Iterator[tuple[str, type[Args]]]:
    yield path, model
    for name, info in model.model_fields.items():
        below = f"{path}.{name}".lstrip(".")
        form = form_of(info.annotation)
        inner = [form_of(each) for each in get_args(form)]
        if _is_args(form):
            yield from _objects(form, below)
        elif get_origin(form) is list and _is_args(inner[0]):
            yield from _objects(inner[0], f"{below}.0")
        elif get_origin(form) is dict and _is_args(inner[1]):
            yield from _objects(inner[1], f"{below}.x")


def form_of(annotation: Any) -> Any:
    """`Optional[In[str]]` → `str`."""
    while get_origin(annotation) not in (None, list, dict):
        annotation = next(each for each in get_args(annotation) if each is not type(None))
    return annotation


def _is_args(form: Any) -> bool:
    return isinstance(form, type) and issubclass(form, Args)


def _is_enum(form: Any) -> bool:
    return isinstance(form, type) and issubclass(form, StrEnum)
