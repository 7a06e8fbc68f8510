"""The dashboards ask for metrics that exist, and are what Grafana loads."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from infra.infra_stacks import changed
from infra_schemas import problems

from langgraph_components.pure import dashboards
from langgraph_components.pure.alerting.rule import Limits
from langgraph_components.pure.dashboards import Site
from langgraph_components.pure.metrics import HISTOGRAMS, METRICS, SCRAPED_LABELS

ROOT = Path(__file__).resolve().parents[2]
HOWTO = ROOT / "docs" / "howto"
PAGES = "https://git.example/platform/blob/main/docs/howto"

BESIDE = {
    # github.com/kubernetes/kube-state-metrics, docs/metrics/workload
    "kube_deployment_spec_replicas": ("deployment",),
    "kube_deployment_status_replicas_available": ("deployment",),
    "kube_horizontalpodautoscaler_spec_max_replicas": ("horizontalpodautoscaler",),
    "kube_horizontalpodautoscaler_status_current_replicas": ("horizontalpodautoscaler",),
    "kube_horizontalpodautoscaler_status_desired_replicas": ("horizontalpodautoscaler",),
    "kube_pod_container_resource_limits": ("container", "resource", "unit"),
    "kube_pod_container_resource_requests": ("container", "resource", "unit"),
    "kube_pod_container_status_last_terminated_reason": ("container", "reason"),
    "kube_pod_container_status_restarts_total": ("container",),
    "kube_pod_container_status_waiting_reason": ("container", "reason"),
    "kube_pod_status_ready": ("condition",),
    "kube_replicaset_created": ("replicaset",),
    # github.com/google/cadvisor, docs/storage/prometheus.md, with the labels that the kubelet adds
    "container_cpu_usage_seconds_total": ("container",),
    "container_memory_working_set_bytes": ("container",),
    # prometheus_client's ProcessCollector, and Prometheus itself
    "process_cpu_seconds_total": (),
    "process_max_fds": (),
    "process_open_fds": (),
    "process_resident_memory_bytes": (),
    "process_start_time_seconds": (),
    "ALERTS": ("alertname", "alertstate"),
}
"""Metric → labels that it has beside those of scraping."""

VARIABLES = {
    "$namespace": ".*",
    "$job": ".*",
    "$graph": ".*",
    "$__rate_interval": "1m",
    "$__range": "1h",
}
BOARDS = {
    f"{name.removesuffix('.json')} {'in' if kubernetes else 'outside'}": json.loads(text)
    for kubernetes in (True, False)
    for name, text in dashboards.files(Site(PAGES, kubernetes)).items()
}
PANELS = {
    f"{name}: {panel['title']}": panel
    for name, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "row"
}


def expanded(query):
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def series_of(query):
    """(metric, labels that select) of each series: all are written with braces."""
    found = re.findall(r"([a-zA-Z_:]\w*)\{([^}]*)\}", query)
    return [(_metric(name), re.findall(r"(\w+)\s*[=!]~?\"", labels), name) for name, labels in found]


def _metric(name):
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    return base if base in HISTOGRAMS else name


def queries_of(panel):
    return [target["expr"] for target in panel["targets"]]


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_asks_only_for_metrics_and_labels_that_there_are(name):
    there = METRICS | BESIDE
    for query in queries_of(PANELS[name]):
        asked = series_of(query)
        assert asked
        for metric, labels, written in asked:
            assert set(labels) <= {*there[metric], *SCRAPED_LABELS}
            assert (metric == written) == (metric not in HISTOGRAMS)
        known = {label for metric, _, _ in asked for label in there[metric]}
        for grouped in re.findall(r"(?:by|on) \(([^)]*)\)", query):
            assert {label.strip() for label in grouped.split(",")} <= known | set(SCRAPED_LABELS)


@pytest.mark.parametrize("name", PANELS)
def test_a_counter_is_asked_for_its_growth_and_a_gauge_for_its_value(name):
    for query in queries_of(PANELS[name]):
        for _, _, written in series_of(query):
            counts = written.endswith(("_total", "_bucket", "_sum", "_count"))
            assert bool(re.search(rf"(rate|increase)\({written}\{{", query)) == counts


def test_the_greatest_are_chosen_once_for_all_the_time_that_is_shown():
    ranked = [query for panel in PANELS.values() for query in queries_of(panel) if "topk" in query]
    assert ranked
    assert all("[$__range] @ end()" in query.split("topk")[1] for query in ranked)


@pytest.mark.parametrize("name", PANELS)
def test_a_legend_names_labels_that_the_query_leaves(name):
    for target in PANELS[name]["targets"]:
        for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
            kept = re.findall(r" by \(([^)]*)\)", target["expr"])
            assert not kept or all(label in {one.strip() for one in group.split(",")} for group in kept)


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_says_what_it_means_and_its_page_exists(name):
    panel = PANELS[name]
    assert panel["description"].split("\n")[0].endswith(".")
    for link in panel["links"]:
        assert (HOWTO / link["url"].removeprefix(f"{PAGES}/")).is_file()
        assert link["url"] in panel["description"]


def test_without_an_address_of_the_pages_nothing_is_linked():
    for text in dashboards.files(Site("docs/howto")).values():
        panels = json.loads(text)["panels"]
        assert not any(panel.get("links") for panel in panels)
        named = re.findall(r"What to do: (\S+)", json.dumps(panels))
        assert named
        assert all((ROOT / page.split('"')[0]).is_file() for page in named)


def test_every_metric_of_the_server_is_on_a_dashboard():
    shown = {
        metric
        for panel in PANELS.values()
        for query in queries_of(panel)
        for metric, _, _ in series_of(query)
    }
    assert set(METRICS) - shown == set()


@pytest.mark.parametrize("name", BOARDS)
def test_one_chooses_whose_processes_are_shown(name):
    label = "namespace" if name.endswith(" in") else "job"
    board = BOARDS[name]
    for query in dashboards.queries(board):
        assert all(f'{label}=~"${label}"' in matchers for matchers in re.findall(r"\{([^}]*)\}", query))
    asked = {variable["name"] for variable in board["templating"]["list"]}
    assert asked >= {"datasource", label}
    used = set(re.findall(r"\$(\w+)", " ".join(dashboards.queries(board))))
    assert used - {"__rate_interval", "__range"} <= asked


@pytest.mark.parametrize("name", [name for name in BOARDS if name.endswith(" outside")])
def test_outside_kubernetes_nothing_is_asked_of_it(name):
    text = json.dumps(BOARDS[name])
    assert not re.search(r"kube_|container_|\bnamespace\b|\bpod\b(?=[\"}]|=)", text)


@pytest.mark.parametrize("name", BOARDS)
def test_no_two_panels_overlap_and_none_is_there_twice(name):
    panels = BOARDS[name]["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)
    titles = [panel["title"] for panel in panels if panel["type"] != "row"]
    assert sorted(set(titles)) == sorted(titles)


def test_links_of_people_stay_whole_when_a_dashboard_changes():
    assert {board["uid"] for board in BOARDS.values()} == {"langgraph-service", "langgraph-graphs"}
    for board in BOARDS.values():
        assert [link["tags"] for link in board["links"]] == [board["tags"]]


def test_lines_are_where_the_alerts_are():
    moved = dashboards.files(Site(PAGES), Limits(error_share=0.02, slow_seconds=7, availability=0.9))
    panels = {panel["title"]: panel for panel in json.loads(moved["langgraph-service.json"])["panels"]}

    def steps(title):
        return [step["value"] for step in panels[title]["fieldConfig"]["defaults"]["thresholds"]["steps"]]

    assert steps("Share that fails") == [None, 0.02]
    assert steps("Latency by route, p95") == [None, 7]
    assert steps("Availability") == [None, 0.98, 0.9]


def test_grafanas_sidecar_gets_both_as_one_small_object_that_does_not_change_by_itself():
    made = [
        dashboards.config_map("agent-server-dashboards", "langgraph", {"app": "x"}, Site(PAGES)) for _ in "ab"
    ]
    assert made[0] == made[1]
    assert problems(made[0]) == []
    assert made[0]["metadata"]["labels"] == {"app": "x", "grafana_dashboard": "1"}
    assert set(made[0]["data"]) == {"langgraph-service.json", "langgraph-graphs.json"}
    assert len(json.dumps(made[0]).encode()) < 2**20 / 4


def test_a_stack_declares_them_with_its_own_limits_and_pages():
    values = {"monitoring.alerts": {"error_share": 0.2}, "monitoring.runbooks_url": PAGES}
    found = changed("prod", values).of_type("kubernetes:core/v1:ConfigMap")
    declared = [one.inputs for one in found if one.inputs["metadata"]["name"] == "agent-server-dashboards"]
    assert [one["data"] for one in declared] == [dashboards.files(Site(PAGES), Limits(error_share=0.2))]


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: apt-get install prometheus)"
)
def test_prometheus_understands_every_query(tmp_path):
    asked = [expanded(query) for board in BOARDS.values() for query in dashboards.queries(board)]
    rules = [{"record": f"query_{index}", "expr": query} for index, query in enumerate(asked)]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(asked)} rules found" in done.stdout
