"""Liveness and readiness: open to all, and telling nothing but that."""

from fastapi import APIRouter
from starlette.responses import Response

from agent_server import __version__
from agent_server.core.errors import Draining
from agent_server.http.answers import json_response
from agent_server.runs.engine import Engine


def make_probes(engine: Engine) -> APIRouter:
    """Return `/health`, which touches memory only, and `/ready`, which asks the database."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> Response:  # pyright: ignore[reportUnusedFunction]  # a route
        return json_response({"status": "healthy", "version": __version__})

    @router.get("/ready")
    async def ready() -> Response:  # pyright: ignore[reportUnusedFunction]  # a route
        if engine.draining:
            msg = "This process stops."
            raise Draining(msg)
        await engine.ping()
        return json_response({"status": "ready", "version": __version__, "database": "connected"})

    return router
