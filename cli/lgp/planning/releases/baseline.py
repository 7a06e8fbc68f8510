"""A stack as a release had it: its configuration, and of its resources what tells one from another.

A resource that holds data has all of its inputs, for each may be one that replaces it; of any other the fixed
name is enough, by which the cloud or the cluster knows it. One resource a line: a change is seen in a diff.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lgp.planning.compare import identity
from lgp.planning.recording import Recording, Resource
from lgp.planning.replacements import is_stateful
from lgp.planning.shape import is_chart, is_object, shown_inputs

NAMES = ("identifier", "replicationGroupId", "userId", "userGroupId", "addonName", "bucket", "name")
"""Inputs of AWS by which two resources of a type cannot be the same."""


@dataclass(frozen=True)
class Baseline:
    """A stack as a release had it."""

    version: str
    config: dict[str, Any]
    """By full key, as the stack's file had it."""
    recording: Recording
    """With the inputs of what holds data alone."""
    fixed: dict[str, str]
    """Fixed names by URN."""


def fixed_name(resource: Resource) -> str:
    """The name that the program gives it outside, where it would be taken for a second one; or nothing."""
    inputs = shown_inputs(resource)
    if is_object(resource):
        metadata: dict[str, Any] = inputs.get("metadata") or {}
        return f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
    if is_chart(resource):
        return f"{inputs.get('namespace', '')}/{inputs.get('name', '')}"
    if not resource.type.startswith("aws:"):
        return ""
    return next((str(inputs[key]) for key in NAMES if isinstance(inputs.get(key), str)), "")


def baseline_text(version: str, config: Mapping[str, Any], recording: Recording) -> str:
    """The file of a stack."""
    head = {"version": version, "project": recording.project, "stack": recording.stack, "config": config}
    lines = [json.dumps(_entry(resource), ensure_ascii=False) for resource in recording.resources]
    opening = json.dumps(head, ensure_ascii=False, indent=1)[:-2]
    return f'{opening},\n "resources": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n"


def read_baseline(text: str) -> Baseline:
    """What `baseline_text` wrote."""
    document: dict[str, Any] = json.loads(text)
    project, stack = document["project"], document["stack"]
    entries: list[dict[str, Any]] = document["resources"]
    resources = tuple(_resource(entry, f"urn:pulumi:{stack}::{project}::") for entry in entries)
    fixed = {each.urn: entry.get("name", "") for each, entry in zip(resources, entries, strict=True)}
    return Baseline(document["version"], document["config"], Recording(project, stack, resources, {}), fixed)


def _entry(resource: Resource) -> dict[str, Any]:
    entry: dict[str, Any] = {"is": identity(resource.urn)}
    if name := fixed_name(resource):
        entry["name"] = name
    if resource.protect:
        entry["protect"] = True
    if is_stateful(resource.type):
        entry["inputs"] = shown_inputs(resource)
    return entry


def _resource(entry: Mapping[str, Any], prefix: str) -> Resource:
    types, _, name = str(entry["is"]).partition("::")
    type_ = types.rpartition("$")[2]
    return Resource(
        urn=prefix + str(entry["is"]),
        type=type_,
        name=name,
        parent=None,
        provider=None,
        custom=True,
        protect=bool(entry.get("protect")),
        inputs=dict(entry.get("inputs") or {}),
    )
