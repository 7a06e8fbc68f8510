"""Programs that run beside a test: started by hand, watched while waited for, killed by their own pid."""

import shutil
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.05
TAIL_BYTES = 3000


class NotReady(Exception):
    """A program ended, or did not become ready in time; with the end of its log."""

    def __init__(self, name: str, what: str, log: str) -> None:
        super().__init__(f"{name} {what}\n{log}")


class Processes:
    """The programs of one run, each with its log in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str | Path) -> None:
        """Start it. It also ends when the thread that started it is killed without a chance to clean up."""
        guard = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
        with (self.folder / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                (*guard, *command),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_for(self, name: str, ready: Callable[[], bool], *, seconds: float) -> None:
        """Return once `ready()`.

        Raises:
            NotReady: the program ended, or `seconds` are over.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if (code := self._running[name].poll()) is not None:
                raise NotReady(name, f"ended with {code}", self.tail(name))
            if time.monotonic() > deadline:
                raise NotReady(name, f"is not ready after {seconds:g} s", self.tail(name))
            time.sleep(POLL_SECONDS)

    def tail(self, name: str) -> str:
        """The end of what it printed."""
        return (self.folder / f"{name}.log").read_bytes()[-TAIL_BYTES:].decode(errors="replace")

    def kill(self) -> None:
        """End all, the last one first. KILL: on TERM the API server would wait a minute for its watchers."""
        for process in reversed(self._running.values()):
            process.kill()
        for process in self._running.values():
            process.wait()
        self._running.clear()


@contextmanager
def processes(folder: Path) -> Generator[Processes, None, None]:
    """Programs that are all gone afterwards."""
    found = Processes(folder)
    try:
        yield found
    finally:
        found.kill()
