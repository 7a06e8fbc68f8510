"""A Pulumi project in a folder of a test's own, and `lgp plan` on it."""

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lgp import output
from lgp.main import main
from lgp.planning.monitor import record
from lgp.planning.recording import Recording

ROOT = Path(__file__).resolve().parents[2]


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass
class Project:
    """`Pulumi.yaml`, the stack `dev` and a program, each replaced by the next `write`."""

    folder: Path
    capfd: pytest.CaptureFixture[str]

    def write(
        self, program: str, *, config: str = "{}", declared: str = "{}", stack: str = "dev"
    ) -> "Project":
        self.folder.mkdir(exist_ok=True)
        (self.folder / "Pulumi.yaml").write_text(f"name: demo\nruntime: python\nconfig: {declared}\n")
        (self.folder / f"Pulumi.{stack}.yaml").write_text(f"config: {config}\n")
        (self.folder / "__main__.py").write_text(program)
        return self

    def plan(self, *arguments: str) -> Done:
        """In this process: importing Pulumi anew for every line would take a second each."""
        output.out.cache_clear()
        output.people.cache_clear()
        self.capfd.readouterr()
        with unwarned():
            code = main(["plan", *arguments, "--cwd", str(self.folder)])
        return Done(code, *self.capfd.readouterr())

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(self.folder), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self) -> None:
        if not (self.folder / ".git").exists():
            self.git("init", "--quiet")
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", "as it was")


def unwarned() -> AbstractContextManager[Any]:
    """The SDK's own deprecations are warnings, and warnings are errors here."""
    return warnings.catch_warnings(action="ignore", category=DeprecationWarning)


def recorded(program: Callable[[], Any], **options: Any) -> Recording:
    """What a program declares."""

    def declare() -> None:
        program()

    with unwarned():
        return record(declare, **options)


def lgp_plan(folder: Path, *arguments: str, **environment: str) -> Done:
    """In a process of its own, with this environment and no other."""
    command = [sys.executable, "-m", "lgp", "plan", *arguments, "--cwd", str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)
    return Done(done.returncode, done.stdout, done.stderr)
