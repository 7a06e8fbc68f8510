"""Alert rules: what each means, how bad it is, and the page that says what to do.

The rules themselves are in `pure/alerting`, by what they watch. While the database is away, what follows from
that is silent (`unless`): one page rings, with any Alertmanager.
"""

from collections.abc import Mapping
from typing import Any

from langgraph_components.pure import labels as names
from langgraph_components.pure.alerting import cluster, database, objectives, processes, requests, runs
from langgraph_components.pure.alerting.rule import Alert, Group, Limits, Record, Site

Json = dict[str, Any]

RUNBOOKS = "docs/howto"
"""Where the pages are, from the root of the repository; `runbooks` of `alert_groups` makes it an address."""

NAMESPACE = "langgraph"
"""The workload's, unless it is told another one."""

DEFAULT = Limits()


def alert_groups(
    runbooks: str = RUNBOOKS, *, namespace: str = NAMESPACE, limits: Limits = DEFAULT
) -> list[Json]:
    """The rule groups of the workload in a namespace, as Prometheus and a PrometheusRule take them."""
    return _groups(runbooks, Site(namespace=namespace), limits)


def rule_file(runbooks: str = RUNBOOKS, *, job: str = names.APPLICATION, limits: Limits = DEFAULT) -> Json:
    """A file of rules for a Prometheus outside Kubernetes, which scrapes the processes as `job`.

    `{"groups": […]}`: its series have `job` and `instance` where those of Kubernetes have `namespace` and
    `pod`, and nothing is asked of Kubernetes.
    """
    return {"groups": _groups(runbooks, Site(job=job), limits)}


def prometheus_rule(  # noqa: PLR0913  # an object's name and place, and what its rules depend on
    name: str,
    namespace: Any,
    *,
    watched: str = NAMESPACE,
    runbooks: str = RUNBOOKS,
    labels: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT,
) -> Json:
    """The PrometheusRule; `labels` are those by which an existing Prometheus selects rules.

    `watched` is the namespace whose series are meant: its name, where `namespace` is yet to be made.
    """
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
        "spec": {"groups": alert_groups(runbooks, namespace=watched, limits=limits)},
    }


def _groups(runbooks: str, site: Site, limits: Limits) -> list[Json]:
    found: list[Group] = [
        *database.groups(limits),
        requests.group(limits),
        *objectives.groups(limits),
        runs.group(limits),
        processes.group(site),
    ]
    if site.in_kubernetes:
        found += cluster.groups(limits)
    folder = runbooks.rstrip("/")
    return [
        {
            "name": group.name,
            "interval": group.interval,
            "rules": [_written(rule, site, folder) for rule in group.rules],
        }
        for group in found
    ]


def _written(rule: Alert | Record, site: Site, runbooks: str) -> Json:
    if isinstance(rule, Record):
        return {"record": rule.name, "expr": site.query(rule.expr)}
    return {
        "alert": rule.name,
        "expr": site.query(rule.expr),
        "for": rule.lasting,
        "labels": {"severity": rule.severity.value},
        "annotations": {
            "summary": site.told(rule.summary),
            "description": rule.description,
            "runbook_url": f"{runbooks}/{rule.page}",
        },
    }
