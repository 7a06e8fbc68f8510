"""How much a stack is used: runs a day, and what one run needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lgp.costing.ranges import Range, exactly
from lgp.costing.tables import Assumptions, shipped_assumptions

DAYS_A_MONTH = 730 / 24
HOURS_A_MONTH = 730
KIB_A_GIB = 1024 * 1024


@dataclass(frozen=True)
class Usage:
    """Runs that clients begin on a day; an answer to a question that a run waits with is counted apart."""

    runs_per_day: float
    resumes_per_run: float = 0
    assumptions: Assumptions = field(default_factory=shipped_assumptions)

    def of(self, key: str) -> Range:
        """An assumption's value."""
        return self.assumptions[key].value

    @property
    def executions_per_day(self) -> Range:
        """Runs and resumes: each is executed, stored and answered."""
        return exactly(self.runs_per_day * (1 + self.resumes_per_run))

    @property
    def executions_per_month(self) -> Range:
        """The same in a month."""
        return self.executions_per_day * DAYS_A_MONTH

    def gib_per_month(self, key: str) -> Range:
        """What flows, of so many KiB a run."""
        return self.executions_per_month * self.of(key) * (1 / KIB_A_GIB)

    def gib_kept(self, key: str, days: float) -> Range:
        """What lies there, of so many KiB a run that stay so long."""
        return self.executions_per_day * self.of(key) * (days / KIB_A_GIB)

    def requests_per_month(self) -> Range:
        """HTTP requests: those that begin a run, and each look at it."""
        return self.executions_per_month * self.of("requests_per_run")

    def stored_gib(self, kept: Mapping[str, int]) -> Range:
        """Rows in PostgreSQL once the stack is `horizon_months` old, by its settings of retention."""
        horizon = self.of("horizon_months").likely * DAYS_A_MONTH

        def days(name: str) -> float:
            return min(kept[name] or horizon, horizon)

        return (
            self.gib_kept("stored_history_kib_per_run", days("RETENTION_CHECKPOINTS_DAYS"))
            + self.gib_kept("stored_run_kib_per_run", days("RETENTION_RUNS_DAYS"))
            + self.gib_kept("stored_events_kib_per_run", kept["RETENTION_EVENTS_SECONDS"] / 86_400)
            + self.gib_kept("stored_thread_kib_per_run", days("RETENTION_THREADS_DAYS"))
        )

    def attached_gib(self, kept: Mapping[str, int]) -> Range:
        """Attachments, which stay as long as their threads."""
        horizon = self.of("horizon_months").likely * DAYS_A_MONTH
        return self.gib_kept(
            "attachment_kib_per_run", min(kept["RETENTION_THREADS_DAYS"] or horizon, horizon)
        )
