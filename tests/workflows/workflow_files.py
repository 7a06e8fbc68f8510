"""The workflows and actions of this repository, parsed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(path.name for path in FOLDER.glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
SCRIPTS = sorted((ROOT / ".github" / "scripts").glob("*.sh"))

Json = dict[str, Any]


class Job(NamedTuple):
    workflow: str
    name: str
    told: Json

    def __str__(self) -> str:
        return f"{self.workflow.removesuffix('.yml')}-{self.name}"

    @property
    def steps(self) -> list[Json]:
        return self.told.get("steps", [])

    @property
    def permissions(self) -> Json:
        return self.told.get("permissions", {})


def parsed(name: str) -> Json:
    """A workflow; YAML 1.1 reads the key `on` as true."""
    document = yaml.safe_load((FOLDER / name).read_text())
    document["on"] = document.pop(True)
    return document


def jobs() -> list[Job]:
    return [Job(name, job, told) for name in WORKFLOWS for job, told in sorted(parsed(name)["jobs"].items())]


def job(workflow: str, name: str) -> Job:
    return Job(workflow, name, parsed(workflow)["jobs"][name])


def texts(value: Any) -> Iterator[str]:
    """Every string inside."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
