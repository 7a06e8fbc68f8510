"""What a cell asks of a system, what comes back, and the closed loop that both sides share.

The floor runs the loop around bare graphs in its own process, the load generator around HTTP requests in
its own: the same code counts both. A job and its outcome are one JSON line each.
"""

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

ERROR_LIMIT = 25
"""Wrong answers after which a cell is given up: it is failed, and would only burn time."""

ANSWER_SECONDS = 30.0
"""A request without its answer after this long is an error."""

NODES = {"g1": 1, "g5": 5, "tokens": 1, "approval": 1}
"""Steps of each graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One cell: `concurrency` callers that each wait for an answer before they ask again.

    It lasts `seconds` after `warmup` seconds, or, if `count` is set, exactly that many requests.
    """

    action: Literal["invoke", "stream", "approve"]
    graph: str
    concurrency: int
    seconds: float = 0
    warmup: float = 0
    count: int = 0
    port: int = 0
    contract: Literal["ours", "listing"] = "ours"
    """Whose shape of answer is expected."""


@dataclass(slots=True)
class Outcome:
    """What a cell did. Only correct answers count, and only those inside the window are timed."""

    completed: int = 0
    """Correct answers in all, warm-up and last stragglers included: the database must agree."""
    errors: int = 0
    first_error: str = ""
    window: float = 0
    """Seconds between the end of the warm-up and the last second of the cell."""
    latencies: list[float] = field(default_factory=list[float])
    """Milliseconds."""
    marks: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """What else a call measured, by name."""

    @property
    def rate(self) -> float:
        """Correct answers per second of the window."""
        return len(self.latencies) / self.window if self.window else 0.0


@dataclass(frozen=True, slots=True)
class Task:
    """One request of a cell: `number` goes in, the graph's own numbers must come out."""

    caller: int
    thread_id: str
    number: int


class WrongAnswerError(Exception):
    """The system answered, and not what it had to."""


Call = Callable[[Task], Awaitable[dict[str, float]]]
"""Does one task and returns what it measured; raises if the answer is not the right one."""


class Runner(Protocol):
    """Whatever can do a job."""

    async def run(self, job: Job) -> Outcome:
        """Do it."""
        ...


def expected_items(job: Job, task: Task) -> list[int]:
    """The only right result of a task."""
    return [task.number + step for step in range(NODES[job.graph] + 1)]


def require(found: Any, wanted: Any, what: str) -> None:
    """Raise WrongAnswerError unless both are equal."""
    if found != wanted:
        message = f"{what}: {str(found)[:200]!r} instead of {str(wanted)[:200]!r}"
        raise WrongAnswerError(message)


async def closed_loop(job: Job, call: Call) -> Outcome:
    """Do a job."""
    loop = _Loop(job, call)
    async with asyncio.TaskGroup() as group:
        for caller in range(job.concurrency):
            group.create_task(loop.caller(caller))
    if job.count:
        loop.outcome.window = time.perf_counter() - loop.opens
    return loop.outcome


class _Loop:
    def __init__(self, job: Job, call: Call) -> None:
        self._job = job
        self._call = call
        self._prefix = uuid.uuid4().hex
        self._started = 0
        self.opens = time.perf_counter() + job.warmup
        self._closes = self.opens + job.seconds
        self.outcome = Outcome(window=job.seconds)

    async def caller(self, caller: int) -> None:
        while self._goes_on():
            self._started += 1
            task = Task(caller, f"{self._prefix}-{self._started}", self._started)
            began = time.perf_counter()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    marks = await self._call(task)
            except Exception as error:  # noqa: BLE001  # whatever went wrong, it is counted and shown
                self._failed(error)
            else:
                self._done(began, marks)

    def _goes_on(self) -> bool:
        if self.outcome.errors >= ERROR_LIMIT:
            return False
        if self._job.count:
            return self._started < self._job.count
        return time.perf_counter() < self._closes

    def _done(self, began: float, marks: dict[str, float]) -> None:
        now = time.perf_counter()
        self.outcome.completed += 1
        if self._job.count or self.opens <= now <= self._closes:
            self.outcome.latencies.append((now - began) * 1000)
            for name, value in marks.items():
                self.outcome.marks.setdefault(name, []).append(value)

    def _failed(self, error: Exception) -> None:
        self.outcome.errors += 1
        self.outcome.first_error = self.outcome.first_error or f"{type(error).__name__}: {error}"[:500]


async def serve_jobs(runner: Runner) -> None:
    """Say `ready`, then do the jobs that come on standard input, until it closes."""
    _say({"ready": True})
    while line := await asyncio.to_thread(sys.stdin.readline):
        _say(asdict(await runner.run(Job(**json.loads(line)))))


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
