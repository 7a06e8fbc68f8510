"""Pods of ours: security context, probes, volumes and placement, as Kubernetes reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langgraph_components.pure import labels

UID = 1000
"""User and group of the image; also the group that may read the mounted secrets."""

SECRET_MODE = 0o440
"""Secret files are read by the pod's user and group, and by nobody else."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Volume:
    """A source of files and where the container sees it."""

    name: str
    path: str
    source: Json
    """Such as `{"emptyDir": {}}`."""
    writable: bool = False

    def mount(self) -> Json:
        """What the container says of it."""
        read_only = {} if self.writable else {"readOnly": True}
        return {"name": self.name, "mountPath": self.path, **read_only}

    def volume(self) -> Json:
        """What the pod says of it."""
        return {"name": self.name, **self.source}


def scratch(size: str, path: str = "/tmp", name: str = "tmp") -> Volume:  # noqa: S108  # the pod's own, not shared
    """A writable folder that lives as long as the pod; above `size` the pod is evicted."""
    return Volume(name, path, {"emptyDir": {"sizeLimit": size}}, writable=True)


def secret_files(name: str, path: str, secret: Any) -> Volume:
    """All keys of a Secret as files; the kubelet renews them when the Secret changes."""
    return Volume(name, path, {"secret": {"secretName": secret, "defaultMode": SECRET_MODE}})


def projected_secrets(name: str, path: str, secrets: Sequence[tuple[Any, bool]]) -> Volume:
    """The keys of several Secrets as files of one folder; pods wait for those that are not optional."""
    sources = [
        {"secret": {"name": secret, **({"optional": True} if optional else {})}}
        for secret, optional in secrets
    ]
    return Volume(name, path, {"projected": {"defaultMode": SECRET_MODE, "sources": sources}})


def config_files(name: str, path: str, config_map: Any) -> Volume:
    """All keys of a ConfigMap as files."""
    return Volume(name, path, {"configMap": {"name": config_map}})


@dataclass(frozen=True)
class Container:
    """The one container of a pod of ours."""

    name: str
    image: Any
    resources: Json
    command: Sequence[str] = ()
    """What runs in the place of the image's entry point; empty is that entry point."""
    args: Sequence[str] = ()
    env: Mapping[str, Any] = field(default_factory=dict[str, Any])
    env_from: Any = None
    """Name of a ConfigMap whose keys are environment variables."""
    ports: Mapping[str, int] = field(default_factory=dict[str, int])
    volumes: Sequence[Volume] = ()
    more: Json = field(default_factory=dict[str, Any])
    """Probes and lifecycle."""

    def document(self) -> Json:
        """The container as Kubernetes reads it."""
        env = [{"name": name, "value": value} for name, value in self.env.items()]
        ports = [{"name": name, "containerPort": port} for name, port in self.ports.items()]
        from_map = {"envFrom": [{"configMapRef": {"name": self.env_from}}]} if self.env_from else {}
        return {
            "name": self.name,
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            **({"command": list(self.command)} if self.command else {}),
            **({"args": list(self.args)} if self.args else {}),
            **from_map,
            **({"env": env} if env else {}),
            **({"ports": ports} if ports else {}),
            "resources": self.resources,
            "securityContext": container_security(),
            "volumeMounts": [volume.mount() for volume in self.volumes],
            **self.more,
        }


def server_command(verb: str) -> list[str]:
    """The server's own command line."""
    return ["python", "-m", "agent_server", verb]


def container_security() -> Json:
    """What Pod Security `restricted` asks of a container, and a read-only root besides."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "privileged": False,
        "capabilities": {"drop": ["ALL"]},
    }


def pod_security(uid: int = UID) -> Json:
    """What Pod Security `restricted` asks of a pod; volumes belong to the group, changed once."""
    return {
        "runAsNonRoot": True,
        "runAsUser": uid,
        "runAsGroup": uid,
        "fsGroup": uid,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def resources(cpu_request: str, memory_request: str, memory_limit: str, cpu_limit: str | None = None) -> Json:
    """Requests and limits in Kubernetes' own quantities; without a CPU limit nothing is throttled."""
    limits = {"memory": memory_limit} | ({"cpu": cpu_limit} if cpu_limit else {})
    return {"requests": {"cpu": cpu_request, "memory": memory_request}, "limits": limits}


def probe(  # noqa: PLR0913  # a probe has these parts
    path: str, *, period: int, timeout: int, failures: int, delay: int = 0, port: str = "http"
) -> Json:
    """An HTTP probe by the port's name; `period`, `timeout` and `delay` in seconds."""
    late = {"initialDelaySeconds": delay} if delay else {}
    return {
        "httpGet": {"path": path, "port": port},
        **late,
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }


def server_probes() -> Json:
    """Up to 155 s to start; out of the Service after 15 s without the database; restarted only when dead.

    Liveness never asks the database: its failure would restart every pod at once.
    """
    return {
        "startupProbe": probe("/health", delay=5, period=5, timeout=5, failures=30),
        "livenessProbe": probe("/health", delay=10, period=30, timeout=5, failures=3),
        "readinessProbe": probe("/ready", delay=5, period=10, timeout=5, failures=3),
    }


def pre_stop(seconds: int) -> Json:
    """The pod goes on serving for that long while balancers learn that it leaves; then comes SIGTERM."""
    return {"lifecycle": {"preStop": {"sleep": {"seconds": seconds}}}}


def spread(match: Mapping[str, str]) -> Json:
    """Pods of one part go to different zones and hosts where they can, and run anyway where they cannot."""
    selected = {"matchLabels": dict(match)}
    term = {"labelSelector": selected, "topologyKey": "kubernetes.io/hostname"}
    return {
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": selected,
                "matchLabelKeys": ["pod-template-hash"],  # the pods of the old version do not count
            }
        ],
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]
            }
        },
    }


@dataclass(frozen=True)
class Pod:
    """A pod of ours: without a token, `restricted`."""

    container: Container
    part: str
    account: Any
    """Its ServiceAccount."""
    grace: int | None = None
    """Seconds from the start of its deletion to the kill; None is Kubernetes' 30."""
    restart: str = "Always"
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """Besides those of its part, which they do not replace."""
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    more: Json = field(default_factory=dict[str, Any])
    """Further fields of its spec."""

    def template(self) -> Json:
        """What a controller makes pods of."""
        grace = {} if self.grace is None else {"terminationGracePeriodSeconds": self.grace}
        return {
            "metadata": {
                "labels": {**self.labels, **labels.of(self.part)},
                **({"annotations": dict(self.annotations)} if self.annotations else {}),
            },
            "spec": {
                "serviceAccountName": self.account,
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,  # a Service named PORT or HOST would become our settings
                "securityContext": pod_security(),
                "restartPolicy": self.restart,
                # names of the outside are asked first as they are: no search through the cluster's domains
                "dnsConfig": {"options": [{"name": "ndots", "value": "2"}]},
                **grace,
                **self.more,
                "containers": [self.container.document()],
                "volumes": [volume.volume() for volume in self.container.volumes],
            },
        }


def toleration(key: str, value: str | None, effect: str | None) -> Json:
    """A taint that a pod accepts: of any value, and of any effect, where that is None."""
    matched = {"operator": "Exists"} if value is None else {"operator": "Equal", "value": value}
    return {"key": key, **matched, **({} if effect is None else {"effect": effect})}
