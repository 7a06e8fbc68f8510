"""Liveness and readiness: open to all, and telling nothing but that."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.responses import Response

from agent_server import __version__
from agent_server.http.responses import json_response


def make_probes(require_ready: Callable[[], Awaitable[None]]) -> APIRouter:
    """Return `/health`, which touches memory only, and `/ready`, which tells what `require_ready` raises."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> Response:  # pyright: ignore[reportUnusedFunction]  # a route
        return json_response({"status": "healthy", "version": __version__})

    @router.get("/ready")
    async def ready() -> Response:  # pyright: ignore[reportUnusedFunction]  # a route
        await require_ready()
        return json_response({"status": "ready", "version": __version__, "database": "connected"})

    return router
