"""How an execution ends: its outcome is stored, its run is handed over, or it was refused."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from agent_server.core.errors import LeaseLost, ServerError, Unavailable
from agent_server.graphs.registry import Registry
from agent_server.runs.answers import waiting
from agent_server.runs.execution import HANDED_OVER, REFUSED, Execution, Superseded
from agent_server.runs.states import reading
from agent_server.storage.runs import Chunk, Outcome, RunStore
from agent_server.storage.threads import ThreadStatus

RETRY_SECONDS = 1.0
TRIES = 20
"""Of a statement that fails while leases are renewed; each takes up to its bound, and a second."""
_CUT_SHORT = frozenset({"cancelled", "timeout", "error"})

log = structlog.get_logger()


class Endings:
    """Ends executions. Each method marks its execution as ended first: nothing can stop it any more."""

    def __init__(self, registry: Registry, store: RunStore) -> None:
        self._registry = registry
        self._store = store

    async def refuse(self, execution: Execution, refusal: ServerError) -> None:
        """End a run that has executed nothing: without a trace if its client still waits for the answer."""
        if execution.claim.attempt > 1:
            await self.finish(execution, Outcome("error", None, None, refusal.code, refusal.detail), "error")
            return
        execution.ended = True
        await _patiently(execution, lambda: self._store.abandon(execution.claim))
        execution.ended_as = REFUSED
        execution.fail(refusal)

    async def hand_over(self, execution: Execution, error: ServerError | None = None) -> None:
        """Give the run back to the queue, with all its events; its waiters are told `error`, or wait on."""

        async def release() -> None:
            await self._store.release(execution.claim, await execution.writer.rest())
            execution.ended_as = HANDED_OVER

        execution.ended = True
        if error is not None:
            error.extra.setdefault("run_id", str(execution.claim.run_id))
        await _patiently(execution, release)
        execution.fail(error or Superseded())

    async def finish(self, execution: Execution, outcome: Outcome, thread_status: ThreadStatus) -> None:
        """Store how the run ended; if that cannot be stored, that it failed."""
        execution.ended = True
        if outcome.status in _CUT_SHORT and await self._waits(execution):
            thread_status = "interrupted"

        async def store() -> None:
            await self._store_end(execution, outcome, await execution.writer.rest(), thread_status)

        async def store_failure() -> None:
            msg = "The run's result could not be stored."
            await self._store_end(execution, Outcome("error", None, None, "run_failed", msg), None, "error")

        if not await _patiently(execution, store):
            log.error("result could not be stored", run_id=str(execution.claim.run_id))
            await _patiently(execution, store_failure)

    async def _store_end(
        self, execution: Execution, outcome: Outcome, last: Chunk | None, thread_status: ThreadStatus
    ) -> None:
        if not await self._store.finish(execution.claim, outcome, last, thread_status=thread_status):
            log.warning("run was taken over", run_id=str(execution.claim.run_id))
        else:
            execution.ended_as = outcome.status
            execution.succeed(outcome)

    async def _waits(self, execution: Execution) -> bool:
        """Whether the thread still waits for a human, although this run of it was cut short."""
        claim = execution.claim
        loaded = self._registry.named(claim.graph)
        graph, config = reading(loaded, self._store.database, claim.thread_key)
        try:
            return bool(waiting(await graph.aget_state(config, subgraphs=True)))
        except ServerError:  # away, or it holds what cannot be read back: then nobody can answer, either
            return False


async def _patiently(execution: Execution, action: Callable[[], Awaitable[None]]) -> bool:
    """Try again as long as the database is away; those who wait are told so once the lease is over.

    Late is not too late: the token decides whether the run is still ours, not the clock. False when the
    database answers to the lease's renewals all the while: then the statement itself is too much for it.
    """
    tries = 0
    while True:
        try:
            await action()
        except Unavailable as error:
            leased = time.monotonic() < execution.fenced_at
            tries += leased
            if tries == TRIES:
                return False
            if not leased:
                execution.fail(error)
            await asyncio.sleep(RETRY_SECONDS)
        except LeaseLost:
            return True
        else:
            return True
