"""The event log of one attempt: what its graph emits, for readers in this process and, in chunks, for all."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from agent_server.core.errors import LeaseLost, Unavailable
from agent_server.core.jsonio import dumps
from agent_server.core.metrics import FIRST_EVENT_SECONDS
from agent_server.runs.frames import frame
from agent_server.runs.pulse import Pulse
from agent_server.storage.runs import Chunk, Claim, RunStore

KEPT = 2000
"""Frames that stay in memory for readers that are behind; older ones are read from the database."""
KEPT_BYTES = 8 * 2**20
UNWATCHED_SECONDS = 1.0
"""How long frames gather while nobody follows the run: most short runs then store none before their end."""
CHUNK_BYTES = 2**20
"""A chunk is stored before it gets larger."""
_OURS = frozenset({"gap", "metadata"})
"""Events that do not come from the graph."""


class EventLog:
    """Frames `attempt-1`, `attempt-2`, … in order."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.pulse = Pulse()
        """Beats at each new frame and when the log closes."""
        self.closed = False
        """Whether nothing more will come."""
        self.hurry = asyncio.Event()
        """Set while frames should be stored soon: somebody follows the run, or a whole chunk waits."""
        self._made_at: float | None = time.perf_counter()  # until the graph's first event
        self._followed = claim.watched
        self._fresh = 0  # bytes that are not stored yet, nor on their way
        self._frames: list[bytes] = []
        self._first = 1  # the seq of _frames[0]
        self._stored = 0  # the seq up to which frames are in the database, or on their way
        self._bytes = 0
        self._wake = asyncio.Event()
        self._inner = b'"thread_id":"%b"' % str(claim.thread_key).encode()
        self._outer = b'"thread_id":' + dumps(claim.thread_id)
        if claim.watched:
            self.hurry.set()

    @property
    def last_seq(self) -> int:
        """The seq of the newest frame; 0 before the first."""
        return self._first + len(self._frames) - 1

    @property
    def is_pressing(self) -> bool:
        """Whether a whole chunk waits to be stored."""
        return self._fresh >= CHUNK_BYTES

    def follow(self) -> None:
        """Say that somebody follows the run: what it emits is then stored without delay."""
        self._followed = True
        self.hurry.set()

    def emit(self, event: str, data: Any) -> None:
        """Append an event; raises CancelledError when the log is closed, to end a graph that goes on."""
        if self.closed:
            raise asyncio.CancelledError
        if self._made_at is not None and event not in _OURS:
            FIRST_EVENT_SECONDS.labels(self.claim.graph).observe(time.perf_counter() - self._made_at)
            self._made_at = None
        encoded = frame(event, self._for_client(event, data), (self.claim.attempt, self.last_seq + 1))
        self._frames.append(encoded)
        self._bytes += len(encoded)
        self._fresh += len(encoded)
        self._wake.set()
        if self.is_pressing:
            self.hurry.set()
        self.pulse.beat()

    def after(self, seq: int) -> list[bytes] | None:
        """Return the frames after `seq`; None when they are no longer in memory."""
        start = seq + 1 - self._first
        return None if start < 0 else self._frames[start:]

    def take(self, limit: int | None = None) -> Chunk | None:
        """Return what is not stored yet, of `limit` bytes or so, to be stored now; None for nothing."""
        frames: list[bytes] = []
        size = 0
        for encoded in self._frames[self._stored + 1 - self._first :]:
            size += len(encoded)
            if frames and limit is not None and size > limit:
                break
            frames.append(encoded)
        if not frames:
            return None
        first, self._stored = self._stored + 1, self._stored + len(frames)
        self._fresh -= sum(map(len, frames))
        if not (self._followed or self.is_pressing):
            self.hurry.clear()
        return Chunk(self.claim.attempt, first, self._stored, b"".join(frames))

    async def wait_for_news(self) -> None:
        """Wait until there is something to store."""
        self._wake.clear()
        if self._stored == self.last_seq:
            await self._wake.wait()

    def trim(self) -> None:
        """Forget stored frames beyond what is kept for readers."""
        drop = 0
        bytes_left = self._bytes
        while self._first + drop <= self._stored and (
            len(self._frames) - drop > KEPT or bytes_left > KEPT_BYTES
        ):
            bytes_left -= len(self._frames[drop])
            drop += 1
        del self._frames[:drop]
        self._first += drop
        self._bytes = bytes_left

    def close(self) -> None:
        """Say that nothing more will come."""
        self.closed = True
        self.pulse.beat()

    def _for_client(self, event: str, data: Any) -> bytes:
        """Encode, with the client's thread id where LangGraph shows the key that it works under.

        Its metadata is in events at any depth: a chunk of the root's own stream holds messages with theirs.
        """
        encoded = dumps(data)
        if event.startswith(("messages", "events")):
            return encoded.replace(self._inner, self._outer)
        return encoded


class EventWriter:
    """Stores a log's frames in chunks while its graph runs."""

    def __init__(self, events: EventLog, store: RunStore, gather_seconds: float) -> None:
        self._log = events
        self._store = store
        self._gather_seconds = gather_seconds
        self._lock = asyncio.Lock()
        # A chunk whose answer was lost is sent again as it was: it may have been stored.
        self._sending: Chunk | None = None
        self._rest: Chunk | None = None

    async def run(self, on_lost: Callable[[], None]) -> None:
        """Store what comes until cancelled; calls `on_lost` when another process has the run."""
        while True:
            if self._sending is None:
                await self._log.wait_for_news()
            await self._gather()
            try:
                async with self._lock:
                    await self._store_all()
            except Unavailable:
                continue  # the frames are still here
            except LeaseLost:
                on_lost()
                return

    async def _gather(self) -> None:
        """Let frames gather, a chunk at most: a moment for those who follow the run, longer for nobody."""
        if not self._log.hurry.is_set():
            try:
                async with asyncio.timeout(UNWATCHED_SECONDS):
                    await self._log.hurry.wait()
            except TimeoutError:
                return
        await asyncio.sleep(self._gather_seconds)

    async def rest(self) -> Chunk | None:
        """Return what is left, to be stored with the run's outcome; the log takes nothing more.

        Raises:
            LeaseLost, Unavailable: as the store does; after the latter it may be called again.
        """
        self._log.closed = True
        async with self._lock:
            while self._log.is_pressing:
                await self._send()
                self._sending = self._log.take(CHUNK_BYTES)
            await self._send()
            self._rest = self._rest or self._log.take()
            return self._rest

    async def _store_all(self) -> None:
        while True:
            await self._send()
            self._sending = self._log.take(CHUNK_BYTES)
            if self._sending is None:
                return

    async def _send(self) -> None:
        if self._sending is None:
            return
        if not await self._store.append_events(self._log.claim, self._sending):
            msg = "another process has the run"
            raise LeaseLost(msg)
        self._sending = None
        self._log.trim()
