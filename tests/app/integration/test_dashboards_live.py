"""Every panel of the dashboards shows something of a real server that a real Prometheus reads."""

import importlib
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from support.ports import free_port
from support.server import servers
from support.traffic import CONFIG, Traffic

from langgraph_components.pure import dashboards
from langgraph_components.pure.dashboards import Site
from lgp.monitoring import prometheus
from lgp.monitoring.program import Program
from lgp.server_process import Address
from lgp.signals import Signals

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is not installed (apt-get install prometheus)"
)

VARIABLES = {"$job": ".*", "$graph": ".*", "$__rate_interval": "1m", "$__range": "5m"}
EMPTY = {
    "The database's certificate lasts": "this database has no TLS",
    "Alerts that fire": "none fires",
}
"""Panels that rightly show nothing here, and why."""
BOARDS = [json.loads(text) for text in dashboards.files(Site("docs/howto", kubernetes=False)).values()]
PANELS = {panel["title"]: panel for board in BOARDS for panel in board["panels"] if panel["type"] != "row"}

TOOLS = Path(__file__).resolve().parents[3] / "tools"

Series = list[dict[str, Any]]


@pytest.fixture(scope="module")
def url(module_migrated_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has read a server while it had requests of all kinds."""
    metrics = Address("127.0.0.1", free_port())
    with (
        servers(module_migrated_database, CONFIG, METRICS_PORT=str(metrics.port)) as (server,),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(prometheus, "SCRAPE_SECONDS", 1)
        program, address = _prometheus(metrics, tmp_path_factory.mktemp("monitoring"))
        try:
            _until_it_reads(address.url)
            traffic = Traffic(server.url)
            # what has a value when it is first read has not grown yet
            for _ in range(2):
                traffic.once()
                time.sleep(2)
            traffic.close()
            yield address.url
        finally:
            program.end()


def _prometheus(metrics: Address, folder: Path) -> tuple[Program, Address]:
    address = prometheus.prometheus_address(0)
    program = prometheus.start_prometheus(
        prometheus.require_prometheus(), address, metrics, folder / "prometheus"
    )
    with Signals() as signals:
        program.wait_until_ready(address, "/-/ready", signals)
    return program, address


def _until_it_reads(url: str) -> None:
    deadline = time.monotonic() + 30
    while not ask(url, "langgraph_build_info"):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def ask(url: str, query: str) -> Series:
    """What it answers now; a query that it does not understand is a failure."""
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    answer = httpx.get(f"{url}/api/v1/query", params={"query": query}).json()
    assert answer["status"] == "success", (query, answer)
    return answer["data"]["result"]


def shown(url: str, title: str) -> Series:
    return [series for target in PANELS[title]["targets"] for series in ask(url, target["expr"])]


@pytest.mark.parametrize("title", PANELS)
def test_a_panel_shows_something(url: str, title: str) -> None:
    for target in PANELS[title]["targets"]:
        assert bool(ask(url, target["expr"])) == (title not in EMPTY)


def test_marks_are_queries_that_prometheus_understands(url: str) -> None:
    for board in BOARDS:
        for mark in board["annotations"]["list"]:
            if "expr" in mark:
                ask(url, mark["expr"])
    moments = ask(
        url, next(m["expr"] for m in BOARDS[0]["annotations"]["list"] if m["name"].startswith("Proc"))
    )
    assert [float(series["value"][1]) / 1000 for series in moments] == [pytest.approx(time.time(), abs=120)]


def test_what_is_shown_is_what_happened(url: str) -> None:
    (available,) = shown(url, "Availability")
    assert 0.8 < float(available["value"][1]) < 1
    by_graph = {one["metric"]["graph_name"] for one in shown(url, "Executions by graph")}
    assert by_graph == {"document", "support", "research", "enrichment"}
    ends = {one["metric"]["status"]: float(one["value"][1]) for one in shown(url, "How they end")}
    assert ends["success"] > ends["interrupted"] > ends["error"] > 0
    (failed,) = [one for one in shown(url, "Failing routes") if float(one["value"][1]) > 0]
    assert failed["metric"] == {"endpoint": "/graphs/{name}/invoke", "status": "500"}
    assert {one["metric"]["code"] for one in shown(url, "Refused requests")} == {"unsupported_media_type"}
    (questions,) = shown(url, "Oldest question")
    assert 0 <= float(questions["value"][1]) < 120


def test_the_picture_in_the_documentation_is_drawn_from_them(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(TOOLS)
    drawing = importlib.import_module("dashboard_picture")
    source = importlib.import_module("panel_source").Source(url)
    picture = drawing.picture(source)
    texts = [element.text for element in ET.fromstring(picture).iter() if element.tag.endswith("text")]
    titles = [title for lines in drawing.SHOWN.values() for line in lines for title in line.split("|")]
    assert set(titles) <= set(PANELS)
    assert set(titles) <= set(texts)
    assert {"document", "support", "research", "enrichment"} <= set(texts)
    assert not [text for text in texts if text and ("nan" in text or "{{" in text)]
