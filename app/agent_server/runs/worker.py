"""Takes the runs that nobody executes: enqueued ones in order, and those whose process has died."""

import asyncio
import time

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

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Claim until cancelled or until the process drains."""
        while not self._executor.draining:
            news = self._hub.queue.next()
            try:
                more = await self._look(group)
            except Unavailable as error:
                log.warning("the queue was not read", reason=error.code)
                more = False
            if not more:
                await wait_for(news, POLL_SECONDS)

    async def _look(self, group: asyncio.TaskGroup) -> bool:
        """Claim what there is room for; whether there may be more."""
        executor = self._executor
        await self._end_poisoned()
        room = self._room - len(self._taken)
        if room <= 0:
            return False
        sent_at = time.monotonic()
        claims = await executor.store.claim(
            limit=room, mine=list(executor.local), graphs=list(executor.registry)
        )
        for claim in claims:
            log.info(
                "run claimed", run_id=str(claim.run_id), attempt=claim.attempt, crashed=claim.after_crash
            )
            done = executor.start(claim, group, sent_at=sent_at).done
            self._taken.add(done)
            done.add_done_callback(self._make_room)
        return len(claims) == room

    def _make_room(self, done: "asyncio.Future[Outcome]") -> None:
        if len(self._taken) == self._room:
            self._hub.queue.beat()
        self._taken.discard(done)

    async def _end_poisoned(self) -> None:
        if time.monotonic() - self._swept_at < POLL_SECONDS:
            return
        self._swept_at = time.monotonic()
        for run_id in await self._executor.store.end_poisoned(mine=list(self._executor.local)):
            log.error("run is poison", run_id=str(run_id))
