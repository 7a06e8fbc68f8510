"""Prometheus, Alertmanager and Grafana; or those that the cluster has already."""

from typing import Any, Optional, Self

import pulumi
from pulumi_kubernetes import core, rbac
from pydantic import Field, model_validator

from langgraph_components import charts
from langgraph_components.alert_limits import AlertLimits
from langgraph_components.args import Args, Defaulted, In
from langgraph_components.custom_objects import custom_object
from langgraph_components.passwords import password
from langgraph_components.pure import labels, monitoring, stores
from langgraph_components.pure.monitoring import ReceiverKind

_KEY = "value"


class AlertReceiver(Args):
    """Somebody who is told of alerts; address or key is a secret, in the cluster or in the store."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    """Name of the receiver. Required."""

    kind: ReceiverKind
    """`slack`, `pagerduty` or `webhook`. Required."""

    channel: Optional[str] = None
    """Slack's channel, such as `#alerts`. Required for `slack`."""

    severities: Defaulted[list[str]] = Field(default=["critical", "warning"], min_length=1)
    """Which alerts. Critical and warning: the rest is for reading, not for telling."""

    secret_name: Optional[str] = None
    """Secret in the monitoring's namespace whose key `value` holds it. None: `remote` says where it is."""

    remote: Optional[In[str]] = None
    """Key in the secret store. None: `secret_name` is there."""

    property: Optional[str] = None
    """Field of a secret that is JSON. None: the whole secret is the address or key."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.secret_name is None) == (self.remote is None):
            message = "needs either secret_name or remote"
            raise ValueError(message)
        if self.kind == ReceiverKind.SLACK and not self.channel:
            message = "slack needs a channel"
            raise ValueError(message)
        return self


class ExistingMonitoring(Args):
    """A Prometheus operator that is in the cluster already."""

    namespace: str
    """Namespace of Prometheus. Required: only its pods may read our metrics."""

    service_monitor_labels: Defaulted[dict[str, str]] = Field(default={})
    """Labels by which it selects monitors and rules. Empty: it takes all."""

    prometheus_pod_labels: Defaulted[dict[str, str]] = Field(default=dict(monitoring.PROMETHEUS_PODS))
    """Labels of its pods. `app.kubernetes.io/name: prometheus`: what the operator gives them."""


class ObservabilitySettings(Args):
    """How much is kept, and who is told."""

    existing: Optional[ExistingMonitoring] = None
    """The monitoring that is there. None: it is installed."""

    namespace: Defaulted[str] = "monitoring"
    """Namespace of all of it; made. `monitoring`: where people look."""

    retention_days: Defaulted[int] = Field(default=15, ge=1, le=365)
    """Days (1 to 365) that metrics are kept. 15: two weeks to compare with."""

    storage_gib: Defaulted[int] = Field(default=50, ge=5, le=4000)
    """GiB (5 to 4000) of each Prometheus' volume; full, the oldest metrics go. 50: a mid-sized cluster."""

    storage_class: Optional[str] = None
    """StorageClass of the volumes. None: the cluster's default one, which it then must have."""

    replicas: Defaulted[int] = Field(default=2, ge=1, le=3)
    """Prometheus and Alertmanager pods (1 to 3) each. 2: alerts survive the loss of a node."""

    receivers: Defaulted[list[AlertReceiver]] = Field(default=[])
    """Who is told of alerts. Empty: nobody, they are only shown."""

    grafana_admin_remote: Optional[In[str]] = None
    """Secret in the store, JSON with `username` and `password`, of Grafana's admin. None: one is made."""

    node_exporter: Defaulted[bool] = True
    """Whether nodes are measured. On: disks fill. Its namespace is then `privileged`, else `baseline`."""

    runbooks_url: Optional[str] = Field(default=None, pattern=r"^https?://[^\s/]+")
    """Address of the folder of `docs/howto`, such as `https://git.example/platform/blob/main/docs/howto`:
    each alert links to its page there. None: alerts name the page by its path in this repository."""

    alerts: Optional[AlertLimits] = None
    """From which values on the workload's alerts fire. None: the defaults."""

    def stored(self) -> list[In[str]]:
        """Keys in the secret store that are used here: none, if it is there already."""
        if self.existing is not None:
            return []
        found = [receiver.remote for receiver in self.receivers] + [self.grafana_admin_remote]
        return [key for key in found if key is not None]


class ObservabilityArgs(ObservabilitySettings, charts.ChartMirrors):
    """How much is kept, who is told, and where their secrets are."""

    store_name: Optional[In[str]] = None
    """ClusterSecretStore that serves the namespace. Required where something is `remote`."""

    secrets_operator_namespace: Optional[In[str]] = None
    """Namespace of an External Secrets operator to be watched, installed by its chart with
    `metrics.service.enabled`. None: none, or it is watched already."""

    @model_validator(mode="after")
    def _remote_has_a_store(self) -> Self:
        remote = [receiver.name for receiver in self.receivers if receiver.remote is not None]
        remote += ["grafana_admin_remote"] if self.grafana_admin_remote is not None else []
        if remote and self.store_name is None:
            message = f"store_name: is required, where {', '.join(remote)} is"
            raise ValueError(message)
        return self


