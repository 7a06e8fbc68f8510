"""`lgp build` and the containers that it leads to."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from containers import Engines

LOCKED_DOWN = (
    *("--network", "host", "--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp:rw,noexec,size=64m"),
    *("--user", "1000:1000", "--cap-drop", "all", "--security-opt", "no-new-privileges"),
)
"""As a pod of the platform runs it."""


@dataclass(frozen=True)
class Lgp:
    """`lgp build` with the engines' environment."""

    engines: Engines
    options: list[str]

    def build(self, *arguments: str, engine: str = "buildah") -> dict[str, Any]:
        command = [
            sys.executable,
            "-m",
            "lgp",
            "build",
            *arguments,
            *self.options,
            "--engine",
            engine,
            "--json",
        ]
        return json.loads(self.engines.run(*command))


@dataclass(frozen=True)
class Server:
    """A container that serves."""

    engines: Engines
    name: str
    http: httpx.Client

    def inspect(self, path: str) -> str:
        return self.engines.run("podman", "inspect", "--format", path, self.name).strip()

    def logs(self) -> str:
        return self.engines.run("podman", "logs", self.name)

    def stop(self) -> tuple[int, float]:
        """SIGTERM: the exit code and the seconds."""
        started = time.monotonic()
        self.engines.run("podman", "kill", "--signal", "TERM", self.name)
        code = int(self.engines.run("podman", "wait", self.name, seconds=60))
        return code, time.monotonic() - started


Serve = Callable[..., Any]


def wait_until_ready(server: Server, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if server.http.get("/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(f"not ready: {server.logs()[-4000:]}")
