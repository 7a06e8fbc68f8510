"""What the managed platform takes for the same runs, by each of its two price models.

By runs: each run and each resume, and the time that the deployment's database is up. For those who were
customers before, until 2026-10-01.
By units, since July 2026: a Dedicated deployment's processors and memory by the hour in compute units, its
database's in storage units. Runs have no price there: what they need of the processors has, and the places in
workers that they hold while they wait.
"""

from dataclasses import dataclass

from lgp.costing.capacity import Capacity
from lgp.costing.ranges import Range, exactly, total
from lgp.costing.tables import PriceTable
from lgp.costing.usage import DAYS_A_MONTH, HOURS_A_MONTH, Usage

BUSY = 0.75
"""How busy the platform lets processors be before it adds some: its documented target."""

NOT_COUNTED_BY_RUNS = ("traces", "calls of models")
NOT_COUNTED_BY_UNITS = (
    "what the database stores: its price per GB was not found",
    "calls of models",
)
TRACES = "traces: sources have 0.50 to 5.00 USD a thousand; give yours with --set managed_traces_1000=USD"


@dataclass(frozen=True)
class Part:
    """A row of an offer: so much of something."""

    what: str
    quantity: Range
    usd: Range
    """For one."""
    monthly: Range


@dataclass(frozen=True)
class Offer:
    """What one price model takes a month."""

    model: str
    note: str
    parts: tuple[Part, ...]
    not_counted: tuple[str, ...]

    @property
    def monthly(self) -> Range:
        """USD; the sum of the parts."""
        return total([part.monthly for part in self.parts])


def offers(usage: Usage, capacity: Capacity, prices: PriceTable, seats: int) -> tuple[Offer, Offer]:
    """By runs, and by units; `seats` are people who sign in there."""
    return _by_runs(usage, prices, seats), _by_units(usage, capacity, prices, seats)


def _part(prices: PriceTable, key: str, what: str, quantity: Range) -> Part:
    usd = prices.prices[key].usd
    return Part(what, quantity, usd, (quantity * usd).rounded())


def _seats(prices: PriceTable, seats: int) -> Part:
    return _part(prices, "managed_seat", "seats", exactly(seats))


def _by_runs(usage: Usage, prices: PriceTable, seats: int) -> Offer:
    runs = exactly(usage.runs_per_day * DAYS_A_MONTH)
    resumes = exactly(usage.runs_per_day * usage.resumes_per_run * DAYS_A_MONTH)
    parts = (
        _part(prices, "managed_run", "runs", runs),
        _part(prices, "managed_run", "resumes, each of them another run", resumes),
        _part(prices, "managed_uptime_minute", "minutes of uptime", exactly(HOURS_A_MONTH * 60)),
        _seats(prices, seats),
    )
    return Offer("by runs", "for earlier customers, until 2026-10-01", parts, NOT_COUNTED_BY_RUNS)


def _by_units(usage: Usage, capacity: Capacity, prices: PriceTable, seats: int) -> Offer:
    """The smallest Dedicated deployment, or as many as the runs keep busy and hold places of."""
    servers = _processors(capacity.mean_cores, capacity.cores, usage.of("managed_vcpus"))
    servers = _larger(servers, _places(usage, capacity))
    databases = _processors(
        usage.executions_per_day * usage.of("database_ms_per_run") * (1 / 86_400_000),
        capacity.runs_per_second * usage.of("database_ms_per_run") * 0.001,
        usage.of("managed_database_vcpus"),
    )
    metered = (
        ("runtime compute", "compute_unit", servers, "managed_vcpus", "units_per_vcpu_hour"),
        ("runtime memory", "compute_unit", servers, "managed_gib", "units_per_gib_hour"),
        (
            "database compute",
            "storage_unit",
            databases,
            "managed_database_vcpus",
            "units_per_database_vcpu_hour",
        ),
        ("database memory", "storage_unit", databases, "managed_database_gib", "units_per_database_gib_hour"),
    )
    parts = [
        _part(prices, unit, f"{what}, units", times * usage.of(size) * usage.of(rate) * HOURS_A_MONTH)
        for what, unit, times, size, rate in metered
    ]
    parts.append(_seats(prices, seats))
    not_counted = NOT_COUNTED_BY_UNITS
    if "managed_traces_1000" in prices.prices:
        thousands = usage.executions_per_month * 0.001
        parts.append(_part(prices, "managed_traces_1000", "thousands of traces", thousands))
    else:
        not_counted = (TRACES, *not_counted)
    return Offer("by units", "since July 2026, one Dedicated deployment", tuple(parts), not_counted)


def _places(usage: Usage, capacity: Capacity) -> Range:
    """How many of the smallest deployment hold the runs that go on at the same time."""
    mean = usage.executions_per_day * (1 / 86_400)
    a_second = Range(mean.low, mean.likely, capacity.runs_per_second.high)
    return (a_second * usage.of("run_seconds")).per(usage.of("managed_runs_at_once"))


def _larger(one: Range, other: Range) -> Range:
    return Range(max(one.low, other.low), max(one.likely, other.likely), max(one.high, other.high))


def _processors(mean: Range, peak: Range, smallest: Range) -> Range:
    """How many of the smallest deployment it takes: by the day's mean, at `high` by the busiest hour."""
    size = max(smallest.likely * BUSY, 1e-9)
    return Range(mean.low, mean.likely, peak.high).each(lambda cores: cores / size).at_least(1)
