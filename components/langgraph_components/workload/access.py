"""Who may talk to whom."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pulumi
from pulumi_kubernetes import networking

from langgraph_components.pure import network_policies as rules
from langgraph_components.pure.budget import API_PORT
from langgraph_components.pure.network_policies import Far
from langgraph_components.workload.parts import WorkloadPeer
from langgraph_components.workload.scope import Scope

if TYPE_CHECKING:
    from langgraph_components.agent_workload import AgentWorkloadArgs, WorkloadSettings

HTTPS_PORT = 443


def declare(scope: Scope, args: "AgentWorkloadArgs") -> list[pulumi.Resource]:
    """The policies: pods wait for them, so that none is ever open."""
    return [
        scope.declare(networking.v1.NetworkPolicy, f"policy-{name}", scope.metadata(name), spec=spec)
        for name, spec in rules.workload(_flows(args)).items()
    ]


def unreachable(args: "WorkloadSettings") -> list[str]:
    """Sentences on what is named and what no policy lets a pod reach."""
    endpoint = args.tracing.otlp_endpoint
    if endpoint is None or args.collector is not None:
        return []
    parts = urlsplit(endpoint)
    public = parts.scheme == "https" and (parts.port or HTTPS_PORT) == HTTPS_PORT
    if public and (args.provider_egress or args.egress_proxy is not None):
        return []
    return ["collector: say where tracing.otlp_endpoint is: network policies refuse everything else"]


def _flows(args: "AgentWorkloadArgs") -> rules.Flows:
    database, redis = args.database, args.redis
    return rules.Flows(
        database=Far(_peers(database.cidrs, database.namespace), database.port),
        redis=Far(_peers(redis.cidrs, redis.namespace), redis.port) if redis else None,
        dns_cidrs=args.dns_cidrs,
        pod_identity=args.pod_identity,
        providers=args.provider_egress,
        egress=_egress(args),
        sweeps_afar=bool(args.attachments and args.attachments.bucket),
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
        "issuer": args.oidc.peer if args.oidc else None,
    }
    found = {name: _far(peer, peer.port) for name, peer in named.items() if peer is not None}
    if args.attachments is not None and args.attachments.cidrs:
        found["bucket"] = Far(_peers(args.attachments.cidrs, None), HTTPS_PORT)
    return found


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
