"""The third-party charts: where each comes from, which version, and how all of them are installed.

Everything of ours is a plain resource; a chart is for somebody else's operator, with its hooks and webhooks.
To renew a pin: read the chart's `values.yaml` at the new version, change the number here, run the tests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import pulumi
from pulumi_kubernetes.helm import v3 as helm
from pydantic import Field

from langgraph_components.args import Args

RELEASES_KEPT = 5
"""Revisions that `helm history` shows and `helm rollback` can return to; each is a Secret in the cluster."""

INSTALL_SECONDS = 600
"""Time for an operator's pods to become ready, images pulled; then helm undoes what it did (`atomic`)."""


@dataclass(frozen=True)
class Chart:
    """A chart of one version: equal pins install equal objects."""

    name: str
    version: str
    repository: str
    source: str
    """Where this version was seen."""

    def location(self, mirror: Optional[str] = None) -> tuple[str, Optional[str]]:
        """Chart and repository as helm takes them; from an OCI mirror the chart is a whole address.

        `oci://registry.example/charts` → (`oci://registry.example/charts/NAME`, None).
        """
        if mirror is None:
            return self.name, self.repository
        if mirror.startswith("oci://"):
            return f"{mirror.rstrip('/')}/{self.name}", None
        return self.name, mirror


# Newer versions are known (external-secrets 2.10.0, kube-prometheus-stack 91.5.0, prometheus-operator-crds
# 32.0.0): pinned are the newest whose values and templates were read and rendered with our values.
EXTERNAL_SECRETS = Chart(
    "external-secrets",
    "2.9.0",
    "https://charts.external-secrets.io",
    "github.com/external-secrets/external-secrets, tag helm-chart-2.9.0: deploy/charts/external-secrets",
)
PROMETHEUS_STACK = Chart(
    "kube-prometheus-stack",
    "88.5.3",
    "https://prometheus-community.github.io/helm-charts",
    "github.com/prometheus-community/helm-charts, cf408a2: charts/kube-prometheus-stack",
)
PROMETHEUS_CRDS = Chart(
    "prometheus-operator-crds",
    "31.0.1",
    "https://prometheus-community.github.io/helm-charts",
    "github.com/prometheus-community/helm-charts, cf408a2: charts/prometheus-operator-crds",
)
LOAD_BALANCER_CONTROLLER = Chart(
    "aws-load-balancer-controller",
    "3.5.0",
    "https://aws.github.io/eks-charts",
    "github.com/aws/eks-charts, 5239609: stable/aws-load-balancer-controller",
)
CLUSTER_AUTOSCALER = Chart(
    "cluster-autoscaler",
    "9.59.0",
    "https://kubernetes.github.io/autoscaler",
    "github.com/kubernetes/autoscaler, tag cluster-autoscaler-chart-9.59.0: "
    "cluster-autoscaler/charts/cluster-autoscaler",
)

CHARTS = (
    EXTERNAL_SECRETS,
    PROMETHEUS_STACK,
    PROMETHEUS_CRDS,
    LOAD_BALANCER_CONTROLLER,
    CLUSTER_AUTOSCALER,
)


class ChartMirrors(Args):
    """Where charts and their images come from in a network without internet."""

    chart_mirror: Optional[str] = Field(default=None, pattern=r"^(oci|https)://[^/\s]+")
    """Copy of the charts, `oci://registry/path` or `https://host/path`. None: their authors' repositories."""

    registry_mirror: Optional[str] = Field(default=None, pattern=r"^[\w.-]+(:\d+)?(/[\w./-]+)?$")
    """Registry, no scheme, that has the charts' images under their usual paths. None: the public ones."""


def mirrored(image: str, registry_mirror: Optional[str]) -> str:
    """An image's repository at the mirror: `ghcr.io/a/b` → `MIRROR/a/b`."""
    if registry_mirror is None:
        return image
    return f"{registry_mirror.rstrip('/')}/{image.partition('/')[2]}"


def install(  # noqa: PLR0913  # what a release is made of
    logical_name: str,
    chart: Chart,
    values: Mapping[str, Any],
    *,
    args: ChartMirrors,
    namespace: pulumi.Input[str],
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource] = (),
    release: Optional[str] = None,
) -> helm.Release:
    """One release: all of it or nothing, awaited, never with a secret in its values."""
    location, repository = chart.location(args.chart_mirror)
    return helm.Release(
        logical_name,
        name=release or chart.name,
        chart=location,
        version=chart.version,
        repository_opts=helm.RepositoryOptsArgs(repo=repository) if repository else None,
        namespace=namespace,
        create_namespace=False,
        values=dict(values),
        atomic=True,
        cleanup_on_fail=True,
        skip_await=False,
        timeout=INSTALL_SECONDS,
        max_history=RELEASES_KEPT,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(depends_on)),
    )
