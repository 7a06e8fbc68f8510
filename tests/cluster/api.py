"""The Kubernetes API as a test needs it: one request, one answer with its status and its warnings.

It speaks through `kubectl proxy` on a socket only this account can open, so whatever a kubeconfig says about
logging in works.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from cluster.processes import processes

Document = dict[str, Any]
"""A Kubernetes object."""

MANAGER = "lgp-test"
"""The field manager of what the tests apply."""


@dataclass(frozen=True)
class Answer:
    """What the API server said."""

    status: int
    body: Document
    warnings: tuple[str, ...]

    @property
    def message(self) -> str:
        """Why it refused."""
        return str(self.body.get("message", ""))


class Kube:
    """One cluster. Objects are given whole; where they live is asked from the server."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._resources = cache(self._discover)

    def apply(self, document: Document, *, dry_run: bool = False) -> Answer:
        """Server-side apply, unknown fields refused."""
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict", **_dry(dry_run=dry_run)}
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return self._ask("PATCH", self.path(document), params=query, json=document, headers=headers)

    def create(self, document: Document, *, dry_run: bool = False) -> Answer:
        """Create it, unknown fields refused."""
        query = {"fieldValidation": "Strict", **_dry(dry_run=dry_run)}
        return self._ask("POST", self.path(document, collection=True), params=query, json=document)

    def merge(self, document: Document, change: Document) -> Answer:
        """Change some fields of an object that exists."""
        headers = {"Content-Type": "application/merge-patch+json"}
        return self._ask("PATCH", self.path(document), json=change, headers=headers)

    def read(self, document: Document) -> Answer:
        """The object as it is now."""
        return self._ask("GET", self.path(document))

    def remove(self, document: Document) -> Answer:
        """Delete it and, in the background, what it owns."""
        return self._ask("DELETE", self.path(document), params={"propagationPolicy": "Background"})

    def items(self, path: str, **labels: str) -> list[Document]:
        """The objects of a collection that carry all the labels."""
        query = {"labelSelector": ",".join(f"{key}={value}" for key, value in labels.items())}
        return list(self._ask("GET", path, params=query).body["items"])

    def pods(self, namespace: str, labels: dict[str, str]) -> list[Document]:
        """Those that are not on their way out."""
        found = self.items(f"/api/v1/namespaces/{namespace}/pods", **labels)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def evict(self, pod: Document) -> Answer:
        """Ask for the pod to go, as a drain does: 201, or 429 where a budget forbids it."""
        names = {key: pod["metadata"][key] for key in ("name", "namespace")}
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": names}
        path = f"/api/v1/namespaces/{names['namespace']}/pods/{names['name']}/eviction"
        return self._ask("POST", path, json=eviction)

    def watch(self, document: Document, *, seconds: int) -> Iterator[Document]:
        """The object's states from now on, for so long."""
        metadata = document["metadata"]
        query = {
            "watch": "true",
            "fieldSelector": f"metadata.name={metadata['name']}",
            "timeoutSeconds": str(seconds),
        }
        path = self.path(document, collection=True)
        with self._http.stream("GET", path, params=query, timeout=seconds + 10) as lines:
            yield from (json.loads(line)["object"] for line in lines.iter_lines())

    def path(self, document: Document, *, collection: bool = False) -> str:
        """Where it lives.

        Raises:
            KeyError: the server does not know this kind.
        """
        version = document["apiVersion"]
        plural, namespaced = self._resources(version)[document["kind"]]
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        scope = f"/namespaces/{document['metadata']['namespace']}" if namespaced else ""
        name = "" if collection else f"/{document['metadata']['name']}"
        return f"{base}{scope}/{plural}{name}"

    def knows(self, document: Document) -> bool:
        """Whether the server serves its version and kind."""
        return document["kind"] in self._resources(document["apiVersion"])

    def namespaced(self, document: Document) -> bool:
        """Whether objects of its kind live in a namespace."""
        return self._resources(document["apiVersion"])[document["kind"]][1]

    def _discover(self, version: str) -> dict[str, tuple[str, bool]]:
        path = f"/apis/{version}" if "/" in version else f"/api/{version}"
        found = self._ask("GET", path).body.get("resources", [])
        return {item["kind"]: (item["name"], item["namespaced"]) for item in found if "/" not in item["name"]}

    def _ask(self, method: str, path: str, **content: Any) -> Answer:
        answer = self._http.request(method, path, **content)
        warnings = tuple(answer.headers.get_list("Warning"))
        if "json" not in answer.headers.get("Content-Type", ""):
            return Answer(answer.status_code, {"message": answer.text}, warnings)
        return Answer(answer.status_code, answer.json(), warnings)


def _dry(*, dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


@contextmanager
def opened(kubectl: Path, kubeconfig: Path) -> Generator[Kube, None, None]:
    """The cluster of that kubeconfig's current context.

    Raises:
        NotReady: kubectl did not come up; with what it said.
    """
    folder = Path(tempfile.mkdtemp(prefix="lgp-api-"))
    socket = folder / "api"
    try:
        with processes(folder) as running:
            running.start("proxy", kubectl, "--kubeconfig", kubeconfig, "proxy", "--unix-socket", socket)
            running.wait_for("proxy", socket.exists, seconds=10)
            transport = httpx.HTTPTransport(uds=str(socket))
            with httpx.Client(transport=transport, base_url="http://localhost", timeout=30) as http:
                yield Kube(http)
    finally:
        shutil.rmtree(folder)


def eventually(check: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Return once `check()`.

    Raises:
        AssertionError: it is not so after that time.
    """
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)
