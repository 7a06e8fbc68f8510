"""Alert rules: they ask for metrics that exist, and do fire when they must.

`promtool` (Debian's package `prometheus`) evaluates the rules; without it those tests are skipped.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from infra_schemas import problems

from langgraph_components.pure import alerts
from langgraph_components.pure.metrics import HISTOGRAMS, METRICS, SCRAPED_LABELS

ROOT = Path(__file__).resolve().parents[2]
RULES = [rule for group in alerts.alert_groups() for rule in group["rules"]]
BY_NAME = {rule["alert"]: rule for rule in RULES}
QUERIES = [rule["expr"] for rule in RULES]

promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: apt-get install prometheus)"
)


def series_of(query):
    """(metric, labels that select) of each series a query asks for."""
    found = re.findall(r"(langgraph_\w+)(?:\{([^}]*)\})?", query)
    return [(name, re.findall(r"(\w+)\s*[=!]~?", labels)) for name, labels in found]


def metric_of(series):
    for histogram in HISTOGRAMS:
        if series in {f"{histogram}_bucket", f"{histogram}_sum", f"{histogram}_count"}:
            return histogram
    return series


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_only_for_metrics_and_labels_that_the_server_has(query):
    asked = series_of(query)
    assert asked
    for series, labels in asked:
        assert metric_of(series) in METRICS
        assert set(labels) <= {*METRICS[metric_of(series)], *SCRAPED_LABELS}
    known = {label for series, _ in asked for label in METRICS[metric_of(series)]}
    for grouped in re.findall(r"by \(([^)]*)\)", query):
        assert {label.strip() for label in grouped.split(",")} <= known | set(SCRAPED_LABELS)


@pytest.mark.parametrize("query", QUERIES)
def test_a_histogram_is_asked_for_its_buckets_and_a_counter_for_its_rate(query):
    for series, _ in series_of(query):
        assert series not in HISTOGRAMS
        if series.endswith(("_total", "_bucket")):
            assert re.search(rf"rate\({series}", query)


def test_the_three_alerts_have_their_thresholds_and_severities():
    assert {name: (rule["for"], rule["labels"]["severity"]) for name, rule in BY_NAME.items()} == {
        "LangGraphHighErrorRate": ("5m", "critical"),
        "LangGraphSlowResponses": ("5m", "warning"),
        "LangGraphDatabasePoolExhausted": ("1m", "critical"),
    }
    assert BY_NAME["LangGraphHighErrorRate"]["expr"].endswith("> 0.05")
    assert BY_NAME["LangGraphSlowResponses"]["expr"].endswith("> 30")
    assert BY_NAME["LangGraphDatabasePoolExhausted"]["expr"].endswith("== 0")


@pytest.mark.parametrize("name", BY_NAME)
def test_whoever_is_woken_finds_a_page_that_says_what_to_do(name):
    annotations = BY_NAME[name]["annotations"]
    assert (ROOT / annotations["runbook_url"]).is_file()
    assert annotations["summary"]
    assert annotations["description"]


def test_the_pages_can_be_linked_where_the_repository_is_shown():
    (group,) = alerts.alert_groups("https://git.example/platform/blob/main/docs/howto")
    urls = [rule["annotations"]["runbook_url"] for rule in group["rules"]]
    assert urls[0] == "https://git.example/platform/blob/main/docs/howto/many-errors.md"
    assert len(set(urls)) == 3


def test_the_rules_are_an_object_that_the_operator_takes():
    document = alerts.prometheus_rule("agent-server", "langgraph", labels={"release": "kps"})
    assert problems(document) == []
    assert document["metadata"]["labels"] == {"release": "kps"}


# what the rules do


@pytest.fixture
def fires(tmp_path):
    """`fires(series, at)`: (alert, labels) of what Prometheus itself would fire at that minute."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump({"groups": alerts.alert_groups()}))

    def run(series, minute, expected):
        tests = {
            "rule_files": [str(rules)],
            "evaluation_interval": "30s",
            "tests": [
                {
                    "interval": "30s",
                    "input_series": [{"series": name, "values": values} for name, values in series.items()],
                    "alert_rule_test": [
                        {
                            "alertname": name,
                            "eval_time": f"{minute}m",
                            "exp_alerts": [
                                {"exp_labels": labels, "exp_annotations": told}
                                for labels, told in expected.get(name, [])
                            ],
                        }
                        for name in BY_NAME
                    ],
                }
            ],
        }
        file = tmp_path / "tests.yaml"
        file.write_text(yaml.safe_dump(tests))
        done = subprocess.run(
            ["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def alert(name, labels, summary):
    """What is expected of a rule: its labels and annotations, with the summary filled in."""
    rule = BY_NAME[name]
    return (
        {**labels, "severity": rule["labels"]["severity"]},
        {**rule["annotations"], "summary": summary},
    )


def requests(endpoint="/graphs/{name}/invoke", status="200", pod="a"):
    labels = f'namespace="langgraph",pod="{pod}",method="POST",endpoint="{endpoint}",status="{status}"'
    return f"langgraph_requests_total{{{labels}}}"


def buckets(fast, slow, endpoint="/graphs/{name}/invoke"):
    """Each step so many more requests below 30 s and between 60 and 120 s."""
    labels = f'namespace="langgraph",pod="a",method="POST",endpoint="{endpoint}"'
    name = "langgraph_request_latency_seconds_bucket"
    return {
        f'{name}{{{labels},le="30"}}': f"0+{fast}x40",
        f'{name}{{{labels},le="60"}}': f"0+{fast}x40",
        f'{name}{{{labels},le="120"}}': f"0+{fast + slow}x40",
        f'{name}{{{labels},le="+Inf"}}': f"0+{fast + slow}x40",
    }


@promtool
def test_prometheus_takes_the_rules(tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": alerts.alert_groups()}))
    done = subprocess.run(
        ["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 rules found" in done.stdout


@promtool
def test_errors_of_one_pod_count_against_the_requests_of_all(fires):
    # pod b fails always; of all requests that is 10 %: one alert for the namespace, not one for each pod
    series = {requests(): "0+90x40", requests(status="500", pod="b"): "0+10x40"}
    told = alert(
        "LangGraphHighErrorRate", {"namespace": "langgraph"}, "10% of the requests in langgraph fail"
    )
    fires(series, 15, {"LangGraphHighErrorRate": [told]})


@promtool
def test_a_few_errors_wake_nobody(fires):
    fires({requests(): "0+96x40", requests(status="503", pod="b"): "0+4x40"}, 15, {})


@promtool
def test_what_a_client_does_wrong_is_no_error(fires):
    fires({requests(): "0+10x40", requests(status="422"): "0+90x40"}, 15, {})


@promtool
def test_errors_that_end_within_five_minutes_wake_nobody(fires):
    fires({requests(): "0+90x40", requests(status="500"): "0+50x4 200x36"}, 9, {})


@promtool
def test_a_slow_route_is_named(fires):
    told = alert(
        "LangGraphSlowResponses",
        {"namespace": "langgraph", "endpoint": "/graphs/{name}/invoke"},
        "/graphs/{name}/invoke in langgraph takes 1m 54s",
    )
    fires(buckets(fast=10, slow=10), 15, {"LangGraphSlowResponses": [told]})


@promtool
def test_a_route_with_few_slow_requests_is_not_slow(fires):
    fires(buckets(fast=96, slow=4), 15, {})


@promtool
def test_a_long_stream_is_not_slow(fires):
    fires(buckets(fast=0, slow=10, endpoint="/graphs/{name}/stream"), 15, {})


@promtool
def test_many_fast_health_checks_do_not_hide_a_slow_route(fires):
    series = buckets(fast=10, slow=10) | buckets(fast=10_000, slow=0, endpoint="/health")
    told = alert(
        "LangGraphSlowResponses",
        {"namespace": "langgraph", "endpoint": "/graphs/{name}/invoke"},
        "/graphs/{name}/invoke in langgraph takes 1m 54s",
    )
    fires(series, 15, {"LangGraphSlowResponses": [told]})


def pool(state, pod="a"):
    return f'langgraph_db_pool_size{{namespace="langgraph",pod="{pod}",state="{state}"}}'


@promtool
def test_one_pod_without_a_connection_is_told_after_a_minute(fires):
    series = {pool("free"): "5 5 0x40", pool("used"): "0 0 20x40", pool("free", "b"): "5x40"}
    told = alert(
        "LangGraphDatabasePoolExhausted",
        {"namespace": "langgraph", "pod": "a"},
        "a in langgraph has no free database connection",
    )
    fires(series, 5, {"LangGraphDatabasePoolExhausted": [told]})


@promtool
def test_a_moment_without_a_free_connection_wakes_nobody(fires):
    fires({pool("free"): "5 0 5x40"}, 1, {})


@promtool
def test_silence_is_not_an_alert(fires):
    fires({requests(): "7x40", pool("free"): "5x40"}, 15, {})
