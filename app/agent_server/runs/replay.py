"""A run's stream from any process: what was logged, then what happens, then how it ended."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

import orjson
import structlog

from agent_server.core.errors import ServerError, UnknownRun
from agent_server.core.jsonio import dumps
from agent_server.core.principal import Principal
from agent_server.runs.execution import Execution
from agent_server.runs.executor import Executor
from agent_server.runs.frames import HEARTBEAT, RETRY, frame, parts
from agent_server.runs.notify import POLL_SECONDS, Hub
from agent_server.runs.pulse import wait_for
from agent_server.storage.runs import Chunk, Outcome, RunRecord

Position = tuple[int, int]
START: Position = (0, 0)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RunRef:
    """A run and who may see it."""

    principal: Principal
    graph: str
    run_id: UUID
    thread_id: str

    @classmethod
    def of(cls, principal: Principal, run: RunRecord) -> "RunRef":
        """Refer to a run that the principal may see."""
        return cls(principal, run.graph, run.run_id, run.thread_id)


class Replay:
    """Follows one run for one reader."""

    def __init__(self, executor: Executor, hub: Hub, ref: RunRef) -> None:
        self._executor = executor
        self._store = executor.store
        self._hub = hub
        self._ref = ref
        self._record: RunRecord | None = None
        self._heartbeat_seconds = executor.settings.heartbeat_seconds

    async def frames(self, after: Position) -> AsyncGenerator[bytes]:
        """Yield whole frames after a position, and comments while nothing happens.

        Ends after `end`; after `drain` when this process stops, and without either when it cannot read on:
        then the client asks again.
        """
        sent_at = time.monotonic()
        with self._executor.stopping.holding():
            try:
                async with aclosing(self._frames(after)) as frames:
                    async for content in frames:
                        if content:
                            sent_at = time.monotonic()
                            yield content
                        elif time.monotonic() - sent_at >= self._heartbeat_seconds:
                            sent_at = time.monotonic()
                            yield HEARTBEAT
            except ServerError as error:  # its status is sent already
                log.warning("a stream was left", run_id=str(self._ref.run_id), reason=error.code)

    async def _frames(self, after: Position) -> AsyncGenerator[bytes]:
        """The same, with an empty item for each wait that brought nothing."""
        position = after
        while not self._executor.draining:
            execution = self._executor.local.get(self._ref.run_id)
            source = self._stored(position) if execution is None else self._live(execution, position)
            async with aclosing(source) as items:
                async for reached, content in items:
                    position = reached or position
                    yield content
            outcome = self._outcome(execution)
            if outcome is not None:
                yield ending(self._ref, outcome)
                return
        yield draining(self._ref)

    def _outcome(self, execution: Execution | None) -> Outcome | None:
        """How the run ended, if the part that was just read is the last one."""
        if execution is None:
            return self._record.outcome if self._record and self._record.ended else None
        if execution.done.done() and execution.done.exception() is None:
            return execution.done.result()
        return None

    async def _stored(self, position: Position) -> AsyncGenerator[tuple[Position | None, bytes]]:
        """Yield what is in the database; at its end wait for news, unless the run has ended."""
        with self._hub.news_of(self._ref.run_id) as pulse:
            news = pulse.next()
            record = await self._look()  # before the events: an ended run logs nothing more
            empty = True
            while chunks := await self._store.events_after(self._ref.run_id, *position):
                empty = False
                for chunk in chunks:
                    yield (chunk.attempt, chunk.last_seq), _after(chunk, position)
                    position = (chunk.attempt, chunk.last_seq)
            if empty and not record.ended:
                await wait_for(news, POLL_SECONDS)
                yield None, b""

    async def _live(
        self, execution: Execution, position: Position
    ) -> AsyncGenerator[tuple[Position | None, bytes]]:
        """Yield what a run in this process logs, until its log closes."""
        attempt = execution.claim.attempt
        execution.log.follow()
        for chunk in await self._before(execution, position):
            yield (chunk.attempt, chunk.last_seq), _after(chunk, position)
        seq = position[1] if position[0] == attempt else 0
        while not self._executor.draining:
            news = execution.log.pulse.next()
            frames = execution.log.after(seq)
            if frames is None:  # no longer in memory, so stored
                for chunk in await self._store.events_after(self._ref.run_id, attempt, seq):
                    yield (attempt, chunk.last_seq), _after(chunk, (attempt, seq))
                    seq = chunk.last_seq
            elif frames:
                seq += len(frames)
                yield (attempt, seq), b"".join(frames)
            elif execution.log.closed:
                await asyncio.wait({execution.done})
                return
            elif not await wait_for(news, POLL_SECONDS):
                yield None, b""

    async def _before(self, execution: Execution, position: Position) -> list[Chunk]:
        """Return the chunks of earlier attempts."""
        found: list[Chunk] = []
        if execution.claim.attempt == 1:
            return found
        while chunks := await self._store.events_after(self._ref.run_id, *position):
            earlier = [chunk for chunk in chunks if chunk.attempt < execution.claim.attempt]
            found += earlier
            if len(earlier) < len(chunks):
                break
            position = (chunks[-1].attempt, chunks[-1].last_seq)
        return found

    async def _look(self) -> RunRecord:
        ref = self._ref
        if self._record is None:
            await self._store.watch(ref.principal, ref.run_id)
        self._record = await self._store.get(ref.principal, ref.graph, ref.run_id)
        if self._record is None:
            raise UnknownRun(str(ref.run_id))
        return self._record


def ending(run: RunRef, outcome: Outcome) -> bytes:
    """Return the last frames of an ended run, which have no id: they are made from its row."""
    failed = b""
    if outcome.error_code is not None:
        failed = frame("error", dumps({"code": outcome.error_code, "detail": outcome.error_detail}))
    data = orjson.dumps(
        {
            "run_id": str(run.run_id),
            "thread_id": run.thread_id,
            "status": outcome.status,
            "interrupts": orjson.Fragment(outcome.interrupts or b"[]"),
        }
    )
    return failed + frame("end", data)


def draining(run: RunRef) -> bytes:
    """Return the last frame of a stream whose process stops: the run goes on, and another one tells of it."""
    data = orjson.dumps({"run_id": str(run.run_id), "thread_id": run.thread_id})
    return RETRY + frame("drain", data)


def _after(chunk: Chunk, position: Position) -> bytes:
    """Return the chunk's frames beyond a position inside it."""
    if chunk.attempt != position[0] or position[1] < chunk.first_seq:
        return chunk.frames
    return b"".join(parts(chunk.frames)[position[1] + 1 - chunk.first_seq :])
