"""The server's log file, shown as it grows."""

import os
import sys
from pathlib import Path

LIMIT = 20_000_000
"""Bytes of the log above which it is begun anew; what was shown is not kept for ever."""


class Follower:
    """Copies what is appended to a file to stdout. The writer never depends on us: it writes to the file."""

    def __init__(self, path: Path, *, silent: bool) -> None:
        """Nothing is shown yet; with `silent`, nothing ever is."""
        self._path = path
        self._silent = silent
        self._position = 0

    def from_now(self) -> None:
        """Skip what the file holds."""
        if self._path.exists() and self._path.stat().st_size > LIMIT:
            os.truncate(self._path, 0)
        self._position = self._path.stat().st_size if self._path.exists() else 0

    def show(self) -> None:
        """Copy what is new. A terminal that has gone away is no reason to stop serving."""
        with self._path.open("rb") as file:
            file.seek(self._position)
            fresh = file.read()
        self._position += len(fresh)
        if fresh and not self._silent:
            self._write(fresh)
        if self._position > LIMIT:
            os.truncate(self._path, 0)
            self._position = 0

    def _write(self, fresh: bytes) -> None:
        try:
            sys.stdout.buffer.write(fresh)
            sys.stdout.buffer.flush()
        except OSError:
            self._silent = True
