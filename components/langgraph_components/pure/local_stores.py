"""Postgres and Valkey inside the cluster, for stacks without a cloud: one pod each, kept on a volume."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langgraph_components.pure import labels, pods

Json = dict[str, Any]

UID = 999
"""User and group of both images in their Debian form: `postgres` there, `valkey` here."""

POSTGRES_PORT = 5432
VALKEY_PORT = 6379
SECRETS = "/run/secrets/store"
"""Folder of the mounted Secret."""


@dataclass(frozen=True)
class Store:
    """One store: a pod, its volume, and how it is asked whether it serves."""

    name: str
    image: str
    port: int
    data: str
    """Folder that is kept."""
    probe: Sequence[str]
    """Command that ends with 0 while the store serves."""
    command: Sequence[str] = ()
    args: Sequence[str] = ()
    env: Mapping[str, Any] = field(default_factory=dict[str, Any])
    scratch: Sequence[pods.Volume] = ()
    """Writable folders besides; everything else is read-only."""


def image(reference: str, digest: str | None) -> str:
    """The reference, pinned if a digest is given."""
    return f"{reference}@{digest}" if digest else reference


def postgres(reference: str, database: str, max_connections: int) -> Store:
    """The official image from 18 on, whose data are in `/var/lib/postgresql/MAJOR/docker`.

    The probe asks over TCP: while the image sets its database up, it listens on its socket alone.
    """
    return Store(
        name="postgres",
        image=reference,
        port=POSTGRES_PORT,
        data="/var/lib/postgresql",
        probe=["pg_isready", "-h", "127.0.0.1", "-U", "postgres", "-d", database],
        args=["postgres", "-c", f"max_connections={max_connections}"],
        env={
            "POSTGRES_DB": database,
            "POSTGRES_USER": "postgres",
            "POSTGRES_PASSWORD_FILE": f"{SECRETS}/password",
            "POSTGRES_INITDB_ARGS": "--auth-host=scram-sha-256 --auth-local=scram-sha-256",
        },
        scratch=[pods.scratch("16Mi", "/var/run/postgresql", "socket"), pods.scratch("256Mi")],
    )


def valkey(reference: str) -> Store:
    """All its settings, with the password, are a file: nothing of it is in the command line.

    An answer that asks for the password is an answer: the probe needs no secret.
    """
    return Store(
        name="valkey",
        image=reference,
        port=VALKEY_PORT,
        data="/data",
        probe=["sh", "-c", "valkey-cli ping 2>&1 | grep -Eq 'PONG|NOAUTH'"],
        command=["valkey-server", f"{SECRETS}/valkey.conf"],
        scratch=[pods.scratch("16Mi")],
    )


def valkey_settings(password: str, memory: str) -> str:
    """The file `valkey.conf`: kept on disk, nothing is ever evicted; `memory` such as `192mb`."""
    lines = [
        "bind * -::*",
        f"port {VALKEY_PORT}",
        "dir /data",
        f"requirepass {password}",
        f"maxmemory {memory}",
        "maxmemory-policy noeviction",
        "appendonly yes",
        'save ""',
    ]
    return "\n".join(lines) + "\n"


def stateful_set(store: Store, *, secret: Any, size: str, storage_class: str | None) -> Json:
    """Spec of the one pod; its volume goes when the StatefulSet goes, and stays when it is only stopped."""
    match = labels.selector("store", store.name)
    return {
        "replicas": 1,
        "serviceName": store.name,
        "selector": {"matchLabels": match},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"},
        "template": {
            "metadata": {"labels": labels.of("store", store.name)},
            "spec": _pod(store, secret),
        },
        "volumeClaimTemplates": [_claim(size, storage_class)],
    }


def _pod(store: Store, secret: Any) -> Json:
    files = pods.secret_files("secret", SECRETS, secret)
    kept = pods.Volume("data", store.data, {}, writable=True)
    container = pods.Container(
        name=store.name,
        image=store.image,
        resources=pods.resources("100m", "256Mi", "512Mi"),
        command=store.command,
        args=store.args,
        env=store.env,
        ports={store.name: store.port},
        volumes=[kept, files, *store.scratch],
        more=_probes(store.probe),
    )
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "serviceAccountName": store.name,
        "securityContext": pods.pod_security(UID),
        "terminationGracePeriodSeconds": 60,
        "containers": [container.document()],
        # the volume of the data comes from the claim's template
        "volumes": [volume.volume() for volume in (files, *store.scratch)],
    }


def _probes(command: Sequence[str]) -> Json:
    asked = {"exec": {"command": list(command)}, "timeoutSeconds": 5}
    return {
        "startupProbe": {**asked, "periodSeconds": 5, "failureThreshold": 30},
        "readinessProbe": {**asked, "periodSeconds": 10, "failureThreshold": 3},
        "livenessProbe": {**asked, "periodSeconds": 30, "failureThreshold": 3},
    }


def _claim(size: str, storage_class: str | None) -> Json:
    spec: Json = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return {
        "metadata": {"name": "data"},
        "spec": spec | ({"storageClassName": storage_class} if storage_class else {}),
    }


def service(store: Store) -> Json:
    """Spec of the headless Service: its name is the pod's address."""
    return {
        "clusterIP": "None",
        "selector": labels.selector("store", store.name),
        "ports": [{"name": store.name, "port": store.port, "targetPort": store.name, "protocol": "TCP"}],
    }
