"""What one run uses, of a graph that ships: the figures that `lgp cost` reckons with.

`python -m tests.bench.per_run` starts one server on a PostgreSQL of its own and calls the samples of
`document`, each on a new thread, by rule: no model is called. It prints, for one run: processor time of the
server and of PostgreSQL, write-ahead log, log lines, bytes of request and answer, bytes between server and
database, and the bytes that stay, by how long they stay.
"""

import argparse
import json
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import AF_UNIX, SHUT_RDWR, create_server, socket
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil
import psycopg
from tests.bench.databases import Databases, bench_databases
from tests.support import server as servers

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "app" / "langgraph.json"
SAMPLES = ROOT / "app" / "graphs" / "samples"
AT_ONCE = 4
WARM_UP = 20
KIB = 1024

USUAL = {"LEASE_SECONDS": "15", "LEASE_RENEW_SECONDS": "5", "AUTH": "none"}
"""As a deployment has it; the tests' servers renew their leases ten times as often."""

TABLES = {
    "history": ("public.checkpoints", "public.checkpoint_blobs", "public.checkpoint_writes"),
    "run": ("agent.runs",),
    "events": ("agent.run_events",),
    "thread": ("agent.threads", "agent.audit_log"),
}
"""By how long their rows stay: the settings named RETENTION_…."""


class Wire:
    """Passes everything on between a TCP port and PostgreSQL's socket, and counts the bytes of both ways."""

    def __init__(self, target: str) -> None:
        """Listen; `target` is the path of PostgreSQL's socket."""
        self.count = 0
        self._target = target
        self._listener = create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                threading.Thread(target=self._link, args=(here,), daemon=True).start()

    def _link(self, here: socket) -> None:
        with here, socket(AF_UNIX) as there:
            there.connect(self._target)
            back = threading.Thread(target=self._pump, args=(there, here), daemon=True)
            back.start()
            self._pump(here, there)
            back.join()

    def _pump(self, source: socket, sink: socket) -> None:
        with suppress(OSError):
            while data := source.recv(64 * KIB):
                self.count += len(data)
                sink.sendall(data)
            sink.shutdown(SHUT_RDWR)

    def close(self) -> None:
        """Accept no more."""
        self._listener.close()


@contextmanager
def wire(url: str) -> Iterator[tuple[Wire, str]]:
    """The counter, and the database's URL through it."""
    parts = urlsplit(url)
    folder = parse_qs(parts.query)["host"][0]
    counter = Wire(f"{folder}/.s.PGSQL.5432")
    login = parts.netloc.rpartition("@")[0]
    try:
        yield counter, f"postgresql://{login}@127.0.0.1:{counter.port}{parts.path}?sslmode=disable"
    finally:
        counter.close()


class Usage:
    """What has been used so far, by name, in the units of the report."""

    def __init__(self, url: str, server: servers.ServerProcess, postmaster: int, counter: Wire) -> None:
        """Read now."""
        self.server_ms = _cpu_ms([psutil.Process(server.pid)])
        self.database_ms = _cpu_ms(psutil.Process(postmaster).children())
        self.wire_kib = counter.count / KIB
        self.log_kib = server.log_file.stat().st_size / KIB
        self.wal_kib = _asked(url, "SELECT pg_current_wal_insert_lsn() - '0/0'") / KIB

    def since(self, before: "Usage", runs: int) -> dict[str, float]:
        """For one run."""
        return {name: (value - vars(before)[name]) / runs for name, value in vars(self).items()}


def _cpu_ms(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return 1000 * sum(each.user + each.system for each in times)


def _asked(url: str, statement: str) -> float:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None  # an aggregate has one
    return float(row[0])


def _bodies(graph: str) -> list[bytes]:
    files = sorted((SAMPLES / graph).glob("*.json"))
    read = [json.loads(path.read_text()) for path in files if ".resume." not in path.name]
    return [json.dumps({"input": body["input"]}).encode() for body in read]


def _call(client: httpx.Client, graph: str, bodies: list[bytes], runs: int) -> float:
    """Do it; return KiB of bodies of requests and answers."""

    def one(number: int) -> int:
        body = bodies[number % len(bodies)]
        answer = client.post(
            f"/graphs/{graph}/invoke", content=body, headers={"Content-Type": "application/json"}
        )
        answer.raise_for_status()
        return len(body) + len(answer.content)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(one, range(runs))) / KIB


def _sizes(url: str) -> dict[str, float]:
    """KiB of each kind, as small as the rows allow."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM FULL")
    return {
        kind: sum(_asked(url, f"SELECT pg_total_relation_size('{name}')") for name in names) / KIB
        for kind, names in TABLES.items()
    }


def _prune(url: str) -> None:
    """Leave each thread's latest checkpoint alone, as time does."""
    child = servers.start(url, CONFIG, command="retention", AUTH="none", RETENTION_CHECKPOINTS_MAX="1")
    code = child.child.wait(120)
    assert code == 0, child.log()
    child.log_file.unlink()


def measure(databases: Databases, graph: str, runs: int) -> dict[str, float]:
    """All figures for one run."""
    with databases.database() as url, wire(url) as (counter, through):
        prepared = servers.start(url, CONFIG, command="migrate", AUTH="none")
        assert prepared.child.wait(120) == 0, prepared.log()
        prepared.log_file.unlink()
        empty = _sizes(url)
        with servers.servers(through, CONFIG, 1, **USUAL) as (server,):
            client = httpx.Client(base_url=server.url, timeout=60)
            bodies = _bodies(graph)
            _call(client, graph, bodies, WARM_UP)
            before = Usage(url, server, databases.pid, counter)
            body_kib = _call(client, graph, bodies, runs)
            used = Usage(url, server, databases.pid, counter).since(before, runs)
            client.close()
        full = _sizes(url)
        _prune(url)
        kept = _sizes(url)
    done = runs + WARM_UP
    return {
        **used,
        "body_kib": body_kib / runs,
        "stored_history_kib": (full["history"] - kept["history"]) / done,
        "stored_run_kib": (full["run"] - empty["run"]) / done,
        "stored_events_kib": (full["events"] - empty["events"]) / done,
        "stored_thread_kib": (full["thread"] - empty["thread"] + kept["history"] - empty["history"]) / done,
    }


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.per_run", description=__doc__)
    parser.add_argument("--graph", default="document", choices=("document", "support", "research"))
    parser.add_argument("--runs", type=int, default=600)
    options = parser.parse_args()
    with bench_databases() as databases:
        for name, value in measure(databases, options.graph, options.runs).items():
            sys.stdout.write(f"{name:20} {value:8.2f}\n")


if __name__ == "__main__":
    main()
