"""What answers where a node's kubelet would: the logs of its pods, as a test writes them.

The API server, kubectl and the way between them are the real ones.
"""

import json
import ssl
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cluster.control_plane import ControlPlane


@dataclass
class Logs:
    """Lines by pod, and how they were asked for."""

    lines: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """With a time each, as `--timestamps` has them; a pod that is not here says its name once a second."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list[tuple[str, dict[str, str]]])
    """Pod and query of each request."""
    broken: set[str] = field(default_factory=set[str])
    """Pods whose connection breaks after what there is; once."""

    def of(self, pod: str, since: str) -> list[str]:
        """What it has said, from that time on."""
        return [line for line in self.lines.get(pod, [said(pod)]) if line.split(" ")[0] >= since]


def said(pod: str, second: int = 0) -> str:
    """A line of the server's form."""
    moment = f"2026-11-23T22:00:{second:02}.000000000Z"
    return f"{moment} {json.dumps({'event': f'{pod} {second}', 'level': 'info'})}"


@contextmanager
def served_logs(plane: ControlPlane) -> Generator[Logs, None, None]:
    """Logs of all pods of the fake nodes, for as long as the block lasts."""
    logs = Logs()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(logs))
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(plane.certificate, plane.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    place = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": server.server_port}},
    }
    try:
        for node in plane.kubectl("get", "nodes", "--output", "name").split():
            plane.kubectl("patch", node, "--subresource=status", "--patch", json.dumps({"status": place}))
        yield logs
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(logs: Logs) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            pod = parts.path.split("/")[3]
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            logs.asked.append((pod, query))
            self.send_response(200)
            self.end_headers()
            sent = 0
            while True:
                found = logs.of(pod, query.get("sinceTime", ""))
                self.wfile.write("".join(f"{line}\n" for line in found[sent:]).encode())
                self.wfile.flush()
                sent = len(found)
                if query.get("follow") != "true" or pod in logs.broken:
                    logs.broken.discard(pod)
                    return
                time.sleep(0.1)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it
            pass

    return Handler
