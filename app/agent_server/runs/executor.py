"""Executes the runs that this process holds: one task each, from the claim to the stored outcome."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import structlog
from langgraph.errors import GraphDrained, GraphRecursionError

from agent_server.attachments import ThreadAttachments, readable
from agent_server.core.errors import (
    AttachmentsUnavailable,
    DatabaseUnavailable,
    Draining,
    Invalid,
    LeaseLost,
    NothingToResume,
    RunFailed,
    SelfApproval,
    ServerError,
    Unavailable,
    UnknownAttachment,
)
from agent_server.core.jsonio import dumps
from agent_server.core.settings import Settings
from agent_server.graphs.execution import Progress, Step, execute, output_of, plain_interrupt
from agent_server.graphs.registry import Registry
from agent_server.runs.drain import Drain
from agent_server.runs.ending import RETRY_SECONDS, Endings
from agent_server.runs.eventlog import EventLog, EventWriter
from agent_server.runs.execution import Execution, Superseded
from agent_server.runs.observed import observed
from agent_server.runs.planning import Planner
from agent_server.storage.places import Place
from agent_server.storage.runs import Claim, Outcome, RunStore
from agent_server.storage.saver import Fence, FencedSaver
from agent_server.storage.store import SharedStore
from agent_server.storage.threads import ThreadStatus

log = structlog.get_logger()


class Executor:
    """The runs of this process, by id. Its tasks belong to the group of the engine that made it."""

    def __init__(
        self,
        registry: Registry,
        store: RunStore,
        stores: SharedStore,
        settings: Settings,
        place: Place | None = None,
    ) -> None:
        self.registry = registry
        self.store = store
        self.stores = stores
        self.settings = settings
        self.place = place
        self._endings = Endings(registry, store)
        self.local: dict[UUID, Execution] = {}
        self.stopping = Drain(settings.drain_seconds)

    @property
    def draining(self) -> bool:
        """Whether the process is about to stop."""
        return self.stopping.begun

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
        execution.task = group.create_task(observed(execution, self._run), name=f"run {claim.run_id}")
        if claim.cancel_requested:
            execution.stop("cancelled")
        elif self.draining:
            execution.stop("shutdown")
        return execution

    def request_drain(self) -> None:
        """Let each run stop before its next superstep, to be handed over."""
        for execution in self.local.values():
            execution.control.request_drain()

    def stop_all(self) -> None:
        """Stop the runs where they are, and hand them over."""
        for execution in list(self.local.values()):
            execution.stop("shutdown")

    async def drain(self) -> None:
        """Return when this process holds no run: at the drain's end those that are left are cancelled."""
        await self._none_left(self.stopping.left)
        self.stop_all()
        await self._none_left(None)

    async def _none_left(self, seconds: float | None) -> None:
        """Wait until no run is left, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while tasks := [execution.task for execution in self.local.values() if execution.task]:
                    await asyncio.wait(tasks)

    def let_go(self) -> None:
        """Let go of the runs that could not be handed over: their leases will run out."""
        for execution in self.local.values():
            if execution.task is not None:
                execution.task.cancel()
            msg = "This process stops; the run goes on elsewhere when its lease has run out."
            execution.fail(Draining(msg, run_id=str(execution.claim.run_id)))

    async def _run(self, execution: Execution) -> None:
        execution.begun = True
        writing = asyncio.create_task(execution.writer.run(lambda: execution.stop("superseded")))
        try:
            await self._lead(execution)
        except Exception as error:  # a bug of ours must not take the process's other runs with it
            log.exception("run was dropped", run_id=str(execution.claim.run_id))
            execution.fail(error)
        finally:
            writing.cancel()
            execution.ended = True
            execution.accepted.set()
            execution.log.close()
            self.local.pop(execution.claim.run_id, None)
            execution.fail(Superseded())

    async def _lead(self, execution: Execution) -> None:
        """Bring one execution to its end: an outcome, a refusal, a hand-over, or nothing when it is lost."""
        try:
            progress = await self._execute(execution)
        except _RefusedError as refused:
            await self._endings.refuse(execution, refused.refusal)
        except LeaseLost:
            log.warning("run was taken over", run_id=str(execution.claim.run_id))
        except _NotPlannedError as away:
            execution.ended = True  # nothing is left to be stopped
            await asyncio.sleep(RETRY_SECONDS)
            await self._endings.hand_over(execution, away.error)
        except GraphDrained:
            await self._endings.hand_over(execution)
        except asyncio.CancelledError:
            await self._stopped(execution)
        except Exception as error:  # noqa: BLE001  # a graph may raise anything
            await self._endings.finish(execution, self._failure(execution, error), "error")
        else:
            await self._endings.finish(execution, *self._success(execution, progress))

    async def _execute(self, execution: Execution) -> Progress:
        claim = execution.claim
        loaded = self.registry.named(claim.graph)
        fence = Fence(claim.run_id, claim.attempt, claim.thread_is_new, claim.graph)
        saver = FencedSaver(self.store.database, loaded.serde, fence)
        graph = loaded.bound(saver, self.stores.for_tenant(claim.principal.tenant))
        attachments = self._attachments(claim)
        forbid = self.settings.forbid_self_approval
        planner = Planner(self.store, claim, loaded, graph, forbid_self_approval=forbid)
        async with _clock(planner.seconds(self.settings.run_timeout_seconds), claim.elapsed):
            planned = await self._plan(execution, planner)
            execution.accepted.set()
            if isinstance(planned, Progress):
                return planned
            with readable(attachments):
                return await execute(graph, planned, execution.log.emit, execution.control)

    def _attachments(self, claim: Claim) -> ThreadAttachments:
        return ThreadAttachments(self.store.database, self.place, claim.principal, claim.thread_key)

    async def _plan(self, execution: Execution, planner: Planner) -> Step | Progress:
        """Decide what is to be done. Nothing has been executed yet, whatever goes wrong here."""
        try:
            await self._announce(execution)
            if execution.reason is not None:
                raise asyncio.CancelledError  # stopped before its first turn
            return await planner.plan()
        except (NothingToResume, Invalid, SelfApproval) as refusal:
            raise _RefusedError(refusal) from refusal
        except Unavailable as error:
            raise _NotPlannedError(error) from error

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

    def _success(self, execution: Execution, progress: Progress) -> tuple[Outcome, ThreadStatus]:
        loaded = self.registry.named(execution.claim.graph)
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
            return Outcome("timeout", None, None, "run_timeout", f"The run exceeded its {error.seconds:g} s.")
        if isinstance(error, GraphRecursionError):
            detail = "The graph did not come to an end within its recursion limit."
        elif isinstance(error, RunFailed | UnknownAttachment | AttachmentsUnavailable):
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
            await self._endings.hand_over(execution)
        elif execution.reason == "outage":
            msg = "The database is not available; the run goes on when it is."
            await self._endings.hand_over(execution, DatabaseUnavailable(msg))
        elif execution.reason == "cancelled":
            outcome = Outcome("cancelled", None, None, "run_cancelled", "The run was cancelled.")
            await self._endings.finish(execution, outcome, "idle")
        elif execution.reason is None:
            if execution.task is not None and execution.task.cancelling():
                raise asyncio.CancelledError
            failure = self._failure(execution, RuntimeError("a node cancelled itself"))
            await self._endings.finish(execution, failure, "error")


@asynccontextmanager
async def _clock(seconds: float, elapsed: float) -> AsyncGenerator[None]:
    """Raise _OutOfTimeError when the block takes longer than is left; a TimeoutError of its own passes."""
    clock = asyncio.timeout(max(seconds - elapsed, 0))
    try:
        async with clock:
            yield
    except TimeoutError:
        if clock.expired():
            raise _OutOfTimeError(seconds) from None
        raise


class _RefusedError(Exception):
    """The run is refused before it has executed anything."""

    def __init__(self, refusal: ServerError) -> None:
        super().__init__()
        self.refusal = refusal


class _NotPlannedError(Exception):
    """The database was away before the run has executed anything."""

    def __init__(self, error: ServerError) -> None:
        super().__init__()
        self.error = error


class _OutOfTimeError(Exception):
    """The run's wall clock is over."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


def _retrieved(done: "asyncio.Future[Outcome]") -> None:
    """Mark an error as seen: nobody may be waiting for this run."""
    if not done.cancelled():
        done.exception()
