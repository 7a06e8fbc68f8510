"""Files of the graphs that change, for `lgp dev`."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

Changes = Callable[[], list[Path]]
"""The files that changed since the last call."""

Watch = Callable[[Path, Callable[[], None]], AbstractContextManager[Changes]]
"""Watches what a langgraph.json names, and calls the function from a thread whenever something changes."""


@contextmanager
def unwatched(config: Path, nudge: Callable[[], None]) -> Generator[Changes, None, None]:
    """Nothing ever changes."""
    del config, nudge
    yield list[Path]
