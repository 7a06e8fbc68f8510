"""What runs: images, privileges, resources, probes."""

import re
from collections.abc import Iterator

from langgraph_policy.model import Fault, Faults, Resource, of_resource
from langgraph_policy.reading import must, must_be_off, must_be_on, undecided
from langgraph_policy.values import Hidden, Node, is_true, plain, shown

_TEMPLATES = {
    "kubernetes:apps/v1:Deployment": "spec.template",
    "kubernetes:apps/v1:StatefulSet": "spec.template",
    "kubernetes:apps/v1:DaemonSet": "spec.template",
    "kubernetes:batch/v1:Job": "spec.template",
    "kubernetes:batch/v1:CronJob": "spec.jobTemplate.spec.template",
    "kubernetes:core/v1:Pod": "",
    "kubernetes:apps/v1:ReplicaSet": "spec.template",
    "kubernetes:core/v1:ReplicationController": "spec.template",
}
POD_TYPES = tuple(_TEMPLATES)
SERVING = tuple(_TEMPLATES)[:3]
"""Those that are meant to stay up."""
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
"""What Pod Security `restricted` allows: kubernetes.io/docs/concepts/security/pod-security-standards."""

SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_syncookies",
    }
)
SELINUX = frozenset({"container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
"""Likewise, by the same page."""


def pod_spec(resource: Resource) -> Node:
    """The spec of the pods that a resource makes."""
    return resource.root.part(f"{_TEMPLATES[resource.type]}.spec".lstrip("."))


def containers(resource: Resource) -> Iterator[Node]:
    """All containers, the initial ones too.

    Raises:
        Undecided: the list is hidden.
    """
    spec = pod_spec(resource)
    for key in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.each(key)


def _name(container: Node) -> str:
    return f"container {shown(container.at('name'))}"


@of_resource(*POD_TYPES)
def image_by_digest(resource: Resource) -> Faults:
    """An image is named by its digest, in every container, the initial ones and those of jobs too.

    Why: a tag may be another image tomorrow, so what was tested and scanned is not what runs, and a rollback
    is none.

    Fix: name@sha256:…; `image.reference` of the stack, or the registry of the stack, which does it by itself.
    """
    for container in containers(resource):
        image = container.at("image")
        if isinstance(image, Hidden):
            yield undecided(f"image of {_name(container)}")
        elif not DIGEST.search(str(image)):
            yield Fault(f"{_name(container)} has {shown(image)}")


@of_resource(*POD_TYPES)
def pod_restricted(resource: Resource) -> Faults:
    """A pod keeps Pod Security `restricted`.

    Why: root, a host's folder or an added capability is how one broken graph becomes a broken node.

    Fix: the securityContext of the workload: runAsNonRoot, seccompProfile RuntimeDefault,
    allowPrivilegeEscalation false, capabilities drop ALL.
    """
    spec = pod_spec(resource)
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if is_true(spec.seen(key)):
            yield Fault(f"{key} is true")
    for volume in spec.each("volumes"):
        if odd := volume.mapping().keys() - VOLUMES - {"name"}:
            yield Fault(f"volume {shown(volume.at('name'))} is a {sorted(odd)[0]}")
    odd = [
        name for each in spec.each("securityContext.sysctls") if (name := each.seen("name")) not in SYSCTLS
    ]
    yield from (Fault(f"sysctl {name} is not a safe one") for name in odd)
    for container in containers(resource):
        for problem in (*_unrestricted(spec, container), *_unconfined(spec, container)):
            yield Fault(f"{_name(container)}: {problem}")


def _unrestricted(spec: Node, container: Node) -> Iterator[str]:
    own, pod = container.part("securityContext"), spec.part("securityContext")
    if plain(own.seen("allowPrivilegeEscalation")) is not False:
        yield "allowPrivilegeEscalation is not false"
    if is_true(own.seen("privileged")):
        yield "privileged is true"
    if "ALL" not in own.texts("capabilities.drop"):
        yield "capabilities.drop has no ALL"
    if odd := [each for each in own.texts("capabilities.add") if each != "NET_BIND_SERVICE"]:
        yield f"capabilities.add has {odd[0]}"
    if not is_true(_inherited(own, pod, "runAsNonRoot")):
        yield "runAsNonRoot is not true"
    if _inherited(own, pod, "runAsUser") == 0:
        yield "runAsUser is 0"
    if _inherited(own, pod, "seccompProfile.type") not in ("RuntimeDefault", "Localhost"):
        yield "seccompProfile is not RuntimeDefault"
    yield from (
        f"hostPort {port.at('hostPort')}" for port in container.each("ports") if port.seen("hostPort")
    )


def _unconfined(spec: Node, container: Node) -> Iterator[str]:
    own, pod = container.part("securityContext"), spec.part("securityContext")
    if own.seen("procMount") not in (None, "Default"):
        yield f"procMount is {own.at('procMount')}"
    if _inherited(own, pod, "appArmorProfile.type") == "Unconfined":
        yield "appArmorProfile is Unconfined"
    if _inherited(own, pod, "seLinuxOptions.type") not in (None, "", *SELINUX):
        yield "seLinuxOptions.type is not one of a container"
    if _inherited(own, pod, "seLinuxOptions.user") or _inherited(own, pod, "seLinuxOptions.role"):
        yield "seLinuxOptions has a user or a role"
    if is_true(_inherited(own, pod, "windowsOptions.hostProcess")):
        yield "windowsOptions.hostProcess is true"


def _inherited(own: Node, pod: Node, path: str) -> object:
    found = own.seen(path)
    return pod.seen(path) if found is None else found


@of_resource(*POD_TYPES)
def pod_read_only(resource: Resource) -> Faults:
    """A container cannot write to its own image.

    Why: what breaks in cannot stay, or change the program.

    Fix: readOnlyRootFilesystem: true, and an emptyDir where something has to be written.
    """
    for container in containers(resource):
        for fault in must_be_on(container, "securityContext.readOnlyRootFilesystem"):
            yield Fault(f"{_name(container)}: {fault.text}", undecided=fault.undecided)


@of_resource(*POD_TYPES)
def pod_resources(resource: Resource) -> Faults:
    """A container says what CPU and memory it needs, and how much memory it may take.

    Why: without requests pods are packed until they starve, without a limit one leak takes the node's other
    pods along.

    Fix: resources.requests.cpu, resources.requests.memory and resources.limits.memory.
    """
    for container in containers(resource):
        for path in ("resources.requests.cpu", "resources.requests.memory", "resources.limits.memory"):
            if container.at(path) is None:
                yield Fault(f"{_name(container)} has no {path}")


@of_resource(*SERVING)
def pod_probes(resource: Resource) -> Faults:
    """What serves has a readiness and a liveness probe.

    Why: without the first it gets requests before it can answer, without the second a hung process stays for
    ever.

    Fix: readinessProbe and livenessProbe; here GET /ready and GET /health.
    """
    for container in pod_spec(resource).each("containers"):
        for probe in ("readinessProbe", "livenessProbe"):
            if container.at(probe) is None:
                yield Fault(f"{_name(container)} has no {probe}")


@of_resource(*POD_TYPES)
def pod_without_token(resource: Resource) -> Faults:
    """A pod has a service account of its own, and no token for the Kubernetes API.

    Why: this workload never asks that API; a token in its files is of use to an intruder only.

    Fix: serviceAccountName, and automountServiceAccountToken: false.
    """
    spec = pod_spec(resource)
    yield from must_be_off(spec, "automountServiceAccountToken")
    yield from must(
        spec,
        "serviceAccountName",
        lambda name: name not in ("", "default"),
        "an account of its own",
        absent="",
    )
