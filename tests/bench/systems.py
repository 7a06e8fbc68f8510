"""The measured systems as processes: start, wait until ready, do jobs, weigh, stop."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import psutil
from tests.bench.jobs import Job, Outcome
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
GRAPHS = Path(__file__).resolve().parent / "graphs" / "langgraph.json"

START_SECONDS = 60.0
"""Longest start of a server."""

STOP_SECONDS = 30.0
"""Longest clean stop; then it is killed."""

MIB = 1024 * 1024
UVICORN = ["-m", "uvicorn", "--loop", "uvloop", "--port", "{port}"]
COMMANDS = {
    "ours": ["-m", "agent_server", "serve"],
    "listing": [*UVICORN, "tests.bench.listing:app"],
    "floor-http": [*UVICORN, "--no-access-log", "tests.bench.floor_http:app"],
}
"""What is measured, each as its users start it: our server with its defaults, log lines included."""


class Log(Protocol):
    """A file on disk that servers write to."""

    @property
    def name(self) -> Any:
        """Its path."""
        ...

    def fileno(self) -> int:
        """Its descriptor."""
        ...


class BenchError(Exception):
    """The benchmark cannot go on; the message says why."""


class Worker:
    """A process that takes jobs as JSON lines (the floor, the load generator)."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Return once it says that it is ready."""
        self._process = process
        self.pid = process.pid
        self._read()

    def do(self, job: Job) -> Outcome:
        """Do a job."""
        assert self._process.stdin is not None  # made with a pipe
        self._process.stdin.write(json.dumps(asdict(job)) + "\n")
        self._process.stdin.flush()
        return Outcome(**json.loads(self._read()))

    def _read(self) -> str:
        assert self._process.stdout is not None  # made with a pipe
        line = self._process.stdout.readline()
        if not line:
            message = f"{self._process.args!r} died"
            raise BenchError(message)
        return line


class System:
    """Something that does jobs, and can be weighed."""

    def __init__(self, name: str, url: str, pid: int, worker: Worker, port: int = 0) -> None:
        """`pid` is weighed, `worker` is asked; a server is asked through its port."""
        self.name, self.url, self.pid, self._worker, self._port = name, url, pid, worker, port
        self._process = psutil.Process(pid)

    def do(self, job: Job) -> Outcome:
        """Do a job."""
        contract = "ours" if self.name == "ours" else "listing"
        return self._worker.do(replace(job, port=self._port, contract=contract))

    def signal(self, number: int) -> None:
        """Send its process a signal."""
        self._process.send_signal(number)

    def cpu_seconds(self) -> float:
        """Processor time so far, user and system, of the system's own process."""
        times = self._process.cpu_times()
        return times.user + times.system

    def resident_mib(self) -> float:
        """Resident memory with all children."""
        family = [self._process, *self._process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family) / MIB


def environment(url: str, port: int) -> dict[str, str]:
    """What every system is told: the same pool, the same graphs."""
    return os.environ | {
        "DATABASE_URL": url,
        "LANGGRAPH_CONFIG": str(GRAPHS),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "AUTH": "none",
        "POOL_MIN_SIZE": "5",
        "POOL_MAX_SIZE": "20",
        "LANGSMITH_TRACING": "false",
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def worker(module: str, url: str = "") -> Iterator[Worker]:
    """A process that takes jobs until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=environment(url, 0),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with _ended(process):
        yield Worker(process)


@contextmanager
def server(name: str, url: str, log: Log) -> Iterator[tuple[int, int, float]]:
    """A server process: its pid, its port, and the seconds until `/ready` said 200."""
    port = free_port()
    command = [part.format(port=port) for part in COMMANDS[name]]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(url, port),
        stdout=log.fileno(),
        stderr=subprocess.STDOUT,
    )
    with _ended(process):
        while not _is_ready(port):
            _require_start(name, process, began, log)
            time.sleep(0.01)
        yield process.pid, port, time.perf_counter() - began


def migrate(url: str, log: Log) -> None:
    """Prepare a database for our server."""
    command = [sys.executable, "-m", "agent_server", "migrate"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(url, 0), stdout=log.fileno(), stderr=subprocess.STDOUT, check=False
    )
    if done.returncode != 0:
        message = f"migrate failed: {_last_words(log)}"
        raise BenchError(message)


def start_floor(stack: ExitStack, url: str) -> System:
    """The floor, until the stack closes."""
    process = stack.enter_context(worker("tests.bench.floor", url))
    return System("floor", url, process.pid, process)


def start_server(stack: ExitStack, name: str, url: str, load: Worker, log: Log) -> System:
    """A server that is ready, until the stack closes."""
    if name == "ours":
        migrate(url, log)
    pid, port, _ = stack.enter_context(server(name, url, log))
    return System(name, url, pid, load, port)


@contextmanager
def _ended(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_ready(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
            probe.sendall(b"GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return b" 200 " in probe.recv(4096).split(b"\r\n")[0]
    except OSError:
        return False


def _require_start(name: str, process: subprocess.Popen[bytes], began: float, log: Log) -> None:
    ended = process.poll() is not None
    if ended or time.perf_counter() - began > START_SECONDS:
        why = f"exit {process.returncode}" if ended else f"not ready after {START_SECONDS:.0f} s"
        message = f"{name} did not start ({why}): {_last_words(log)}"
        raise BenchError(message)


def _last_words(log: Log) -> str:
    lines = Path(log.name).read_text(errors="replace").strip().splitlines()
    return " / ".join(lines[-3:])
