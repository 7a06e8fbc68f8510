"""What every face of the server does with runs: begin, wait, watch, cancel."""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg
import structlog

from agent_server.core.errors import (
    Draining,
    IdempotencyKeyReused,
    Invalid,
    NothingToResume,
    RunFinished,
    ServerError,
    ThreadBusy,
    TooManyRuns,
    Unavailable,
    UnknownRun,
    UnknownThread,
)
from agent_server.core.large import by_size
from agent_server.core.principal import Principal
from agent_server.core.settings import Settings
from agent_server.core.tracing import traceparent
from agent_server.runs.answers import check_form
from agent_server.runs.execution import Execution, Superseded
from agent_server.runs.executor import Executor
from agent_server.runs.notify import POLL_SECONDS, Hub
from agent_server.runs.pulse import wait_for
from agent_server.runs.replay import Position, Replay, RunRef
from agent_server.runs.requests import Body, InputBody, ResumeBody, StateBody
from agent_server.storage.runs import ENDED, IdempotencyKey, Kind, NewRun, Outcome, PageQuery, RunRecord

CANCEL_SECONDS = 10.0
"""How long a cancellation waits for the run to stop."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks for what: one request that begins a run."""

    principal: Principal
    graph: str
    route: str
    request_id: str
    content: Mapping[str, Any]
    """The body as it came, for its fingerprint."""
    size: int
    """Of the body, in bytes."""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Handle:
    """A run that was begun, enqueued or joined by a call."""

    ref: RunRef
    execution: Execution | None = None
    """Where this process executes it."""
    joined: bool = False
    """Whether another call with the same key began it."""


