"""Two plans, resource by resource and property by property."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lgp.planning.paths import Difference, differences
from lgp.planning.recording import Recording, Resource
from lgp.planning.replacements import Effect, effect_of, is_stateful, replacing_inputs
from lgp.planning.shape import shown_inputs
from lgp.planning.values import masked


@dataclass(frozen=True)
class PropertyChange:
    """One path of a resource that differs, and what the engine would do about it."""

    path: str
    old: Any
    new: Any
    effect: Effect = ""


@dataclass(frozen=True)
class ResourceChange:
    """A resource that both plans have."""

    old: Resource
    new: Resource
    properties: tuple[PropertyChange, ...]
    through: str | None = None
    """The URN of a replaced resource whose new identity would replace this one."""

    @property
    def renamed(self) -> bool:
        """Whether only an alias says that it is the same."""
        return identity(self.old.urn) != identity(self.new.urn)

    @property
    def effect(self) -> Effect:
        """The gravest of its properties'; `replaces` only where the table is certain."""
        found = {change.effect for change in self.properties}
        if "replaces" in found:
            return "replaces"
        return "may replace" if "may replace" in found or self.through else ""


@dataclass(frozen=True)
class Comparison:
    """What differs from the old plan to the new; each part in the order of the URNs."""

    added: tuple[Resource, ...]
    removed: tuple[Resource, ...]
    changed: tuple[ResourceChange, ...]
    outputs: tuple[Difference, ...]

    def replaced(self) -> list[ResourceChange]:
        """The stateful resources that the change is known to replace."""
        return [change for change in self.changed if change.effect == "replaces"]

    def destroyed(self) -> list[Resource]:
        """The stateful resources that are gone."""
        return [resource for resource in self.removed if is_stateful(resource.type)]

    def is_empty(self) -> bool:
        """Whether the plans are the same."""
        return not (self.added or self.removed or self.changed or self.outputs)


def identity(urn: str) -> str:
    """What is the same in every stack and project: the chain of types, and the name."""
    return "::".join(urn.split("::")[2:])


def compare(old: Recording, new: Recording) -> Comparison:
    """How the new plan differs from the old; renames that an alias declares are changes."""
    pairs = _pairs(old, new)
    matched = {before.urn for before, _ in pairs.values()}
    changed = [change for change in (_change(*pair) for pair in pairs.values()) if change]
    changed = _with_echoes(_without_new_names(changed))
    return Comparison(
        added=tuple(resource for resource in new.resources if resource.urn not in pairs),
        removed=tuple(resource for resource in old.resources if resource.urn not in matched),
        changed=tuple(_with_consequences(changed, pairs)),
        outputs=tuple(differences(masked(old.outputs), masked(new.outputs))),
    )


def _pairs(old: Recording, new: Recording) -> dict[str, tuple[Resource, Resource]]:
    """By new URN, in the new plan's order: the same resource in both."""
    left = {identity(resource.urn): resource for resource in old.resources}
    same = {r.urn: left.pop(identity(r.urn)) for r in new.resources if identity(r.urn) in left}
    for resource in new.resources:
        known = [identity(urn) for urn in resource.aliases if identity(urn) in left]
        if resource.urn not in same and known:
            same[resource.urn] = left.pop(known[0])
    return {r.urn: (same[r.urn], r) for r in new.resources if r.urn in same}


def _change(old: Resource, new: Resource) -> ResourceChange | None:
    found = [*differences(shown_inputs(old), shown_inputs(new)), *differences(_options(old), _options(new))]
    properties = tuple(
        PropertyChange(d.path, d.old, d.new, effect_of(new.type, d, new.ignore_changes)) for d in found
    )
    change = ResourceChange(old, new, properties)
    return change if properties or change.renamed else None


def _options(resource: Resource) -> dict[str, Any]:
    """What a program says about a resource beside its inputs."""
    return {
        "options": {
            "deleteBeforeReplace": resource.delete_before_replace,
            "deletedWith": resource.deleted_with and identity(resource.deleted_with),
            "ignoreChanges": list(resource.ignore_changes),
            "protect": resource.protect,
            "provider": resource.provider and identity(resource.provider),
        }
    }


def _without_new_names(changed: list[ResourceChange]) -> list[ResourceChange]:
    """A renamed resource keeps its id, address and ARN; only in a plan are these made of its name."""
    names = {change.new.urn: (change.old.name, change.new.name) for change in changed if change.renamed}
    if not names:
        return changed
    kept = [
        replace(
            change, properties=tuple(p for p in change.properties if not _is_new_name(change.new, p, names))
        )
        for change in changed
    ]
    return [change for change in kept if change.properties or change.renamed]


def _is_new_name(resource: Resource, change: PropertyChange, names: dict[str, tuple[str, str]]) -> bool:
    text = change.old
    if not isinstance(text, str):
        return False
    for urn in resource.references.get(re.split(r"[.\[]", change.path)[0], ()):
        text = text.replace(*names[urn]) if urn in names else text
    return text == change.new


def _with_echoes(changed: list[ResourceChange]) -> list[ResourceChange]:
    """What a resource ignores does not reach those who read it: their values differ in this plan alone."""
    kept: dict[str, list[tuple[str, str]]] = {}
    for change in changed:
        texts = [(p.old, p.new) for p in change.properties if p.effect == "ignored"]
        kept[change.new.urn] = [(a, b) for a, b in texts if isinstance(a, str) and isinstance(b, str) and a]
    return [
        replace(change, properties=tuple(_echoed(change.new, p, kept) for p in change.properties))
        for change in changed
    ]


def _echoed(
    resource: Resource, change: PropertyChange, kept: dict[str, list[tuple[str, str]]]
) -> PropertyChange:
    text = change.old
    if not isinstance(text, str):
        return change
    for urn in resource.references.get(re.split(r"[.\[]", change.path)[0], ()):
        for old, new in kept.get(urn, ()):
            text = text.replace(old, new)
    return replace(change, effect="ignored") if text == change.new else change


def _with_consequences(
    changed: list[ResourceChange], pairs: dict[str, tuple[Resource, Resource]]
) -> Iterator[ResourceChange]:
    """Add what a replacement does to others: what is made of the replaced one's identity may go too."""
    by_urn = {change.new.urn: change for change in changed}
    replaced = [change.new.urn for change in changed if change.effect == "replaces"]
    while replaced:
        cause = replaced.pop(0)
        for old, new in pairs.values():
            change = by_urn.get(new.urn) or ResourceChange(old, new, ())
            if not change.effect and _hangs_on(new, cause):
                by_urn[new.urn] = replace(change, through=cause)
                replaced.append(new.urn)
    return (by_urn[urn] for urn in pairs if urn in by_urn)


def _hangs_on(resource: Resource, cause: str) -> bool:
    if resource.provider == cause:
        return is_stateful(resource.type)
    return any(cause in resource.references.get(key, ()) for key in replacing_inputs(resource.type))
