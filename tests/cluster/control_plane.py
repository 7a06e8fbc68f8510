"""A Kubernetes control plane on loopback, with fake nodes, for as long as a `with` block lasts.

etcd, API server, controller manager and scheduler are the real ones; kwok plays the nodes: a pod that is
scheduled becomes Ready, a Job's pod completes, nothing is ever executed. No root, no container, no registry.
"""

import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.build import Programs, ProgramsError, programs
from cluster.processes import Processes, processes
from support.ports import free_ports

READY_SECONDS = 60.0
"""For each step of the start; all together take 12 s on two idle cores."""

FOREIGN = os.environ.get("KUBECONFIG_TEST")
"""A kubeconfig of someone else's cluster, to be tested in the place of our own."""

DEFINITIONS = os.environ.get("CRDS_TEST")
"""A folder of custom resource definitions to be used in the place of those from the Go modules."""

ADMIN, MANAGER, SCHEDULER = "admin", "system:kube-controller-manager", "system:kube-scheduler"
HPA_SYNC_SECONDS = 1
"""How often the autoscaler looks, instead of every 15 s."""

VOLUMES = 8
ZONES = ("eu-test-1a", "eu-test-1b", "eu-test-1c")


class OpensslMissing(ProgramsError):
    """The certificate of the API server cannot be made: what needs it is skipped with this reason."""

    def __init__(self) -> None:
        super().__init__("openssl is not on PATH: it makes the certificate of the test cluster")


@dataclass(frozen=True)
class ControlPlane:
    """A running one."""

    kubeconfig: Path
    """Of an administrator."""

    bin: Path
    """Folder with `kubectl`, to be put on PATH."""

    certificate: Path
    key: Path
    """What the API server shows to its clients, for stubs that stand behind it."""

    folder: Path
    """Logs and data; gone afterwards."""

    def kubectl(self, *arguments: str | Path, given: object = None) -> str:
        """What kubectl printed; `given` goes to it as JSON on standard input."""
        command = (self.bin / "kubectl", "--kubeconfig", self.kubeconfig, *arguments)
        environment = {**os.environ, "KUBECACHEDIR": str(self.folder / "kubectl")}
        content = None if given is None else json.dumps(given)
        done = subprocess.run(
            command, env=environment, input=content, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout


@contextmanager
def control_plane(*, nodes: int = 3, crds: bool = True) -> Generator[ControlPlane, None, None]:
    """A new, empty cluster with so many fake nodes, one a zone, and the definitions of our custom resources.

    Call it from the main thread: the programs also end with the thread that started them.

    Raises:
        GoMissing: or `OpensslMissing`: this machine cannot run it, and why.
        BuildFailed: the programs could not be built.
        NotReady: one of them did not come up; with the end of its log.
    """
    found = programs()
    folder = Path(tempfile.mkdtemp(prefix="lgp-k8s-"))
    try:
        with processes(folder) as running:
            plane = _start(found, running)
            if crds:
                _define(plane, Path(DEFINITIONS or found.crds).resolve())
            if nodes:
                _join(plane, found, running, nodes)
            yield plane
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(found: Programs, running: Processes) -> ControlPlane:
    folder = running.folder
    certificate, key = _make_certificate(folder)
    etcd, peers, api = free_ports(3)
    configs = _kubeconfigs(folder, certificate, api)
    plane = ControlPlane(configs[ADMIN], found.bin, certificate, key, folder)
    running.start("etcd", found.bin / "etcd", *_etcd_flags(folder, etcd, peers))
    running.start("kube-apiserver", found.bin / "kube-apiserver", *_api_flags(plane, etcd, api))
    running.wait_for("kube-apiserver", lambda: _answers(plane, "--raw", "/readyz"), seconds=READY_SECONDS)
    manager = ("kube-controller-manager", found.bin / "kube-controller-manager")
    running.start(*manager, *_manager_flags(plane, configs[MANAGER]))
    scheduler = ("kube-scheduler", found.bin / "kube-scheduler")
    running.start(*scheduler, *_flags({"kubeconfig": configs[SCHEDULER], **_unobserved()}))
    # until then no pod is admitted
    account = ("serviceaccount", "default", "--namespace", "default")
    running.wait_for("kube-controller-manager", lambda: _answers(plane, *account), seconds=READY_SECONDS)
    return plane


def _answers(plane: ControlPlane, *arguments: str) -> bool:
    command = (plane.bin / "kubectl", "--kubeconfig", plane.kubeconfig, "get", *arguments)
    return subprocess.run(command, check=False, capture_output=True, cwd=plane.folder).returncode == 0


def _make_certificate(folder: Path) -> tuple[Path, Path]:
    """One self-signed pair: the API server's own, and the signer of ServiceAccount tokens."""
    if not shutil.which("openssl"):
        raise OpensslMissing
    certificate, key = folder / "tls.crt", folder / "tls.key"
    names = "subjectAltName=DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1"
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7")
    files = ("-keyout", key, "-out", certificate)
    command = ("openssl", "req", "-x509", *kind, *files, "-subj", "/CN=kube-apiserver", "-addext", names)
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def _kubeconfigs(folder: Path, certificate: Path, port: int) -> dict[str, Path]:
    """One for each user, who is known by a token."""
    groups = {ADMIN: "system:masters", MANAGER: "", SCHEDULER: ""}
    tokens = {user: secrets.token_hex(16) for user in groups}
    lines = (f'{token},{user},{user},"{groups[user]}"\n' for user, token in tokens.items())
    _write(folder / "tokens.csv", "".join(lines))
    server = {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(certificate)}
    for user, token in tokens.items():
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": server}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
            "current-context": "test",
        }
        _write(_config_of(folder, user), json.dumps(content))
    return {user: _config_of(folder, user) for user in tokens}


