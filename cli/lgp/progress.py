"""The steps of a start and a stop: one calm line each, alive while it takes long."""

import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

QUIET_SECONDS = 2.0
"""What takes longer shows that it lives."""

PLAIN_SECONDS = 15.0
"""How often it does so where stderr is no terminal."""


@contextmanager
def step(name: str) -> Generator[Callable[[str], None], None, None]:
    """Call what it gives with the outcome; without that, as after an error, no line is left."""
    outcome: list[str] = []
    started = time.monotonic()
    done = threading.Event()
    ticker = threading.Thread(target=_tick, args=(name, started, done), daemon=True)
    ticker.start()
    try:
        yield outcome.append
    finally:
        done.set()
        ticker.join()
    if outcome:
        write_line(f"  {name:<28}{outcome[-1]:<20}{time.monotonic() - started:6.1f} s")


def _tick(name: str, started: float, done: threading.Event) -> None:
    live = sys.stderr.isatty()
    pause = QUIET_SECONDS
    while not done.wait(pause):
        line = f"  {name} … {time.monotonic() - started:.0f} s"
        _write(f"\r\033[K{line}" if live else f"{line}\n")
        pause = 0.2 if live else PLAIN_SECONDS
    if live and pause != QUIET_SECONDS:
        _write("\r\033[K")


def write_line(line: str) -> None:
    """One line on stderr."""
    _write(f"{line}\n")


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        return  # the terminal has gone away: nobody reads it
