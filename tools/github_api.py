"""The few calls of GitHub's REST API that the workflows' scripts make, with the standard library alone.

A script of a workflow runs before anything is installed, with a token in its environment: nothing that was
downloaded shall stand beside it.
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

Json = dict[str, Any]
SECONDS = 30.0
PAGE = 100
"""Things a page, GitHub's most."""
MOST_PAGES = 30
"""Pages that are read at most: 3,000 comments on one pull request."""
BODY_LIMIT = 65_536
"""Characters of a comment's or an issue's body (GitHub refuses more with 422)."""
BOT = "github-actions[bot]"
"""Whom a workflow's token writes as."""


class Refused(Exception):
    """GitHub answered with an error; the message has the request and the status."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirection is an answer: the token is not carried to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing."""


_OPENER = urllib.request.build_opener(_Stay())
_REDIRECTED = (301, 302, 303, 307, 308)


class Repository:
    """One repository, by a workflow's token."""

    def __init__(self, api: str, name: str, token: str) -> None:
        """`api` such as `https://api.github.com`, `name` as `owner/name`."""
        self._base = f"{api.rstrip('/')}/repos/{quote(name)}"
        self.name = name
        self._token = token

    @classmethod
    def of_the_job(cls) -> "Repository":
        """The repository, the API and the token that GitHub gives a job."""
        env = os.environ
        api = env.get("GITHUB_API_URL", "https://api.github.com")
        return cls(api, env["GITHUB_REPOSITORY"], env["GITHUB_TOKEN"])

    def run(self, number: str | int) -> str:
        """Address of a workflow's run, for people."""
        server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{server}/{self.name}/actions/runs/{int(number)}"

    def get(self, path: str, **query: Any) -> Any:
        """The answer to a GET."""
        return json.loads(self._send("GET", path, query=query))

    def all(self, path: str, key: str | None = None, **query: Any) -> Iterator[Json]:
        """The things of all pages; `key` where the list is inside an object."""
        for page in range(1, MOST_PAGES + 1):
            answer = self.get(path, **query, per_page=PAGE, page=page)
            found: list[Json] = answer[key] if key else answer
            yield from found
            if len(found) < PAGE:
                return

    def post(self, path: str, body: Json) -> Json:
        """Make something."""
        return json.loads(self._send("POST", path, body=body))

    def patch(self, path: str, body: Json) -> Json:
        """Change something."""
        return json.loads(self._send("PATCH", path, body=body))

    def download(self, path: str, limit: int) -> bytes | None:
        """What an address leads to, by one redirection; None if it is longer than `limit` bytes."""
        request = self._request("GET", path)
        try:
            with _OPENER.open(request, timeout=SECONDS) as answer:
                return _bounded(answer, limit)
        except urllib.error.HTTPError as error:
            if error.code not in _REDIRECTED:
                raise _refusal(request, error) from None
            where = error.headers["Location"]
        if urlsplit(where).scheme not in {"https", urlsplit(self._base).scheme}:
            message = f"GET {path}: leads to {urlsplit(where).scheme or 'nowhere'}"
            raise Refused(message)
        # without the token: the storage behind it knows the address by its own signature
        with urllib.request.urlopen(where, timeout=SECONDS) as answer:  # noqa: S310  # its scheme was looked at
            return _bounded(answer, limit)

    def _send(self, method: str, path: str, *, query: Json | None = None, body: Json | None = None) -> bytes:
        request = self._request(method, f"{path}?{urlencode(query)}" if query else path, body)
        try:
            with _OPENER.open(request, timeout=SECONDS) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise _refusal(request, error) from None

    def _request(self, method: str, path: str, body: Json | None = None) -> urllib.request.Request:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        data = None if body is None else json.dumps(body).encode()
        return urllib.request.Request(f"{self._base}{path}", data=data, headers=headers, method=method)  # noqa: S310  # the API's address is GitHub's own


def _bounded(answer: Any, limit: int) -> bytes | None:
    found: bytes = answer.read(limit + 1)
    return found if len(found) <= limit else None


def _refusal(request: urllib.request.Request, error: urllib.error.HTTPError) -> Refused:
    told = error.read(500).decode(errors="replace")
    return Refused(f"{request.method} {urlsplit(request.full_url).path}: {error.code} {told}")
