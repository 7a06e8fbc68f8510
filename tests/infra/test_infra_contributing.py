"""CONTRIBUTING.md's way to a new setting, gone step by step in a copy of the tree."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from support.plans import ROOT

NEEDED = ("components", "docs", "tests/infra", "tests/support", "tools")
FILES = (
    "__main__.py",
    "pyproject.toml",
    "Pulumi.yaml",
    "Pulumi.dev.yaml",
    "Pulumi.local.yaml",
    "Pulumi.prod.yaml",
)
PAGE = (ROOT / "CONTRIBUTING.md").read_text().split("## Add a setting to the workload")[1].split("\n## ")[0]
SETTING = "    workload:\n"

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def diffs() -> list[str]:
    return [textwrap.dedent(block) for block in re.findall(r" *```diff\n(.*?) *```", PAGE, re.DOTALL)]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A copy of the tree, and what is in it."""
    folder = tmp_path_factory.mktemp("contributing") / "clone"
    derived = shutil.ignore_patterns("__pycache__", "venv", "*.egg-info")
    for name in NEEDED:
        shutil.copytree(ROOT / name, folder / name, ignore=derived)
    for name in FILES:
        shutil.copy2(ROOT / name, folder)
    (folder / "app").symlink_to(ROOT / "app")
    return folder, contents(folder)


@pytest.fixture(scope="module")
def copy(before: tuple[Path, dict[str, str]]) -> Path:
    """The copy after steps 1, 2 and 4."""
    folder, _ = before
    for diff in diffs():
        command = ["git", "apply", "--recount", "--whitespace=nowarn", "-"]
        done = subprocess.run(command, cwd=folder, input=diff, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    stack = folder / "Pulumi.local.yaml"
    stack.write_text(stack.read_text().replace(SETTING, f"{SETTING}      max_crashes: 5\n"))
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(folder / name) for name in ("components", "."))
    env = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    asked = [sys.executable, *command]
    return subprocess.run(asked, cwd=folder, env=env, capture_output=True, text=True, check=False)


def contents(folder: Path) -> dict[str, str]:
    """Files of the copy and what is in them."""
    files = [path for name in NEEDED for path in (folder / name).rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if "__pycache__" not in path.parts
    }


def test_it_is_two_files_and_the_page_that_is_made_of_them(
    before: tuple[Path, dict[str, str]], copy: Path
) -> None:
    done = run(copy, "tools/reference.py")
    assert done.returncode == 0, done.stderr
    assert "| `max_crashes` | integer | none |" in (copy / "docs/reference/components.md").read_text()
    assert {name for name, text in contents(copy).items() if text != before[1].get(name)} == {
        "components/langgraph_components/agent_workload.py",
        "docs/reference/components.md",
        "tests/infra/test_infra_fields.py",
    }


def test_the_test_that_it_writes_passes(copy: Path) -> None:
    asked = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/infra/test_infra_fields.py")
    done = run(copy, *asked, "-k", "test_a_run_may_lose")
    assert "1 passed" in done.stdout, done.stdout


def test_the_plan_has_the_setting_and_refuses_a_wrong_one(copy: Path) -> None:
    done = run(copy, "-m", "lgp", "plan", "local", "--cwd", str(copy), "--json")
    assert done.returncode == 0, done.stderr
    assert '"MAX_CRASHES":"5"' in done.stdout.replace(" ", "")
    stack = copy / "Pulumi.local.yaml"
    kept = stack.read_text()
    stack.write_text(kept.replace("max_crashes: 5", "max_crashes: 0"))
    refused = run(copy, "-m", "lgp", "plan", "local", "--cwd", str(copy))
    stack.write_text(kept)
    (told,) = re.findall(r"is refused: `(.*?)`", PAGE)
    assert told in refused.stderr
