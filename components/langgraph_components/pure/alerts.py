"""Alert rules on the server's metrics: what each means, how bad it is, and the page that says what to do."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

RUNBOOKS = "docs/howto"
"""Where the pages are, from the root of the repository; `runbooks` of `alert_groups` makes it an address."""

ERROR_SHARE = 0.05
"""Share of requests answered with 5xx above which users notice."""

SLOW_SECONDS = 30
"""Latency (seconds) that nineteen of twenty requests stay below."""

# `sum by` on both sides: without it each pod and route is divided by itself, and a share is 0 or 1.
_ERRORS = (
    'sum by (namespace) (rate(langgraph_requests_total{status=~"5.."}[5m]))'
    " / sum by (namespace) (rate(langgraph_requests_total[5m]))"
    f" > {ERROR_SHARE}"
)

# By route, so that a slow graph neither hides among short requests nor makes all of them look slow. A stream
# is measured to its first byte, which says nothing of how long its run takes.
_SLOW = (
    "histogram_quantile(0.95, sum by (namespace, endpoint, le)"
    ' (rate(langgraph_request_latency_seconds_bucket{endpoint!~".+/stream"}[5m])))'
    f" > {SLOW_SECONDS}"
)

# By pod: one process without a connection answers 503 while the others are well.
_POOL = 'min by (namespace, pod) (langgraph_db_pool_size{state="free"}) == 0'


def alert_groups(runbooks: str = RUNBOOKS) -> list[Json]:
    """The rule groups, as Prometheus and a PrometheusRule take them."""
    runbooks = runbooks.rstrip("/")
    rules = [
        _alert(
            "LangGraphHighErrorRate",
            _ERRORS,
            lasting="5m",
            severity="critical",
            summary="{{ $value | humanizePercentage }} of the requests in {{ $labels.namespace }} fail",
            description="More than 5 % of the requests were answered with 5xx for 5 minutes.",
            runbook=f"{runbooks}/many-errors.md",
        ),
        _alert(
            "LangGraphSlowResponses",
            _SLOW,
            lasting="5m",
            severity="warning",
            summary="{{ $labels.endpoint }} in {{ $labels.namespace }} takes {{ $value | humanizeDuration }}",
            description="The 95th percentile of this route was above 30 seconds for 5 minutes.",
            runbook=f"{runbooks}/slow-responses.md",
        ),
        _alert(
            "LangGraphDatabasePoolExhausted",
            _POOL,
            lasting="1m",
            severity="critical",
            summary="{{ $labels.pod }} in {{ $labels.namespace }} has no free database connection",
            description="Every connection of its pool was in use for a minute: its requests wait, then fail.",
            runbook=f"{runbooks}/pool-exhausted.md",
        ),
    ]
    return [{"name": "langgraph", "rules": rules}]


def prometheus_rule(
    name: str, namespace: Any, *, runbooks: str = RUNBOOKS, labels: Mapping[str, str] | None = None
) -> Json:
    """The PrometheusRule; `labels` are those by which an existing Prometheus selects rules."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
        "spec": {"groups": alert_groups(runbooks)},
    }


def _alert(  # noqa: PLR0913  # what a rule is made of
    name: str, expr: str, *, lasting: str, severity: str, summary: str, description: str, runbook: str
) -> Json:
    return {
        "alert": name,
        "expr": expr,
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": description, "runbook_url": runbook},
    }
