"""One run that this process executes: what others may know of it, and ask of it."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from langgraph.runtime import RunControl

from agent_server.runs.eventlog import EventLog, EventWriter
from agent_server.storage.runs import Claim, Outcome

HANDED_OVER = "handed_over"
REFUSED = "refused"
LOST = "lost"
"""What becomes of executions that end no run. Lost: another process has taken the run, or will."""

Reason = Literal["cancelled", "superseded", "shutdown", "outage"]


class Superseded(Exception):
    """This process no longer holds the run; another one has it, or will."""


@dataclass(slots=True, eq=False)
class Execution:
    """One claimed run in this process."""

    claim: Claim
    log: EventLog
    writer: EventWriter
    done: "asyncio.Future[Outcome]"
    """The stored outcome. Raises the error of a run that was refused; Superseded, Draining or
    DatabaseUnavailable where the run goes on elsewhere or later."""
    fenced_at: float
    """Monotonic time at which the lease ends unless it is renewed before."""
    accepted: asyncio.Event
    """Set once it is known that the run is not refused."""
    control: RunControl = field(default_factory=RunControl)
    """Stops the graph before its next superstep."""
    reason: Reason | None = None
    """Why it is being stopped."""
    task: "asyncio.Task[None] | None" = None
    begun: bool = False
    """Whether its task has had its first turn: one that is cancelled before would never run, nor clean up."""
    ended_as: str = LOST
    """How its part here has ended, for the metrics: a run's status, HANDED_OVER, REFUSED, or LOST."""
    ended: bool = False
    """Whether its graph executes no more; what is left is to store how it ended."""

    def stop(self, reason: Reason) -> None:
        """Stop the graph; the first reason counts."""
        if self.reason is None and not self.ended:
            self.reason = reason
            if self.begun and self.task is not None:
                self.task.cancel()

    def fail(self, error: Exception) -> None:
        """Tell those who wait why there will be no outcome here, unless they have been told."""
        if not self.done.done():
            self.done.set_exception(error)

    def succeed(self, outcome: Outcome) -> None:
        """Tell those who wait how the run ended, unless they have been told otherwise."""
        if not self.done.done():
            self.done.set_result(outcome)
