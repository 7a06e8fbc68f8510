"""How many pods there are: the autoscaler's rules, the rollout's and the disruption budget."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_KEPT = 2


def autoscaler(
    target: Any, *, min_replicas: int, max_replicas: int, cpu_percent: int, memory_percent: int | None
) -> Json:
    """Spec of a Deployment's autoscaler by CPU, and by memory if that is given; percents of the request."""
    metrics = [_utilization("cpu", cpu_percent)]
    if memory_percent is not None:
        metrics.append(_utilization("memory", memory_percent))
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
        "minReplicas": min_replicas,
        "maxReplicas": max_replicas,
        "metrics": metrics,
        "behavior": behavior(),
    }


def behavior() -> Json:
    """Up: the larger of 100 % and 4 pods a minute, after 60 s; down: 25 % a minute, after 300 s."""
    return {
        "scaleUp": {
            "stabilizationWindowSeconds": 60,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Percent", "value": 100, "periodSeconds": 60},
                {"type": "Pods", "value": 4, "periodSeconds": 60},
            ],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": 300,
            "selectPolicy": "Max",
            "policies": [{"type": "Percent", "value": 25, "periodSeconds": 60}],
        },
    }


def _utilization(resource: str, percent: int) -> Json:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": resource, "target": target}}


def min_available(min_replicas: int) -> int | None:
    """Pods that an eviction leaves: two of three or more; None is no budget, so that nodes can be drained."""
    return _KEPT if min_replicas > _KEPT else None


def disruption_budget(match: Mapping[str, str], kept: int) -> Json:
    """Spec of a budget that evictions respect; pods that are not Ready can always be evicted."""
    return {
        "minAvailable": kept,
        "selector": {"matchLabels": dict(match)},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }


def rolling() -> Json:
    """A new pod is Ready before an old one goes."""
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def rollout_seconds(pods: int) -> int:
    """How long Pulumi waits until so many pods were replaced one by one: 30 s each, 10 minutes at least."""
    return max(600, 30 * pods)


def deployment(
    template: Json, match: Mapping[str, str], *, strategy: Json, replicas: int | None = None
) -> Json:
    """Spec of a Deployment; without `replicas` where an autoscaler owns their number."""
    return {
        **({} if replicas is None else {"replicas": replicas}),
        "selector": {"matchLabels": dict(match)},
        "strategy": strategy,
        "minReadySeconds": 5,
        "progressDeadlineSeconds": 600,
        "revisionHistoryLimit": 5,
        "template": template,
    }
