"""NetworkPolicies evaluated without a cluster: as networking.k8s.io/v1 means them, nothing of an engine's.

A pod that no policy of a direction selects is open in that direction; selected ones are open to the union of
what the policies allow. A flow needs the egress of its source and the ingress of its target.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Pod:
    """A pod, by what policies see of it."""

    namespace: str
    labels: Mapping[str, str]
    ip: str = "10.0.64.10"


@dataclass(frozen=True)
class Outside:
    """An address that is no pod's."""

    ip: str


Peer = Pod | Outside


@dataclass
class Network:
    """What a set of policies lets through."""

    policies: list[Document]
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels by namespace, besides the one that Kubernetes sets."""

    def allows(self, source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection from `source` to `port` of `target` is let through."""
        return self._open(source, target, "Egress", port, protocol) and self._open(
            target, source, "Ingress", port, protocol
        )

    def _open(self, pod: Peer, far: Peer, direction: str, port: int, protocol: str) -> bool:
        if isinstance(pod, Outside):
            return True
        selecting = [policy for policy in self.policies if self._selects(policy, pod, direction)]
        rules = [rule for policy in selecting for rule in policy["spec"].get(direction.lower()) or []]
        side = "to" if direction == "Egress" else "from"
        return not selecting or any(
            self._peers(rule.get(side), far, pod.namespace) and _ports(rule.get("ports"), port, protocol)
            for rule in rules
        )

    def _selects(self, policy: Document, pod: Pod, direction: str) -> bool:
        spec = policy["spec"]
        default = ["Ingress", *(["Egress"] if "egress" in spec else [])]
        return (
            policy["metadata"]["namespace"] == pod.namespace
            and direction in spec.get("policyTypes", default)
            and matches(spec["podSelector"], pod.labels)
        )

    def _peers(self, peers: Iterable[Document] | None, far: Peer, own_namespace: str) -> bool:
        return not peers or any(self._peer(peer, far, own_namespace) for peer in peers)

    def _peer(self, peer: Document, far: Peer, own_namespace: str) -> bool:
        if block := peer.get("ipBlock"):
            return _within(far.ip, block["cidr"]) and not any(
                _within(far.ip, cidr) for cidr in block.get("except", [])
            )
        if isinstance(far, Outside):
            return False
        if (selector := peer.get("namespaceSelector")) is None:
            here = far.namespace == own_namespace
        else:
            here = matches(selector, self._namespace_labels(far.namespace))
        return here and matches(peer.get("podSelector", {}), far.labels)

    def _namespace_labels(self, name: str) -> dict[str, str]:
        return {"kubernetes.io/metadata.name": name, **self.namespaces.get(name, {})}


def matches(selector: Document, labels: Mapping[str, str]) -> bool:
    """A label selector; an empty one matches everything."""
    equal = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return equal and all(_expression(each, labels) for each in selector.get("matchExpressions", []))


def _expression(expression: Document, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", [])
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[expression["operator"]]


def _ports(ports: Iterable[Document] | None, port: int, protocol: str) -> bool:
    return not ports or any(_port(each, port, protocol) for each in ports)


def _port(given: Document, port: int, protocol: str) -> bool:
    """By number; a named port would need the pod's containers."""
    first = given.get("port", port)
    return given.get("protocol", "TCP") == protocol and first <= port <= given.get("endPort", first)


def _within(ip: str, cidr: str) -> bool:
    return ip_address(ip) in ip_network(cidr)
