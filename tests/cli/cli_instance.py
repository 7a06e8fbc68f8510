"""`lgp` as a user runs it: real processes, real signals, a real PostgreSQL, and a stand-in for the server."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from lgp.embedded.process import end_process, find_postmaster, has_ended

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tests"), str(ROOT / "tools")]  # for `support` and the tools themselves
STANDIN = Path(__file__).parent / "standin"
SECONDS = 30
OURS = (
    "LGP_",
    "LANGGRAPH_",
    "STANDIN_",
    "PG",
    "DATABASE_",
    "API_KEY_",
    "CONFIG",
    "PORT",
    "HOST",
    "AUTH",
    "METRICS_PORT",
)


@dataclass
class Instance:
    """One instance of the platform: its state folder, its graphs, and the processes a test started."""

    home: Path
    config: Path
    account: dict[str, Any] = field(default_factory=dict)
    python: str = sys.executable
    extra: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        path = [STANDIN, ROOT / "cli", ROOT / "client", *self._packages()]
        told = {"PYTHONPATH": os.pathsep.join(map(str, path)), "LGP_HOME": str(self.home), "NO_COLOR": "1"}
        told |= {"LANGGRAPH_CONFIG": str(self.config), "PORT": "0", "METRICS_PORT": "0", "COLUMNS": "200"}
        return {**kept, **told, **self.extra}

    def _packages(self) -> list[str]:
        """Where this interpreter finds what the locked environment holds, if it is another."""
        return [] if self.python == sys.executable else [path for path in sys.path if "site-packages" in path]

    def lgp(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, "-m", "lgp", *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            cwd=self.home.parent,
            **self.account,
        )

    def spawn(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [self.python, "-m", "lgp", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home.parent,
            start_new_session=True,
            **self.account,
        )
        self.started.append(process)
        return process

    def up(self, verb: str = "up", *arguments: str) -> "Running":
        """Start it and wait until it serves."""
        process = self.spawn(verb, "--json", *arguments)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            pytest.fail(f"lgp {verb} said: {process.communicate()[1]}")
        return Running(self, process, json.loads(line))

    @property
    def record(self) -> dict[str, Any]:
        return json.loads((self.home / "up.json").read_text())

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder, wherever this account has it."""
        identity = (self.home / "postgres" / "identity").read_text()
        as_root = Path("/var/lib/lgp/clusters") / identity / "data"
        return as_root if as_root.parent.exists() else self.home / "postgres" / "data"

    @property
    def postgres(self) -> psutil.Process | None:
        return find_postmaster(self.data)

    def end(self) -> None:
        """End whatever the test left running; the data stays."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        end_quietly(self.record["server"]["pid"] if (self.home / "up.json").exists() else None)
        postgres = self.postgres if (self.home / "postgres" / "identity").exists() else None
        end_quietly(None if postgres is None else postgres.pid)

    def remove(self) -> None:
        """Remove what lies outside its folder."""
        self.end()
        identity = self.home / "postgres" / "identity"
        if identity.exists():
            home = Path("/var/lib/lgp/clusters") / identity.read_text()
            shutil.rmtree(home, ignore_errors=True)
            home.with_suffix(".clone").unlink(missing_ok=True)


@dataclass
class Running:
    """A `lgp up` that serves."""

    instance: Instance
    process: subprocess.Popen[str]
    told: dict[str, Any]

    @property
    def url(self) -> str:
        return self.told["url"]

    @property
    def server(self) -> psutil.Process:
        return psutil.Process(self.instance.record["server"]["pid"])

    @property
    def database_url(self) -> str:
        return self.instance.record["database_url"]

    def query(self, statement: str) -> Any:
        with psycopg.connect(self.database_url) as connection:
            cursor = connection.execute(statement)  # pyright: ignore[reportArgumentType]  # the test's own
            return cursor.fetchone() if cursor.description else None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code and what it said on stderr."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, said


def end_quietly(pid: int | None) -> None:
    if pid is not None and psutil.pid_exists(pid):
        end_process(psutil.Process(pid), ((signal.SIGKILL, SECONDS),))


def eventually(condition: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """The first true value of the condition."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s")
        time.sleep(0.02)
    return value


def make_graphs(folder: Path) -> Path:
    """A langgraph.json of the stand-in's graphs, with samples."""
    folder.mkdir()
    names = ("echo", "ask", "fail", "busy")
    (folder / "langgraph.json").write_text(json.dumps({"graphs": {n: f"./{n}.py:graph" for n in names}}))
    for name in names:
        (folder / f"{name}.py").write_text("graph = 1\n")
    samples = folder / "samples" / "ask"
    samples.mkdir(parents=True)
    (samples / "invoice.json").write_text('{"input": {"text": "Total 9.00"}}')
    (samples / "invoice.resume.json").write_text('{"resume_data": {"decisions": [{"type": "approve"}]}}')
    return folder / "langgraph.json"


@contextmanager
def read_only(folder: Path) -> Generator[Path, None, None]:
    """The folder mounted read-only beside itself: no mode of a folder keeps root out."""
    mounted = folder.with_name(f"{folder.name}-ro")
    mounted.mkdir()
    try:
        bound = subprocess.run(["mount", "--bind", folder, mounted], check=False, capture_output=True)
        if bound.returncode != 0:
            pytest.skip("this root may not mount")
        subprocess.run(["mount", "-o", "remount,ro,bind", mounted], check=True)
        yield mounted
    finally:
        subprocess.run(["umount", mounted], check=False, capture_output=True)
        mounted.rmdir()


def python_for_everyone() -> str | None:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for candidate in (sys.executable, f"/usr/bin/python{version}", f"/usr/local/bin/python{version}"):
        command = [candidate, "-c", "import encodings"]
        try:
            done = subprocess.run(
                command, user=65534, group=65534, cwd="/", capture_output=True, check=False, env={}
            )
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    return None


def has_ended_pid(pid: int) -> bool:
    return not psutil.pid_exists(pid) or has_ended(psutil.Process(pid))
