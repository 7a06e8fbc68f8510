"""What the linters of workflows say: zizmor of attacks, actionlint of syntax and types."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workflows.workflow_files import ROOT

ACTIONLINT = "v1.7.12"
"""Of 2026; newest on the Go proxy on 2026-11-23."""
ZIZMOR = Path(sys.prefix) / "bin" / "zizmor"
CONFIG = ROOT / ".github" / "zizmor.yml"


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [ZIZMOR, "--offline", "--persona", "pedantic", "--no-progress", "--config", CONFIG, folder]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_zizmor_finds_nothing_but_what_has_its_reason():
    done = zizmor(ROOT / ".github")
    assert done.returncode == 0, done.stdout


def test_zizmor_would_find_an_expression_in_a_script(tmp_path):
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    text = (ROOT / ".github/workflows/preview.yml").read_text()
    (folder / "preview.yml").write_text(
        text.replace("- run: make setup", "- run: echo ${{ github.head_ref }}")
    )
    done = zizmor(tmp_path)
    assert done.returncode != 0
    assert "template-injection" in done.stdout


@pytest.fixture(scope="session")
def actionlint() -> str:
    """On PATH, or built once with Go into the user's cache."""
    if found := shutil.which("actionlint"):
        return found
    if shutil.which("go") is None:
        pytest.skip("neither actionlint nor go is installed")
    folder = Path.home() / ".cache" / "lgp" / f"actionlint-{ACTIONLINT}"
    if not (folder / "actionlint").exists():
        env = os.environ | {"GOBIN": str(folder), "GOFLAGS": "-mod=mod"}
        module = f"github.com/rhysd/actionlint/cmd/actionlint@{ACTIONLINT}"
        subprocess.run(["go", "install", module], env=env, check=True, capture_output=True, timeout=170)
    return str(folder / "actionlint")


def test_actionlint_finds_nothing(actionlint):
    done = subprocess.run([actionlint, "-no-color"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


def test_actionlint_would_find_a_job_that_is_not_there(actionlint, tmp_path):
    text = (ROOT / ".github/workflows/deploy.yml").read_text().replace("needs: ci", "needs: cj")
    (tmp_path / "deploy.yml").write_text(text)
    command = [actionlint, "-no-color", str(tmp_path / "deploy.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cj" in done.stdout
