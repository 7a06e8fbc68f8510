"""The Grafana dashboards, generated: equal input gives equal JSON."""

import json
from collections.abc import Mapping
from typing import Any

from langgraph_components.pure.alerting.rule import Limits
from langgraph_components.pure.dashboards.board import Board, queries
from langgraph_components.pure.dashboards.graphs import graphs
from langgraph_components.pure.dashboards.panels import Json, Site
from langgraph_components.pure.dashboards.service import service

__all__ = ["LABEL", "Board", "Site", "boards", "config_map", "files", "queries"]

LABEL = {"grafana_dashboard": "1"}
"""What Grafana's sidecar looks for on ConfigMaps, in every namespace."""


def boards(limits: Limits | None = None, *, kubernetes: bool = True) -> tuple[Board, ...]:
    """Each dashboard; outside Kubernetes without what Kubernetes tells of pods."""
    limits = limits or Limits()
    return service(limits, kubernetes=kubernetes), graphs(limits)


def files(site: Site, limits: Limits | None = None) -> dict[str, str]:
    """Name of a file → readable JSON, so that a diff of two is one of panels."""
    found = boards(limits, kubernetes=site.kubernetes)
    return {board.file: json.dumps(board.document(site), indent=1) + "\n" for board in found}


def config_map(
    name: str, namespace: Any, labels: Mapping[str, str], site: Site, limits: Limits | None = None
) -> Json:
    """The ConfigMap with all dashboards that the sidecar loads."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {**labels, **LABEL}},
        "data": files(site, limits),
    }
