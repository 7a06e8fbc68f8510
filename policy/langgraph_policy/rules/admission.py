"""Namespaces, what may reach what, what may be taken away."""

import re
from collections.abc import Mapping
from typing import Any, cast

from langgraph_policy.model import Fault, Faults, Resource, Stack, of_resource, of_stack
from langgraph_policy.reading import must_be, must_be_set, undecided
from langgraph_policy.rules.networks import is_everyone
from langgraph_policy.rules.pods import POD_TYPES
from langgraph_policy.values import Hidden, Node, number

NAMESPACE = "kubernetes:core/v1:Namespace"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
PSS = "pod-security.kubernetes.io/"
EXACT = re.compile(r"v?\d+\.\d+\.\d+([-+][\w.+-]+)?")
"""A version that is one version."""


@of_resource(NAMESPACE)
def namespace_restricted(resource: Resource) -> Faults:
    """A namespace admits only pods that keep Pod Security `restricted`, of a named version.

    Why: it holds for what is added by hand or by a chart, too; a version that is not named changes with the
    cluster.

    Fix: the labels pod-security.kubernetes.io/enforce: restricted and …/enforce-version: v1.N.
    """
    labels = Node(resource.root.mapping("metadata.labels"), "metadata.labels")
    # the labels have dots in their names, so no path leads to them
    given = Node({"enforce": labels.mapping().get(f"{PSS}enforce")}, f"{PSS.rstrip('/')}")
    yield from must_be(given, "enforce", "restricted")
    version = labels.mapping().get(f"{PSS}enforce-version")
    if version in (None, "latest"):
        yield Fault(f"{PSS}enforce-version is {version or 'not set'}")


def _namespace(resource: Resource) -> str | None:
    """Where an object is: a name, or the URN of a namespace of this stack; None if it is known only later."""
    found = resource.root.at("metadata.namespace")
    if not isinstance(found, Hidden):
        return str(found or "default")
    made = [urn for urn in resource.references.get("metadata", ()) if f"{NAMESPACE}::" in urn]
    return made[0] if len(made) == 1 else None


@of_stack()
def network_default_deny(stack: Stack) -> Faults:
    """In a namespace with pods, what no NetworkPolicy allows is refused, both ways.

    Why: else every pod of the cluster reaches the server's metrics, and a graph reaches the whole VPC.

    Fix: a NetworkPolicy with podSelector: {} and policyTypes: [Ingress, Egress], and no rules.
    """
    closed = {_namespace(policy) for policy in stack.of(NETWORK_POLICY) if _denies_all(policy)}
    for resource in stack.of(*POD_TYPES):
        namespace = _namespace(resource)
        if None in {namespace, *closed}:
            yield Fault(undecided("metadata.namespace").text, resource, undecided=True)
        elif namespace not in closed:
            yield Fault(f"nothing is refused by default in namespace {namespace}", resource)


def _denies_all(policy: Resource) -> bool:
    spec = policy.root.part("spec")
    everyone = not spec.mapping("podSelector")
    return everyone and {"Ingress", "Egress"} <= set(spec.texts("policyTypes")) and not _allows(spec)


def _allows(spec: Node) -> bool:
    return bool(spec.values("ingress") or spec.values("egress"))


@of_resource(NETWORK_POLICY)
def network_policy_narrow(resource: Resource) -> Faults:
    """A NetworkPolicy lets in named sources, and lets out to named ports.

    Why: one rule `from: everywhere` undoes the default.

    Fix: each ingress rule has `from`, each egress rule has `to` and `ports`.
    """
    spec = resource.root.part("spec")
    for rule in spec.each("ingress"):
        if not rule.values("from"):
            yield Fault("an ingress rule has no `from`: everyone")
        for peer in rule.each("from"):
            if is_everyone(peer.seen("ipBlock.cidr")):
                yield Fault(f"an ingress rule is from {peer.at('ipBlock.cidr')}: everyone")
            if peer.seen("namespaceSelector") == {} and not peer.mapping("podSelector"):
                yield Fault("an ingress rule is from all pods of all namespaces")
    for rule in spec.each("egress"):
        if not rule.values("to") or not rule.values("ports"):
            yield Fault("an egress rule has no `to` or no `ports`: everywhere")


