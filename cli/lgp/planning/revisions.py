"""A stack as another git revision has it: in a temporary worktree, planned in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import lgp
from lgp.errors import PlanFailed, UsageProblem
from lgp.planning.project import PROJECT_FILE, stack_file
from lgp.planning.recording import Recording
from lgp.planning.transfer import unpacked

SECONDS = 120
"""How long the other plan may take; it needs about three."""


@dataclass(frozen=True)
class Other:
    """The plan to compare with."""

    recording: Recording
    note: str = ""
    """Why it is empty, if it is."""


@contextmanager
def planned_at(folder: Path, wanted: str, stack: str) -> Generator[Callable[[], Other], None, None]:
    """Start planning `REVISION[:STACK]`; what is yielded waits for the plan. `:STACK` is this tree's own.

    Raises:
        UsageProblem: the folder is in no git repository, or there is no such revision.
        PlanFailed: that revision's program fails.
    """
    revision, _, other_stack = wanted.partition(":")
    with _checked_out(folder, revision) as place:
        name = other_stack or stack
        missing = _missing(place, name)
        if missing:
            note = f"{wanted} has no {missing}: everything is new"
            yield lambda: Other(Recording("", name, (), {}), note)
            return
        with _process(place, name) as process:
            yield lambda: Other(_answer(process, wanted))


def _missing(folder: Path, stack: str) -> str:
    names = (PROJECT_FILE, stack_file(stack))
    return next((name for name in names if not (folder / name).is_file()), "")


@contextmanager
def _checked_out(folder: Path, revision: str) -> Generator[Path, None, None]:
    """The folder as it is at the revision; as it is now without one."""
    if not revision:
        yield folder
        return
    top = Path(_git(folder, "rev-parse", "--show-toplevel", failing=f"{folder} is in no git repository"))
    failing = f"there is no revision {revision!r} in {top}"
    commit = _git(top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", failing=failing)
    with TemporaryDirectory(prefix="lgp-plan-") as temporary:
        tree = Path(temporary) / "tree"
        _git(
            top,
            "worktree",
            "add",
            "--quiet",
            "--detach",
            str(tree),
            commit,
            failing=f"cannot check out {commit}",
        )
        try:
            yield tree / folder.resolve().relative_to(top.resolve())
        finally:
            _git(top, "worktree", "remove", "--force", str(tree), failing=f"cannot remove {tree}")


def _git(folder: Path, *arguments: str, failing: str) -> str:
    """What git says. Its hooks are switched off: a checkout for reading shall run nothing."""
    if not shutil.which("git"):
        message = "git is not installed: a plan is compared with another revision of a git repository"
        raise UsageProblem(message)
    command = ["git", "-C", str(folder), "-c", "core.hooksPath=/dev/null", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment_of_git())
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise UsageProblem(f"{failing}: {said[-1]}" if said else failing)
    return done.stdout.strip()


def _environment_of_git() -> dict[str, str]:
    """A hook that runs us names its own repository in GIT_DIR and the like."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


@contextmanager
def _process(folder: Path, stack: str) -> Generator[subprocess.Popen[str], None, None]:
    """The other plan, under way; it ends with the block. -P: modules come by PYTHONPATH alone."""
    own = Path(lgp.__file__).parents[1]
    path = [str(folder / "components"), str(own), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-P", "-m", "lgp.planning.elsewhere", str(folder), stack]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def _answer(process: subprocess.Popen[str], wanted: str) -> Recording:
    try:
        told, said = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        message = f"the plan of {wanted} took more than {SECONDS} s"
        raise PlanFailed(message) from None
    if process.returncode or not told:
        message = f"the plan of {wanted} failed: {(said.strip().splitlines() or ['it said nothing'])[-1]}"
        raise PlanFailed(message)
    answer = json.loads(told)
    if "error" in answer:
        refused = UsageProblem if answer["exit_code"] == UsageProblem.exit_code else PlanFailed
        message = f"at {wanted}: {answer['error']}"
        raise refused(message)
    return unpacked(answer["recording"])
