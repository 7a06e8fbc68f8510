"""The contract's paths over the standard library's HTTP server."""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from agent_server import answers

GRAPHS: list[str] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        print("request", format % args, flush=True)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        parts = url.path.strip("/").split("/")
        if parts == ["health"]:
            self._send(200, {"status": "healthy", "version": "0"})
        elif parts == ["ready"]:
            self._send(200, {"status": "ready", "version": "0", "database": "connected"})
        elif parts == ["graphs"]:
            self._send(200, {"graphs": [self._graph(name) for name in GRAPHS]})
        elif parts == ["threads"]:
            self._send(200, {"threads": [], "total": 0})
        elif parts[-1] == "state" and self._known(parts[1]):
            self._send(*answers.state(query["thread_id"]))
        elif parts[-1] == "history" and self._known(parts[1]):
            self._send(200, {"history": [answers.state(query["thread_id"])[1]]})

    def do_POST(self) -> None:
        _, graph, verb = self.path.strip("/").split("/")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._known(graph):
            return
        if verb == "invoke":
            self._send(*answers.start(graph, body))
        elif verb == "resume":
            self._send(*answers.resume(body))
        else:
            self._stream(answers.events(graph, body))

    def _known(self, graph: str) -> bool:
        if graph in GRAPHS:
            return True
        self._send(*answers.problem(404, "unknown_graph", f'there is no graph "{graph}"', known=GRAPHS))
        return False

    def _graph(self, name: str) -> dict[str, Any]:
        schemas = dict.fromkeys(("input_schema", "output_schema", "context_schema", "config_schema"))
        return {"name": name, "description": f"The graph {name}.", "mermaid": "graph TD;", **schemas}

    def _send(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, events: list[tuple[str, Any]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number, (event, data) in enumerate(events, 1):
            frame = f"event: {event}\ndata: {json.dumps(data)}\nid: 1-{number}\n\n"
            self.wfile.write(frame.encode())
