"""Wake-ups from other processes by LISTEN. Only a hint: whoever waits also looks every POLL_SECONDS."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from uuid import UUID

import structlog
from psycopg import Error

from agent_server.core.errors import DatabaseUnavailable
from agent_server.core.settings import Settings
from agent_server.runs.pulse import Pulse
from agent_server.storage.database import connect
from agent_server.storage.login import Login

CHANNEL = "agent"
POLL_SECONDS = 1.0
_STATEMENT_SECONDS = 5
_RECONNECT_SECONDS = 1.0
_LOGIN_SECONDS = 5.0
"""How often it is looked whether the login has changed."""

log = structlog.get_logger()


class Hub:
    """Tells who waits in this process what others have notified."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._login = Login(settings)
        self._runs: dict[UUID, tuple[Pulse, int]] = {}
        self.queue = Pulse()
        """Beats when a run waits for somebody to execute it."""
        self.on_news: Callable[[UUID], None] = lambda _: None
        """Called with the id of a run that there is news of, or that somebody begins to follow."""
        self.on_cancel: Callable[[UUID], None] = lambda _: None
        """Called with the id of a run that is to be cancelled."""

    @contextmanager
    def news_of(self, run_id: UUID) -> Generator[Pulse, None, None]:
        """Give a pulse that beats at news of the run, for the time of the block."""
        pulse, waiters = self._runs.get(run_id, (Pulse(), 0))
        self._runs[run_id] = (pulse, waiters + 1)
        try:
            yield pulse
        finally:
            pulse, waiters = self._runs[run_id]
            if waiters == 1:
                del self._runs[run_id]
            else:
                self._runs[run_id] = (pulse, waiters - 1)

    def wake(self) -> None:
        """Let all who wait look again."""
        self.queue.beat()
        for pulse, _ in self._runs.values():
            pulse.beat()

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made again."""
        while True:
            try:
                await self._listen()
            except (Error, DatabaseUnavailable, TimeoutError) as error:
                log.warning("not listening", reason=type(error).__name__)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen(self) -> None:
        """Listen until the login changes."""
        stamp = self._login.stamp()
        connection = await connect(
            self._settings.direct_dsn, statement_timeout=_STATEMENT_SECONDS, login=self._login
        )
        async with connection:
            await connection.execute(f"listen {CHANNEL}")
            while self._login.stamp() in (stamp, None):
                async for notification in connection.notifies(timeout=_LOGIN_SECONDS):
                    self._dispatch(notification.payload)

    def _dispatch(self, payload: str) -> None:
        """Pass news on; what is not ours is ignored, for anybody may notify."""
        kind, _, run_id = payload.partition(":")
        if kind == "queue":
            self.queue.beat()
            return
        try:
            key = UUID(run_id)
        except ValueError:
            return
        if kind == "cancel":
            self.on_cancel(key)
        elif kind == "run":
            self.on_news(key)
            if key in self._runs:
                self._runs[key][0].beat()
