import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from engine.world import CANARY, ROOT, Deployed, Told, World, missing, new_world, with_project
from pulumi.automation import ConfigValue

LOCK = ROOT / "policy" / "requirements.lock"


@pytest.fixture(scope="session")
def engine() -> None:
    """Whatever starts the engine asks for this: it skips where there is none."""
    if reason := missing():
        pytest.skip(reason)


@pytest.fixture
def world(engine: None, tmp_path: Path) -> World:
    """An empty world with echo providers."""
    return new_world(tmp_path / "world")


@pytest.fixture(scope="session")
def deploy(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Deployed]:
    """Deploys a stack, once: who changes it copies its world first."""

    @cache
    def deployed(name: str) -> Deployed:
        world = with_project(new_world(tmp_path_factory.mktemp(name) / "world"), name)
        stack, told = world.stack(name), Told()
        stack.set_config("openaiApiKey", ConfigValue(CANARY, secret=True))
        result = stack.up(**told.arguments())
        return Deployed(name, world, told, result.outputs)

    return deployed


@pytest.fixture(params=["dev", "prod"])
def deployed(request: pytest.FixtureRequest, deploy: Callable[[str], Deployed], tmp_path: Path) -> Deployed:
    """Each of the stacks on AWS, in a world that the test may change."""
    return deploy(request.param).copy(tmp_path / "copy")


@pytest.fixture
def prod(deploy: Callable[[str], Deployed], tmp_path: Path) -> Deployed:
    """The prod stack, in a world that the test may change."""
    return deploy("prod").copy(tmp_path / "copy")


@pytest.fixture(scope="session")
def environment(engine: None) -> Path:
    """The pack's own environment, made from its lock, once for each content of the lock."""
    digest = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "lgp" / "policy" / digest
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        uv, python = str(Path(sys.prefix) / "bin" / "uv"), str(folder / "bin" / "python")
        install = [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(LOCK)]
        for command in ([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], install):
            subprocess.run(command, check=True, capture_output=True, timeout=300)
        (folder / "made").touch()
    return folder


@pytest.fixture
def pack(environment: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "policy"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "venv")
    shutil.copytree(ROOT / "policy", folder, ignore=ignored)
    (folder / "venv").symlink_to(environment)
    return folder
