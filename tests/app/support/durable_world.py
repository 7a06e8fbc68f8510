"""Fixtures of the durability tests: a ledger in a migrated database, and two servers over it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from app.support.ledger import CONFIG, Ledger
from app.support.runs_client import new_client
from app.support.storage_world import settings_for
from support.postgres import empty_database
from support.server import ServerProcess, servers, start

from agent_server.storage.migrate import migrate
from lgp.embedded import Cluster

__all__ = ["client", "ledger", "new_ledger", "pair"]


@contextmanager
def made_ledger(cluster: Cluster) -> Iterator[Ledger]:
    """A ledger in a migrated database that is dropped afterwards."""
    with empty_database(cluster) as url:
        with ThreadPoolExecutor(1) as thread:  # there may be an event loop in this one
            thread.submit(asyncio.run, migrate(settings_for(url))).result()
        made = Ledger.made(url)
        yield made
        made.close()


@pytest.fixture(scope="module")
def ledger(postgres_cluster: Cluster) -> Iterator[Ledger]:
    """The module's database, migrated, with the ledger's tables."""
    with made_ledger(postgres_cluster) as made:
        yield made


@pytest.fixture(scope="module")
def pair(ledger: Ledger) -> Iterator[list[ServerProcess]]:
    """Two servers that the module's tests share and leave alive."""
    with servers(ledger.url, CONFIG, 2, LEDGER_URL=ledger.url) as started:
        yield started


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with new_client() as opened:
        yield opened


@pytest.fixture
def new_ledger(postgres_cluster: Cluster) -> Iterator[Ledger]:
    """The same for one test alone."""
    with made_ledger(postgres_cluster) as made:
        yield made


def start_on(ledger: Ledger, *arguments: str, **more: str) -> ServerProcess:
    """One more server over the ledger's database, not yet ready."""
    return start(ledger.url, CONFIG, *arguments, LEDGER_URL=ledger.url, **more)