def _config_of(folder: Path, user: str) -> Path:
    return folder / f"{user.rpartition(':')[2]}.kubeconfig"


def _write(file: Path, content: str) -> None:
    file.touch(mode=0o600)
    file.write_text(content)


def _etcd_flags(folder: Path, clients: int, peers: int) -> list[str]:
    here, there = f"http://127.0.0.1:{clients}", f"http://127.0.0.1:{peers}"
    return _flags(
        {
            "data-dir": folder / "etcd",
            "listen-client-urls": here,
            "advertise-client-urls": here,
            "listen-peer-urls": there,
            "initial-advertise-peer-urls": there,
            "initial-cluster": f"default={there}",
            "unsafe-no-fsync": "true",
        }
    )


def _api_flags(plane: ControlPlane, etcd: int, port: int) -> list[str]:
    return _flags(
        {
            "etcd-servers": f"http://127.0.0.1:{etcd}",
            "bind-address": "127.0.0.1",
            "secure-port": port,
            "advertise-address": "127.0.0.1",
            "endpoint-reconciler-type": "none",  # a loopback address is refused as an endpoint
            "service-cluster-ip-range": "10.96.0.0/16",
            "authorization-mode": "RBAC",
            "allow-privileged": "true",  # as everywhere, so that it is the namespace that refuses
            "token-auth-file": plane.folder / "tokens.csv",
            "tls-cert-file": plane.certificate,
            "tls-private-key-file": plane.key,
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": plane.certificate,
            "service-account-signing-key-file": plane.key,
            "cert-dir": plane.folder / "api",
            "profiling": "false",
        }
    )


def _manager_flags(plane: ControlPlane, kubeconfig: Path) -> list[str]:
    return _flags(
        {
            "kubeconfig": kubeconfig,
            "use-service-account-credentials": "true",
            "root-ca-file": plane.certificate,
            "service-account-private-key-file": plane.key,
            "node-monitor-grace-period": "24h",  # fake nodes send no heartbeats
            "horizontal-pod-autoscaler-sync-period": f"{HPA_SYNC_SECONDS}s",
            "horizontal-pod-autoscaler-cpu-initialization-period": "1s",
            "horizontal-pod-autoscaler-initial-readiness-delay": "1s",
            **_unobserved(),
        }
    )


def _unobserved() -> dict[str, str]:
    """Alone, and with no port of its own."""
    return {"leader-elect": "false", "secure-port": "0", "profiling": "false"}


def _flags(values: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in values.items()]


def _define(plane: ControlPlane, crds: Path) -> None:
    # server-side: they are longer than the annotation of a client-side apply may be
    plane.kubectl("apply", "--server-side", "--filename", crds)
    waiting = ("--for=condition=Established", f"--timeout={READY_SECONDS:g}s")
    plane.kubectl("wait", *waiting, "--filename", crds)


def _join(plane: ControlPlane, found: Programs, running: Processes, number: int) -> None:
    items = {"apiVersion": "v1", "kind": "List", "items": [*_nodes(number), *_volumes()]}
    plane.kubectl("create", "--filename", "-", given=items)
    flags = {
        "kubeconfig": plane.kubeconfig,
        "config": found.stages,
        "manage-all-nodes": "true",
        "cidr": "10.245.0.0/16",
        "server-address": f"127.0.0.1:{free_ports(1)[0]}",
    }
    running.start("kwok", found.kwok, *_flags(flags))
    query = ("nodes", "--output", "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}")
    ready = ["True"] * number
    running.wait_for("kwok", lambda: plane.kubectl("get", *query).split() == ready, seconds=READY_SECONDS)


def _volumes() -> list[dict[str, Any]]:
    """Room for claims that name no storage class, as nothing here makes volumes for them."""
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"fake-{index}"},
            "spec": {
                "capacity": {"storage": "100Gi"},
                "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
                "hostPath": {"path": f"/fake/{index}"},
            },
        }
        for index in range(VOLUMES)
    ]


def _nodes(number: int) -> list[dict[str, Any]]:
    """Large enough for fifty pods of ours on each."""
    size = {"cpu": "64", "memory": "256Gi", "ephemeral-storage": "500Gi", "pods": "110"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": f"fake-{index}",
                "labels": {
                    "kubernetes.io/hostname": f"fake-{index}",
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                    "topology.kubernetes.io/zone": ZONES[index % len(ZONES)],
                },
                "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
            },
            "status": {"allocatable": size, "capacity": size},
        }
        for index in range(number)
    ]
