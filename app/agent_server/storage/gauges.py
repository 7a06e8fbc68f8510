"""Gauges that are read when somebody looks: the state of the pool, and of the queue in the database."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from agent_server.core.errors import Unavailable
from agent_server.storage.database import Database
from agent_server.storage.queries import load

FRESH_SECONDS = 5.0
"""For so long what was read of the database is told again: any number of scrapes cost one query."""
WAIT_SECONDS = 1.0
"""The longest that a scrape waits for the database."""

_SQL = load("gauges")


@dataclass(frozen=True, slots=True)
class _Queue:
    """The runs of the whole database; `read_at` is monotonic."""

    pending: int
    running: int
    age_seconds: float
    read_at: float


class DatabaseGauges(Collector):
    """What a process can tell of its pool and of the queue; nothing while it has no database.

    What the database does not answer in time is left out: an old number would look like a new one.
    """

    def __init__(self) -> None:
        self.database: Database | None = None
        self._queue: _Queue | None = None
        self._reading: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Ask the database, unless that was done just now; returns within WAIT_SECONDS and raises nothing."""
        if self.database is None or self._fresh() is not None:
            return
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(self.database))
        await asyncio.wait({self._reading}, timeout=WAIT_SECONDS)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges; `refresh` beforehand."""
        if self.database is not None:
            yield from _of_pool(self.database)
        queue = self._fresh()
        if queue is not None:
            runs = GaugeMetricFamily(
                "langgraph_runs", "Runs of the whole database by status.", labels=("status",)
            )
            runs.add_metric(("pending",), queue.pending)
            runs.add_metric(("running",), queue.running)
            yield runs
            yield GaugeMetricFamily(
                "langgraph_queue_age_seconds",
                "Seconds that the oldest pending run of the database that could begin has waited.",
                queue.age_seconds,
            )

    def _fresh(self) -> _Queue | None:
        queue = self._queue
        return queue if queue and time.monotonic() - queue.read_at < FRESH_SECONDS else None

    async def _read(self, database: Database) -> None:
        asked_at = time.monotonic()
        try:
            row = await database.one(_SQL["runs"], {})
        except (Unavailable, psycopg.Error):  # not migrated, perhaps: whoever serves it tells so
            return
        if row is not None:
            self._queue = _Queue(row["pending"], row["running"], row["queue_age"], asked_at)


def _of_pool(database: Database) -> Iterator[GaugeMetricFamily]:
    stats = database.pool.get_stats()
    used = stats["pool_size"] - stats["pool_available"]
    size = GaugeMetricFamily(
        "langgraph_db_pool_size",
        "Connections of the pool by state; free are those, too, that could still be opened.",
        labels=("state",),
    )
    size.add_metric(("free",), stats["pool_max"] - used)
    size.add_metric(("used",), used)
    yield size
    yield GaugeMetricFamily(
        "langgraph_db_pool_waiting", "Requests that wait for a connection.", stats["requests_waiting"]
    )
