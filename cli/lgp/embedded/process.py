"""The running PostgreSQL of a data folder: found, spawned, ended."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from lgp.account import Account

LOG_LIMIT = 5_000_000
"""Bytes of the log above which the next start begins a new one and keeps the old as `.1`."""

POLL_SECONDS = 0.01

ORPHAN_SECONDS = 10.0
"""How long children of a killed PostgreSQL may take to notice, before they are ended."""


def find_postmaster(data: Path) -> psutil.Process | None:
    """The process that serves this folder now. A pid that now means another process does not count."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    with contextlib.suppress(psutil.Error, ProcessLookupError):
        process = psutil.Process(pid)
        if _serves(process, data) and not has_ended(process):
            return process
    return None


def _serves(process: psutil.Process, data: Path) -> bool:
    return process.name() == "postgres" and Path(process.cwd()) == data.resolve()


def spawn_postgres(
    command: Sequence[str], account: Account, home: Path, log: Path
) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, so that no Ctrl-C and no end of the terminal reaches it."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=home,
            env=program_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o077,
            **account.spawn_options(),
        )


def program_environment() -> dict[str, str]:
    """An environment in which no PG* variable and no locale of the caller changes what is made."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def clear_remains(data: Path, socket: Path) -> None:
    """Wait for the orphans of a killed PostgreSQL, then remove lock files that name a foreign pid.

    Call it only when `find_postmaster` found none: PostgreSQL refuses to start if the pid in its lock file
    has been given to another process of the same account, as after a reboot.
    """
    lock = data / "postmaster.pid"
    if lock.exists():
        _end_orphans(data)
        lock.unlink()
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (socket / name).unlink(missing_ok=True)


def _end_orphans(data: Path) -> None:
    deadline = time.monotonic() + ORPHAN_SECONDS
    while orphans := _orphans(data):
        if time.monotonic() > deadline:
            for orphan in orphans:
                with contextlib.suppress(psutil.Error):
                    orphan.send_signal(signal.SIGQUIT)
            return
        time.sleep(0.05)


def _orphans(data: Path) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if _serves(process, data):
                found.append(process)
    return found


def end_process(
    process: psutil.Process, steps: Sequence[tuple[signal.Signals, float]]
) -> signal.Signals | None:
    """Send each signal in turn and wait its seconds. Return the one that worked; None if none did."""
    for number, seconds in steps:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if has_ended(process):
                return number
            time.sleep(POLL_SECONDS)
    return None


def has_ended(process: psutil.Process) -> bool:
    """Whether it executes nothing any more. In a container, its remains may never be collected."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
