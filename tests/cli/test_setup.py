"""`make setup` on machines where something is missing: one line, an exit code, and the next one goes on."""

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import status
from cli_instance import ROOT, eventually, read_only

SYSTEM_PYTHON = str(getattr(sys, "_base_executable", sys.executable))

PARTS = ("Makefile", "requirements.lock", "tools", "app", "cli", "client", "components", "policy")
JUNK = shutil.ignore_patterns("__pycache__", ".venv", "samples")
NO_REGISTRY = {
    **dict.fromkeys(("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), "http://127.0.0.1:9/simple"),
    **dict.fromkeys(("PIP_FIND_LINKS", "UV_FIND_LINKS"), ""),
    "PIP_NO_CACHE_DIR": "1",
    "UV_NO_CACHE": "1",
}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A bare clone, in a folder with a space in its name."""
    target = tmp_path / "a clone"
    target.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, target / part, ignore=JUNK)
        else:
            shutil.copy(ROOT / part, target / part)
    return target


def set_up(clone: Path, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """`tools/setup.py` with the system's Python, after some Python of the test's."""
    script = f"import runpy, sys; sys.path.insert(0, 'tools'); sys.argv = ['setup.py']; {before}"
    return subprocess.run(
        [SYSTEM_PYTHON, "-c", f"{script}\nrunpy.run_path('tools/setup.py', run_name='__main__')"],
        cwd=clone,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def told(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What was said, less the lines that only show that it lives."""
    return [line for line in done.stderr.splitlines() if "…" not in line and ": done in" not in line]


def test_an_old_python_is_told_what_is_needed(clone: Path) -> None:
    done = set_up(clone, "sys.version_info = (3, 9, 1)")
    assert done.returncode == 1
    need = "setup: Python 3.11 or newer is needed, this is 3.9"
    assert told(done) == [f"{need}: try `make setup PYTHON=python3.12`"]


def test_even_an_ancient_python_can_read_the_file_that_tells_it() -> None:
    ast.parse((ROOT / "tools" / "setup.py").read_text(), feature_version=(3, 6))


def test_a_python_without_venv_is_told_what_to_install(clone: Path) -> None:
    done = set_up(clone, "sys.modules['ensurepip'] = None")
    assert done.returncode == 1
    assert told(done) == ["setup: this Python has no venv module (Debian, Ubuntu: apt install python3-venv)"]


def test_without_a_network_it_says_so_in_one_line(clone: Path) -> None:
    done = set_up(clone, **NO_REGISTRY)
    assert done.returncode == 1
    assert len(told(done)) == 1, done.stderr
    assert "getting uv failed: the package registry cannot be reached; is there a network?" in told(done)[0]
    assert (clone / ".setup" / "setup.log").exists()
    assert not (clone / ".venv" / ".ready").exists()


def test_a_folder_that_cannot_be_written_is_one_line(clone: Path) -> None:
    if os.geteuid() == 0:
        with read_only(clone) as mounted:
            done = set_up(mounted)
    else:
        clone.chmod(0o555)
        done = set_up(clone)
        clone.chmod(0o755)
    assert done.returncode == 1
    assert len(told(done)) == 1
    assert re.search(r"^setup: cannot write .*: (Read-only file system|Permission denied)$", told(done)[0])


def test_a_wrong_hash_is_named_as_such() -> None:
    output = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."
    assert status.likely_cause(output) == "a package is not the one that was locked (its hash differs)"
    assert status.likely_cause("\nsomething else\n") == "something else"


def test_from_nothing_through_a_kill_and_two_at_once_to_a_moved_clone(clone: Path) -> None:
    make = ["make", "setup", f"PYTHON={SYSTEM_PYTHON}"]
    killed = subprocess.Popen(make, cwd=clone, stderr=subprocess.PIPE, start_new_session=True)
    eventually((clone / ".venv" / "pyvenv.cfg").exists)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    two = [subprocess.Popen(make, cwd=clone, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate(timeout=300)[1] for one in two]
    if any("cannot be reached" in line for line in said):
        pytest.skip("no package registry can be reached")
    assert [one.returncode for one in two] == [0, 0], said
    assert works(clone)
    moved = clone.rename(clone.with_name("moved"))
    assert subprocess.run(make, cwd=moved, check=False, timeout=300, capture_output=True).returncode == 0
    assert works(moved)
    started = time.monotonic()
    warm = subprocess.run(make, cwd=moved, check=True, capture_output=True, text=True)
    assert (warm.stdout, warm.stderr) == ("", "")
    assert time.monotonic() - started < 1


def works(clone: Path) -> bool:
    """Whether its `lgp` runs its own code."""
    code = "import lgp, sys; sys.stdout.write(lgp.__file__)"
    found = subprocess.check_output([clone / ".venv" / "bin" / "python", "-c", code], cwd="/", text=True)
    helped = subprocess.run([clone / ".venv" / "bin" / "lgp", "--help"], check=False, capture_output=True)
    return Path(found).is_relative_to(clone) and helped.returncode == 0