class Observability(pulumi.ComponentResource):
    """Metrics of the whole cluster, rules and monitors of every namespace, dashboards by label.

    `prometheus_pod_labels` (for NetworkPolicies) and `service_monitor_labels` are plain dictionaries.
    """

    namespace: pulumi.Output[str]
    """Namespace of Prometheus."""

    def __init__(
        self, name: str, args: ObservabilityArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare the namespace, its secrets, the definitions and the stack; nothing if there is one."""
        super().__init__("langgraph:index:Observability", name, {}, opts)
        settings = ObservabilityArgs.of(args)
        self.prometheus_pod_labels = dict(monitoring.PROMETHEUS_PODS)
        self.service_monitor_labels: dict[str, str] = {}
        namespace = settings.namespace
        if settings.existing is not None:
            namespace = settings.existing.namespace
            self.prometheus_pod_labels = dict(settings.existing.prometheus_pod_labels)
            self.service_monitor_labels = dict(settings.existing.service_monitor_labels)
            self._watch_secrets(name, settings, [])
        else:
            self._watch_secrets(name, settings, [self._install(name, settings)])
        self.namespace = pulumi.Output.from_input(namespace)
        self.register_outputs({"namespace": self.namespace})

    def _watch_secrets(self, name: str, args: ObservabilityArgs, reader: list[pulumi.Resource]) -> None:
        """Let Prometheus read which secrets are not renewed, where there is an operator."""
        if args.secrets_operator_namespace is None:
            return
        monitor = monitoring.secrets_monitor(args.secrets_operator_namespace, self.service_monitor_labels)
        opts = pulumi.ResourceOptions(parent=self, depends_on=reader)
        custom_object(f"{name}-secrets-operator", monitor, opts)

    def _install(self, name: str, args: ObservabilityArgs) -> pulumi.Resource:
        """Declare all of it; return what reads monitors, after what defines them."""
        opts = pulumi.ResourceOptions(parent=self)
        namespace = core.v1.Namespace(
            f"{name}-namespace",
            metadata={"name": args.namespace, "labels": _namespace_labels(args)},
            opts=opts,
        )
        inside = pulumi.ResourceOptions(parent=self, depends_on=[namespace])
        reader = rbac.v1.ClusterRole(
            f"{name}-dashboards",
            metadata={"name": monitoring.DASHBOARD_READER, "labels": labels.common(monitoring.RELEASE)},
            rules=[rbac.v1.PolicyRuleArgs(**_snake(rule)) for rule in monitoring.dashboard_rules()],
            opts=opts,
        )
        secrets = [*self._receiver_secrets(name, args, inside), self._grafana_admin(name, args, inside)]
        definitions = charts.install(
            f"{name}-crds",
            charts.PROMETHEUS_CRDS,
            {},
            args=args,
            namespace=args.namespace,
            parent=self,
            depends_on=[namespace],
        )
        return charts.install(
            f"{name}-stack",
            charts.PROMETHEUS_STACK,
            stack_values(args),
            args=args,
            namespace=args.namespace,
            parent=self,
            depends_on=[definitions, reader, *secrets],
        )

    def _receiver_secrets(
        self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions
    ) -> list[pulumi.Resource]:
        found: list[pulumi.Resource] = []
        for receiver in args.receivers:
            if receiver.remote is None:
                continue
            entry = {_KEY: {"remote": receiver.remote, "property": receiver.property}}
            wanted = stores.external_secret(_secret_of(receiver), args.namespace, args.store_name, entry)
            found.append(custom_object(f"{name}-{receiver.name}", wanted, opts))
        return found

    def _grafana_admin(
        self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions
    ) -> pulumi.Resource:
        """The Secret of Grafana's admin, from the store or made here; the chart only gets its name."""
        if args.grafana_admin_remote is not None:
            entries = {
                "admin-user": {"remote": args.grafana_admin_remote, "property": "username"},
                "admin-password": {"remote": args.grafana_admin_remote, "property": "password"},
            }
            wanted = stores.external_secret(
                monitoring.GRAFANA_ADMIN, args.namespace, args.store_name, entries
            )
            return custom_object(f"{name}-grafana-admin", wanted, opts)
        made = password(f"{name}-grafana-password", parent=self)
        return core.v1.Secret(
            f"{name}-grafana-admin",
            metadata={
                "name": monitoring.GRAFANA_ADMIN,
                "namespace": args.namespace,
                "labels": labels.common(monitoring.RELEASE),
            },
            string_data={"admin-user": "admin", "admin-password": made},
            opts=opts,
        )


def stack_values(args: ObservabilityArgs) -> dict[str, Any]:
    """The stack's chart values; they name secrets and hold none."""
    receivers = [
        monitoring.Receiver(
            name=receiver.name,
            kind=receiver.kind,
            secret=_secret_of(receiver),
            key=_KEY,
            severities=tuple(receiver.severities),
            channel=receiver.channel,
        )
        for receiver in args.receivers
    ]
    sizes = monitoring.Sizes(args.retention_days, args.storage_gib, args.replicas, args.storage_class)
    return monitoring.stack_values(
        sizes, receivers, node_exporter=args.node_exporter, registry_mirror=args.registry_mirror
    )


def _secret_of(receiver: AlertReceiver) -> str:
    return receiver.secret_name or f"alertmanager-{receiver.name}"


def _namespace_labels(args: ObservabilityArgs) -> dict[str, str]:
    level = "privileged" if args.node_exporter else "baseline"
    return labels.common("monitoring") | {
        key: level if value == "restricted" else value for key, value in labels.restricted_namespace().items()
    }


def _snake(rule: dict[str, Any]) -> dict[str, Any]:
    return {"api_groups": rule["apiGroups"], "resources": rule["resources"], "verbs": rule["verbs"]}
