"""`--json`: the plan, or its difference from another, as one document; secrets masked."""

from typing import Any

from lgp.planning.compare import Comparison, ResourceChange, identity
from lgp.planning.paths import ABSENT
from lgp.planning.recording import Recording, Resource
from lgp.planning.shape import shown_inputs
from lgp.planning.values import masked


def plan_document(recording: Recording) -> dict[str, Any]:
    """`{"stack", "resources": [{"type", "name", "parent", "provider", "protect", "inputs"}], "outputs"}`.

    Types are Pulumi's tokens; parent and provider are URNs; null is the stack, and a default provider.
    """
    resources = [resource_document(resource) for resource in recording.resources]
    return {"stack": recording.stack, "resources": resources, "outputs": masked(recording.outputs)}


def comparison_document(comparison: Comparison, stack: str, against: str) -> dict[str, Any]:
    """`{"stack", "against", "added", "removed", "changed", "outputs"}` for `--diff`.

    A change is `{"type", "name", "parent", "effect", "through", "renamed_from", "properties": [{"path", "op",
    "old", "new", "effect"}]}`; `op` is `+`, `-` or `~`, and `old` or `new` is left out where there is none.
    """
    return {
        "stack": stack,
        "against": against,
        "added": [resource_document(resource) for resource in comparison.added],
        "removed": [resource_document(resource) for resource in comparison.removed],
        "changed": [_change(change) for change in comparison.changed],
        "outputs": [_property(each.path, each.old, each.new) for each in comparison.outputs],
    }


def resource_document(resource: Resource) -> dict[str, Any]:
    """What every document tells of a resource."""
    return {
        "type": resource.type,
        "name": resource.name,
        "parent": resource.parent,
        "provider": resource.provider,
        "protect": resource.protect,
        "inputs": shown_inputs(resource),
    }


def _change(change: ResourceChange) -> dict[str, Any]:
    return {
        "type": change.new.type,
        "name": change.new.name,
        "parent": change.new.parent,
        "effect": change.effect,
        "through": change.through,
        "renamed_from": identity(change.old.urn) if change.renamed else None,
        "properties": [
            {**_property(each.path, each.old, each.new), "effect": each.effect} for each in change.properties
        ],
    }


def _property(path: str, old: Any, new: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"path": path, "op": sign(old, new)}
    if old is not ABSENT:
        told["old"] = old
    if new is not ABSENT:
        told["new"] = new
    return told


def sign(old: Any, new: Any) -> str:
    """`+` for what is new, `-` for what is gone, `~` for what is another."""
    if old is ABSENT:
        return "+"
    return "-" if new is ABSENT else "~"
