"""A real PostgreSQL for tests: one private cluster per session, an empty database per test.

Use it with `pytest_plugins = ("support.postgres",)` in `tests/conftest.py` and `pythonpath = ["tests"]`.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from lgp.embedded import Cluster, private_layout

_numbers = count(1)
DROP_SECONDS = 20.0


@contextmanager
def private_cluster(
    *, durable: bool = False, settings: dict[str, str] | None = None
) -> Generator[Cluster, None, None]:
    """A started cluster in a folder of its own; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="lgp-"))
    cluster = Cluster(private_layout(folder), durable=durable, settings=settings)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder)


@contextmanager
def empty_database(cluster: Cluster) -> Generator[str, None, None]:
    """The URL of a new database of the role that logs in; dropped afterwards, in use or not."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield cluster.url_of(name)
    finally:
        drop_database(cluster, name)


def drop_database(cluster: Cluster, name: str) -> None:
    """Away with it, in use or not.

    While autovacuum is in it, PostgreSQL takes its worker for somebody who may not be disturbed.
    """
    statement = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
    deadline = time.monotonic() + DROP_SECONDS
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        while True:
            try:
                connection.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """The session's cluster: `stop()` and `start()` it to see what a dead database does."""
    with private_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres_url(postgres_cluster: Cluster) -> str:
    """The URL of the session's database `lgp`, shared by all tests."""
    return postgres_cluster.url


@pytest.fixture
def fresh_database(postgres_cluster: Cluster) -> Iterator[str]:
    """The URL of an empty database of this test alone."""
    with empty_database(postgres_cluster) as url:
        yield url


@pytest.fixture(scope="module")
def module_database(postgres_cluster: Cluster) -> Iterator[str]:
    """The URL of an empty database of this module alone."""
    with empty_database(postgres_cluster) as url:
        yield url


@pytest.fixture
def new_database(postgres_cluster: Cluster) -> Iterator[Callable[[], str]]:
    """A function that makes one more empty database at each call."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(empty_database(postgres_cluster))
