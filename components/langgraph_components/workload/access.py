"""Who may talk to whom."""

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes import networking

from langgraph_components.pure import network_policies as rules
from langgraph_components.pure.budget import API_PORT
from langgraph_components.pure.network_policies import Far
from langgraph_components.workload.parts import WorkloadPeer
from langgraph_components.workload.scope import Scope

if TYPE_CHECKING:
    from langgraph_components.agent_workload import AgentWorkloadArgs


def declare(scope: Scope, args: "AgentWorkloadArgs") -> list[pulumi.Resource]:
    """The policies: pods wait for them, so that none is ever open."""
    return [
        scope.declare(networking.v1.NetworkPolicy, f"policy-{name}", scope.metadata(name), spec=spec)
        for name, spec in rules.workload(_flows(args)).items()
    ]


def _flows(args: "AgentWorkloadArgs") -> rules.Flows:
    database, redis = args.database, args.redis
    return rules.Flows(
        database=Far(_peers(database.cidrs, database.namespace), database.port),
        redis=Far(_peers(redis.cidrs, redis.namespace), redis.port) if redis else None,
        dns_cidrs=args.dns_cidrs,
        pod_identity=args.pod_identity,
        providers=args.provider_egress,
        egress=_egress(args),
        callers=_callers(args),
        scraper=rules.pods(args.monitoring.namespace, args.monitoring.pod_labels)
        if args.monitoring
        else None,
    )


def _egress(args: "AgentWorkloadArgs") -> dict[str, Far]:
    named = {
        "collector": args.collector,
        "interface-endpoints": args.interface_endpoints,
        "egress-proxy": args.egress_proxy,
    }
    return {name: _far(peer, peer.port) for name, peer in named.items() if peer is not None}


def _callers(args: "AgentWorkloadArgs") -> dict[str, Far]:
    """Who calls the API."""
    found = {name: _far(peer, API_PORT) for name, peer in args.callers.items()}
    if args.balancer is not None:
        found["balancer"] = Far(_peers(args.balancer.cidrs, None), API_PORT)
    return found


def _far(peer: WorkloadPeer, port: Any) -> Far:
    return Far(_peers(peer.cidrs, peer.namespace, peer.pod_labels), port)


def _peers(cidrs: Any, namespace: Any, pod_labels: dict[str, str] | None = None) -> Any:
    """Peers by address or by namespace; a list of networks may be one that another resource will have."""
    if namespace is not None:
        return rules.pods(namespace, pod_labels)
    if isinstance(cidrs, list):
        return rules.networks(cidrs)  # pyright: ignore[reportUnknownArgumentType]  # validated as list of strings
    return pulumi.Output.from_input(cidrs).apply(rules.networks)
