"""What somebody asks for now and then, and what is told meanwhile without asking again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

SLACK_SECONDS = 1.0
"""So much longer a value is told than it keeps others from asking: what `begin` found fresh is told, too, by
the answer that is written a moment later. Without it, of scrapes every 5 s three in ten missed what is fresh
for 5 s."""


class Reading(Generic[T]):
    """One value that is read when it is asked for, at most every `fresh_seconds`, by one task at a time.

    Nothing found is told as nothing, and tried again when it is next asked for, `rest_seconds` later at the
    earliest.
    """

    def __init__(
        self, read: Callable[[], Awaitable[T | None]], fresh_seconds: float, rest_seconds: float = 0.0
    ) -> None:
        """`read` raises nothing, and returns None where there is nothing to be told."""
        self._read = read
        self._fresh_seconds = fresh_seconds
        self._rest_seconds = rest_seconds
        self._found: T | None = None
        self._until = float("-inf")
        """Monotonic time from which on it is asked again."""
        self._reading: asyncio.Task[None] | None = None

    def begin(self) -> "asyncio.Task[None] | None":
        """Return the reading that is under way, begun if need be; None where what is known will do."""
        if time.monotonic() < self._until:
            return None
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._once())
        return self._reading

    def value(self) -> T | None:
        """Return what is known, unless it is too old: an old number would look like a new one."""
        return self._found if time.monotonic() < self._until + SLACK_SECONDS else None

    async def _once(self) -> None:
        asked_at = time.monotonic()
        self._found = await self._read()
        self._until = asked_at + (self._rest_seconds if self._found is None else self._fresh_seconds)
