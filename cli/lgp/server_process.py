"""The server as a child of ours: its environment, its start, its readiness, its end."""

import contextlib
import errno
import http.client
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from lgp.embedded.process import end_process, has_ended
from lgp.errors import PortTaken, ServerDied
from lgp.server_command import server_command
from lgp.signals import Signals
from lgp.state import ProcessRecord

READY_SECONDS = 120.0
"""Longest start of the server until `/ready` says so."""

STOP_SECONDS = 40.0
"""How long it may hand its runs over; above the server's own SHUTDOWN_SECONDS of 30."""

LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens."""

    host: str
    port: int
    """0 for any that is free."""

    @property
    def url(self) -> str:
        """Its base URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def require_free(address: Address, *, variable: str = "PORT", beside: int = 0) -> Address:
    """The address, with a free port for port 0.

    PortTaken if something listens there or will, on the port `beside`; `variable` chooses another one.
    """
    if address.port and address.port == beside:
        raise PortTaken(_taken(address, variable))
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise PortTaken(_why_not(address, variable, error)) from None
        return Address(address.host, int(probe.getsockname()[1]))


def _why_not(address: Address, variable: str, error: OSError) -> str:
    if error.errno != errno.EADDRINUSE:
        return f"cannot listen on {address.host} port {address.port}: {error.strerror}"
    return _taken(address, variable)


def _taken(address: Address, variable: str) -> str:
    other = address.port + 1 if address.port < LAST_PORT else address.port - 1
    return f"port {address.port} is taken by another program: choose another one with {variable}={other}"


class Server:
    """One run of `agent_server serve`. `end` it, or it stays."""

    def __init__(self, child: subprocess.Popen[bytes], log: Path, log_start: int) -> None:
        """Use `start`."""
        self._child = child
        self._log = log
        self._log_start = log_start

    @classmethod
    def start(cls, environment: Mapping[str, str], folder: Path, log: Path) -> "Server":
        """Start it in a session of its own: a Ctrl-C is ours to pass on, once."""
        log.touch(mode=0o600)
        with log.open("ab") as output:
            position = output.tell()
            child = subprocess.Popen(
                server_command("serve"),
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return cls(child, log, position)

    @property
    def record(self) -> ProcessRecord:
        """What finds it again after we were killed."""
        return ProcessRecord(self._child.pid, psutil.Process(self._child.pid).create_time())

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._child.poll()

    def wait_until_ready(self, address: Address, signals: Signals) -> bool:
        """Wait for `/ready`; False if we were asked to stop before, ServerDied if it did not get there."""
        deadline = time.monotonic() + READY_SECONDS
        while not answers(address, "/ready"):
            if self.exit_code is not None:
                raise ServerDied(self.obituary())
            if not signals.wait_unless(deadline):
                if signals.asked_to_stop:
                    return False
                message = f"the server was not ready within {READY_SECONDS:.0f} s (see {self._log})"
                raise ServerDied(message)
        return True

    def obituary(self) -> str:
        """How it ended, and its last words."""
        code = self.exit_code
        how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
        return f"the server ended with {how}: {self.last_words()}"

    def last_words(self) -> str:
        """The last line of its log."""
        with self._log.open("rb") as file:
            file.seek(self._log_start)
            lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip(" +-|")]
        return lines[-1].strip() if lines else "it said nothing"

    def end(self, signals: Signals) -> None:
        """Ask it to stop and wait for it; a second stop signal to us, or the end of the time, kills it."""
        haste_at = len(signals.stops) + 1
        with contextlib.suppress(ProcessLookupError):
            self._child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while self.exit_code is None and time.monotonic() < deadline and len(signals.stops) < haste_at:
            signals.wait(0.2)
        if self.exit_code is None:
            self._child.kill()
        self._child.wait()


def answers(address: Address, path: str) -> bool:
    """Whether a GET of this path is answered with 200."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def end_leftover(record: ProcessRecord) -> bool:
    """End a server whose launcher was killed; False if it has gone, or its pid is another process's now."""
    try:
        process = psutil.Process(record.pid)
        if abs(process.create_time() - record.started) > 1 or has_ended(process):
            return False
    except psutil.NoSuchProcess:
        return False
    end_process(process, ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5.0)))
    return True
