"""What differs, as lines of a diff: `-` and `+` for values, `@@` for the resource, `!` for what is grave."""

import difflib
from collections.abc import Iterable, Sequence

from lgp.planning.comment.markup import LINE, fence
from lgp.planning.compare import PropertyChange, ResourceChange, identity
from lgp.planning.excerpts import excerpt, excerpts
from lgp.planning.files import chart_of
from lgp.planning.paths import ABSENT, Difference
from lgp.planning.recording import Resource
from lgp.planning.replacements import is_stateful
from lgp.planning.shape import is_chart, is_object, short_type, shown_inputs
from lgp.planning.yaml_text import written

LINES = 60
"""Lines of one block; the others are counted."""

AROUND = 2
"""Lines of an object's YAML that are shown before and after those that differ."""


def of_change(change: ResourceChange) -> str:
    """All that differs of a resource; of an object or a chart as YAML, where its lines are short enough."""
    notes = [f"!   renamed from {identity(change.old.urn)}"] if change.renamed else []
    if change.through:
        notes.append(f"!   may be replaced with {identity(change.through)}")
    grave = [each for each in change.properties if each.effect in ("replaces", "may replace")]
    notes += [f"!   {each.path}: {each.effect}" for each in grave]
    lines = _of_yaml(change) or [line for each in change.properties for line in _of_property(each)]
    return _block([_title(change.new), *notes, *lines])


def of_group(sign: str, owner: str, resources: Sequence[Resource]) -> str:
    """Resources of one component that are new, or gone."""
    return _block([f"@@ {owner} @@", *(f"{sign} {_called(sign, each)}" for each in resources)])


def of_output(difference: Difference) -> str:
    """One output of the stack."""
    return _block(_of_property(PropertyChange(difference.path, difference.old, difference.new)))


def _title(resource: Resource) -> str:
    return f"@@ {short_type(resource.type)} {resource.name} @@"


def _called(sign: str, resource: Resource) -> str:
    lost = "   destroys what it holds" if sign == "-" and is_stateful(resource.type) else ""
    return f"{short_type(resource.type)} {resource.name}{lost}"


def _of_property(change: PropertyChange) -> list[str]:
    if change.effect == "ignored":
        return [f"    {change.path}: ignored"]
    before, after = excerpts(change.old, change.new)
    if change.old is ABSENT:
        return [f"+   {change.path}: {excerpt(change.new)}"]
    if change.new is ABSENT:
        return [f"-   {change.path}: {excerpt(change.old)}"]
    return [f"-   {change.path}: {before}", f"+   {change.path}: {after}"]


def _of_yaml(change: ResourceChange) -> list[str]:
    """The object's own lines; none for what is no object, or has lines that nobody reads: JSON in a text."""
    before, after = _yaml(change.old), _yaml(change.new)
    told = difflib.unified_diff(before, after, lineterm="", n=AROUND)
    lines = [line for line in list(told)[2:] if not line.startswith("@@")]
    outside = any(each.path.startswith("options.") for each in change.properties)
    return [] if outside or any(len(line) > LINE for line in lines) else lines


def _yaml(resource: Resource) -> list[str]:
    if is_chart(resource):
        return written(chart_of(resource)).splitlines()
    return written(shown_inputs(resource)).splitlines() if is_object(resource) else []


def _block(lines: Iterable[str]) -> str:
    every = list(lines)
    left = len(every) - LINES
    return fence([*every[:LINES], *([f"… {left} more lines"] if left > 0 else [])])
