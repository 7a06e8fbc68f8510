import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import count
from typing import LiteralString

import psycopg
import pytest
from app.support.storage_world import settings_for
from app.support.surface import http, surface_database, surface_server
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from support.postgres import (
    drop_database,
    empty_database,
    fresh_database,
    module_database,
    new_database,
    postgres_cluster,
    postgres_url,
)

from agent_server.storage.database import Database, open_database
from agent_server.storage.migrate import migrate
from lgp.embedded import Cluster

__all__ = [
    "fresh_database",
    "http",
    "module_database",
    "new_database",
    "postgres_cluster",
    "postgres_url",
    "surface_database",
    "surface_server",
]

_copies = count(1)


@pytest.fixture(scope="session")
def migrated_template(postgres_cluster: Cluster) -> Iterator[str]:
    """The URL of a database that is migrated once and then only copied."""
    with empty_database(postgres_cluster) as url:
        asyncio.run(migrate(settings_for(url)))
        # Whoever writes to it by mistake is told; the setting is not copied.
        read_only = "ALTER DATABASE {} SET default_transaction_read_only = on"
        _execute(postgres_cluster, read_only, _name_of(url))
        yield url


@pytest.fixture
def migrated_database(postgres_cluster: Cluster, migrated_template: str) -> Iterator[str]:
    """The URL of a migrated database of this test alone."""
    with _copy(postgres_cluster, migrated_template) as url:
        yield url


@pytest.fixture(scope="module")
def module_migrated_database(postgres_cluster: Cluster, migrated_template: str) -> Iterator[str]:
    """The URL of a migrated database of this module alone."""
    with _copy(postgres_cluster, migrated_template) as url:
        yield url


@pytest.fixture
async def database(migrated_database: str) -> AsyncIterator[Database]:
    """An open pool on a migrated database of this test alone."""
    async with open_database(settings_for(migrated_database)) as opened:
        yield opened


@contextmanager
def _copy(cluster: Cluster, template: str) -> Iterator[str]:
    name = f"copy_{next(_copies)}"
    _execute(cluster, "CREATE DATABASE {} TEMPLATE {}", name, _name_of(template))
    yield cluster.url_of(name)
    drop_database(cluster, name)


def _name_of(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])


def _execute(cluster: Cluster, statement: LiteralString, *names: str) -> None:
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
