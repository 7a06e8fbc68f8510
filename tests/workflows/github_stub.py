"""GitHub's API as far as our scripts use it: it keeps pull requests, comments, issues and artifacts.

As GitHub does, it checks the token, pages its lists, refuses bodies that are too long, and keeps artifacts at
another address, where the token must not be sent to.
"""

import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
TOKEN = "the token of a job"
REPOSITORY = "acme/platform"
BOT = {"login": "github-actions[bot]", "type": "Bot"}


@dataclass
class GitHub:
    """What it holds, and what it was asked."""

    pulls: list[Json] = field(default_factory=list)
    comments: dict[int, list[Json]] = field(default_factory=dict)
    issues: list[Json] = field(default_factory=list)
    artifacts: list[Json] = field(default_factory=list)
    packed: dict[int, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    url: str = ""
    storage: str = ""

    def pull(self, number: int, *, owner: str, branch: str, sha: str, base: str = REPOSITORY) -> None:
        name = f"{owner}/{REPOSITORY.partition('/')[2]}"
        head = {"sha": sha, "ref": branch, "owner": owner, "repo": {"full_name": name}}
        self.pulls.append({"number": number, "head": head, "base": {"repo": {"full_name": base}}})
        self.comments.setdefault(number, [])

    def comment(self, number: int, body: str, user: Json | None = None) -> Json:
        made = {"id": 100 + sum(map(len, self.comments.values())), "body": body, "user": user or BOT}
        self.comments.setdefault(number, []).append(made)
        return made

    def artifact(self, name: str, content: bytes | str, *, file: str | None = None, size: int = 0) -> None:
        number = 500 + len(self.artifacts)
        packed = content
        if isinstance(content, str):
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(file or f"{name.partition('-')[0]}.md", content)
            packed = buffer.getvalue()
        self.packed[number] = packed
        told = {"id": number, "name": name, "expired": False, "size_in_bytes": size or len(packed)}
        self.artifacts.append(told)

    def bodies(self, number: int) -> list[str]:
        return [comment["body"] for comment in self.comments[number]]


@contextmanager
def github() -> Iterator[GitHub]:
    """The API on one port of 127.0.0.1 and its storage on another, until the block ends."""
    state = GitHub()
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _handler(state, api)) for api in (True, False)]
    state.url, state.storage = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield state
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


class _Answer(Exception):
    def __init__(self, status: int, body: Any = None, location: str = "") -> None:
        self.status, self.body, self.location = status, body, location


def _handler(state: GitHub, api: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):  # its methods have the names of HTTP's
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            self._answer()

        do_POST = do_PATCH = do_GET  # noqa: N815  # names of the base class

        def _answer(self) -> None:
            where = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(where.query).items()}
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            try:
                if api:
                    state.asked.append(f"{self.command} {where.path}")
                    asked = _Asked(state, 0, query, body)
                    _api(asked, self.command, where.path, self.headers.get("Authorization"))
                _storage(state, where.path, self.headers.get("Authorization"))
            except _Answer as answer:
                self._send(answer)

        def _send(self, answer: _Answer) -> None:
            content = (
                answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body or {}).encode()
            )
            self.send_response(answer.status)
            if answer.location:
                self.send_header("Location", answer.location)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _storage(state: GitHub, path: str, authorization: str | None) -> None:
    if authorization:
        state.leaked.append(authorization)
    raise _Answer(200, state.packed[int(path.rpartition("/")[2])])


@dataclass
class _Asked:
    state: GitHub
    number: int
    query: Json
    body: Json

    def page(self, found: list[Json]) -> list[Json]:
        size, page = int(self.query.get("per_page", 30)), int(self.query.get("page", 1))
        return found[size * (page - 1) : size * page]


def _api(asked: _Asked, method: str, path: str, authorization: str | None) -> None:
    if authorization != f"Bearer {TOKEN}":
        raise _Answer(401, {"message": "Bad credentials"})
    if len(asked.body.get("body", "")) > 65_536:
        raise _Answer(422, {"message": "body is too long (maximum is 65536 characters)"})
    called = f"{method} {path.replace(f'/repos/{REPOSITORY}/', '', 1)}"
    for pattern, answer in ROUTES.items():
        if found := re.fullmatch(pattern.replace("N", r"(\d+)"), called):
            asked.number = int(found.group(1)) if found.groups() else 0
            answer(asked)
    raise _Answer(404, {"message": "Not Found"})


def _pulls(asked: _Asked) -> None:
    owner, _, branch = asked.query["head"].partition(":")
    pulls = [p for p in asked.state.pulls if (p["head"]["owner"], p["head"]["ref"]) == (owner, branch)]
    raise _Answer(200, asked.page(pulls))


def _artifacts(asked: _Asked) -> None:
    every = asked.state.artifacts
    raise _Answer(200, {"total_count": len(every), "artifacts": asked.page(every)})


def _zip(asked: _Asked) -> None:
    raise _Answer(302, location=f"{asked.state.storage}/{asked.number}")


def _comments(asked: _Asked) -> None:
    raise _Answer(200, asked.page(asked.state.comments[asked.number]))


def _comment(asked: _Asked) -> None:
    raise _Answer(201, asked.state.comment(asked.number, asked.body["body"]))


def _edit(asked: _Asked) -> None:
    every = [each for many in asked.state.comments.values() for each in many]
    (one,) = [each for each in every if each["id"] == asked.number]
    one |= asked.body
    raise _Answer(200, one)


def _issues(asked: _Asked) -> None:
    raise _Answer(200, asked.page([i for i in asked.state.issues if i["state"] == asked.query["state"]]))


def _open(asked: _Asked) -> None:
    state = asked.state
    issue = {"number": 40 + len(state.issues), "state": "open", "user": BOT, **asked.body}
    state.issues.append(issue)
    state.comments[issue["number"]] = []
    raise _Answer(201, issue)


def _change(asked: _Asked) -> None:
    (one,) = [issue for issue in asked.state.issues if issue["number"] == asked.number]
    one |= asked.body
    raise _Answer(200, one)


ROUTES: dict[str, Callable[[_Asked], None]] = {
    "GET pulls": _pulls,
    "GET actions/runs/N/artifacts": _artifacts,
    "GET actions/artifacts/N/zip": _zip,
    "GET issues/N/comments": _comments,
    "POST issues/N/comments": _comment,
    "PATCH issues/comments/N": _edit,
    "GET issues": _issues,
    "POST issues": _open,
    "PATCH issues/N": _change,
}
