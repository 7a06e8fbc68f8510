"""Which alerts of a workload fire, by the Prometheus in its cluster, through the Kubernetes API."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lgp.errors import LgpError
from lgp.operating.cluster import Cluster
from lgp.shapes import a_list, an_object

SERVICE = "prometheus-operated:web"
"""Service that the Prometheus operator makes for every Prometheus, and its port."""

OURS = "LangGraph"
"""The beginning of each alert's name that the components bring."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One that fires."""

    name: str
    severity: str
    summary: str

    def __str__(self) -> str:
        """Show it as one line."""
        return f"{self.name} fires: {self.summary}" if self.summary else f"{self.name} fires"


def firing(cluster: Cluster, settings: dict[str, Any]) -> list[Alert] | None:
    """The alerts that fire; none where nothing is monitored, None where Prometheus could not be asked."""
    if "monitoring" not in settings:
        return []
    monitoring = an_object(settings["monitoring"])
    there = an_object(monitoring.get("existing")).get("namespace") or monitoring.get("namespace")
    path = f"/api/v1/namespaces/{there or 'monitoring'}/services/{SERVICE}/proxy/api/v1/alerts"
    try:
        answer = cluster.raw(path)
    except LgpError:
        return None
    return list(_read(answer, cluster.namespace))


def _read(answer: Any, namespace: str) -> Iterator[Alert]:
    found = a_list(an_object(an_object(answer).get("data")).get("alerts"))
    seen: set[Alert] = set()
    for one in map(an_object, found):
        labels, annotations = an_object(one.get("labels")), an_object(one.get("annotations"))
        name = str(labels.get("alertname", ""))
        if one.get("state") != "firing" or not (
            name.startswith(OURS) or labels.get("namespace") == namespace
        ):
            continue
        alert = Alert(name, str(labels.get("severity", "")), str(annotations.get("summary", "")))
        if alert not in seen:
            seen.add(alert)
            yield alert
