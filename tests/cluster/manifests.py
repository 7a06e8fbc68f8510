"""What a stack puts into Kubernetes, as the offline plan renders it, and the pods that follow from it."""

import copy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from cluster.api import Document

ROOT = Path(__file__).resolve().parents[2]
STACKS = ("dev", "prod", "local")
FIRST = ("Namespace", "PriorityClass", "ServiceAccount", "ConfigMap", "Secret")
"""Kinds that others refer to when they are admitted."""

Spec = tuple[Document, Document]
"""An object, and the pod template inside it."""


def rendered(stack: str, folder: Path) -> list[Document]:
    """Every Kubernetes object of the stack, those first that others need.

    Raises:
        AssertionError: the plan failed; with what it printed.
    """
    command = (sys.executable, "-m", "lgp", "plan", stack, "--out", str(folder))
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(_read(folder / "kubernetes"), key=_rank)


def _read(folder: Path) -> Iterator[Document]:
    for file in sorted(folder.rglob("*.yaml")):
        yield from (document for document in yaml.safe_load_all(file.read_text()) if document)


def _rank(document: Document) -> int:
    kind = document["kind"]
    return FIRST.index(kind) if kind in FIRST else len(FIRST)


def pod_template(document: Document) -> Document | None:
    """The template of the pods that a controller makes from this object."""
    spec = document.get("spec", {})
    if document["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec.get("template") if document["kind"] in _WITH_PODS else None


_WITH_PODS = ("CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet")


def bare_pod(owner: Document, template: Document) -> Document:
    """The pod itself: Pod Security refuses pods, while it lets a Deployment of refused pods pass."""
    metadata = copy.deepcopy(template.get("metadata", {}))
    metadata |= {
        "name": f"bare-{owner['metadata']['name']}"[:63].rstrip("-."),
        "namespace": owner["metadata"]["namespace"],
    }
    spec = copy.deepcopy(template["spec"])
    if claims := owner["spec"].get("volumeClaimTemplates"):  # a StatefulSet's controller adds their volumes
        volumes = [{"name": one["metadata"]["name"], **_claimed(one, owner)} for one in claims]
        spec["volumes"] = [*spec.get("volumes", []), *volumes]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _claimed(claim: Document, owner: Document) -> Document:
    name = f"{claim['metadata']['name']}-{owner['metadata']['name']}-0"
    return {"persistentVolumeClaim": {"claimName": name}}
