"""Code blocks of the pages, and a stand-in for the managed platform that their own SDK talks to."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.plans import ROOT

CODE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def code_of(page: str) -> dict[str, Any]:
    """What the one Python block of a page defines."""
    (block,) = CODE.findall((ROOT / page).read_text())
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(block, page, "exec"), names)
    return names


@dataclass
class Elsewhere:
    """Threads on the other platform, by id, and what was asked of it."""

    threads: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    url: str = ""

    def answer(self, method: str, path: str, body: Any) -> Any:
        """By the paths of their API; KeyError is a 404."""
        self.asked.append((method, path, body))
        if path == "/threads/search":
            found = sorted(self.threads.values(), key=lambda each: each["thread_id"])
            return found[body["offset"] : body["offset"] + body["limit"]]
        _, _, thread_id, *rest = path.split("/")
        if rest == ["state"]:
            thread = self.threads[thread_id]
            return {"values": thread["values"], "next": thread.get("next", []), "tasks": [], "metadata": {}}
        if rest == ["runs", "wait"]:
            return {"answered": body["input"], "by": body["assistant_id"]}
        raise KeyError(path)


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """It, served until the block ends."""
    state = Elsewhere()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"null")
            state.keys.add(self.headers.get("X-Api-Key"))
            try:
                code, answer = 200, state.answer(self.command, self.path.partition("?")[0], body)
            except KeyError:
                code, answer = 404, {"detail": "not found"}
            content = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815  # the names that the class looks for

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
