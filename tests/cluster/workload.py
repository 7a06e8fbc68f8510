"""A rendered stack, placed into namespaces of the tests' own and applied."""

import copy
import secrets
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cluster.api import Answer, Document, Kube
from cluster.manifests import FIRST, bare_pod, pod_template

NO_DEFINITION = {
    "elbv2.k8s.aws": "the Go proxy has the AWS load balancer controller without TargetGroupBinding only",
}
"""API groups whose definitions cannot be had, and why; every other group of ours must be served."""


@dataclass(frozen=True)
class Workload:
    """What was asked of the cluster, and what it said to each object."""

    stack: str
    documents: list[Document]
    applied: list[tuple[Document, Answer]] = field(default_factory=list[tuple[Document, Answer]])
    undefined: list[Document] = field(default_factory=list[Document])
    """Custom resources that this cluster has no definition for."""

    def of_kind(self, *kinds: str) -> list[Document]:
        """Its objects of those kinds."""
        return [document for document in self.documents if document["kind"] in kinds]

    def named(self, kind: str, name: str) -> Document:
        """The one of that name."""
        (found,) = (each for each in self.of_kind(kind) if each["metadata"]["name"] == name)
        return found

    def pods(self) -> Iterator[Document]:
        """Each pod template as a bare pod."""
        for document in self.documents:
            if template := pod_template(document):
                yield bare_pod(document, template)

    def pod_namespaces(self) -> set[str]:
        """Where its pods run."""
        return {pod["metadata"]["namespace"] for pod in self.pods()}


@contextmanager
def placed(
    kube: Kube, stack: str, documents: list[Document], *, dry_run: bool
) -> Generator[Workload, None, None]:
    """The stack applied in namespaces of its own; they are deleted afterwards.

    With `dry_run` only what other objects need in order to be admitted is written, and the rest is judged
    by the server and forgotten: nothing of ours runs in a cluster of someone else's.
    """
    prefix = f"lgp-test-{stack}-{secrets.token_hex(2)}"  # the namespaces of an earlier run may still be going
    workload = Workload(stack, [_moved(prefix, document) for document in documents])
    namespaces = [*workload.of_kind("Namespace"), *_unmade_namespaces(workload.documents)]
    try:
        for document in namespaces:
            workload.applied.append((document, kube.apply(document)))
        for document in workload.documents:
            _apply(kube, workload, document, dry_run=dry_run)
        yield workload
    finally:
        for document, _ in workload.applied:
            if document["kind"] == "Namespace" or (_is_wide(document) and not dry_run):
                kube.remove(document)


def _is_wide(document: Document) -> bool:
    """Whether others see it: a StorageClass, say, would serve the claims of the next stack."""
    return "namespace" not in document["metadata"]


def _apply(kube: Kube, workload: Workload, document: Document, *, dry_run: bool) -> None:
    if document["kind"] == "Namespace":
        return
    if kube.knows(document):
        needed = document["kind"] in FIRST and "namespace" in document["metadata"]
        answer = kube.apply(document, dry_run=dry_run and not needed)
        workload.applied.append((document, answer))
    else:
        workload.undefined.append(document)


def _moved(prefix: str, document: Document) -> Document:
    """The same object in the namespace that stands for its own; nothing else is changed."""
    found = copy.deepcopy(document)
    key = "name" if document["kind"] == "Namespace" else "namespace"
    if key in found["metadata"]:
        found["metadata"][key] = f"{prefix}-{found['metadata'][key]}"
    return found


def _unmade_namespaces(documents: list[Document]) -> list[Document]:
    """Those that the stack uses and expects a chart or the cluster to have made."""
    made = {each["metadata"]["name"] for each in documents if each["kind"] == "Namespace"}
    used = {each["metadata"].get("namespace") for each in documents} - {None}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in sorted(used - made)
    ]
