"""A real redis-server of a test's own: started, killed, stopped and started again on the same port."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support.ports import free_port

PROGRAM = shutil.which("redis-server")
CLIENT = shutil.which("redis-cli")
START_SECONDS = 10.0


class RedisServer:
    """One process, without persistence; `arguments` as on its command line."""

    def __init__(self, folder: Path, *arguments: str, tls: bool = False) -> None:
        self.port = free_port()
        listens = ("--port", "0", "--tls-port") if tls else ("--port",)
        self._command = (
            *(str(PROGRAM), *listens, str(self.port), "--bind", "127.0.0.1"),
            *("--save", "", "--dir", str(folder), *arguments),
        )
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and return once it listens."""
        self._child = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.02)
        msg = f"redis-server does not listen on {self.port}"
        raise AssertionError(msg)

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal: SIGSTOP stalls it, its connections stay."""
        assert self._child is not None
        self._child.send_signal(number)

    def kill(self) -> None:
        """SIGKILL; its connections are reset."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def ask(self, *command: str) -> str:
        """What a command answers."""
        assert CLIENT is not None
        asked = [CLIENT, "-p", str(self.port), *command]
        return subprocess.run(asked, check=True, capture_output=True, text=True, timeout=20).stdout.strip()


@contextmanager
def redis_server(*arguments: str, tls: bool = False) -> Iterator[RedisServer]:
    """A running one; gone afterwards."""
    if PROGRAM is None or CLIENT is None:
        pytest.skip("redis-server is not installed")
    folder = Path(tempfile.mkdtemp(prefix="lgp-redis-"))
    server = RedisServer(folder, *arguments, tls=tls)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)
