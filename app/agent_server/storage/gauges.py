"""Gauges that are read when somebody looks: the state of the pool, and what the database knows of itself."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime

import psycopg
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from psycopg.rows import DictRow

from agent_server.core.errors import Overloaded, Unavailable
from agent_server.storage.certificate import certificate_expiry
from agent_server.storage.database import Database
from agent_server.storage.queries import load
from agent_server.storage.readings import Reading

FRESH_SECONDS = 5.0
"""For so long what was read of the queue is told again: any number of scrapes cost one query."""
SLOW_SECONDS = 60.0
"""The same for the oldest question: people are not faster."""
SIZE_SECONDS = 300.0
"""The same for the sizes, which PostgreSQL asks the file system for."""
CERTIFICATE_SECONDS = 3600.0
"""The same for the database's certificate."""
REST_SECONDS = 300.0
"""How long a server without TLS, or without an answer, is not asked for one."""
WAIT_SECONDS = 1.0
"""The longest that a scrape waits for the database."""

_SQL = load("gauges")


class DatabaseGauges(Collector):
    """What a process can tell of its pool and of the database.

    What the database does not answer in time is left out: an old number would look like a new one.
    """

    def __init__(self, dsn: str = "") -> None:
        """`dsn` is where the certificate is looked at; without a database yet, too."""
        self.database: Database | None = None
        self._answers: bool | None = False
        """Whether the database did, when it was last asked; None where no connection was free to ask."""
        self._queue = Reading(self._read_queue, FRESH_SECONDS)
        self._waiting = Reading(self._read_waiting, SLOW_SECONDS)
        self._sizes = Reading(self._read_sizes, SIZE_SECONDS)
        self._expiry: Reading[datetime] = Reading(
            lambda: certificate_expiry(dsn), CERTIFICATE_SECONDS, REST_SECONDS
        )

    async def refresh(self) -> None:
        """Ask the database, unless that was done just now; returns within WAIT_SECONDS and raises nothing."""
        if self.database is None:
            return
        readings = (self._queue, self._waiting, self._sizes, self._expiry)
        begun = {task for task in (reading.begin() for reading in readings) if task is not None}
        if begun:
            await asyncio.wait(begun, timeout=WAIT_SECONDS)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges; `refresh` beforehand."""
        if self._answers is not None:
            told = "Whether the database answered this process when it was last asked: 1 or 0."
            yield GaugeMetricFamily("langgraph_db_up", told, int(self._answers))
        if self.database is not None:
            yield from _of_pool(self.database)
        yield from _of_queue(self._queue.value())
        yield from _of_waiting(self._waiting.value())
        yield from _of_sizes(self._sizes.value())
        yield from _of_certificate(self._expiry.value())

    async def _read_queue(self) -> DictRow | None:
        rows = await self._rows("runs")
        return rows[0] if rows else None

    async def _read_waiting(self) -> DictRow | None:
        rows = await self._rows("waiting")
        return rows[0] if rows else None

    async def _read_sizes(self) -> dict[str, int] | None:
        rows = await self._rows("sizes")
        return {row["part"]: row["bytes"] for row in rows} or None

    async def _rows(self, query: str) -> list[DictRow]:
        """The rows, none if there is no answer; whether there is one is kept."""
        if self.database is None:
            return []
        try:
            rows = await self.database.all(_SQL[query], {})
        except Overloaded:
            self._answers = None
            return []
        except Unavailable:
            self._answers = False
            return []
        except psycopg.Error:  # not migrated, perhaps: whoever serves it tells so
            rows = []
        self._answers = True
        return rows


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


def _of_queue(queue: DictRow | None) -> Iterator[GaugeMetricFamily]:
    if queue is None:
        return
    runs = GaugeMetricFamily("langgraph_runs", "Runs of the whole database by status.", labels=("status",))
    runs.add_metric(("pending",), queue["pending"])
    runs.add_metric(("running",), queue["running"])
    yield runs
    yield GaugeMetricFamily(
        "langgraph_queue_age_seconds",
        "Seconds that the oldest pending run of the database that could begin has waited.",
        queue["queue_age"],
    )


def _of_waiting(waiting: DictRow | None) -> Iterator[GaugeMetricFamily]:
    if waiting is None:
        return
    yield GaugeMetricFamily(
        "langgraph_interrupt_age_seconds",
        "Seconds that the oldest thread of the database that waits for a person has waited.",
        waiting["interrupt_age"],
    )


def _of_sizes(sizes: Mapping[str, int] | None) -> Iterator[GaugeMetricFamily]:
    if sizes is None:
        return
    told = GaugeMetricFamily(
        "langgraph_db_size_bytes", "Bytes on disk of the whole database by what they are.", labels=("part",)
    )
    for part, size in sizes.items():
        told.add_metric((part,), size)
    yield told


def _of_certificate(expiry: datetime | None) -> Iterator[GaugeMetricFamily]:
    if expiry is None:
        return
    yield GaugeMetricFamily(
        "langgraph_db_certificate_expiry_timestamp_seconds",
        "Unix time at which the database's certificate is over.",
        expiry.timestamp(),
    )
