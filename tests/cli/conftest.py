import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_instance import Instance, make_graphs, python_for_everyone
from support.postgres import fresh_database, postgres_cluster

__all__ = ["fresh_database", "postgres_cluster"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path that every account can reach."""
    path = new_folder()
    yield path
    shutil.rmtree(path)


def new_folder() -> Path:
    path = Path(tempfile.mkdtemp(prefix="lgp-", dir="/tmp"))
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def used_home() -> Iterator[Path]:
    """A state folder that the tests of a module share: only the first start makes a cluster."""
    path = new_folder()
    yield path / "state"
    Instance(path / "state", path).remove()
    shutil.rmtree(path)


@pytest.fixture
def instance(used_home: Path, folder: Path) -> Iterator[Instance]:
    """An instance with graphs of its own; its database may hold what other tests of the module wrote."""
    found = Instance(used_home, make_graphs(folder / "graphs"))
    yield found
    found.end()


@pytest.fixture
def new_instance(folder: Path) -> Iterator[Instance]:
    """An instance that was never started."""
    found = Instance(folder / "state", make_graphs(folder / "graphs"))
    yield found
    found.remove()


@pytest.fixture
def other_account(folder: Path) -> Iterator[Instance]:
    """A new instance run by `nobody`: only root can start it, with a Python that account can read."""
    if os.geteuid() != 0:
        pytest.skip("only root can run lgp as another account")
    python = python_for_everyone()
    if python is None:
        pytest.skip("no Python of this version that another account can read")
    os.chown(folder, 65534, 65534)
    account = {"user": 65534, "group": 65534, "extra_groups": []}
    found = Instance(folder / "state", make_graphs(folder / "graphs"), account, python)
    yield found
    found.remove()
