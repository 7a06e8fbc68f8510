"""Real server processes for tests, on free ports, with short leases. Signals are sent to the real pid."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).resolve().parents[2]
QUICK = {
    "LEASE_SECONDS": "2",
    "LEASE_RENEW_SECONDS": "0.5",
    "RETENTION_SWEEP_SECONDS": "0",
    "DRAIN_SECONDS": "3",
    "SHUTDOWN_SECONDS": "5",
    "METRICS_PORT": "0",
    "LOG_LEVEL": "INFO",
}
"""A process that dies is noticed after two seconds."""

READY_SECONDS = 60.0


class ServerProcess:
    """One `python -m agent_server serve` or `worker`."""

    def __init__(self, child: "subprocess.Popen[bytes]", log: Path, metrics_port: str = "0") -> None:
        self.child = child
        self.log_file = log
        self.url = ""
        self.metrics_url = f"http://127.0.0.1:{metrics_port}/metrics"

    @property
    def pid(self) -> int:
        return self.child.pid

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        self.child.send_signal(number)

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()

    def terminate(self, seconds: float = 20.0) -> int:
        """SIGTERM; the exit code."""
        self.child.terminate()
        return self.child.wait(seconds)

    def wait_until_ready(self) -> None:
        """Find the port in the log, then ask `/ready`."""
        self._wait_for("/ready")

    def wait_until_alive(self) -> None:
        """The same with `/health`, which answers while the database is waited for."""
        self._wait_for("/health")

    def _wait_for(self, probe: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            assert self.child.poll() is None, f"the server ended with {self.child.returncode}: {self.log()}"
            self.url = self.url or self._address()
            if self.url:
                with suppress(httpx.TransportError):
                    if httpx.get(f"{self.url}{probe}").status_code == 200:
                        return
            time.sleep(0.02)
        msg = f"{probe} is not 200 after {READY_SECONDS} s: {self.log()}"
        raise AssertionError(msg)

    def _address(self) -> str:
        for line in self.log().splitlines():
            if '"event":"starting"' in line.replace('": "', '":"'):
                port = line.split('"port":')[1].split(",")[0].split("}")[0].strip()
                return f"http://127.0.0.1:{port}"
        return ""


def environment(database_url: str, config: Path, **more: str) -> dict[str, str]:
    """What a server is told: nothing of this machine's own settings leaks in."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    told = {"DATABASE_URL": database_url, "LANGGRAPH_CONFIG": str(config), "PORT": "0", "LOG_FORMAT": "json"}
    return {**kept, **told, **QUICK, **more}


def start(
    database_url: str, config: Path, *arguments: str, command: str = "serve", **more: str
) -> ServerProcess:
    """Start a server without waiting for it; `arguments` go to the command, `more` to its environment."""
    told = environment(database_url, config, **more)
    descriptor, name = tempfile.mkstemp(prefix="lgp-server-", suffix=".log")
    with os.fdopen(descriptor, "wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "agent_server", command, *arguments],
            cwd=REPOSITORY / "app",
            env=told,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return ServerProcess(child, Path(name), told["METRICS_PORT"])


@contextmanager
def servers(
    database_url: str, config: Path, count: int = 1, *arguments: str, **more: str
) -> Iterator[list[ServerProcess]]:
    """So many ready servers on a migrated database; gone afterwards."""
    with ExitStack() as stack:
        started = [start(database_url, config, *arguments, **more) for _ in range(count)]
        for server in started:
            stack.callback(finish, server)
        for server in started:
            server.wait_until_ready()
        yield started


def finish(server: ServerProcess) -> None:
    """Make sure that it is gone, also when it is stopped or deaf."""
    with suppress(ProcessLookupError):
        server.send(signal.SIGCONT)
        server.child.terminate()
    try:
        server.child.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
    server.log_file.unlink(missing_ok=True)
