"""P8: the most connections that the budget counts for processes is what they really open at the most."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from support.server import ServerProcess, servers

from langgraph_components.pure.budget import Fleet

PROCESSES = 4
POOL = 4
REQUESTS = 160
CONFIG = Path(__file__).resolve().parents[3] / "app" / "langgraph.json"
SAMPLE = CONFIG.parent / "graphs" / "samples" / "document" / "receipt.json"
_COUNT = """
    select count(*) from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
"""


class Watch:
    """The most connections that were open at one time."""

    def __init__(self) -> None:
        self.most = 0
        self.over = threading.Event()

    def look(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not self.over.wait(0.005):
                row = connection.execute(_COUNT).fetchone()
                self.most = max(self.most, row[0] if row else 0)


@contextmanager
def watched(url: str) -> Iterator[Watch]:
    watch = Watch()
    thread = threading.Thread(target=watch.look, args=(url,))
    thread.start()
    try:
        yield watch
    finally:
        watch.over.set()
        thread.join()


@pytest.fixture
def fleet(migrated_database: str) -> Iterator[list[ServerProcess]]:
    pool = {"POOL_MIN_SIZE": "1", "POOL_MAX_SIZE": str(POOL)}
    with servers(migrated_database, CONFIG, PROCESSES, **pool) as started:
        yield started


async def storm(started: list[ServerProcess]) -> list[int]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        paths = [f"{started[i % PROCESSES].url}/graphs/document/invoke" for i in range(REQUESTS)]
        answers = await asyncio.gather(
            *(client.post(path, json={"input": json.loads(SAMPLE.read_text())["input"]}) for path in paths)
        )
    return [answer.status_code for answer in answers]


async def test_processes_under_load_open_what_the_budget_counts_and_no_more(
    fleet: list[ServerProcess], migrated_database: str
) -> None:
    counted = Fleet("api", PROCESSES, POOL).connections
    with watched(migrated_database) as watch:
        statuses = await storm(fleet)
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= REQUESTS / 2
    assert watch.most <= counted
    # else the test would pass on idle processes
    assert watch.most > counted - PROCESSES
