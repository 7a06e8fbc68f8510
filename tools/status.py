"""One calm line for what takes long, and one clear line for what failed."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

QUIET_SECONDS = 2.0
"""What is done sooner is not spoken of."""

PLAIN_SECONDS = 15.0
"""How often the line is repeated where the output is no terminal."""


class SetupError(Exception):
    """Told in one line; the details are in the log."""


def say(line: str) -> None:
    """One line for a person."""
    sys.stderr.write(f"setup: {line}\n")


class Status:
    """A line that counts the seconds once something takes longer than two."""

    def __init__(self, what: str) -> None:
        """Start to count."""
        self._what = what
        self._started = time.monotonic()
        self._next = QUIET_SECONDS
        self._live = sys.stderr.isatty()

    def tick(self) -> None:
        """Call it a few times a second."""
        elapsed = time.monotonic() - self._started
        if elapsed < self._next:
            return
        self._next = elapsed + (0.2 if self._live else PLAIN_SECONDS)
        line = f"setup: {self._what} … {elapsed:.0f} s"
        sys.stderr.write(f"\r\033[K{line}" if self._live else f"{line}\n")
        sys.stderr.flush()

    def done(self) -> None:
        """Leave a line only if one was shown."""
        elapsed = time.monotonic() - self._started
        if elapsed >= QUIET_SECONDS:
            sys.stderr.write("\r\033[K" if self._live else "")
            say(f"{self._what}: done in {elapsed:.0f} s")


def run(
    what: str, command: Sequence[str | Path], log: Path, environment: Mapping[str, str], root: Path
) -> None:
    """Run a step with its output in the log; a failure becomes one line with the likely cause."""
    status = Status(what)
    with log.open("ab") as output:
        start = output.tell()
        output.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        output.flush()
        child = subprocess.Popen(
            command, cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            while child.poll() is None:
                status.tick()
                time.sleep(0.05)
        except KeyboardInterrupt:
            child.terminate()
            child.wait()
            raise
    if child.returncode != 0:
        status.done()
        cause = likely_cause(log.read_bytes()[start:].decode(errors="replace"))
        message = f"{what} failed: {cause} (details in {log})"
        raise SetupError(message)
    status.done()


_CAUSES = (
    (("No space left",), "the disk is full"),
    (("Read-only file system", "Permission denied", "permission denied"), "the folder cannot be written"),
    (
        ("HASHES", "Hash mismatch", "hash mismatch"),
        "a package is not the one that was locked (its hash differs)",
    ),
    (
        ("ensurepip", "python3-venv"),
        "this Python has no venv module (Debian, Ubuntu: apt install python3-venv)",
    ),
    (
        (
            "dns error",
            "Temporary failure",
            "Failed to fetch",
            "onnection",
            "timed out",
            "ConnectError",
            "Could not fetch",
        ),
        "the package registry cannot be reached; is there a network?",
    ),
    (
        ("No matching distribution", "not found in the package registry"),
        "the package registry does not have a locked package",
    ),
)


def likely_cause(output: str) -> str:
    """What the tools' output means, in a few words."""
    for signs, cause in _CAUSES:
        if any(sign in output for sign in signs):
            return cause
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no output"
