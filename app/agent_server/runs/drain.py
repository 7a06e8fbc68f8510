"""How a process stops: when that began, how long what is open in it may go on, and what still is."""

import asyncio
import math
import time
from collections.abc import Generator
from contextlib import contextmanager


class Drain:
    """Told by the engine, asked by all that claims, executes, waits or streams in this process."""

    def __init__(self, seconds: float) -> None:
        """`seconds` are what is left to runs and waiting requests from its beginning on."""
        self._seconds = seconds
        self._begun = False
        self._ends_at = math.inf
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def begun(self) -> bool:
        """Whether the process stops: nothing new begins in it."""
        return self._begun

    @property
    def over(self) -> bool:
        """Whether nobody is waited for any more."""
        return self.left <= 0

    @property
    def left(self) -> float:
        """Seconds until then; infinite before the drain has begun."""
        return max(self._ends_at - time.monotonic(), 0.0)

    def begin(self) -> bool:
        """Begin; False if it has begun before."""
        if self._begun:
            return False
        self._begun = True
        self._ends_at = min(self._ends_at, time.monotonic() + self._seconds)
        return True

    def cut_short(self) -> None:
        """Wait for nobody any more."""
        self._ends_at = min(self._ends_at, time.monotonic())

    @contextmanager
    def holding(self) -> Generator[None]:
        """Hold the stop up for the block: somebody waits for an answer, or reads a stream."""
        self._open += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()

    async def settled(self) -> None:
        """Wait until nobody holds the stop up."""
        await self._idle.wait()
