"""What durability is judged by: the database's own rows, read over a connection of the test."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, LiteralString, Self

import psycopg
from psycopg.rows import DictRow, dict_row

CONFIG = Path(__file__).parent / "ledger_graphs" / "langgraph.json"
_TABLES = """
create schema ledger;
create table ledger.steps (
    id bigint generated always as identity, mark text, node text, key text, pid int,
    at timestamptz not null default clock_timestamp()
);
create index on ledger.steps (mark);
create table ledger.effects (key text primary key, mark text, node text);
create table ledger.gates (mark text, node text, primary key (mark, node));
"""
PATIENCE_SECONDS = 30.0


class Ledger:
    """The steps and effects of the ledger graphs, and the runs as the server stored them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = psycopg.connect(url, autocommit=True, row_factory=dict_row)

    @classmethod
    def made(cls, url: str) -> Self:
        """Make its tables in a migrated database."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_TABLES)
        return cls(url)

    def close(self) -> None:
        self._connection.close()

    def rows(self, statement: LiteralString, *params: Any) -> list[DictRow]:
        """Execute a statement; after a restart of the database on a new connection."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                cursor = self._connection.execute(statement, params)
                return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
                self._reconnect()

    def _reconnect(self) -> None:
        self._connection.close()
        try:
            self._connection = psycopg.connect(self.url, autocommit=True, row_factory=dict_row)
        except psycopg.OperationalError:
            return  # the next statement fails, and comes here again

    def one(self, statement: LiteralString, *params: Any) -> Any:
        """The first column of the first row."""
        return next(iter(self.rows(statement, *params)[0].values()))

    def nodes(self, mark: str) -> list[str]:
        """The nodes executed under this mark, in order, repeats included."""
        return [
            row["node"]
            for row in self.rows("select node from ledger.steps where mark = %s order by id", mark)
        ]

    def effects(self, mark: str) -> list[str]:
        """The same by idempotency key: each once."""
        return [row["node"] for row in self.rows("select node from ledger.effects where mark = %s", mark)]

    def pids(self, mark: str) -> list[int]:
        """The processes that executed them."""
        return [
            row["pid"] for row in self.rows("select pid from ledger.steps where mark = %s order by id", mark)
        ]

    def run(self, run_id: str) -> DictRow:
        """A run's row."""
        return self.rows("select * from agent.runs where run_id = %s", run_id)[0]

    def runs_of(self, thread_id: str) -> list[DictRow]:
        """The runs of a thread in the order in which they were accepted."""
        return self.rows(
            "select r.* from agent.runs r join agent.threads t using (thread_key)"
            " where t.thread_id = %s order by seq",
            thread_id,
        )

    def unended(self) -> int:
        """How many runs are still to be executed or under way."""
        return self.one("select count(*) from agent.runs where finished_at is null")

    def close_gate(self, mark: str, node: str) -> None:
        self.rows("insert into ledger.gates values (%s, %s)", mark, node)

    def open_gate(self, mark: str, node: str) -> None:
        self.rows("delete from ledger.gates where mark = %s and node = %s", mark, node)

    def wait_for_node(self, mark: str, node: str, times: int = 1) -> None:
        """Return once the node has been executed so often."""
        self.until(
            lambda: self.nodes(mark).count(node) >= times, f"{node} of {mark} was not reached {times} times"
        )

    def wait_for_end(self, run_id: str, seconds: float = PATIENCE_SECONDS) -> DictRow:
        """A run's row once it has ended."""
        self.until(lambda: self.run(run_id)["finished_at"] is not None, f"run {run_id} did not end", seconds)
        return self.run(run_id)

    def until(
        self, condition: Callable[[], object], problem: str, seconds: float = PATIENCE_SECONDS
    ) -> float:
        """Look every 20 ms; how many seconds it took. Fails with `problem`."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < seconds, f"{problem}: {self.open_runs()}"
            time.sleep(0.02)
        return time.monotonic() - began

    def open_runs(self) -> list[DictRow]:
        """What is not over, to be read by people."""
        return self.rows(
            "select run_id, graph, kind, status, attempt, crashes, lease_expires_at - now() as lease"
            " from agent.runs where finished_at is null order by seq limit 10"
        )
