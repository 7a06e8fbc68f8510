"""The rules ring for what a real server does, as a real Prometheus reads and judges it.

How long something must last, and how far away a bound is, is shortened here: `promtool` has judged that. What
is tried is that the queries find the series of a server.
"""

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from app.support.storage_world import settings_for
from app.support.surface import GRAPHS, caller, invoke, new_thread
from support.ports import free_port
from support.postgres import private_cluster
from support.server import ServerProcess, finish, start

from agent_server.storage.migrate import migrate
from langgraph_components.pure import alerts
from langgraph_components.pure.alerting.rule import Limits

PROMETHEUS = shutil.which("prometheus")
pytestmark = pytest.mark.skipif(
    PROMETHEUS is None, reason="prometheus is not installed (Debian: apt-get install prometheus)"
)

SECONDS = 120
"""The longest that an alert may take."""


Ringing = Callable[[], dict[str, dict[str, str]]]
World = tuple[str, ServerProcess, Callable[[], None], Ringing]


def impatient_rules() -> str:
    """The rules of a Prometheus outside Kubernetes, at once and every second."""
    rules = alerts.rule_file(limits=Limits(queue_seconds=1))
    for group in rules["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule["expr"] = rule["expr"].replace("[5m:30s]", "[10s:1s]")
            if "alert" in rule:
                rule["for"] = "0s"
    return json.dumps(rules)


@contextmanager
def prometheus(folder: Path, metrics: str) -> Iterator[Ringing]:
    """Yield what tells the alerts that ring, by name with their labels."""
    (folder / "rules.yaml").write_text(impatient_rules())
    scraped = {
        "job_name": "agent-server",
        "static_configs": [{"targets": [httpx.URL(metrics).netloc.decode()]}],
    }
    config = {"global": {"scrape_interval": "1s"}, "rule_files": ["rules.yaml"], "scrape_configs": [scraped]}
    (folder / "prometheus.yaml").write_text(json.dumps(config))
    address = f"127.0.0.1:{free_port()}"
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [
                str(PROMETHEUS),
                f"--config.file={folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )

    def ringing() -> dict[str, dict[str, str]]:
        try:
            answer = httpx.get(f"http://{address}/api/v1/alerts", timeout=5)
            told = answer.json()["data"]["alerts"]
        except (httpx.TransportError, ValueError):  # it starts
            return {}
        return {one["labels"]["alertname"]: one["labels"] for one in told if one["state"] == "firing"}

    try:
        yield ringing
    finally:
        running.terminate()
        running.wait(20)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A database, a server that takes up no queued runs, how to stop the database, and what rings."""
    with private_cluster() as cluster:
        asyncio.run(migrate(settings_for(cluster.url)))
        folder = tmp_path / "surface"
        folder.mkdir()
        more = {
            "METRICS_PORT": str(free_port()),
            "SURFACE_FOLDER": str(folder),
            "POOL_MIN_SIZE": "1",
            "POOL_MAX_SIZE": "4",
        }
        server = start(cluster.url, GRAPHS, "--no-worker", **more)
        try:
            server.wait_until_ready()
            with prometheus(tmp_path, server.metrics_url) as ringing:
                yield cluster.url, server, cluster.stop, ringing
        finally:
            finish(server)


def until(ringing: Ringing, name: str, meanwhile: Callable[[], object] = lambda: None) -> dict[str, str]:
    """The labels of the alert, once it rings."""
    deadline = time.monotonic() + SECONDS
    while name not in (told := ringing()):
        assert time.monotonic() < deadline, told
        meanwhile()
        time.sleep(0.3)
    return told[name]


def test_failing_runs_a_queue_a_full_pool_and_a_database_that_is_away(world: World) -> None:
    url, server, stop, ringing = world
    with caller(server) as http:

        def fail() -> None:
            assert invoke(http, "flaky", {}, thread_id=new_thread()).status_code == 500

        assert until(ringing, "LangGraphHighErrorRate", fail)["severity"] == "critical"
        assert until(ringing, "LangGraphRunsFail", fail)["graph_name"] == "flaky"

        thread = new_thread()
        slow = {"input": {"seconds": 30}, "thread_id": thread, "on_busy": "enqueue"}
        later = {"Prefer": "respond-async"}
        first, _ = (http.post("/graphs/slow/invoke", json=slow, headers=later).json() for _ in range(2))
        http.post(f"/graphs/slow/runs/{first['run_id']}/cancel")
        until(ringing, "LangGraphRunsWait")

        with ThreadPoolExecutor(12) as many, psycopg.connect(url) as holder:
            holder.execute("lock table agent.threads in access exclusive mode")
            for _ in range(48):
                many.submit(httpx.get, f"{server.url}/threads", timeout=20)
            until(ringing, "LangGraphDatabasePoolExhausted")
            holder.rollback()

        stop()
        until(ringing, "LangGraphDatabaseAway")
