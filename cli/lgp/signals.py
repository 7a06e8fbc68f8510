"""Signals as something to wait for, so that none of them interrupts a step half-way."""

import os
import select
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

ENDS = (signal.SIGTERM, signal.SIGHUP)
"""What ends a program at once unless it says otherwise: `kill`, and a terminal that is closed."""
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NUDGE = b"\0"
"""Written by `Signals.nudge`; no signal has this number."""


@contextmanager
def interrupting() -> Generator[None, None, None]:
    """Within the block a closed terminal and a `kill` are what Ctrl-C is: what must be undone is undone."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in ENDS}
    for number in ENDS:
        if before[number] != signal.SIG_IGN:  # as `nohup` has it
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Signals:
    """Catches the stop signals and the end of a child, from `__enter__` to `__exit__`, in the main thread."""

    def __init__(self) -> None:
        """Nothing is caught yet."""
        self.stops: list[signal.Signals] = []
        """The stop signals so far; the second one means haste."""
        self._parent: int | None = None
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        os.set_blocking(self._reader, False)
        self._previous: dict[signal.Signals, signal.Handlers | object] = {}

    def __enter__(self) -> Self:
        """Start to catch."""
        for number in (*STOPS, signal.SIGCHLD):
            self._previous[number] = signal.signal(number, self._arrived)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Catch no more."""
        signal.set_wakeup_fd(-1)
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType]  # what signal.signal returned
        os.close(self._reader)
        os.close(self._writer)

    def stop_with(self, parent: int | None) -> None:
        """Take the end of this parent for a stop signal: it was killed, or it would have sent us one."""
        self._parent = parent

    @property
    def asked_to_stop(self) -> bool:
        """Whether a stop signal has come."""
        orphaned = self._parent is not None and os.getppid() != self._parent
        return bool(self.stops) or orphaned

    def wait(self, seconds: float) -> None:
        """Return when something has come: a signal, a child's end, a nudge; at the latest after the time."""
        ready, _, _ = select.select([self._reader], [], [], seconds)
        if ready:
            os.read(self._reader, 4096)

    def nudge(self) -> None:
        """End the present `wait`, or the next; for other threads."""
        os.write(self._writer, NUDGE)

    def wait_unless(self, deadline: float) -> bool:
        """Wait a moment; False once the deadline (of `time.monotonic`) has passed or a stop was asked for."""
        self.wait(0.05)
        return time.monotonic() < deadline and not self.asked_to_stop

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self.stops.append(signal.Signals(number))
