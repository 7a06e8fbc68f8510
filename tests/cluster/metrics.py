"""A metrics.k8s.io that says what a test wants it to say, where the autoscaler asks for the real one."""

import json
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cluster.api import Document, Kube
from cluster.control_plane import ControlPlane

GROUP = "metrics.k8s.io"
VERSION = f"{GROUP}/v1beta1"
NAME = "lgp-test-metrics"


class Metrics:
    """What every running container uses, whatever pod it is in."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self.cpu_millis = 0
        self.memory_mib = 64

    def answer(self, url: str) -> Document | None:
        """The object at that address; None for one it does not have."""
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        if path == f"/apis/{VERSION}":
            return _resources()
        if path.startswith(f"/apis/{VERSION}/namespaces/") and path.endswith("/pods"):
            selector = parse_qs(parts.query).get("labelSelector", [""])[0]
            return self._pods(path.split("/")[-2], selector)
        return None

    def _pods(self, namespace: str, selector: str) -> Document:
        found = self._kube.pods(namespace, dict(part.split("=") for part in selector.split(",") if part))
        running = [pod for pod in found if pod["status"].get("phase") == "Running"]
        return {"kind": "PodMetricsList", "apiVersion": VERSION, "items": [self._of(pod) for pod in running]}

    def _of(self, pod: Document) -> Document:
        usage = {"cpu": f"{self.cpu_millis}m", "memory": f"{self.memory_mib}Mi"}
        names = {key: pod["metadata"][key] for key in ("name", "namespace", "labels")}
        containers = [{"name": each["name"], "usage": usage} for each in pod["spec"]["containers"]]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"metadata": names, "timestamp": now, "window": "10s", "containers": containers}


def _resources() -> Document:
    pods = {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["list"]}
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": VERSION, "resources": [pods]}


@contextmanager
def served_metrics(plane: ControlPlane, kube: Kube) -> Generator[Metrics, None, None]:
    """Metrics behind the API server for as long as the block lasts: one set of them a cluster."""
    metrics = Metrics(kube)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(metrics))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(plane.certificate, plane.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    registration = _registration(server.server_port)
    try:
        for document in registration:
            assert kube.apply(document).status < 300
        yield metrics
    finally:
        for document in registration:
            kube.remove(document)
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(metrics: Metrics) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = metrics.answer(self.path)
            content = json.dumps(found or {"kind": "Status", "status": "Failure", "code": 404}).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it
            pass

    return Handler


def _registration(port: int) -> list[Document]:
    """A Service by name, as a loopback address is refused as an endpoint, and the API behind it."""
    metadata = {"name": NAME, "namespace": "kube-system"}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    }
    api = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1beta1.{GROUP}"},
        "spec": {
            "group": GROUP,
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {**metadata, "port": port},
        },
    }
    return [service, api]
