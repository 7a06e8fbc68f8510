"""The Kubernetes cluster-autoscaler: as many nodes as the pods ask for, within each node group's sizes."""

import json
from typing import Any, Optional, cast

import pulumi
from pulumi_kubernetes import core
from pydantic import Field, field_validator

from langgraph_components import charts
from langgraph_components.args import Args, Defaulted, In
from langgraph_components.pod_role import pod_role
from langgraph_components.pure import eks, labels, node_scaling, operator_policies

_IMAGE = "registry.k8s.io/autoscaling/cluster-autoscaler"
_AUTOSCALER = "cluster-autoscaler"
"""Release and service account; also what the chart's rights call the leader's lease."""

_NOBODY = 65534


class NodeAutoscalerSettings(Args):
    """When nodes go. They come as soon as a pod fits on none."""

    operator_namespace: Defaulted[str] = _AUTOSCALER
    """Namespace of the autoscaler; made, with Pod Security `restricted`. Its own: `kube-system` is EKS's."""

    replicas: Defaulted[int] = Field(default=2, ge=1, le=3)
    """Pods (1 to 3), of which one leads. 2: the node it removes or loses may be its own."""

    idle_minutes: Defaulted[int] = Field(default=10, ge=1, le=1440)
    """Minutes (1 to 1,440) that a node is barely used before it goes. 10: a lull is no reason."""

    busy_percent: Defaulted[int] = Field(default=50, ge=1, le=100)
    """Percent (1 to 100) of CPU or memory that pods request, from which a node is kept. 50: half is free."""


class NodeAutoscalerArgs(NodeAutoscalerSettings, charts.ChartMirrors):
    """When nodes go, and whose they are."""

    account_id: str = Field(pattern=r"^\d{12}$")
    """AWS account, 12 digits. Required: the role trusts pods of this account alone."""

    region: str
    """AWS region of the cluster, such as `eu-west-1`. Required: the autoscaler calls that region's API."""

    cluster_name: In[str]
    """Name of the EKS cluster. Required: its node groups, and no others, are resized."""

    cluster_arn: In[str]
    """ARN of the EKS cluster. Required: the role trusts its pods alone."""

    kubernetes_version: Defaulted[str] = "1.36"
    """Version of the cluster; the autoscaler's has to be the same. 1.36: the one that clusters here have."""

    @field_validator("kubernetes_version")
    @classmethod
    def _known_version(cls, version: str) -> str:
        return eks.supported(version)


class NodeAutoscaler(pulumi.ComponentResource):
    """One autoscaler for all managed node groups of a cluster, with rights to those alone.

    It moves a group between its least and its most nodes. A `desired_size` of the group's would undo that at
    each deployment: leave it out.
    """

    namespace: pulumi.Output[str]
    """Namespace of the autoscaler."""

    def __init__(
        self, name: str, args: NodeAutoscalerArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare namespace, identity and operator, in that order."""
        super().__init__("langgraph:index:NodeAutoscaler", name, {}, opts)
        settings = NodeAutoscalerArgs.of(args)
        namespace = core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": settings.operator_namespace,
                "labels": labels.common(_AUTOSCALER) | labels.restricted_namespace(),
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        charts.install(
            f"{name}-operator",
            charts.CLUSTER_AUTOSCALER,
            autoscaler_values(settings),
            args=settings,
            namespace=settings.operator_namespace,
            parent=self,
            depends_on=[namespace, *self._identity(name, settings)],
        )
        self.namespace = pulumi.Output.from_input(settings.operator_namespace)
        self.register_outputs({"namespace": self.namespace})

    def _identity(self, name: str, args: NodeAutoscalerArgs) -> list[pulumi.Resource]:
        cluster_name = pulumi.Output.from_input(args.cluster_name)
        policy = cluster_name.apply(
            lambda cluster: json.dumps(operator_policies.node_scaler(cluster, args.account_id, args.region))
        )
        _, ready = pod_role(
            name,
            parent=self,
            account_id=args.account_id,
            cluster_name=cluster_name,
            cluster_arn=cast("pulumi.Input[str]", args.cluster_arn),
            namespace=args.operator_namespace,
            service_account=_AUTOSCALER,
            policy=policy,
        )
        return ready


def autoscaler_values(args: NodeAutoscalerArgs) -> dict[str, Any]:
    """The chart's values: EKS node groups by their tags, non-root, and no way in."""
    return {
        "fullnameOverride": _AUTOSCALER,
        "cloudProvider": "aws",
        "awsRegion": args.region,
        "autoDiscovery": {
            "clusterName": args.cluster_name,
            # the chart fills the name in, which may be known only when the cluster is made
            "tags": node_scaling.discovery("{{ .Values.autoDiscovery.clusterName }}"),
        },
        "image": {
            "repository": charts.mirrored(_IMAGE, args.registry_mirror),
            "tag": node_scaling.BUILDS[args.kubernetes_version],
        },
        "extraArgs": node_scaling.flags(idle_minutes=args.idle_minutes, busy_percent=args.busy_percent),
        "replicaCount": args.replicas,
        "rbac": {"create": True, "serviceAccount": {"create": True, "name": _AUTOSCALER}},
        # the cluster's DNS may itself be waiting for a node
        "dnsPolicy": "Default",
        "podDisruptionBudget": {"maxUnavailable": 1},
        "topologySpreadConstraints": [_apart()],
        "service": {"create": False},
        "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "600Mi"}},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "runAsGroup": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containerSecurityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }


def _apart() -> dict[str, Any]:
    """On different nodes while there are several: the last pending pod must not be the autoscaler itself."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app.kubernetes.io/instance": _AUTOSCALER}},
    }
