"""Alert rules: they ask for metrics that exist, of the right processes, and each has its page."""

import re
from pathlib import Path

import pytest
from infra.infra_stacks import changed, planned
from infra_schemas import problems

from langgraph_components.pure import alerts
from langgraph_components.pure.alerting.rule import Limits
from langgraph_components.pure.metrics import HISTOGRAMS, METRICS, SCRAPED_LABELS

ROOT = Path(__file__).resolve().parents[2]
HOWTO = ROOT / "docs" / "howto"


def rules_of(groups):
    return [rule for group in groups for rule in group["rules"]]


RULES = rules_of(alerts.alert_groups())
BY_NAME = {rule["alert"]: rule for rule in RULES if "alert" in rule}
QUERIES = {rule.get("alert") or rule["record"]: rule["expr"] for rule in RULES}
OUTSIDE = rules_of(alerts.rule_file()["groups"])

CLUSTER = {
    # github.com/kubernetes/kube-state-metrics, docs/metrics/workload
    "kube_deployment_spec_replicas": ("deployment",),
    "kube_deployment_status_replicas_available": ("deployment",),
    "kube_pod_container_status_waiting_reason": ("pod", "container", "reason"),
    "kube_pod_container_status_restarts_total": ("pod", "container"),
    "kube_pod_container_status_last_terminated_reason": ("pod", "container", "reason"),
    "kube_horizontalpodautoscaler_status_current_replicas": ("horizontalpodautoscaler",),
    "kube_horizontalpodautoscaler_spec_min_replicas": ("horizontalpodautoscaler",),
    "kube_horizontalpodautoscaler_spec_max_replicas": ("horizontalpodautoscaler",),
    "kube_horizontalpodautoscaler_status_condition": ("horizontalpodautoscaler", "condition", "status"),
    "kube_job_failed": ("job_name", "condition"),
    "kube_cronjob_status_last_successful_time": ("cronjob",),
    "kube_cronjob_created": ("cronjob",),
    # github.com/external-secrets/external-secrets, pkg/controllers/externalsecret/esmetrics
    "externalsecret_status_condition": ("name", "condition", "status"),
    # Prometheus' own
    "up": (),
    "process_start_time_seconds": (),
}
"""Metric → labels that it has beside those of scraping."""


def series_of(query):
    """(metric, labels that select) of each series a query asks for."""
    names = r"\b(up|process_start_time_seconds|(?:langgraph|kube|externalsecret)_\w+)(?:\{([^}]*)\})?"
    return [(name, re.findall(r"(\w+)\s*[=!]~?", labels)) for name, labels in re.findall(names, query)]


def metric_of(series):
    for histogram in HISTOGRAMS:
        if series in {f"{histogram}_bucket", f"{histogram}_sum", f"{histogram}_count"}:
            return histogram
    return series


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_only_for_metrics_and_labels_that_there_are(name):
    there = METRICS | CLUSTER
    asked = series_of(QUERIES[name])
    assert asked or "langgraph:" in QUERIES[name]
    for series, labels in asked:
        assert set(labels) <= {*there[metric_of(series)], *SCRAPED_LABELS}
    known = {label for series, _ in asked for label in there[metric_of(series)]}
    for grouped in re.findall(r"by \(([^)]*)\)", QUERIES[name]):
        assert {label.strip() for label in grouped.split(",")} <= known | set(SCRAPED_LABELS)


@pytest.mark.parametrize("name", QUERIES)
def test_a_histogram_is_asked_for_its_buckets_and_a_counter_for_what_it_rose(name):
    query = QUERIES[name]
    for series, _ in series_of(query):
        assert series not in HISTOGRAMS
        if series.endswith(("_total", "_bucket")) or metric_of(series) in HISTOGRAMS:
            assert re.search(rf"(rate|increase)\({series}", query)


def test_what_is_recorded_is_asked_for_and_nothing_else():
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    asked = {name for query in QUERIES.values() for name in re.findall(r"langgraph:[\w:]+", query)}
    assert asked == recorded


def test_the_three_alerts_that_every_installation_has_keep_their_thresholds_and_severities():
    told = {
        "LangGraphHighErrorRate": ("> 0.05", "5m", "critical"),
        "LangGraphSlowResponses": ("> 30", "5m", "warning"),
        "LangGraphDatabasePoolExhausted": ("== 0", "1m", "critical"),
    }
    for name, (threshold, lasting, severity) in told.items():
        rule = BY_NAME[name]
        assert rule["expr"].split("\n")[0].endswith(threshold)
        assert (rule["for"], rule["labels"]) == (lasting, {"severity": severity})


