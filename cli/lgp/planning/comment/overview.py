"""The comment on a plan by itself: what a stack is."""

from collections.abc import Iterable, Sequence

from lgp.planning.comment.bounded import Section, fitted
from lgp.planning.comment.markup import code, columns, fence, foot, marker, row
from lgp.planning.files import chart_of
from lgp.planning.recording import Recording, Resource
from lgp.planning.replacements import NOUNS, is_stateful
from lgp.planning.shape import children, is_chart, kinds_of, short_type
from lgp.planning.wording import counted


def comment_on_plan(recording: Recording, *, more: Sequence[Section] = ()) -> str:
    """What a stack is: its totals, what holds data, its components; then `more`."""
    resources = recording.resources
    heading = f"<h3>Plan of {code(recording.stack)}</h3>"
    kinds = f": {_kinds(resources)}" if resources else ""
    total = f"<p><b>{counted(len(resources), 'resource')}</b>{kinds}.</p>"
    stateful = [resource for resource in resources if is_stateful(resource.type)]
    charts = [resource for resource in resources if is_chart(resource)]
    sections = [
        *more,
        Section(
            f"<b>{len(stateful)}</b> of them hold data, or all that hangs on it",
            [_stateful_row(resource) for resource in stateful],
            "resource",
            wrap=columns("holds", "resource", "protected"),
        ),
        _components_section(recording),
        Section(
            f"<b>{counted(len(charts), 'chart')}</b> of others",
            [_chart_row(resource) for resource in charts],
            "chart",
            wrap=columns("chart", "version", "from"),
        ),
        Section(
            f"<b>{counted(len(recording.outputs), 'output')}</b>",
            [fence(sorted(recording.outputs), "text")] if recording.outputs else [],
            "output",
        ),
    ]
    return fitted([marker(recording.stack), heading, total], sections, foot(f"lgp plan {recording.stack}"))


def _components_section(recording: Recording) -> Section:
    by_parent = children(recording.resources)
    owners = [each for each in recording.resources if not each.custom and by_parent.get(each.urn)]
    rows = [
        row([code(f"{_last(each)} {each.name}"), str(len(by_parent[each.urn])), _kinds(by_parent[each.urn])])
        for each in owners
    ]
    title = f"<b>{counted(len(owners), 'component')}</b>"
    return Section(title, rows, "component", wrap=columns("component", "holds", "of which"))


def _stateful_row(resource: Resource) -> str:
    kept = "protected" if resource.protect else "no"
    return row([NOUNS[resource.type], f"{code(short_type(resource.type))} {code(resource.name)}", kept])


def _chart_row(resource: Resource) -> str:
    chart = chart_of(resource)
    return row([code(str(chart.get(key, ""))) for key in ("chart", "version", "repository")])


def _last(resource: Resource) -> str:
    return resource.type.rpartition(":")[2]


def _kinds(resources: Iterable[Resource]) -> str:
    return ", ".join(code(f"{number} {kind}") for kind, number in kinds_of(resources).items())
