"""The stack beside the managed platform, and from how many runs a day on it is the cheaper one."""

from collections.abc import Callable
from dataclasses import dataclass

from lgp.costing.estimating import Estimate, with_runs
from lgp.costing.managed import Offer, offers
from lgp.planning.recording import Recording

MOST_RUNS = 100_000_000
"""A day; beyond it nobody looks for a break-even."""


@dataclass(frozen=True)
class People:
    """What operating the stack takes of somebody's time, and what seats the platform would need."""

    hours: float = 0
    """A month, beyond what the managed platform would take of the same people."""
    rate: float = 0
    """USD an hour."""
    seats: int = 1

    @property
    def monthly(self) -> float:
        """USD."""
        return round(self.hours * self.rate, 2)


@dataclass(frozen=True)
class BreakEven:
    """From how many runs a day the stack costs less, by the likely figures."""

    without_people: int | None
    """None where it never does, up to `MOST_RUNS` or what the stack carries."""
    with_people: int | None


@dataclass(frozen=True)
class Comparison:
    """One price model of the platform, beside the stack."""

    offer: Offer
    break_even: BreakEven
    people_hours_paid: float | None
    """Hours of work a month that the saving pays at the rate; None without a rate, or without a saving."""


def compare(recording: Recording, found: Estimate, people: People) -> tuple[Comparison, ...]:
    """Both price models."""
    both = offers(found.usage, found.capacity, found.prices, people.seats)
    return tuple(_one(recording, found, people, number, offer) for number, offer in enumerate(both))


def _one(recording: Recording, found: Estimate, people: People, number: int, offer: Offer) -> Comparison:
    def saved(runs: int, paid: float) -> float:
        here = with_runs(found, recording, runs)
        there = offers(here.usage, here.capacity, here.prices, people.seats)[number]
        return there.monthly.likely - here.monthly.likely - paid

    ceiling = MOST_RUNS
    if found.capacity.carries:
        ceiling = min(ceiling, int(found.capacity.carries.likely))
    even = BreakEven(
        _first(lambda runs: saved(runs, 0), ceiling),
        _first(lambda runs: saved(runs, people.monthly), ceiling),
    )
    saving = offer.monthly.likely - found.monthly.likely
    return Comparison(offer, even, saving / people.rate if people.rate and saving > 0 else None)


def _first(saved: Callable[[int], float], ceiling: int) -> int | None:
    """Runs a day at which it begins to pay: it does there, and does not with one less."""
    if saved(0) >= 0:
        return 0
    if saved(ceiling) < 0:
        return None
    below, above = 0, ceiling
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if saved(middle) >= 0 else (middle, above)
    return above
