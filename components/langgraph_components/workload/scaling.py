"""How many pods of the API there are, and how many an eviction leaves."""

from typing import TYPE_CHECKING

import pulumi
from pulumi_kubernetes import autoscaling as hpa
from pulumi_kubernetes import policy

from langgraph_components.ordering import after
from langgraph_components.pure import autoscaling, labels
from langgraph_components.pure.labels import Part
from langgraph_components.workload.scope import Scope

if TYPE_CHECKING:
    from langgraph_components.agent_workload import AgentWorkloadArgs


def declare(scope: Scope, args: "AgentWorkloadArgs", deployment: pulumi.Output[str]) -> pulumi.Output[str]:
    """The name of the API's autoscaler; with three pods or more there is a disruption budget too."""
    name = labels.APPLICATION
    spec = autoscaling.autoscaler(
        deployment,
        min_replicas=args.api.min_replicas,
        max_replicas=args.api.max_replicas,
        cpu_percent=args.api.cpu_percent,
        memory_percent=args.api.memory_percent,
    )
    metadata = scope.metadata(name, Part.API)
    made = scope.declare(hpa.v2.HorizontalPodAutoscaler, "autoscaler", metadata, spec=spec)
    if (kept := autoscaling.min_available(args.api.min_replicas)) is not None:
        guard = autoscaling.disruption_budget(labels.selector(Part.API), kept)
        scope.declare(policy.v1.PodDisruptionBudget, "budget", metadata, spec=guard)
    return after(name, made)
