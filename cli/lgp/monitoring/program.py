"""A program of others beside the server, which ends when we do: also when we are killed."""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lgp.errors import ProgramFailed
from lgp.monitoring import keeper
from lgp.server_process import Address, answers
from lgp.signals import Signals

READY_SECONDS = 30.0
"""Longest start until it says that it is ready."""

LOG_LIMIT = 5_000_000
"""Bytes of its log above which the next start begins a new one."""

FREED_SECONDS = keeper.STOP_SECONDS + 5
"""How long the one of a killed launcher may take to let go of the folder."""


class Program:
    """One run of it. `end` it, or it ends with this process."""

    def __init__(self, name: str, child: subprocess.Popen[bytes], log: Path, log_start: int) -> None:
        """Use `start`."""
        self.name = name
        self._child = child
        self._log = log
        self._log_start = log_start

    @classmethod
    def start(
        cls, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> "Program":
        """Start it in a session of its own; `folder` is its alone, for as long as it runs."""
        log = folder.with_suffix(".log")
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.unlink()
        with folder.with_suffix(".lock").open("a") as lock, log.open("ab") as output:
            _lock(name, lock.fileno())
            start = output.tell()
            child = subprocess.Popen(
                [sys.executable, "-I", keeper.__file__, *command],
                cwd=folder,
                env={"PATH": os.defpath, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                umask=0o077,
                pass_fds=[lock.fileno()],
            )
        return cls(name, child, log, start)

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return self._child.poll() is not None

    def wait_until_ready(self, address: Address, path: str, signals: Signals) -> None:
        """Return once this path is answered with 200, or a stop was asked for; ProgramFailed if it is not."""
        deadline = time.monotonic() + READY_SECONDS
        while not answers(address, path):
            if self.ended:
                raise ProgramFailed(self.obituary())
            if not signals.wait_unless(deadline):
                if signals.asked_to_stop:
                    return
                message = f"{self.name} was not ready within {READY_SECONDS:.0f} s (see {self._log})"
                raise ProgramFailed(message)

    def obituary(self) -> str:
        """Its last words."""
        with self._log.open("rb") as file:
            file.seek(self._log_start)
            lines = file.read().decode(errors="replace").strip().splitlines()
        return f"{self.name} ended: {lines[-1] if lines else 'it said nothing'} (see {self._log})"

    def end(self) -> None:
        """Ask it to stop and wait until it has."""
        if self._child.stdin is not None:
            with contextlib.suppress(OSError):
                self._child.stdin.close()
        self._child.wait()


def _lock(name: str, descriptor: int) -> None:
    """Hold the lock, which whoever inherits it holds too, until the last of them has ended."""
    deadline = time.monotonic() + FREED_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                message = f"another {name} still uses this clone's data: end it first"
                raise ProgramFailed(message) from None
            time.sleep(0.05)
        else:
            return
