"""The Grafana dashboard of the server, generated: equal input gives equal JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

LABEL = {"grafana_dashboard": "1"}
"""What Grafana's sidecar looks for on ConfigMaps, in every namespace."""

UID = "langgraph-overview"
"""Stable, so that links to the dashboard survive its renewals."""

_WIDTH, _HEIGHT, _COLUMNS = 12, 8, 2
_SELECTOR = 'namespace="$namespace"'


def dashboard(datasource: str = "prometheus") -> Json:
    """Requests, latency, errors, executions, threads and pool of the namespace that is chosen above."""
    panels = [
        _panel(
            "Requests",
            "reqps",
            [(f"sum by (status) (rate(langgraph_requests_total{{{_SELECTOR}}}[5m]))", "{{status}}")],
        ),
        _panel(
            "Errors",
            "percentunit",
            [
                (
                    f'sum(rate(langgraph_requests_total{{{_SELECTOR},status=~"5.."}}[5m]))'
                    f" / sum(rate(langgraph_requests_total{{{_SELECTOR}}}[5m]))",
                    "5xx",
                )
            ],
        ),
        _panel(
            "Latency by route, p50",
            "s",
            [(_quantile(0.5, "langgraph_request_latency_seconds", "endpoint"), "{{endpoint}}")],
        ),
        _panel(
            "Latency by route, p95",
            "s",
            [(_quantile(0.95, "langgraph_request_latency_seconds", "endpoint"), "{{endpoint}}")],
        ),
        _panel(
            "Graph executions",
            "ops",
            [
                (
                    "sum by (graph_name, status) "
                    f"(rate(langgraph_graph_executions_total{{{_SELECTOR}}}[5m]))",
                    "{{graph_name}} {{status}}",
                )
            ],
        ),
        _panel(
            "Graph execution time, p95",
            "s",
            [(_quantile(0.95, "langgraph_graph_execution_seconds", "graph_name"), "{{graph_name}}")],
        ),
        _panel("Active threads", "short", [(f"sum(langgraph_active_threads{{{_SELECTOR}}})", "threads")]),
        _panel(
            "Database connections",
            "short",
            [(f"sum by (pod, state) (langgraph_db_pool_size{{{_SELECTOR}}})", "{{pod}} {{state}}")],
        ),
    ]
    return {
        "uid": UID,
        "title": "LangGraph",
        "tags": ["langgraph"],
        "timezone": "utc",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": _variables(datasource)},
        "panels": [_placed(index, panel) for index, panel in enumerate(panels)],
    }


def config_map(
    name: str, namespace: Any, labels: Mapping[str, str] | None = None, *, datasource: str = "prometheus"
) -> Json:
    """The ConfigMap that the sidecar loads; readable JSON, so that a diff of two plans is one of panels."""
    text = json.dumps(dashboard(datasource), indent=1, sort_keys=True)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {**(labels or {}), **LABEL}},
        "data": {"langgraph.json": text},
    }


def queries(board: Json) -> list[str]:
    """Every PromQL expression of a dashboard."""
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def _quantile(share: float, metric: str, label: str) -> str:
    return f"histogram_quantile({share}, sum by ({label}, le) (rate({metric}_bucket{{{_SELECTOR}}}[5m])))"


def _panel(title: str, unit: str, series: Sequence[tuple[str, str]]) -> Json:
    return {
        "title": title,
        "type": "timeseries",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {"refId": chr(ord("A") + index), "expr": expr, "legendFormat": legend}
            for index, (expr, legend) in enumerate(series)
        ],
    }


def _placed(index: int, panel: Json) -> Json:
    row, column = divmod(index, _COLUMNS)
    place = {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
    return {"id": index + 1, "gridPos": place, **panel}


def _variables(datasource: str) -> list[Json]:
    current = {"text": datasource, "value": datasource}
    return [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "current": current},
        {
            "name": "namespace",
            "type": "query",
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "query": "label_values(langgraph_requests_total, namespace)",
            "refresh": 2,
        },
    ]
