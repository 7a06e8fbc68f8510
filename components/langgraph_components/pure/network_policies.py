"""Who may talk to whom: everything is refused, then exactly what the parts need is allowed.

Written for every engine, and with care for one, the agent of the Amazon VPC CNI. It merges rules of the same
CIDR, exceptions included (aws-network-policy-agent#326), so no two rules of a pod share `0.0.0.0/0`, and DNS
is allowed by a selector. In a cluster of IPv4 it skips networks of IPv6 but not their exceptions, and then it
updates nothing of the pod any more (#631), so no network of IPv6 has one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langgraph_components.pure import labels
from langgraph_components.pure.budget import METRICS_PORT
from langgraph_components.pure.labels import Part

Json = dict[str, Any]

PRIVATE_V4 = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
)
"""Not the internet: private networks, carriers' (which EKS uses for pods), loopback and link-local (IMDS)."""

PUBLIC_V6 = ("2000::/3", "64:ff9b::/96")
"""The internet in IPv6, told by what it is: global addresses, and those of IPv4 behind a NAT64.

Without exceptions: loopback, private and link-local ones (`fd00:ec2::254`, the IMDS) are in neither.
"""

POD_IDENTITY = ("169.254.170.23/32", "fd00:ec2::23/128")
"""The EKS Pod Identity agent of the node, port 80."""

DNS_PODS = {"k8s-app": "kube-dns"}
"""CoreDNS wears this label everywhere: EKS, kind, k3d and minikube."""


@dataclass(frozen=True)
class Far:
    """One side of a flow that is not ours: its peers and its port."""

    peers: Any
    """A list of NetworkPolicy peers, or something that will be one."""
    port: Any
    protocol: str = "TCP"

    def rule(self, direction: str) -> Json:
        """`direction` is `to` or `from`."""
        return {direction: self.peers, "ports": [{"port": self.port, "protocol": self.protocol}]}


@dataclass(frozen=True)
class Flows:
    """What the workload is allowed beyond names; None is refused."""

    database: Far
    redis: Far | None = None
    dns_cidrs: Sequence[str] = ()
    """Resolvers that are no pods: a cache on the node, or EKS Auto Mode's."""
    pod_identity: bool = False
    providers: bool = True
    """HTTPS to the internet, and nowhere else."""
    egress: Mapping[str, Far] = field(default_factory=dict[str, Far])
    """Further peers of the API and the workers, by name."""
    sweeps_afar: bool = False
    """Whether the sweeps reach what the API and the workers do: they delete in the bucket of attachments."""
    callers: Mapping[str, Far] = field(default_factory=dict[str, Far])
    """Who may call the API, by name; the port is ours."""
    scraper: Any = None
    """Peers that may read the metrics."""


def networks(cidrs: Sequence[Any]) -> list[Json]:
    """Peers by address."""
    return [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]


def pods(namespace: Any, match: Mapping[str, str] | None = None) -> list[Json]:
    """The pods of a namespace, all or those with these labels, as the one peer."""
    peer: Json = {"namespaceSelector": {"matchLabels": {labels.NAMESPACE_NAME: namespace}}}
    if match:
        peer["podSelector"] = {"matchLabels": dict(match)}
    return [peer]


def internet() -> list[Json]:
    """Every public address."""
    return [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(PRIVATE_V4)}},
        *networks(PUBLIC_V6),
    ]


def default_deny() -> Json:
    """Spec: no pod of the namespace sends or receives anything that another policy does not allow."""
    return {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def into(parts: Sequence[str], rules: Sequence[Json]) -> Json:
    """Spec: what these parts may receive."""
    return {"podSelector": _parts(parts), "policyTypes": ["Ingress"], "ingress": list(rules)}


def out_of(parts: Sequence[str], rules: Sequence[Json]) -> Json:
    """Spec: what these parts may reach."""
    return {"podSelector": _parts(parts), "policyTypes": ["Egress"], "egress": list(rules)}


def only_from(match: Mapping[str, str], callers: Sequence[Json], port: int) -> Json:
    """Spec of a store in the cluster: these callers on this port, and the store itself reaches nothing."""
    rule = {"from": list(callers), "ports": [{"port": port, "protocol": "TCP"}]}
    return {
        "podSelector": {"matchLabels": dict(match)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [rule],
        "egress": [],
    }


def _parts(parts: Sequence[str]) -> Json:
    ours = {labels.NAME: labels.APPLICATION}
    if set(parts) == set(Part):
        return {"matchLabels": ours}
    if len(parts) == 1:
        return {"matchLabels": {**ours, labels.COMPONENT: parts[0]}}
    within = {"key": labels.COMPONENT, "operator": "In", "values": list(parts)}
    return {"matchLabels": ours, "matchExpressions": [within]}


ALL = tuple(Part)
RUNNERS = (Part.API, Part.WORKER)
"""They execute graphs: only they need models, Redis and further peers."""
WITH_IDENTITY = (Part.API, Part.WORKER, Part.RETENTION)


def workload(flows: Flows) -> dict[str, Json]:
    """Specs by name: default deny both ways, then exactly what is needed."""
    found = {
        "default-deny": default_deny(),
        "agent-server-dns": out_of(ALL, [_dns(flows.dns_cidrs)]),
        "agent-server-database": out_of(ALL, [flows.database.rule("to")]),
    }
    if flows.redis is not None:
        found["agent-server-redis"] = out_of(RUNNERS, [flows.redis.rule("to")])
    if flows.pod_identity:
        found["agent-server-pod-identity"] = out_of(
            WITH_IDENTITY, [Far(networks(POD_IDENTITY), 80).rule("to")]
        )
    afar = WITH_IDENTITY if flows.sweeps_afar else RUNNERS
    if flows.providers:
        found["agent-server-providers"] = out_of(afar, [Far(internet(), 443).rule("to")])
    for name, far in flows.egress.items():
        found[f"agent-server-to-{name}"] = out_of(afar, [far.rule("to")])
    for name, far in flows.callers.items():
        found[f"agent-server-from-{name}"] = into([Part.API], [far.rule("from")])
    if flows.scraper is not None:
        found["agent-server-metrics"] = into(RUNNERS, [Far(flows.scraper, METRICS_PORT).rule("from")])
    return found


def _dns(cidrs: Sequence[str]) -> Json:
    ports = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    return {"to": pods("kube-system", DNS_PODS) + networks(cidrs), "ports": ports}
