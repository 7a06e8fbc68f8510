"""What was measured, and the statistics over it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.bench.jobs import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One cell on one system in one round."""

    round: int
    cell: str
    system: str
    outcome: Outcome
    server_cpu: float
    """Milliseconds of the system's own process per answer."""
    postgres_cpu: float
    """Milliseconds of all PostgreSQL processes per answer, housekeeping included."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """As the tables show it."""
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(slots=True)
class Book:
    """All figures of one benchmark."""

    trials: list[Trial] = field(default_factory=list[Trial])
    memory: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    """MiB at rest and after the runs, by system."""
    starts: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """Seconds, by what was started or imported."""
    faults: list[str] = field(default_factory=list[str])
    """Wrong answers, and databases that do not hold what was answered."""

    def of(self, cell: str, system: str) -> list[Trial]:
        """The trials of a cell on a system."""
        return [trial for trial in self.trials if (trial.cell, trial.system) == (cell, system)]

    def cells(self) -> list[str]:
        """The measured cells, in order."""
        return list(dict.fromkeys(trial.cell for trial in self.trials))

    def systems(self, cell: str) -> list[str]:
        """The systems measured in a cell, in order."""
        return list(dict.fromkeys(trial.system for trial in self.trials if trial.cell == cell))

    def rate(self, cell: str, system: str) -> float:
        """Answers per second, median of the rounds."""
        return median([trial.outcome.rate for trial in self.of(cell, system)])

    def latency(self, cell: str, system: str, percent: float) -> float:
        """Milliseconds, over the answers of all rounds."""
        return percentile(
            [one for trial in self.of(cell, system) for one in trial.outcome.latencies], percent
        )

    def mark(self, cell: str, system: str, name: str) -> float:
        """Median of what the calls measured beside their latency; NaN if never."""
        return median([one for trial in self.of(cell, system) for one in trial.outcome.marks.get(name, ())])

    def events(self, cell: str, system: str) -> float:
        """Events per second, median of the rounds."""
        return median(
            [
                sum(trial.outcome.marks.get("events", ())) / trial.outcome.window
                for trial in self.of(cell, system)
            ]
        )

    def errors(self, cell: str, system: str) -> int:
        """Wrong answers in all rounds."""
        return sum(trial.outcome.errors for trial in self.of(cell, system))

    def cpu(self, cell: str, system: str) -> tuple[float, float]:
        """Milliseconds per answer: the system's process, PostgreSQL. Medians of the rounds."""
        trials = self.of(cell, system)
        return median([t.server_cpu for t in trials]), median([t.postgres_cpu for t in trials])

    def ratio(self, cell: str, system: str, base: str) -> Spread | None:
        """Rate against another system's in the same round."""
        bases = {trial.round: trial.outcome.rate for trial in self.of(cell, base)}
        ratios = [
            trial.outcome.rate / bases[trial.round]
            for trial in self.of(cell, system)
            if bases.get(trial.round)
        ]
        return Spread(statistics.median(ratios), min(ratios), max(ratios)) if ratios else None


def median(values: Sequence[float]) -> float:
    """The median, NaN of nothing."""
    return statistics.median(values) if values else float("nan")


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile, NaN of nothing."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * percent // 100) - 1))]
