"""What watches the pods, and what registers them: objects of operators that are declared present."""

from typing import TYPE_CHECKING, Any

from pulumi_kubernetes import core

from langgraph_components.alert_limits import limits_of
from langgraph_components.pure import alerts, dashboards, labels
from langgraph_components.pure.budget import API_PORT, METRICS_PORT
from langgraph_components.workload.configuration import custom
from langgraph_components.workload.parts import WorkloadBalancer, WorkloadMonitoring
from langgraph_components.workload.scope import Scope

if TYPE_CHECKING:
    from langgraph_components.agent_workload import AgentWorkloadArgs

METRICS_SERVICE = "agent-server-metrics"


def declare(scope: Scope, args: "AgentWorkloadArgs") -> None:
    """Monitor, rules and dashboards where Prometheus is; the target group's binding where a balancer is."""
    if args.monitoring is not None:
        _metrics_service(scope)
        _monitoring(scope, args.namespace, args.monitoring)
    if args.balancer is not None and args.balancer.target_group_arn is not None:
        _binding(scope, args.balancer)


def _metrics_service(scope: Scope) -> None:
    """Headless: Prometheus asks each pod of API and workers, those that start or drain too."""
    spec = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": {labels.NAME: labels.APPLICATION, labels.SCRAPED: "true"},
        "ports": [{"name": "metrics", "port": METRICS_PORT, "targetPort": "metrics", "protocol": "TCP"}],
    }
    metadata = scope.metadata(METRICS_SERVICE, more={labels.SCRAPED: "true"})
    metadata["annotations"] = {"pulumi.com/skipAwait": "true"}
    scope.declare(core.v1.Service, "metrics", metadata, spec=spec)


def _monitoring(scope: Scope, namespace: str, given: WorkloadMonitoring) -> None:
    chosen = {**scope.labels, **given.labels}
    runbooks, limits = given.runbooks_url or alerts.RUNBOOKS, limits_of(given.alerts)
    custom(scope, "monitor", _service_monitor(scope, given, chosen))
    rule = alerts.prometheus_rule(
        labels.APPLICATION,
        scope.namespace,
        watched=namespace,
        runbooks=runbooks,
        labels=chosen,
        limits=limits,
    )
    custom(scope, "rules", rule)
    if given.dashboards:
        site = dashboards.Site(runbooks)
        found = dashboards.config_map("agent-server-dashboards", scope.namespace, scope.labels, site, limits)
        scope.declare(core.v1.ConfigMap, "dashboards", found["metadata"], data=found["data"])


_RELABELINGS = [{"action": "labeldrop", "regex": "endpoint"}]
"""The operator gives a target its port's name as `endpoint` (prometheus-operator, pkg/prometheus/promcfg.go).
Prometheus would rename our label of that name to `exported_endpoint`: no rule or panel would find it."""


def _service_monitor(scope: Scope, given: WorkloadMonitoring, chosen: dict[str, str]) -> dict[str, Any]:
    metadata = scope.metadata(labels.APPLICATION)
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {**metadata, "labels": chosen},
        "spec": {
            "jobLabel": labels.NAME,
            "podTargetLabels": [labels.COMPONENT],
            "selector": {"matchLabels": {labels.NAME: labels.APPLICATION, labels.SCRAPED: "true"}},
            "endpoints": [
                {
                    "port": "metrics",
                    "path": "/metrics",
                    "interval": given.interval,
                    "relabelings": _RELABELINGS,
                }
            ],
        },
    }


_FIXED = ["spec.targetGroupARN", "spec.targetType"]
"""What the controller's webhook lets nobody change; nor does it let two bindings have one target group."""


def _binding(scope: Scope, given: WorkloadBalancer) -> None:
    """Registers the API's pods in the target group; a pod that leaves is taken out before it stops."""
    spec: dict[str, Any] = {
        "serviceRef": {"name": labels.APPLICATION, "port": API_PORT},
        "targetGroupARN": given.target_group_arn,
        "targetType": "ip",
    }
    if given.security_group_id is not None:
        group = {"securityGroup": {"groupID": given.security_group_id}}
        ports = [{"protocol": "TCP", "port": API_PORT}]
        spec["networking"] = {"ingress": [{"from": [group], "ports": ports}]}
    custom(
        scope,
        "binding",
        {
            "apiVersion": "elbv2.k8s.aws/v1beta1",
            "kind": "TargetGroupBinding",
            "metadata": scope.metadata(labels.APPLICATION, labels.Part.API),
            "spec": spec,
        },
        scope.opts(replace_on_changes=_FIXED, delete_before_replace=True),
    )