@pytest.mark.parametrize("name", BY_NAME)
def test_an_alert_says_how_bad_it_is_and_what_it_means(name):
    rule = BY_NAME[name]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert name.startswith("LangGraph")
    summary, description = rule["annotations"]["summary"], rule["annotations"]["description"]
    assert "{{" in summary
    assert not summary.endswith(".")
    assert description.endswith(".")
    # what a template names is what the query leaves
    left = {label for by in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in by.split(", ")}
    assert set(re.findall(r"\$labels\.(\w+)", summary)) <= left | {"namespace", "pod"}


def test_no_name_is_given_twice():
    names = [rule.get("alert") or rule["record"] for rule in RULES]
    assert len(names) == len(set(names))
    groups = [group["name"] for group in alerts.alert_groups()]
    assert len(groups) == len(set(groups))


# whose series


ANY_SERIES = (
    r"(?:\bup|process_start_time_seconds|langgraph[:_][\w:]+|\bkube_\w+|externalsecret_\w+)(?![\w:])(.{0,20})"
)


def test_a_workload_rings_for_its_own_namespace_alone():
    for rule in rules_of(alerts.alert_groups(namespace="agents")):
        found = re.findall(ANY_SERIES, rule["expr"])
        assert found
        assert all(after.startswith('{namespace="agents"') for after in found)


def test_outside_kubernetes_a_job_is_the_installation_and_an_instance_the_process():
    text = " ".join([rule["expr"] + rule.get("annotations", {}).get("summary", "") for rule in OUTSIDE])
    assert not re.search(r"\b(namespace|pod)\b", re.sub(r"pods? of", "", text))
    assert "kube_" not in text
    assert "externalsecret_" not in text
    for rule in OUTSIDE:
        for labels in re.findall(ANY_SERIES, rule["expr"]):
            assert labels.startswith('{job="agent-server"')


def test_the_job_may_have_another_name():
    (up,) = [
        rule["expr"]
        for rule in rules_of(alerts.rule_file(job="staging")["groups"])
        if rule.get("alert") == "LangGraphProcessNotScraped"
    ]
    assert re.findall(r'job="(\w+)"', up) == ["staging", "staging"]
    assert "agent-server" not in str(alerts.rule_file(job="staging"))


def test_thresholds_are_those_that_are_chosen():
    chosen = Limits(error_share=0.2, slow_seconds=90, availability=0.99, queue_seconds=600, interrupt_hours=1)
    queries = {r["alert"]: r["expr"] for r in rules_of(alerts.alert_groups(limits=chosen)) if "alert" in r}
    assert "> 0.2\n" in queries["LangGraphHighErrorRate"]
    assert "> 90\n" in queries["LangGraphSlowResponses"]
    assert "> 0.144\n" in queries["LangGraphErrorBudgetBurnsFast"]
    assert queries["LangGraphRunsWait"].endswith("> 600")
    assert queries["LangGraphAnswersOverdue"].endswith("> 3600")


# the object


def test_the_rules_are_an_object_that_the_operator_takes():
    document = alerts.prometheus_rule(
        "agent-server", "langgraph", watched="langgraph", labels={"release": "kps"}
    )
    assert problems(document) == []
    assert document["metadata"]["labels"] == {"release": "kps"}
    assert document["spec"]["groups"] == alerts.alert_groups(namespace="langgraph")


def test_the_pages_can_be_linked_where_the_repository_is_shown():
    rules = rules_of(alerts.alert_groups("https://git.example/platform/blob/main/docs/howto/"))
    urls = {rule["annotations"]["runbook_url"] for rule in rules if "alert" in rule}
    assert "https://git.example/platform/blob/main/docs/howto/many-errors.md" in urls
    assert {url.rsplit("/", 1)[0] for url in urls} == {"https://git.example/platform/blob/main/docs/howto"}


# as the stack declares them


def rules_in(found):
    (declared,) = found.of_type("kubernetes:monitoring.coreos.com/v1:PrometheusRule")
    return declared.inputs["spec"]["groups"]


def test_a_stack_declares_the_rules_of_its_namespace_with_its_own_limits():
    values = {"monitoring.alerts": {"error_share": 0.2, "latency_seconds": 5}, "workload.namespace": "agents"}
    groups = rules_in(changed("prod", values))
    chosen = Limits(error_share=0.2, latency_seconds=5)
    assert groups == alerts.alert_groups(namespace="agents", limits=chosen)


def test_the_routes_keep_their_label_when_they_are_read():
    monitors = planned("prod").of_type("kubernetes:monitoring.coreos.com/v1:ServiceMonitor")
    (ours,) = [found for found in monitors if found.inputs["metadata"]["name"] == "agent-server"]
    (endpoint,) = ours.inputs["spec"]["endpoints"]
    assert endpoint["relabelings"] == [{"action": "labeldrop", "regex": "endpoint"}]
