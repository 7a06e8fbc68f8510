"""A PostgreSQL that keeps its word (fsync on), a database per system, and what each must hold afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from tests.bench.jobs import Job
from tests.support.postgres import empty_database, private_cluster

from lgp.embedded import Cluster

SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
"""Shown with the figures."""

CHECKPOINTS = {("invoke", "g1"): 3, ("invoke", "g5"): 7, ("stream", "tokens"): 3, ("approve", "approval"): 3}
"""Rows that LangGraph stores for one request: for its input, before the first node, after each step."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a system's correct answers must have left behind."""

    threads: int = 0
    checkpoints: int = 0
    runs: int = 0

    def after(self, job: Job, completed: int) -> "Expected":
        """The same after one more job."""
        rows = CHECKPOINTS[job.action, job.graph] * completed
        runs = 2 * completed if job.action == "approve" else completed
        return Expected(self.threads + completed, self.checkpoints + rows, self.runs + runs)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a database holds."""

    threads: int
    checkpoints: int
    runs: int | None
    """Run rows that ended well; None where the system keeps no run rows."""

    def faults(self, expected: Expected) -> list[str]:
        """What is missing or too much, as sentences."""
        pairs = [
            ("threads", self.threads, expected.threads),
            ("checkpoints", self.checkpoints, expected.checkpoints),
        ]
        if self.runs is not None:
            pairs.append(("finished runs", self.runs, expected.runs))
        return [
            f"{found} {name} stored, {wanted} answered" for name, found, wanted in pairs if found != wanted
        ]


class Databases:
    """Makes an empty database per system."""

    def __init__(self, cluster: Cluster) -> None:
        """Of a started cluster."""
        self._cluster = cluster
        self.pid = cluster.pid or 0
        """The postmaster's."""
        self.log = cluster.layout.log
        """What PostgreSQL says."""

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new one."""
        with empty_database(self._cluster) as url:
            yield url

    def settings(self) -> dict[str, str]:
        """What this PostgreSQL promises; refuses to measure without fsync."""
        with psycopg.connect(self._cluster.url) as connection:
            found = {name: _one(connection, f"SHOW {name}") for name in SETTINGS}
        if found["fsync"] != "on":
            message = "the benchmark's PostgreSQL runs without fsync"
            raise RuntimeError(message)
        return found


@contextmanager
def bench_databases(settings: dict[str, str] | None = None) -> Iterator[Databases]:
    """Start a private PostgreSQL for one benchmark."""
    with private_cluster(durable=True, settings=settings) as cluster:
        yield Databases(cluster)


def stored(url: str, *, has_runs: bool) -> Stored:
    """Count what a database holds; `has_runs` where the system keeps a row per run."""
    with psycopg.connect(url) as connection:
        ended = "SELECT count(*) FROM agent.runs WHERE status IN ('success', 'interrupted')"
        return Stored(
            threads=_one(connection, "SELECT count(DISTINCT thread_id) FROM checkpoints"),
            checkpoints=_one(connection, "SELECT count(*) FROM checkpoints"),
            runs=_one(connection, ended) if has_runs else None,
        )


def _one(connection: psycopg.Connection[Any], statement: str) -> Any:
    row = connection.execute(statement.encode()).fetchone()
    return row[0] if row else None