@of_stack(strict_only=True)
def disruption_budget(stack: Stack) -> Faults:
    """In prod, a Deployment of several pods has a budget that keeps some and lets one go.

    Why: an upgrade of nodes may otherwise take all pods at once, or, where none may go, never end.

    Fix: a PodDisruptionBudget for its pods, with minAvailable below the least number of replicas, or
    maxUnavailable: 1.
    """
    for deployment in stack.of(DEPLOYMENT):
        replicas = _least(stack, deployment)
        if isinstance(replicas, Hidden):
            yield Fault(undecided("the number of replicas").text, deployment, undecided=True)
        elif replicas > 1:
            budgets = [each for each in stack.of(BUDGET) if _covers(each, deployment)]
            if not budgets:
                yield Fault(f"{replicas:g} replicas and no PodDisruptionBudget", deployment)
            yield from (Fault(f"no pod of {replicas:g} may go", b) for b in budgets if _blocks(b, replicas))


def _least(stack: Stack, deployment: Resource) -> float | Hidden:
    """The least number of replicas.

    Raises:
        Undecided: the name by which an autoscaler means it is hidden.
    """
    name = deployment.root.seen("metadata.name")
    for scaler in stack.of(AUTOSCALER):
        target = scaler.root.part("spec.scaleTargetRef")
        if target.seen("kind") == "Deployment" and target.seen("name") == name:
            return _count(scaler.root.at("spec.minReplicas"))
    return _count(deployment.root.at("spec.replicas"))


def _count(value: Any) -> float | Hidden:
    return value if isinstance(value, Hidden) else 1 if value is None else number(value)


def _covers(budget: Resource, deployment: Resource) -> bool:
    wanted = budget.root.mapping("spec.selector.matchLabels")
    labels: Mapping[str, Any] = deployment.root.mapping("spec.template.metadata.labels")
    return (
        bool(wanted)
        and cast("Any", wanted.items()) <= labels.items()
        and _namespace(budget) == _namespace(deployment)
    )


def _blocks(budget: Resource, replicas: float) -> bool:
    least, most = (budget.root.seen(f"spec.{key}") for key in ("minAvailable", "maxUnavailable"))
    return str(most) in {"0", "0.0", "0%"} or str(least) == "100%" or number(least) >= replicas


@of_resource("kubernetes:core/v1:Service")
def service_internal(resource: Resource) -> Faults:
    """A Service is reached from inside the cluster; the balancer of the stack brings in the rest.

    Why: a Service of type LoadBalancer or NodePort is a second way in, without the certificate, the firewall
    and the logs of the first.

    Fix: type: ClusterIP, with a TargetGroupBinding, an Ingress or a Gateway before it.
    """
    yield from must_be(resource.root, "spec.type", "ClusterIP", absent="ClusterIP")
    if resource.root.values("spec.externalIPs"):
        yield Fault("spec.externalIPs is set")


@of_resource("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart")
def charts_pinned(resource: Resource) -> Faults:
    """A chart has an exact version and comes over TLS.

    Why: else the next preview brings another operator than the one that was tested.

    Fix: version: 1.2.3, from an https:// repository or oci://.
    """
    version = resource.root.at("version")
    exact = isinstance(version, str) and EXACT.fullmatch(version)
    if isinstance(version, Hidden):
        yield undecided("version")
    elif not exact:
        yield Fault(f"version is {version or 'not set'}, not an exact one")
    repository = resource.root.at("repositoryOpts.repo")
    if isinstance(repository, str) and not repository.startswith(("https://", "oci://")):
        yield Fault(f"it comes from {repository}, without TLS")
    yield from must_be_set(resource.root, "chart")
