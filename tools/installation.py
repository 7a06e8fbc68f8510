"""The steps of `make setup`. A killed one is repaired by the next; two at once wait for each other."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from readiness import LOCK, PROJECTS, PYTHON, ROOT, STAMP, UV_LOCK, VENV, fingerprint, is_ready
from status import SetupError, Status, run, say

WORK = ROOT / ".setup"
LOG = WORK / "setup.log"
LOG_LIMIT = 1_000_000
"""Bytes of log above which a set-up begins a new one."""

UV = VENV / "bin" / "uv"


def set_up() -> int:
    """Make `.venv` what the locks say. Returns the exit code; a failure has been told in one line."""
    if is_ready():
        return 0
    try:
        with _alone():
            if not is_ready():
                _install()
    except SetupError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"cannot write {error.filename or ROOT}: {error.strerror}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; run it again and it goes on")
        return 130
    return 0


@contextmanager
def _alone() -> Generator[None, None, None]:
    """One set-up at a time in this clone; the lock ends with its process, however that ends."""
    WORK.mkdir(exist_ok=True)
    with (WORK / "lock").open("w") as file:
        status = Status("waiting for another set-up of this clone")
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                status.tick()
                time.sleep(0.1)
        yield


def _install() -> None:
    if LOG.exists() and LOG.stat().st_size > LOG_LIMIT:
        LOG.unlink()
    STAMP.unlink(missing_ok=True)
    wanted = fingerprint()
    _make_venv()
    _get_uv()
    python = ["--python", PYTHON]
    _uv("installing the locked packages", "pip", "sync", *python, "--require-hashes", LOCK, UV_LOCK)
    editables = [part for project in PROJECTS for part in ("--editable", f"./{project}")]
    _uv(
        "linking our packages",
        "pip",
        "install",
        *python,
        "--no-deps",
        "--no-build-isolation",
        *editables,
    )
    STAMP.write_text(wanted)


def _make_venv() -> None:
    """A virtual environment of this Python at this place; anything else in its way is replaced."""
    if _venv_works():
        return
    if find_spec("venv") is None or find_spec("ensurepip") is None:
        message = "this Python has no venv module (Debian, Ubuntu: apt install python3-venv)"
        raise SetupError(message)
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    shutil.rmtree(VENV, ignore_errors=True)
    _run("making .venv", sys.executable, "-m", "venv", VENV)


def _venv_works() -> bool:
    """Whether its Python starts, is new enough, was made for this place, and can install something."""
    here = f"import sys; sys.exit(not (sys.version_info >= (3, 11) and sys.prefix == {str(VENV)!r}))"
    return _succeeds(PYTHON, "-c", here) and (_uv_works() or _succeeds(PYTHON, "-m", "pip", "--version"))


def _uv_works() -> bool:
    return _succeeds(UV, "--version")


def _succeeds(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True, env=_environment()).returncode == 0
    except OSError:
        return False


def _get_uv() -> None:
    if _uv_works():
        return
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--retries", "2", "--timeout", "20"]
    _run("getting uv", *pip, "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", UV_LOCK)


def _uv(what: str, *arguments: str | Path) -> None:
    _run(what, UV, *arguments)


def _run(what: str, *command: str | Path) -> None:
    run(what, command, LOG, _environment(), ROOT)


def _environment() -> dict[str, str]:
    """The caller's, less what would point the tools at another Python; a cache where home has none."""
    kept = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    kept["UV_PYTHON_DOWNLOADS"] = "never"
    if "UV_CACHE_DIR" not in kept and not _home_is_writable():
        kept["UV_CACHE_DIR"] = str(WORK / "cache")
    return kept


_MISLEADING = {
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PYTHONHOME",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_USER",
    "CONDA_PREFIX",
}


def _home_is_writable() -> bool:
    try:
        (Path.home() / ".cache" / "uv").mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return False
    return True
