"""Executes the runs that this process holds: one task each, from the claim to the stored outcome."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import structlog
from langgraph.errors import GraphRecursionError

from agent_server.core.errors import (
    DatabaseUnavailable,
    Draining,
    Invalid,
    LeaseLost,
    NothingToResume,
    RunFailed,
    ServerError,
    Unavailable,
)
from agent_server.core.jsonio import dumps
from agent_server.core.settings import Settings
from agent_server.graphs.execution import Progress, execute, output_of, plain_interrupt
from agent_server.graphs.registry import Registry
from agent_server.runs.eventlog import EventLog, EventWriter
from agent_server.runs.planning import Planner
from agent_server.storage.runs import Claim, Outcome, RunStore
from agent_server.storage.saver import Fence, FencedSaver
from agent_server.storage.store import SharedStore

Reason = Literal["cancelled", "superseded", "shutdown", "outage"]
RETRY_SECONDS = 1.0

log = structlog.get_logger()


class Superseded(Exception):
    """This process no longer holds the run; somebody else ends it."""


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
    reason: Reason | None = None
    """Why it is being stopped."""
    task: "asyncio.Task[None] | None" = None
    begun: bool = False
    """Whether its task has had its first turn: one that is cancelled before would never run, nor clean up."""
    ended: bool = False
    """Whether its graph executes no more; what is left is to store how it ended."""

    def stop(self, reason: Reason) -> None:
        """Stop the graph; the first reason counts."""
        if self.reason is None and not self.ended:
            self.reason = reason
            if self.begun and self.task is not None:
                self.task.cancel()


class Executor:
    """The runs of this process, by id. Its tasks belong to the group of the engine that made it."""

    def __init__(self, registry: Registry, store: RunStore, stores: SharedStore, settings: Settings) -> None:
        self.registry = registry
        self.store = store
        self.stores = stores
        self.settings = settings
        self.local: dict[UUID, Execution] = {}
        self.draining = False

    def start(self, claim: Claim, group: asyncio.TaskGroup, *, sent_at: float) -> Execution:
        """Begin to execute a claimed run; `sent_at` is the monotonic time before the claim was sent."""
        events = EventLog(claim)
        execution = Execution(
            claim=claim,
            log=events,
            writer=EventWriter(events, self.store, self.settings.event_flush_ms / 1000),
            done=asyncio.get_running_loop().create_future(),
            fenced_at=sent_at + self.settings.lease_seconds,
            accepted=asyncio.Event(),
        )
        execution.done.add_done_callback(_retrieved)
        self.local[claim.run_id] = execution
        execution.task = group.create_task(self._run(execution), name=f"run {claim.run_id}")
        if claim.cancel_requested:
            execution.stop("cancelled")
        elif self.draining:
            execution.stop("shutdown")
        return execution

    async def drain(self) -> None:
        """Stop all runs and hand them over; returns when this process holds none."""
        self.draining = True
        tasks = [execution.task for execution in self.local.values() if execution.task]
        for execution in list(self.local.values()):
            execution.stop("shutdown")
        if tasks:
            await asyncio.wait(tasks)

    def abandon(self) -> None:
        """Let go of the runs that could not be handed over: their leases will run out."""
        for execution in self.local.values():
            if execution.task is not None:
                execution.task.cancel()
            msg = "This process stops; the run goes on elsewhere when its lease has run out."
            _fail(execution, Draining(msg, run_id=str(execution.claim.run_id)))

    async def _run(self, execution: Execution) -> None:
        execution.begun = True
        writing = asyncio.create_task(execution.writer.run(lambda: execution.stop("superseded")))
        try:
            await self._lead(execution)
        except Exception as error:  # a bug of ours must not take the process's other runs with it
            log.exception("run was dropped", run_id=str(execution.claim.run_id))
            _fail(execution, error)
        finally:
            writing.cancel()
            execution.ended = True
            execution.accepted.set()
            execution.log.close()
            self.local.pop(execution.claim.run_id, None)
            _fail(execution, Superseded())

    async def _lead(self, execution: Execution) -> None:
        """Bring one execution to its end: an outcome, a refusal, a hand-over, or nothing when it is lost."""
        try:
            progress = await self._execute(execution)
        except (NothingToResume, Invalid) as refusal:
            await self._refuse(execution, refusal)
        except LeaseLost:
            log.warning("run was taken over", run_id=str(execution.claim.run_id))
        except Unavailable as error:
            await self._hand_over(execution, error)
        except asyncio.CancelledError:
            await self._stopped(execution)
        except Exception as error:  # noqa: BLE001  # a graph may raise anything
            await self._finish(execution, self._failure(execution, error), "error")
        else:
            await self._finish(execution, *self._success(execution, progress))

    async def _execute(self, execution: Execution) -> Progress:
        if execution.reason is not None:
            raise asyncio.CancelledError  # stopped before its first turn
        claim = execution.claim
        loaded = self.registry[claim.graph]
        saver = FencedSaver(
            self.store.database, loaded.serde, Fence(claim.run_id, claim.attempt, claim.thread_is_new)
        )
        graph = loaded.bound(saver, self.stores.for_tenant(claim.principal.tenant))
        await self._announce(execution)
        left = self.settings.run_timeout_seconds - claim.elapsed
        async with _clock(left):
            planned = await Planner(self.store, claim, loaded, graph).plan()
            execution.accepted.set()
            if isinstance(planned, Progress):
                return planned
            return await execute(graph, planned, execution.log.emit)

    async def _announce(self, execution: Execution) -> None:
        claim = execution.claim
        if claim.after_crash:
            last = await self.store.last_event(claim.run_id)
            after = None if last is None else f"{last[0]}-{last[1]}"
            execution.log.emit("gap", {"after": after, "attempt": claim.attempt})
        execution.log.emit(
            "metadata",
            {"run_id": str(claim.run_id), "thread_id": claim.thread_id, "attempt": claim.attempt},
        )

    def _success(self, execution: Execution, progress: Progress) -> tuple[Outcome, str]:
        loaded = self.registry[execution.claim.graph]
        interrupts = [plain_interrupt(interrupt) for interrupt in progress.interrupts]
        result = dumps(output_of(loaded.graph, progress.values))
        if execution.claim.kind == "state":
            return Outcome("success", result, b"[]"), "interrupted" if interrupts else "idle"
        if progress.stopped:
            return Outcome("interrupted", result, dumps(interrupts)), "interrupted"
        return Outcome("success", result, b"[]"), "idle"

    def _failure(self, execution: Execution, error: Exception) -> Outcome:
        run_id = str(execution.claim.run_id)
        if isinstance(error, _OutOfTimeError):
            seconds = f"{self.settings.run_timeout_seconds:g}"
            return Outcome("timeout", None, None, "run_timeout", f"The run exceeded its {seconds} s.")
        if isinstance(error, GraphRecursionError):
            detail = "The graph did not come to an end within its recursion limit."
        elif isinstance(error, RunFailed):
            detail = error.detail
        else:
            log.error("run failed", run_id=run_id, graph=execution.claim.graph, exc_info=error)
            detail = f"The graph failed; its server's log tells more under run {run_id}."
        return Outcome("error", None, None, "run_failed", detail)

    async def _stopped(self, execution: Execution) -> None:
        """The graph's task was cancelled: by us with a reason, or by a node that raised CancelledError."""
        if execution.reason is not None and execution.task is not None:
            execution.task.uncancel()
        if execution.reason == "shutdown":
            msg = "This process stops; another one goes on with the run."
            await self._hand_over(execution, Draining(msg))
        elif execution.reason == "outage":
            msg = "The database is not available; the run goes on when it is."
            await self._hand_over(execution, DatabaseUnavailable(msg))
        elif execution.reason == "cancelled":
            outcome = Outcome("cancelled", None, None, "run_cancelled", "The run was cancelled.")
            await self._finish(execution, outcome, "idle")
        elif execution.reason is None:
            if execution.task is not None and execution.task.cancelling():
                raise asyncio.CancelledError
            await self._finish(
                execution, self._failure(execution, RuntimeError("a node cancelled itself")), "error"
            )

    async def _refuse(self, execution: Execution, refusal: ServerError) -> None:
        """End a run that has executed nothing: without a trace if its client still waits for the answer."""
        if execution.claim.attempt > 1:
            await self._finish(execution, Outcome("error", None, None, refusal.code, refusal.detail), "error")
            return
        execution.ended = True
        await _patiently(execution, lambda: self.store.abandon(execution.claim))
        _fail(execution, refusal)

    async def _hand_over(self, execution: Execution, error: ServerError) -> None:
        """Give the run back to the queue, with all its events, and tell its waiters why."""

        async def release() -> None:
            await self.store.release(execution.claim, await execution.writer.rest())

        execution.ended = True
        error.extra.setdefault("run_id", str(execution.claim.run_id))
        await _patiently(execution, release)
        _fail(execution, error)

    async def _finish(self, execution: Execution, outcome: Outcome, thread_status: str) -> None:
        claim = execution.claim

        async def finish() -> None:
            last = await execution.writer.rest()
            if not await self.store.finish(claim, outcome, last, thread_status=thread_status):
                log.warning("run was taken over", run_id=str(claim.run_id))
            elif not execution.done.done():
                execution.done.set_result(outcome)

        execution.ended = True
        await _patiently(execution, finish)


async def _patiently(execution: Execution, action: Callable[[], Awaitable[None]]) -> None:
    """Try again as long as the database is away; those who wait are told so once the lease is over.

    Late is not too late: the token decides whether the run is still ours, not the clock.
    """
    while True:
        try:
            await action()
        except Unavailable as error:
            if time.monotonic() > execution.fenced_at:
                _fail(execution, error)
            await asyncio.sleep(RETRY_SECONDS)
        except LeaseLost:
            return
        else:
            return


@asynccontextmanager
async def _clock(seconds: float) -> AsyncGenerator[None]:
    """Raise _OutOfTimeError when the block takes longer; a TimeoutError of its own passes."""
    clock = asyncio.timeout(max(seconds, 0))
    try:
        async with clock:
            yield
    except TimeoutError:
        if clock.expired():
            raise _OutOfTimeError from None
        raise


class _OutOfTimeError(Exception):
    """The run's wall clock is over."""


def _retrieved(done: "asyncio.Future[Outcome]") -> None:
    """Mark an error as seen: nobody may be waiting for this run."""
    if not done.cancelled():
        done.exception()


def _fail(execution: Execution, error: Exception) -> None:
    if not execution.done.done():
        execution.done.set_exception(error)
