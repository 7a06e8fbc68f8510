"""Which cells, how long, how often."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.bench.jobs import Job

FLOOR, OURS, LISTING, FLOOR_HTTP = "floor", "ours", "listing", "floor-http"
SYSTEMS = (FLOOR, OURS, LISTING, FLOOR_HTTP)

FIRST_TOKEN, TOKEN_RATE, APPROVAL = "stream@1", "stream@20", "approval@1"
MEMORY, START = "memory", "start"


@dataclass(frozen=True, slots=True)
class Cell:
    """One job that several systems do in turn."""

    name: str
    job: Job
    systems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much is measured."""

    rounds: int
    """Each runs every cell on every system, in an order that turns by one per round."""
    seconds: float
    """Of a throughput cell, after its warm-up."""
    warmup: float
    """Seconds before the window of a cell."""
    concurrencies: tuple[int, ...]
    memory_runs: int
    """Runs between the two weighings."""
    starts: int
    """Starts of each server of which the median is shown."""


FULL = Pace(rounds=5, seconds=3.0, warmup=0.6, concurrencies=(1, 10, 50), memory_runs=2000, starts=3)
"""About ten minutes."""

QUICK = Pace(rounds=3, seconds=1.0, warmup=0.3, concurrencies=(1, 10), memory_runs=300, starts=1)
"""Under two minutes; its figures are for developing, not for promises."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one benchmark does."""

    pace: Pace
    cells: tuple[Cell, ...]
    systems: tuple[str, ...]
    memory: bool
    """Whether the systems are weighed."""
    start: bool
    """Whether imports and starts are timed."""


def plan(pace: Pace, only: Sequence[str] = (), systems: Sequence[str] = SYSTEMS) -> Plan:
    """All there is to measure; `only` keeps what it names, `systems` leaves out the others."""
    everything = [*_throughput(pace), *_streams(pace)]
    kept = [cell for cell in everything if not only or cell.name in only]
    return Plan(
        pace,
        tuple(replace(cell, systems=tuple(s for s in cell.systems if s in systems)) for cell in kept),
        tuple(systems),
        memory=not only or MEMORY in only,
        start=not only or START in only,
    )


def turned(systems: Sequence[str], by: int) -> list[str]:
    """The systems in the order of a round."""
    cut = by % len(systems) if systems else 0
    return [*systems[cut:], *systems[:cut]]


def names(pace: Pace) -> list[str]:
    """What `--only` takes."""
    return [*(cell.name for cell in plan(pace).cells), MEMORY, START]


def memory_job(pace: Pace) -> Job:
    """The work between the two weighings."""
    return Job(action="invoke", graph="g1", concurrency=10, count=pace.memory_runs)


def _throughput(pace: Pace) -> list[Cell]:
    return [
        Cell(
            f"{graph}@{concurrency}",
            Job(
                action="invoke",
                graph=graph,
                concurrency=concurrency,
                seconds=pace.seconds,
                warmup=pace.warmup,
            ),
            SYSTEMS if concurrency == 10 else SYSTEMS[:3],  # where the bars are
        )
        for graph in ("g1", "g5")
        for concurrency in pace.concurrencies
    ]


def _streams(pace: Pace) -> list[Cell]:
    short, warm = pace.seconds / 3, pace.warmup / 2
    return [
        Cell(
            FIRST_TOKEN,
            Job(action="stream", graph="tokens", concurrency=1, seconds=short, warmup=warm),
            SYSTEMS[:3],
        ),
        Cell(
            TOKEN_RATE,
            Job(action="stream", graph="tokens", concurrency=20, seconds=2 * short, warmup=pace.warmup),
            SYSTEMS[:3],
        ),
        Cell(
            APPROVAL,
            Job(action="approve", graph="approval", concurrency=1, seconds=short, warmup=warm),
            SYSTEMS[:3],
        ),
    ]
