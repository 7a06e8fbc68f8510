"""What is in which box: a component is a box, with what it declares as lines, by kind."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lgp.planning.files import chart_of
from lgp.planning.recording import Recording, Resource
from lgp.planning.replacements import is_stateful
from lgp.planning.shape import children, is_chart, kind_of

Colour = Literal["aws", "kubernetes", "chart", "other"]

TIMES = "\N{MULTIPLICATION SIGN}"

OWN = "#own"
"""Ends the key of the box for what a component with components of its own declares itself."""


@dataclass(frozen=True)
class Line:
    """All resources of one kind in a box."""

    text: str
    colour: Colour
    stateful: bool = False
    protected: bool = False


@dataclass(frozen=True)
class Group:
    """A box: with lines, or with boxes."""

    key: str
    """The component's URN, perhaps with `OWN`; empty for the stack."""
    title: str
    """`PostgresDatabase`; of the stack the project."""
    name: str
    number: int
    """Resources inside, at any depth, without components and providers."""
    lines: tuple[Line, ...] = ()
    groups: tuple["Group", ...] = ()


def grouped(recording: Recording) -> Group:
    """The whole stack as one box."""
    by_parent = children(recording.resources)
    return _group("", recording.project, f"stack {recording.stack}", None, by_parent)


def key_path(resource: Resource, by_urn: dict[str, Resource]) -> list[str]:
    """The keys of the boxes that a resource is in, the outermost first; a component's ends with its own."""
    path = [] if resource.custom else [resource.urn]
    above = by_urn.get(resource.parent or "")
    while above is not None:
        if not above.custom:
            path.append(above.urn)
        above = by_urn.get(above.parent or "")
    return path[::-1]


def _group(
    key: str, title: str, name: str, urn: str | None, by_parent: dict[str | None, list[Resource]]
) -> Group:
    below = by_parent.get(urn, [])
    inner = [
        _group(each.urn, _last(each.type), each.name, each.urn, by_parent)
        for each in below
        if not each.custom
    ]
    own = [each for each in _all_custom(below, by_parent) if kind_of(each) != "provider"]
    groups = [group for group in inner if group.number]
    number = sum(group.number for group in groups) + len(own)
    if not groups:
        return Group(key, title, name, number, _lines(own))
    if own:
        groups.append(Group(key + OWN, f"{title} itself", name, len(own), _lines(own)))
    return Group(key, title, name, number, groups=tuple(groups))


def _all_custom(below: Iterable[Resource], by_parent: dict[str | None, list[Resource]]) -> Iterable[Resource]:
    """Resources that are no components, and what hangs below them."""
    for each in below:
        if each.custom:
            yield each
            yield from _all_custom(by_parent.get(each.urn, []), by_parent)


def _lines(resources: Iterable[Resource]) -> tuple[Line, ...]:
    """What holds data first, then charts, then by number; of one number by name."""
    found: dict[tuple[str, Colour, bool], list[Resource]] = {}
    for each in resources:
        name = str(chart_of(each).get("chart", each.name)) if is_chart(each) else _last(each.type)
        found.setdefault((name, _colour(each), is_stateful(each.type)), []).append(each)
    ordered = sorted(
        found.items(), key=lambda pair: (not pair[0][2], pair[0][1] != "chart", -len(pair[1]), pair[0])
    )
    return tuple(
        Line(
            f"{name} {TIMES}{len(many)}" if len(many) > 1 else name,
            colour,
            stateful,
            all(each.protect for each in many),
        )
        for (name, colour, stateful), many in ordered
    )


def _colour(resource: Resource) -> Colour:
    kind = kind_of(resource)
    return kind if kind in ("aws", "kubernetes", "chart") else "other"


def _last(token: str) -> str:
    return token.rpartition(":")[2]
