"""The Kubernetes cluster-autoscaler on EKS: its build, the node groups it may resize, and its flags."""

ENABLED = "k8s.io/cluster-autoscaler/enabled"

BUILDS = {
    "1.34": "v1.34.5",
    "1.35": "v1.35.2",
    "1.36": "v1.36.1",
}
"""Kubernetes version → the autoscaler's newest release for it, which simulates that version's scheduler.

From the tags `cluster-autoscaler-1.36.1`… of github.com/kubernetes/autoscaler, read 2026-11-23; each release
lists `registry.k8s.io/autoscaling/cluster-autoscaler` with its tag. The chart's own default is v1.35.0 still,
which its users report as gone from the registry (kubernetes/autoscaler#10091).
"""


def tags(cluster_name: str) -> dict[str, str]:
    """The tags by which EKS marks the Auto Scaling group of every managed node group of a cluster.

    EKS User Guide, "Managed node groups": they are "automatically tagged for auto-discovery by the Kubernetes
    cluster autoscaler". A node group of one's own, without EKS, needs the same two tags.
    """
    return {ENABLED: "true", f"k8s.io/cluster-autoscaler/{cluster_name}": "owned"}


def discovery(cluster_name: str) -> list[str]:
    """The same tags as the autoscaler looks for them, values included: what it finds, it may resize."""
    return [f"{key}={value}" for key, value in tags(cluster_name).items()]


def flags(*, idle_minutes: int, busy_percent: int) -> dict[str, bool | str]:
    """What differs from the autoscaler's defaults.

    It leaves a node by evictions, which disruption budgets limit; no flag here or elsewhere turns that off.
    """
    return {
        "balance-similar-node-groups": True,
        "expander": "least-waste",
        # pods of ours have a `/tmp` of their own in an emptyDir: by default they would hold every node
        "skip-nodes-with-local-storage": False,
        "scale-down-unneeded-time": f"{idle_minutes}m",
        "scale-down-utilization-threshold": f"{busy_percent / 100:.2f}",
    }
