import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from workflows.github_stub import REPOSITORY, TOKEN, GitHub, github
from workflows.workflow_files import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with github() as state:
        yield state


@pytest.fixture
def run(hub: GitHub) -> Run:
    """Runs a script of `tools/` as a job does: this environment, and Python's standard library alone."""

    def started(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {
            "GITHUB_API_URL": hub.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": "77",
            "GITHUB_TOKEN": TOKEN,
            **environment,
        }
        command = [sys.executable, "-S", "-E", str(ROOT / "tools" / script), *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)

    return started
