"""The folder `.lgp/` of a clone: what one `lgp up` leaves for the next, and for the other verbs."""

import fcntl
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from lgp.errors import AlreadyRunning, FolderUnusable
from lgp.folders import kept_secret
from lgp.paths import state_folder
from lgp.progress import step

STOPPING_SECONDS = 60.0
"""How long the next `lgp up` waits for one that has no server yet, or is stopping."""


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process that outlives a mention of its pid: the pid alone may come to mean another."""

    pid: int
    started: float
    """Its start, in seconds since 1970, as `psutil` tells it."""


@dataclass(frozen=True, slots=True)
class Record:
    """What the running `lgp up` serves, and with which processes."""

    url: str
    config: str
    database_url: str
    data: str | None
    """Where the embedded PostgreSQL keeps its data; None with a database of one's own."""
    metrics_url: str | None = None
    """None without metrics."""
    prometheus_url: str | None = None
    grafana_url: str | None = None
    """None for what does not run beside it."""
    server: ProcessRecord | None = None
    stopping: bool = False
    """Whether it is on its way out: the next one waits for it."""


class State:
    """The folder, ours alone; made on the first use."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made or read yet."""
        self.folder = folder

    def pepper(self) -> str:
        """The secret of the API keys' HMAC, made on the first call."""
        self.open()
        return kept_secret(self.folder / "pepper")

    def attachments(self) -> Path:
        """Where a server keeps attachments that is told no other place; made on the first call."""
        self.open()
        folder = self.folder / "attachments"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @property
    def server_log(self) -> Path:
        """What the server says."""
        return self.folder / "server.log"

    @property
    def _record(self) -> Path:
        return self.folder / "up.json"

    def open(self) -> None:
        """Make it, or see that it is ours and can be written."""
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            if self.folder.stat().st_uid != os.geteuid():
                message = f"{self.folder} belongs to another user: run as that user, or set LGP_HOME"
                raise FolderUnusable(message)
            self.folder.chmod(0o700)
            (self.folder / "lock").touch(mode=0o600)
        except OSError as error:
            message = f"cannot write {self.folder}: {error.strerror}"
            raise FolderUnusable(message) from None

    @contextmanager
    def alone(self) -> Generator[None, None, None]:
        """Be the only `lgp up` of this folder; the lock ends with the process, however that ends."""
        with (self.folder / "lock").open("r+") as file:
            if not _locked(file):
                self._wait_for(file)
            file.seek(0)
            file.truncate()
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield

    def _wait_for(self, file: TextIO) -> None:
        """Wait for one that is stopping; AlreadyRunning for one that is not."""
        deadline = time.monotonic() + STOPPING_SECONDS
        with step("waiting for the last one to stop"):
            while not _locked(file):
                record = self.read()
                if time.monotonic() > deadline or (record is not None and not record.stopping):
                    raise AlreadyRunning(self._who(file.read().strip()))
                time.sleep(0.05)

    def _who(self, pid: str) -> str:
        record = self.read()
        where = f" at {record.url}" if record is not None else ""
        return f"already running (pid {pid}){where}: use it, or stop it with `kill {pid}`"

    def write(self, record: Record) -> None:
        """Replace the record, whole or not at all; only we can read it, for it holds the database's URL."""
        fresh = self._record.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(record)))
        fresh.replace(self._record)

    def read(self) -> Record | None:
        """The record of the `lgp up` that runs, or that was killed."""
        try:
            fields = json.loads(self._record.read_text())
            server = fields.pop("server")
            return Record(server=ProcessRecord(**server) if server else None, **fields)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def forget(self) -> None:
        """Nothing runs any more."""
        self._record.unlink(missing_ok=True)


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def clone_state() -> State:
    """The state of this clone."""
    return State(state_folder())
