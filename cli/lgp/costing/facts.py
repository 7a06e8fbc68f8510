"""What a plan says of the stack as a whole: pods, nodes, how long rows stay, how big PostgreSQL is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langgraph_components.pure.machines import millicores, vcpus
from lgp.planning.recording import Recording, Resource
from lgp.planning.values import revealed

Json = dict[str, Any]
Inputs = Mapping[str, Any]

HPA = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
CHART = "kubernetes:helm.sh/v3:Release"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
INSTANCE = "aws:rds/instance:Instance"

COMPONENT = "app.kubernetes.io/component"
DEFAULTS = {
    "RETENTION_EVENTS_SECONDS": 3600,
    "RETENTION_RUNS_DAYS": 30,
    "RETENTION_CHECKPOINTS_DAYS": 7,
    "RETENTION_THREADS_DAYS": 0,
}
"""Of the contract, where a plan declares no workload."""


@dataclass(frozen=True)
class Pods:
    """The API's pods; at the least, at the most, and the CPU that each may use on average."""

    fewest: int
    most: int
    request_millicores: int
    target: float
    """The share of the request above which the autoscaler adds pods."""

    def needed(self, cores: float) -> int:
        """How many keep below the target; not bounded by `most`."""
        return max(self.fewest, _up(cores * 1000 / (self.request_millicores * self.target)))


@dataclass(frozen=True)
class Nodes:
    """A node group; at the most what the autoscaler may make."""

    fewest: int
    most: int
    instance_types: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Of one stack. None is what it does not declare: it runs on something of yours."""

    region: str
    kept: Mapping[str, int]
    """Retention settings by name."""
    traced: bool
    """Whether runs are sent to LangSmith."""
    pods: Pods | None
    workers: tuple[tuple[int, int], ...]
    """Other pods that are always there: how many, of how many millicores."""
    nodes: Nodes | None
    database_vcpus: int | None


def facts_of(recording: Recording) -> Facts:
    """Read them out of a plan; its secrets are not looked at."""
    settings = _settings(recording)
    database = recording.of_type(INSTANCE)
    return Facts(
        region=str(recording.outputs.get("region") or ""),
        kept={name: int(settings.get(name, default)) for name, default in DEFAULTS.items()},
        traced=settings.get("LANGCHAIN_TRACING_V2") == "true",
        pods=_pods(recording),
        workers=_workers(recording),
        nodes=_nodes(recording),
        database_vcpus=_vcpus(database[0]) if database else None,
    )


def _up(value: float) -> int:
    return -int(-value // 1)


def _settings(recording: Recording) -> Mapping[str, str]:
    for resource in recording.of_type(CONFIG_MAP):
        data: Mapping[str, str] = revealed(resource.inputs).get("data") or {}
        if "RETENTION_RUNS_DAYS" in data:
            return data
    return {}


def _deployments(recording: Recording, component: str) -> list[Json]:
    found = [revealed(resource.inputs) for resource in recording.of_type(DEPLOYMENT)]
    return [each for each in found if each["metadata"].get("labels", {}).get(COMPONENT) == component]


def _request(deployment: Json) -> int:
    """Thousandths of a CPU that a pod asks for."""
    containers: list[Json] = deployment["spec"]["template"]["spec"]["containers"]
    return sum(
        millicores(str(each.get("resources", {}).get("requests", {}).get("cpu", "0"))) for each in containers
    )


def _pods(recording: Recording) -> Pods | None:
    deployments = _deployments(recording, "api")
    if not deployments:
        return None
    request = max(1, _request(deployments[0]))
    for resource in recording.of_type(HPA):
        spec: Json = revealed(resource.inputs)["spec"]
        targets = [each["resource"]["target"].get("averageUtilization") for each in spec["metrics"]]
        return Pods(spec["minReplicas"], spec["maxReplicas"], request, min(targets) / 100)
    replicas = int(deployments[0]["spec"].get("replicas") or 1)
    return Pods(replicas, replicas, request, target=1.0)


def _workers(recording: Recording) -> tuple[tuple[int, int], ...]:
    found = _deployments(recording, "worker")
    return tuple((int(each["spec"].get("replicas") or 1), max(1, _request(each))) for each in found)


def _nodes(recording: Recording) -> Nodes | None:
    groups = [revealed(resource.inputs) for resource in recording.of_type(NODE_GROUP)]
    if not groups:
        return None
    sizes = [group["scalingConfig"] for group in groups]
    grows = any(chart.inputs.get("chart") == "cluster-autoscaler" for chart in recording.of_type(CHART))
    fewest = sum(size["desiredSize" if not grows else "minSize"] for size in sizes)
    most = sum(size["maxSize"] for size in sizes) if grows else fewest
    types = [kind for group in groups for kind in group["instanceTypes"]]
    return Nodes(fewest, most, tuple(types))


def _vcpus(resource: Resource) -> int | None:
    return vcpus(str(resource.inputs.get("instanceClass", "")).removeprefix("db."))
