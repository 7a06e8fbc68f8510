"""Takes the runs that nobody executes: enqueued ones in order, and those whose process has died."""

import asyncio
import time

import psycopg
import structlog

from agent_server.core.errors import Unavailable
from agent_server.core.settings import Settings
from agent_server.runs.executor import Executor
from agent_server.runs.notify import POLL_SECONDS, Hub
from agent_server.runs.pulse import wait_for
from agent_server.storage.runs import Outcome

log = structlog.get_logger()


class Worker:
    """Looks at each notification and every second; never holds more than WORKER_CONCURRENCY of its own."""

    def __init__(self, executor: Executor, hub: Hub, settings: Settings) -> None:
        self._executor = executor
        self._hub = hub
        self._room = settings.worker_concurrency
        self._taken: set[asyncio.Future[Outcome]] = set()
        self._swept_at = 0.0
        self.ended = asyncio.Event()
        """Set once it claims nothing more."""

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Claim until cancelled or until the process drains."""
        try:
            while not self._executor.draining:
                news = self._hub.queue.next()
                try:
                    more = await self._look(group)
                except (Unavailable, psycopg.Error) as error:
                    log.warning("the queue was not read", reason=type(error).__name__)
                    more = False
                if not more and not self._executor.draining:
                    await wait_for(news, POLL_SECONDS)
        finally:
            self.ended.set()

    async def _look(self, group: asyncio.TaskGroup) -> bool:
        """Claim what there is room for; whether there may be more."""
        if time.monotonic() - self._swept_at >= POLL_SECONDS:
            self._swept_at = time.monotonic()
            await self._sweep()
            await self._claim_suspect(group)
        room = self._room - len(self._taken)
        return room > 0 and await self._claim(group, limit=room, suspects=False) == room

    async def _claim_suspect(self, group: asyncio.TaskGroup) -> None:
        """Take one run that was there when two processes died: alone, lest it kills its neighbours, too."""
        executing = any(execution.claim.is_suspect for execution in self._executor.local.values())
        if not executing and len(self._taken) < self._room:
            await self._claim(group, limit=1, suspects=True)

    async def _claim(self, group: asyncio.TaskGroup, *, limit: int, suspects: bool) -> int:
        executor, sent_at = self._executor, time.monotonic()
        if executor.draining:
            return 0
        claims = await executor.store.claim(
            limit=limit, suspects=suspects, mine=list(executor.local), graphs=list(executor.registry)
        )
        for claim in claims:
            run_id, crashed = str(claim.run_id), claim.after_crash
            log.info("run claimed", run_id=run_id, attempt=claim.attempt, crashed=crashed)
            done = executor.start(claim, group, sent_at=sent_at).done
            self._taken.add(done)
            done.add_done_callback(self._make_room)
        return len(claims)

    def _make_room(self, done: "asyncio.Future[Outcome]") -> None:
        if len(self._taken) == self._room:
            self._hub.queue.beat()
        self._taken.discard(done)

    async def _sweep(self) -> None:
        """End the runs that nobody will take up again."""
        executor = self._executor
        seconds = executor.settings.run_timeout_seconds
        for run_id, status in await executor.store.end_lost(mine=list(executor.local), run_seconds=seconds):
            log.error("a run that no process holds was ended", run_id=str(run_id), status=status)
