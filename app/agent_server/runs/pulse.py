"""A wake-up for any number of waiters. Nothing is remembered: look first, then wait, then look again."""

import asyncio


class Pulse:
    """Take `next()` before looking at what it announces, and a pulse in between is not missed."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None

    def next(self) -> "asyncio.Future[None]":
        """Return the future of the next pulse; it is shared, so wait for it with `wait_for`."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        return self._next

    def beat(self) -> None:
        """Wake whoever waits."""
        if self._next is not None and not self._next.done():
            self._next.set_result(None)
        self._next = None


async def wait_for(future: "asyncio.Future[None]", seconds: float) -> bool:
    """Wait for a pulse at most so long; False when the time is over. Leaves the future to the others."""
    done, _ = await asyncio.wait({future}, timeout=seconds)
    return bool(done)
