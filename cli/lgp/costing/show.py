"""The estimate for people: its table, what carries it, the managed platform beside it, the assumptions."""

from collections.abc import Iterator

from lgp.costing.capacity import Capacity
from lgp.costing.compare import Comparison, People
from lgp.costing.estimating import Difference, Estimate, Line
from lgp.costing.ranges import Range

NAME, FACTOR, AMOUNT = 46, 38, 10
"""Characters of the columns."""


def told(found: Estimate, comparisons: tuple[Comparison, ...], people: People) -> Iterator[str]:
    """All lines, without markup."""
    yield from heading(found)
    yield ""
    yield from table(found)
    yield ""
    yield from carried(found)
    for comparison in comparisons:
        yield ""
        yield from compared(found, comparison, people)
    yield ""
    yield from assumed(found)


def heading(found: Estimate) -> Iterator[str]:
    """What the numbers are about."""
    usage = found.usage
    runs = f"{usage.runs_per_day:,.0f} runs a day, {usage.resumes_per_run:g} resumes each"
    yield f"{found.stack}: {runs}; USD a month"
    where = (
        f", the stack is in {found.facts.region}"
        if found.facts.region not in ("", found.prices.region)
        else ""
    )
    yield f"list prices of {found.prices.region} on {found.prices.as_of}{where}; without calls of models"


def table(found: Estimate) -> Iterator[str]:
    """A row a charge, those of 0 left out, and the sum."""
    yield _row("", "quantity x price", "low", "likely", "high")
    group = ""
    for line in found.lines:
        if line.monthly.high:
            if line.charge.group != group:
                group = line.charge.group
                yield group
            yield _row(f"  {line.charge.what}", factors(line), *amounts(line.monthly))
    yield _row("total", "", *amounts(found.monthly))


def factors(line: Line) -> str:
    """`2,190 x 0.045 hour`."""
    return f"{quantity(line.charge.quantity.likely)} x {line.price.usd.likely:g} {line.price.unit}"


def quantity(value: float) -> str:
    """With as many places as tell something."""
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:,.2f}"  # noqa: PLR2004  # three digits


def rough(value: float) -> str:
    """Two digits that count, for what is not known better."""
    return f"{float(f'{value:.1e}'):,.0f}"


def amounts(monthly: Range) -> tuple[str, str, str]:
    """Cents."""
    return f"{monthly.low:,.2f}", f"{monthly.likely:,.2f}", f"{monthly.high:,.2f}"


def _row(name: str, factor: str, low: str, likely: str, high: str) -> str:
    return f"{name:{NAME - 1}} {factor:{FACTOR}}{low:>{AMOUNT}}{likely:>{AMOUNT}}{high:>{AMOUNT}}".rstrip()


def carried(found: Estimate) -> Iterator[str]:
    """What the runs take, what is not in the sum, and what is wrong with the stack for so many."""
    yield _taken(found.capacity)
    if found.capacity.carries:
        carries = found.capacity.carries
        span = f"{rough(carries.low)} to {rough(carries.likely)} runs a day"
        yield f"by processor time alone the stack carries {span}: measure it with your graphs"
    for missing in found.unpriced:
        yield f"not priced: {missing.name}: {missing.reason}"
    if not found.lines:
        yield "nothing here has a price: the stack runs on a cluster of yours, which has a bill of its own"
    for warning in found.capacity.warnings:
        yield f"warning: {warning}"


def _taken(capacity: Capacity) -> str:
    busiest = [f"{quantity(capacity.runs_per_second.likely)} runs a second", _cores(capacity.cores)]
    if capacity.pods:
        busiest.append(_counted(capacity.pods, "pods"))
    if capacity.database_share:
        busiest.append(f"PostgreSQL {capacity.database_share.likely:.0%} busy")
    nodes = f"; {_counted(capacity.nodes, 'nodes')} are paid for" if capacity.nodes else ""
    return f"in the busiest hour: {', '.join(busiest)}{nodes}"


def _cores(cores: Range) -> str:
    return f"{cores.likely:.2f} cores (to {cores.high:.2f})"


def _counted(counted: Range, what: str) -> str:
    more = f" (to {counted.high:.0f})" if counted.high > counted.likely else ""
    return f"{counted.likely:.0f}{more} {what}"


def compared(found: Estimate, comparison: Comparison, people: People) -> Iterator[str]:
    """A price model of the managed platform, and from where on the stack is cheaper."""
    offer = comparison.offer
    yield _row(f"managed platform, {offer.model}", offer.note, *amounts(offer.monthly))
    for part in offer.parts:
        if part.monthly.high:
            yield _row(
                f"  {part.what}",
                f"{quantity(part.quantity.likely)} x {part.usd.likely:g}",
                *amounts(part.monthly),
            )
    yield f"  not counted: {'; '.join(offer.not_counted)}"
    here, there = found.monthly.likely, offer.monthly.likely
    side, by = ("less", there - here) if here <= there else ("more", here - there)
    even = comparison.break_even
    yield f"  this stack costs {by:,.2f} {side}; it is the cheaper one {_from(even.without_people)}"
    if people.monthly:
        yield (
            f"  with {people.hours:g} hours of people at {people.rate:g} ({people.monthly:,.2f}): "
            f"{_from(even.with_people)}"
        )
    else:
        yield "  people's time is not in it: --engineer-hours and --hourly-rate"
    if comparison.people_hours_paid:
        yield f"  the difference pays {comparison.people_hours_paid:,.0f} hours a month at {people.rate:g}"


def _from(runs: int | None) -> str:
    if runs is None:
        return "at no number of runs that it carries"
    return f"from {runs:,} runs a day on" if runs else "at any number of runs"


def assumed(found: Estimate) -> Iterator[str]:
    """What the numbers rest on; `--set` changes each."""
    yield "assumptions: low, likely, high (--set KEY=NUMBER)"
    for key, each in found.usage.assumptions.items():
        value = each.value
        span = (
            f"{value.likely:g}"
            if value.low == value.high
            else f"{value.low:g}, {value.likely:g}, {value.high:g}"
        )
        yield f"  {key:30} {span} {each.unit}: {each.why}"


def told_difference(found: Difference) -> Iterator[str]:
    """The lines that differ, by their likely amounts, and both sums."""
    for change in found.changes:
        old = change.before.likely if change.before else 0
        new = change.after.likely if change.after else 0
        sign = "+" if change.before is None else "-" if change.after is None else "~"
        yield f"{sign} {change.what:{NAME - 2}}{old:>12,.2f} → {new:>12,.2f}  {new - old:+,.2f}"
    before, after = found.before.likely, found.after.likely
    yield f"{'total':{NAME}}{before:>12,.2f} → {after:>12,.2f}  {after - before:+,.2f}"