class RunService:
    """The runs of all tenants, as this process sees them."""

    def __init__(self, executor: Executor, hub: Hub, group: asyncio.TaskGroup, settings: Settings) -> None:
        self._executor = executor
        self._store = executor.store
        self._hub = hub
        self._group = group
        self._settings = settings

    async def begin(self, call: Call, body: InputBody) -> Handle:
        """Begin, enqueue or join a run with new input, or go on from the last checkpoint.

        Raises:
            InvalidInput, UnknownGraph, ThreadBusy, ThreadOfAnotherGraph, NothingToResume,
            IdempotencyKeyReused, TooManyRuns, Draining: as they say; nothing was executed.
            Invalid: to go on cannot be enqueued: another run would change what there is to go on with.
            Unavailable: with the id of a run that may have begun all the same.
        """
        if body.input is None and body.on_busy == "enqueue":
            msg = "input null goes on at once or not at all: it cannot be enqueued."
            raise Invalid(msg, errors=[{"field": "on_busy", "message": msg}])
        loaded = self._executor.registry.named(call.graph)
        thread_id = body.thread_id or str(uuid4())

        def checked() -> NewRun:
            loaded.check_config(body.config.context, body.config.configurable)
            if body.input is not None:
                loaded.check_input(body.input)
            return self._new(call, thread_id, "input", body, enqueue=body.on_busy == "enqueue")

        run = await by_size(call.size, checked)
        if body.input is not None:
            return await self._submit(call, run, make_thread=True)
        try:
            return await self._submit(call, run, make_thread=False)
        except UnknownThread:
            raise NothingToResume(thread_id) from None

    async def resume(self, call: Call, body: ResumeBody) -> Handle:
        """Begin or join a run that answers interrupts; returns once the answers are accepted.

        Raises:
            UnknownThread, ThreadBusy, NothingToResume, SeveralInterrupts, UnknownInterrupt,
            InvalidAnswer, IdempotencyKeyReused, TooManyRuns, Draining: nothing was executed.
            Unavailable: with the id of a run that may have begun all the same.
        """
        check_form(body)
        self._executor.registry.named(call.graph).check_config(body.config.context, body.config.configurable)
        return await self._submit(call, self._new(call, body.thread_id, "resume", body), make_thread=False)

    async def update_state(self, call: Call, body: StateBody) -> Handle:
        """Begin a run that writes to a thread's state. Raises as `resume`, and InvalidInput."""
        loaded = self._executor.registry.named(call.graph)
        loaded.check_values(body.values)
        loaded.check_node(body.as_node)
        return await self._submit(call, self._new(call, body.thread_id, "state", body), make_thread=False)

    async def wait(self, handle: Handle, seconds: float) -> Outcome | None:
        """Wait for a run's end, wherever it is executed; None when the time is over before.

        Raises:
            Draining: this process stops before the run has ended; it goes on.
            Unavailable: this process does not know; the run goes on.
            ThreadBusy: the run that the call has joined was refused in another process.
            ServerError: the run was refused and has executed nothing.
        """
        try:
            with self._executor.stopping.holding():
                return await self._wait(handle, seconds)
        except UnknownRun:
            if handle.joined:
                raise ThreadBusy(handle.ref.thread_id) from None
            raise
        except Unavailable as error:
            error.extra.setdefault("run_id", str(handle.ref.run_id))
            raise

    async def _wait(self, handle: Handle, seconds: float) -> Outcome | None:
        deadline = time.monotonic() + seconds
        execution = handle.execution
        while True:
            execution = execution or self._executor.local.get(handle.ref.run_id)
            left = max(deadline - time.monotonic(), 0)
            if execution is None:
                outcome = await self._wait_for_others(handle.ref, min(left, POLL_SECONDS))
            else:
                outcome = await _wait_here(execution, left)
                execution = None
            if outcome is not None or left == 0:
                return outcome

    async def get(self, principal: Principal, graph: str, run_id: UUID) -> RunRecord:
        """Return a run, or raise UnknownRun."""
        record = await self._store.get(principal, graph, run_id)
        if record is None:
            raise UnknownRun(str(run_id))
        return record

    async def follow(self, principal: Principal, graph: str, run_id: UUID) -> Handle:
        """Return a run to be streamed.

        Raises:
            UnknownRun: there is none.
            Draining: this process would close the stream at once.
        """
        if self._executor.draining:
            raise _draining(run_id=str(run_id))
        return Handle(RunRef.of(principal, await self.get(principal, graph, run_id)))

    async def page(self, principal: Principal, graph: str, query: PageQuery) -> tuple[list[RunRecord], int]:
        """Return a page of the graph's runs, newest first, and how many there are."""
        return await self._store.page(principal, graph, query)

    async def cancel(self, principal: Principal, graph: str, run_id: UUID) -> RunRecord:
        """Stop a run and return it, once it has stopped or after CANCEL_SECONDS.

        Raises:
            UnknownRun, RunFinished: there is nothing to stop.
        """
        status = await self._store.request_cancel(principal, graph, run_id)
        if status is None:
            raise UnknownRun(str(run_id))
        if status in ENDED:
            msg = f"Run {run_id} has ended."
            raise RunFinished(msg, run_id=str(run_id))
        execution = self._executor.local.get(run_id)
        if execution is not None:
            execution.stop("cancelled")
        record = await self.get(principal, graph, run_id)
        await self.wait(Handle(RunRef.of(principal, record)), CANCEL_SECONDS)
        return await self.get(principal, graph, run_id)

    def cancel_soon(self, ref: RunRef) -> None:
        """Cancel a run whose client has left, without anybody waiting for it."""
        if not self._executor.stopping.over:
            self._group.create_task(self._cancel_quietly(ref))

    def stream(self, handle: Handle, after: Position) -> AsyncGenerator[bytes]:
        """Yield the frames of a run after a position; see `Replay.frames`."""
        return Replay(self._executor, self._hub, handle.ref).frames(after)

    def _new(
        self,
        call: Call,
        thread_id: str,
        kind: Kind,
        body: Body,
        *,
        enqueue: bool = False,
    ) -> NewRun:
        return NewRun(
            run_id=uuid4(),
            thread_id=thread_id,
            graph=call.graph,
            kind=kind,
            payload=body.model_dump_json(exclude_unset=True),
            request_id=call.request_id,
            enqueue=enqueue,
            traceparent=traceparent(),
        )

    async def _submit(self, call: Call, run: NewRun, *, make_thread: bool) -> Handle:
        if self._executor.draining:
            raise _draining()
        key = _key_of(call)
        joined = await self._joined(call, key)
        if joined is not None:
            return joined
        sent_at = time.monotonic()
        try:
            claim = await self._store.begin(call.principal, run, key, make_thread=make_thread)
        except (ThreadBusy, TooManyRuns):
            joined = await self._joined(call, key)
            if joined is None:
                raise
            return joined
        except Unavailable as error:
            error.extra.setdefault("run_id", str(run.run_id))
            raise
        ref = RunRef(call.principal, call.graph, run.run_id, run.thread_id)
        structlog.contextvars.bind_contextvars(run_id=str(run.run_id), thread_id=run.thread_id)
        if claim is None:
            return Handle(ref)
        execution = self._executor.start(claim, self._group, sent_at=sent_at)
        if not make_thread:
            await _accepted(execution)
        return Handle(ref, execution)

    async def _joined(self, call: Call, key: IdempotencyKey | None) -> Handle | None:
        """Return the run that came with the same key before."""
        if key is None:
            return None
        seconds = self._settings.retention_idempotency_seconds
        found = await self._store.by_key(call.principal, key, seconds=seconds)
        if found is None:
            return None
        run_id, fingerprint = found
        if fingerprint != key.fingerprint:
            msg = "This Idempotency-Key came with another body before."
            raise IdempotencyKeyReused(msg, run_id=str(run_id))
        record = await self._store.get(call.principal, call.graph, run_id)
        if record is None:
            return None  # refused meanwhile, and its key is gone with it
        ref = RunRef.of(call.principal, record)
        return Handle(ref, self._executor.local.get(run_id), joined=True)

    async def _wait_for_others(self, ref: RunRef, seconds: float) -> Outcome | None:
        """Look at a run of another process, and wait a moment for its end."""
        stopping = self._executor.stopping
        if stopping.over:
            raise _draining(run_id=str(ref.run_id))
        with self._hub.news_of(ref.run_id) as pulse:
            news = pulse.next()
            await self._store.watch(ref.principal, ref.run_id)
            record = await self.get(ref.principal, ref.graph, ref.run_id)
            if record.ended:
                return record.outcome
            await wait_for(news, min(seconds, stopping.left))
        return None

    async def _cancel_quietly(self, ref: RunRef) -> None:
        try:
            await self.cancel(ref.principal, ref.graph, ref.run_id)
        except (ServerError, psycopg.Error) as error:
            reason = type(error).__name__
            log.info("a run whose client left was not cancelled", run_id=str(ref.run_id), reason=reason)


def _draining(**extra: str) -> Draining:
    msg = "This process stops; ask another one."
    return Draining(msg, **extra)


async def _wait_here(execution: Execution, seconds: float) -> Outcome | None:
    """Wait for a run of this process; None when the time is over or the run goes on elsewhere."""
    await asyncio.wait({execution.done}, timeout=seconds)
    if not execution.done.done():
        return None
    try:
        return execution.done.result()
    except Superseded:
        return None


async def _accepted(execution: Execution) -> None:
    """Wait until a run is known not to be refused; raises the refusal."""
    await execution.accepted.wait()
    if execution.done.done():
        error = execution.done.exception()
        if isinstance(error, ServerError):
            raise error


def _key_of(call: Call) -> IdempotencyKey | None:
    if call.idempotency_key is None:
        return None
    body = orjson.dumps(call.content, option=orjson.OPT_SORT_KEYS)
    return IdempotencyKey(call.route, call.idempotency_key, hashlib.sha256(body).hexdigest())
