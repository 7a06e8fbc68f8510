"""docs/contract.md §9: the server has those metrics, labels and buckets, and what is asked for exists."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client.metrics import MetricWrapperBase

from agent_server.core import metrics
from agent_server.core.metrics import REGISTRY
from agent_server.storage.database import Database
from agent_server.storage.gauges import DatabaseGauges
from langgraph_components.pure.metrics import HISTOGRAMS, METRICS

ROOT = Path(__file__).parents[3]
CONTRACT = ROOT / "docs" / "contract.md"
HOWTO = sorted((ROOT / "docs" / "howto").glob("*.md"))
SIZES = [1024 * 4**power for power in range(8)]
NO_METRICS = re.compile(r"langgraph_(app(_[ab])?|attachments|client|components|master|outside|policy|sdk)")
"""Roles of the database, packages, and what Compose calls volumes and networks."""

OF_THE_DATABASE = {
    "langgraph_runs",
    "langgraph_queue_age_seconds",
    "langgraph_interrupt_age_seconds",
    "langgraph_db_size_bytes",
    "langgraph_db_certificate_expiry_timestamp_seconds",
}
"""What only a database that answers can tell."""


def promised() -> dict[str, tuple[tuple[str, ...], str]]:
    """Metric → its labels, and what its last column says."""
    rows = re.findall(r"^\| `(langgraph_\w+)` \| (.+?) \| (.+) \|$", section(), re.MULTILINE)
    return {
        name: (tuple(re.findall(r"`([a-z_]+)`", re.sub(r"=.*", "", cell))), told) for name, cell, told in rows
    }


def section() -> str:
    return CONTRACT.read_text().split("## 9. Metrics")[1]


def counted() -> dict[str, MetricWrapperBase]:
    """The objects that the process counts with, by the name that a scrape shows."""
    found = [made for made in vars(metrics).values() if isinstance(made, MetricWrapperBase)]
    return {f"{made._name}_total" if made._type == "counter" else made._name: made for made in found}


def read() -> dict[str, Any]:
    """The families that are made at a scrape, with labels as they come."""
    stats = {"pool_size": 5, "pool_available": 5, "pool_max": 20, "requests_waiting": 0}
    gauges = DatabaseGauges()
    gauges.database = cast("Database", SimpleNamespace(pool=SimpleNamespace(get_stats=lambda: stats)))
    return {family.name: family for family in gauges.collect()}


def test_the_table_is_read() -> None:
    assert promised()["langgraph_requests_total"][0] == ("method", "endpoint", "status")
    assert len(promised()) >= 19


def test_every_metric_of_the_table_is_counted_or_read_and_no_other() -> None:
    at_a_scrape = {*OF_THE_DATABASE, *read()}
    assert {*counted(), "langgraph_build_info", *at_a_scrape} == set(promised())
    ours = {family.name for family in REGISTRY.collect() if family.name.startswith("langgraph_")}
    assert ours == {name.removesuffix("_total") for name in (*counted(), "langgraph_build_info")}


@pytest.mark.parametrize("name", counted())
def test_labels_and_kind_are_those_of_the_table(name: str) -> None:
    labels, told = promised()[name]
    made = counted()[name]
    assert made._labelnames == labels
    assert told.startswith(made._type)


def test_what_is_read_has_its_labels() -> None:
    pool = {(sample.labels["state"], sample.value) for sample in read()["langgraph_db_pool_size"].samples}
    assert pool == {("free", 20), ("used", 0)}


@pytest.mark.parametrize("name", [name for name, made in counted().items() if made._type == "histogram"])
def test_buckets_are_those_of_the_table(name: str) -> None:
    told = promised()[name][1].removeprefix("histogram: ")
    written = [float(bound) for bound in re.split(r"[,;]", told)[0].split() if bound[0] in ".0123456789"]
    wanted = SIZES if told.startswith("1 KiB to 16 MiB by fours") else written
    assert counted()[name]._kwargs["buckets"] == pytest.approx(wanted)


def test_the_infrastructure_asks_for_what_the_server_has() -> None:
    for name, labels in METRICS.items():
        assert labels == promised()[name][0]
    assert {name for name in HISTOGRAMS if counted()[name]._type == "histogram"} == set(HISTOGRAMS)


@pytest.mark.parametrize("page", HOWTO, ids=lambda page: page.stem)
def test_a_page_asks_only_for_metrics_that_exist(page: Path) -> None:
    of_time = [name for name, made in counted().items() if made._type == "histogram"]
    histograms = {f"{name}_{part}" for name in of_time for part in ("bucket", "sum", "count")}
    named = set(re.findall(r"\blanggraph_[a-z_]+", page.read_text())) - {*promised(), *histograms}
    assert {name for name in named if not NO_METRICS.fullmatch(name)} == set()
