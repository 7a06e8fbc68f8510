"""What an upgrade would lose, or stop at: found by comparing a release's stack with today's plan of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from lgp.planning.compare import ResourceChange, compare, identity
from lgp.planning.recording import Recording, Resource
from lgp.planning.releases.baseline import Baseline, fixed_name
from lgp.planning.replacements import is_stateful
from lgp.planning.shape import short_type

Word = Literal["destroys", "replaces", "may replace", "renames"]


@dataclass(frozen=True)
class Alarm:
    """One resource that an operator would miss, or at which the upgrade would stop."""

    word: Word
    resource: str
    """`aws:rds:Instance langgraph-database`, by its name in the release."""
    why: str
    through: str = ""
    """The resource that takes it along."""

    def __str__(self) -> str:
        """One line."""
        return f"{self.word} {self.resource}: {self.why}"


def alarms(baseline: Baseline, today: Recording) -> list[Alarm]:
    """What today's program would do to the release's stack that nobody may learn by surprise."""
    found = compare(_comparable(baseline.recording, today), today)
    renamed = list(_renamed(baseline, found.removed, found.added))
    told = {alarm.resource for alarm, _ in renamed}
    destroyed = [
        Alarm("destroys", called(each), "it holds data, and is no longer declared")
        for each in found.destroyed()
        if called(each) not in told
    ]
    causes = {new.urn: alarm.resource for alarm, new in renamed}
    changed = [
        _of_change(each, causes)
        for each in found.changed
        if each.effect in ("replaces", "may replace") and is_stateful(each.new.type)
    ]
    return [*destroyed, *(alarm for alarm, _ in renamed), *changed]


def called(resource: Resource) -> str:
    """How an announcement names it."""
    return f"{short_type(resource.type)} {resource.name}"


def _comparable(old: Recording, today: Recording) -> Recording:
    """The old resources; one whose inputs were not written down has today's, so that none of them differs."""
    by_identity = {identity(each.urn): each for each in today.resources}
    whole = [_completed(each, by_identity.get(identity(each.urn))) for each in old.resources]
    return replace(old, resources=tuple(whole))


def _completed(old: Resource, new: Resource | None) -> Resource:
    if new is None:
        return old
    inputs = old.inputs or new.inputs
    options = {"ignore_changes": new.ignore_changes, "provider": new.provider, "protect": old.protect}
    return replace(new, urn=old.urn, inputs=inputs, **options)


def _renamed(
    baseline: Baseline, removed: tuple[Resource, ...], added: tuple[Resource, ...]
) -> Iterator[tuple[Alarm, Resource]]:
    """What goes while another of its type and place comes: as a rule the same under another name."""
    for old in removed:
        fixed = baseline.fixed.get(old.urn, "")
        same = [new for new in added if new.type == old.type and fixed and fixed_name(new) == fixed]
        alike = [new for new in added if new.custom and _alike(old, new)]
        if same:
            why = f"{called(same[0])} is made first, and its name {fixed} is taken: the upgrade stops there"
            yield Alarm("renames", called(old), f"{why}; an alias keeps it"), same[0]
        elif alike:
            what = "what it holds is lost" if is_stateful(old.type) else "it is made anew"
            why = f"{called(alike[0])} comes without an alias: {what}"
            yield Alarm("renames", called(old), why), alike[0]


def _alike(old: Resource, new: Resource) -> bool:
    return _types(new) == _types(old) or (new.type, new.name) == (old.type, old.name)


def _types(resource: Resource) -> str:
    return identity(resource.urn).partition("::")[0]


def _of_change(change: ResourceChange, causes: Mapping[str, str]) -> Alarm:
    """`causes` has by the URN of what has come, without an alias, the name of what has gone for it."""
    word: Word = "replaces" if change.effect == "replaces" else "may replace"
    if change.through:
        cause = change.through.split("::")
        name = f"{short_type(cause[2].rpartition('$')[2])} {cause[3]}"
        return Alarm(word, called(change.old), f"it is made of the id of {name}", name)
    paths = [each.path for each in change.properties if each.effect == change.effect]
    inputs = {re.split(r"[.\[]", path)[0] for path in paths}
    made_of = {urn for each in inputs for urn in change.new.references.get(each, ())}
    through = next((causes[urn] for urn in sorted(made_of) if urn in causes), "")
    return Alarm(word, called(change.old), f"another {', '.join(paths)}", through)
