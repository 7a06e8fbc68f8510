"""The comment on a change: the verdict first, what loses data, then all that differs."""

from collections.abc import Iterable, Sequence

from lgp.planning.comment.blocks import of_change, of_group, of_output
from lgp.planning.comment.bounded import Section, fitted
from lgp.planning.comment.grave import Grave, grave
from lgp.planning.comment.markup import code, columns, foot, items, marker, row
from lgp.planning.compare import Comparison, ResourceChange, identity
from lgp.planning.paths import Difference
from lgp.planning.recording import Resource
from lgp.planning.shape import owner_of, short_type
from lgp.planning.wording import counted

PATHS = 4
"""Changed properties that a table's cell names."""

_CAUTION = """> [!CAUTION]
> **Data is lost, or the update is refused.** Read these lines before anyone approves."""

_WARNING = """> [!WARNING]
> **What holds data may be replaced.** The plan cannot see what is in the account: `pulumi preview` knows."""


def comment_on_difference(
    found: Comparison, stack: str, against: str, *, more: Sequence[Section] = ()
) -> str:
    """What differs from another revision: the verdict, what loses data, the changes.

    Of `more`, what is not folded comes before the changes.
    """
    heading = f"<h3>Plan of {code(stack)}, compared with {code(against)}</h3>"
    worst = grave(found)
    head = [marker(stack), heading, _verdict(found, worst), *_alert(worst)]
    sections = [
        _grave_section(worst),
        *(each for each in more if not each.folded),
        _changed_section(found.changed),
        *(each for each in more if each.folded),
        Section(
            f"<b>Properties</b> of {counted(len(found.changed), 'changed resource')}",
            [of_change(change) for change in _worst_first(found.changed)],
            "changed resource",
        ),
        _group_section("-", "removed", found.removed),
        _group_section("+", "added", found.added),
        _outputs_section(found.outputs),
    ]
    return fitted(head, sections, foot(f"lgp plan {stack} --diff {against}"))


def _verdict(found: Comparison, worst: Sequence[Grave]) -> str:
    if found.is_empty():
        return "<p><b>Nothing changes.</b></p>"
    numbers = [(found.added, "added"), (found.removed, "removed"), (found.changed, "changed")]
    counts = ", ".join(f"{len(many)} {word}" for many, word in numbers if many)
    counts = counts or f"{counted(len(found.outputs), 'output')} of the stack changed"
    certain = [each for each in worst if each.certain]
    if not certain:
        return f"<p><b>{counts}.</b></p>"
    others = f" and {len(certain) - 1} more that hold data" if len(certain) > 1 else ""
    return f"<p>⚠️ {certain[0].headline()}{others}. {counts}.</p>"


def _alert(worst: Sequence[Grave]) -> list[str]:
    if not worst:
        return []
    return [_CAUTION if any(each.certain for each in worst) else _WARNING]


def _grave_section(worst: Sequence[Grave]) -> Section:
    return Section("What holds data", [each.line() for each in worst], "resource", folded=False, wrap=items)


def _changed_section(changed: Sequence[ResourceChange]) -> Section:
    rows = [
        row([code(owner_of(each.new)), f"{_named(each.new)}{_effect(each)}", _paths(each)])
        for each in _worst_first(changed)
    ]
    title = counted(len(changed), "changed resource")
    wrap = columns("in", "resource", "what changes")
    return Section(title, rows, "changed resource", folded=False, wrap=wrap)


def _worst_first(changed: Sequence[ResourceChange]) -> list[ResourceChange]:
    order = ["replaces", "may replace", "", "ignored"]
    return sorted(changed, key=lambda each: order.index(each.effect))


def _named(resource: Resource) -> str:
    return f"{code(short_type(resource.type))} {code(resource.name)}"


def _effect(change: ResourceChange) -> str:
    effect = f" <b>{change.effect}</b>" if change.effect else ""
    renamed = f" renamed from {code(identity(change.old.urn).rpartition('::')[2])}" if change.renamed else ""
    return effect + renamed


def _paths(change: ResourceChange) -> str:
    if not change.properties:
        return f"through {code(identity(change.through))}" if change.through else "its name alone"
    named = ", ".join(code(each.path) for each in change.properties[:PATHS])
    left = len(change.properties) - PATHS
    return f"{named} and {left} more" if left > 0 else named


def _group_section(sign: str, word: str, resources: Iterable[Resource]) -> Section:
    """Those that are new, or gone, by component."""
    groups: dict[str, list[Resource]] = {}
    for each in resources:
        groups.setdefault(owner_of(each), []).append(each)
    number = sum(map(len, groups.values()))
    parts = [of_group(sign, owner, many) for owner, many in groups.items()]
    return Section(f"<b>{counted(number, 'resource')}</b> {word}", parts, "component")


def _outputs_section(outputs: Sequence[Difference]) -> Section:
    title = f"<b>{counted(len(outputs), 'output')}</b> of the stack"
    return Section(title, [of_output(each) for each in outputs], "output")
