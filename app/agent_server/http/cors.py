"""What browsers are told: the origins of ALLOWED_ORIGINS may read our answers, others learn nothing."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

METHODS = ("GET", "POST", "PUT", "DELETE")
SENT = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Prefer", "X-Request-Id")
SHOWN = ("Location", "Retry-After", "X-Request-Id")


class Cors:
    """ASGI middleware. An admitted origin's preflight is answered without credentials, as browsers send it.

    To another origin there is no CORS here: its preflight is a method that no route has, 405, and its
    requests are answered as anybody's, in headers that keep its pages from reading them.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str], *, allow_credentials: bool) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._admitting = CORSMiddleware(
            app,
            allow_origins=tuple(origins),
            allow_methods=METHODS,
            allow_headers=SENT,
            allow_credentials=allow_credentials,
            expose_headers=SHOWN,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        admitted = scope["type"] == "http" and self._admits(Headers(scope=scope).get("origin"))
        await (self._admitting if admitted else self._app)(scope, receive, send)

    def _admits(self, origin: str | None) -> bool:
        return origin is not None and (origin in self._origins or "*" in self._origins)
