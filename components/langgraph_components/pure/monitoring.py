"""What the monitoring chart is told: its values, and Alertmanager's routes, which name secrets by file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from langgraph_components.pure import labels

Json = dict[str, Any]

RELEASE = "kube-prometheus-stack"
PROMETHEUS_PODS = {"app.kubernetes.io/name": "prometheus"}
"""Labels of the pods that read metrics, for NetworkPolicies."""

GRAFANA_ADMIN = "grafana-admin"
"""Secret of the first login: keys `admin-user` and `admin-password`."""

DASHBOARD_READER = "grafana-dashboards"
"""ClusterRole of Grafana's sidecar."""

_SECRETS = "/etc/alertmanager/secrets"
_STORAGE_SHARE = 0.85
"""Part of the volume that Prometheus fills with blocks; the rest is for its log and for compaction."""

_UNREACHABLE = ("kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy")
"""What EKS runs itself or binds to loopback: watched, their alerts would fire for ever."""

_UNREACHABLE_RULES = (
    "etcd",
    "kubeControllerManager",
    "kubeProxy",
    "kubeSchedulerAlerting",
    "kubeSchedulerRecording",
)


class ReceiverKind(StrEnum):
    """How people are told."""

    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    WEBHOOK = "webhook"


@dataclass(frozen=True)
class Receiver:
    """Somebody who is told of alerts; the address or key is in a file."""

    name: str
    kind: ReceiverKind
    secret: str
    """Kubernetes Secret, in the namespace of the monitoring."""
    key: str
    severities: tuple[str, ...]
    channel: str | None = None

    @property
    def file(self) -> str:
        """Where Alertmanager finds it."""
        return f"{_SECRETS}/{self.secret}/{self.key}"


@dataclass(frozen=True)
class Sizes:
    """How much is kept, and by how many."""

    retention_days: int
    storage_gib: int
    replicas: int
    storage_class: str | None = None


def stack_values(
    sizes: Sizes, receivers: Sequence[Receiver], *, node_exporter: bool, registry_mirror: str | None = None
) -> Json:
    """Values of kube-prometheus-stack."""
    return {
        # they are a release of their own: helm never upgrades those of a chart's `crds/` folder
        "crds": {"enabled": False},
        "global": {"imageRegistry": registry_mirror or ""},
        "defaultRules": {"rules": dict.fromkeys(_UNREACHABLE_RULES, False)},
        **{part: {"enabled": False} for part in _UNREACHABLE},
        "nodeExporter": {"enabled": node_exporter},
        "kube-state-metrics": {
            # to count them it would have to list every Secret of the cluster
            "collectorsExclude": ["secrets"],
            "resources": _requests("10m", "64Mi", "256Mi"),
        },
        "prometheusOperator": {"resources": _requests("50m", "96Mi", "256Mi")},
        "prometheus": _prometheus(sizes),
        "alertmanager": {
            "config": alertmanager_config(receivers),
            "alertmanagerSpec": {
                "replicas": sizes.replicas,
                "secrets": sorted({receiver.secret for receiver in receivers}),
                "storage": _volume(1, sizes.storage_class),
                "resources": _requests("10m", "64Mi", "128Mi"),
            },
        },
        "grafana": _grafana(),
    }


def alertmanager_config(receivers: Sequence[Receiver]) -> Json:
    """Routes by severity; what nobody receives, and the watchdog that always fires, goes nowhere."""
    routes: list[Json] = [{"receiver": "null", "matchers": ['alertname = "Watchdog"']}]
    for receiver in receivers:
        severities = "|".join(receiver.severities)
        routes.append(
            {"receiver": receiver.name, "matchers": [f'severity =~ "{severities}"'], "continue": True}
        )
    return {
        "global": {"resolve_timeout": "5m"},
        "inhibit_rules": [
            {
                "source_matchers": ['severity = "critical"'],
                "target_matchers": ['severity =~ "warning|info"'],
                "equal": ["namespace", "alertname"],
            }
        ],
        "route": {
            "receiver": "null",
            "group_by": ["namespace", "alertname"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": routes,
        },
        "receivers": [{"name": "null"}, *(_receiver(receiver) for receiver in receivers)],
    }


def dashboard_rules() -> list[Json]:
    """What Grafana's sidecar may read. The chart's own role also lets it read every Secret of the cluster."""
    return [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]}]


def secrets_monitor(namespace: Any, chosen: Mapping[str, str]) -> Json:
    """The ServiceMonitor of the External Secrets operator; its chart names port and Service so.

    Its series name the namespace of a secret, and not the operator's: `honorLabels`.
    """
    name = "external-secrets"
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": name, "namespace": namespace, "labels": {**labels.common(name), **chosen}},
        "spec": {
            "selector": {"matchLabels": {labels.NAME: name}},
            "endpoints": [{"port": "metrics", "interval": "30s", "honorLabels": True}],
        },
    }


def _receiver(receiver: Receiver) -> Json:
    told: Mapping[ReceiverKind, Json] = {
        ReceiverKind.SLACK: {
            "slack_configs": [
                {"api_url_file": receiver.file, "channel": receiver.channel, "send_resolved": True}
            ]
        },
        ReceiverKind.PAGERDUTY: {
            "pagerduty_configs": [{"routing_key_file": receiver.file, "send_resolved": True}]
        },
        ReceiverKind.WEBHOOK: {"webhook_configs": [{"url_file": receiver.file, "send_resolved": True}]},
    }
    return {"name": receiver.name, **told[receiver.kind]}


def _prometheus(sizes: Sizes) -> Json:
    kinds = ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig")
    return {
        "prometheusSpec": {
            # true would mean: only objects that bear this release's label
            **{f"{kind}SelectorNilUsesHelmValues": False for kind in kinds},
            "replicas": sizes.replicas,
            "retention": f"{sizes.retention_days}d",
            "retentionSize": f"{int(sizes.storage_gib * _STORAGE_SHARE * 1000)}MB",
            "storageSpec": _volume(sizes.storage_gib, sizes.storage_class),
            "resources": _requests("200m", "1Gi", "4Gi"),
        },
        "podDisruptionBudget": {"enabled": sizes.replicas > 1},
    }


def _grafana() -> Json:
    sidecar = {
        "dashboards": {
            "enabled": True,
            "resource": "configmap",
            "label": "grafana_dashboard",
            "labelValue": "1",
            "searchNamespace": "ALL",
        },
        "datasources": {"enabled": True, "resource": "configmap"},
    }
    return {
        "admin": {"existingSecret": GRAFANA_ADMIN, "userKey": "admin-user", "passwordKey": "admin-password"},
        "rbac": {"useExistingClusterRole": DASHBOARD_READER},
        "sidecar": sidecar,
        # it runs as root, to change the owner of a volume that we do not have
        "initChownData": {"enabled": False},
        "testFramework": {"enabled": False},
        "grafana.ini": {"analytics": {"check_for_updates": False, "reporting_enabled": False}},
        "resources": _requests("50m", "256Mi", "512Mi"),
    }


def _volume(gigabytes: int, storage_class: str | None) -> Json:
    spec: Json = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{gigabytes}Gi"}},
    }
    if storage_class:
        spec["storageClassName"] = storage_class
    return {"volumeClaimTemplate": {"spec": spec}}


def _requests(cpu: str, memory: str, limit: str) -> Json:
    """No CPU limit: throttling costs more than it protects."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}}
