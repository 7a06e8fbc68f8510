"""What a plan costs a month: its resources times the prices, at so many runs a day."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lgp.costing.capacity import Capacity, capacity_of
from lgp.costing.catalogue import FREE, RULES, why_not
from lgp.costing.charge import GROUPS, Charge, Unpriced, World
from lgp.costing.facts import Facts, facts_of
from lgp.costing.ranges import Range, total
from lgp.costing.tables import Price, PriceTable, shipped_prices
from lgp.costing.usage import Usage
from lgp.planning.recording import Recording, Resource


@dataclass(frozen=True)
class Line:
    """One charge with its price: a row of the table."""

    charge: Charge
    price: Price
    monthly: Range
    """USD, to cents; the total adds these."""


@dataclass(frozen=True)
class Estimate:
    """What a stack costs a month."""

    stack: str
    usage: Usage
    prices: PriceTable
    facts: Facts
    capacity: Capacity
    lines: tuple[Line, ...]
    free: tuple[str, ...]
    """Types of AWS that cost nothing by themselves."""
    unpriced: tuple[Unpriced, ...]
    """What costs something that is in no line."""

    @property
    def monthly(self) -> Range:
        """USD; the sum of the lines."""
        return total([line.monthly for line in self.lines])


def estimate(recording: Recording, usage: Usage, prices: PriceTable | None = None) -> Estimate:
    """The estimate of a plan; deterministic, and it asks nobody."""
    facts = facts_of(recording)
    capacity = capacity_of(facts, usage)
    world = World(recording, facts, usage, capacity)
    table = prices or shipped_prices()
    found = list(_found(world))
    lines, missing = _priced([each for each in found if isinstance(each, Charge)], table)
    told = [each for each in found if isinstance(each, Unpriced)]
    return Estimate(
        stack=recording.stack,
        usage=usage,
        prices=table,
        facts=facts,
        capacity=capacity,
        lines=tuple(lines),
        free=tuple(sorted({each.type for each in recording.resources} & FREE.keys())),
        unpriced=(*told, *missing, *_unknown(recording)),
    )


def on_aws(recording: Recording) -> bool:
    """Whether the stack makes anything there; else it runs on a cluster of yours, with a bill of its own."""
    return any(_is_of_aws(resource) for resource in recording.resources)


def _is_of_aws(resource: Resource) -> bool:
    return resource.custom and resource.type.startswith("aws:")


def _found(world: World) -> Iterator[Charge | Unpriced]:
    if on_aws(world.recording):
        for type_, rule in RULES.items():
            if resources := world.recording.of_type(type_):
                yield from rule(resources, world)


def _priced(charges: Iterable[Charge], table: PriceTable) -> tuple[list[Line], list[Unpriced]]:
    """Lines of what has a price, and the rest."""
    lines: list[Line] = []
    missing: list[Unpriced] = []
    for charge in charges:
        price = table.find(charge.price)
        if price is None:
            reason = (
                f"{charge.what}: the table has no price {charge.price}: give it with --set {charge.price}=USD"
            )
            missing += [Unpriced(charge.price, name, reason) for name in charge.resources]
        else:
            lines.append(Line(charge, price, (charge.quantity * price.usd).rounded()))
    return sorted(lines, key=lambda line: GROUPS.index(line.charge.group)), missing


def _unknown(recording: Recording) -> list[Unpriced]:
    known = {*RULES, *FREE}
    return [
        Unpriced(each.type, each.name, why_not(each.type))
        for each in recording.resources
        if _is_of_aws(each) and each.type not in known
    ]


@dataclass(frozen=True)
class Change:
    """A line that differs; None is a line that is not there."""

    group: str
    what: str
    before: Range | None
    after: Range | None


@dataclass(frozen=True)
class Difference:
    """Between two estimates: likely USD a month, and the lines that differ."""

    before: Range
    after: Range
    changes: tuple[Change, ...]


def difference(before: Estimate, after: Estimate) -> Difference:
    """What another plan costs more or less; lines are the same if they have the same name."""
    old, new = _by_name(before), _by_name(after)
    changes = [
        Change(*name, old.get(name), new.get(name))
        for name in [*old, *(name for name in new if name not in old)]
        if old.get(name) != new.get(name)
    ]
    return Difference(before.monthly, after.monthly, tuple(changes))


def _by_name(found: Estimate) -> dict[tuple[str, str], Range]:
    lines: dict[tuple[str, str], Range] = {}
    for line in found.lines:
        name = (line.charge.group, line.charge.what)
        lines[name] = (lines[name] + line.monthly).rounded() if name in lines else line.monthly
    return lines


def with_runs(found: Estimate, recording: Recording, runs_per_day: float) -> Estimate:
    """The same plan and assumptions at another number of runs a day."""
    return estimate(recording, replace(found.usage, runs_per_day=runs_per_day), found.prices)
