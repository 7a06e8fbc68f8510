"""The FastAPI application over an engine."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from agent_server import __version__
from agent_server.core.errors import DatabaseUnavailable, ServerError
from agent_server.http.access import make_access
from agent_server.http.cors import Cors
from agent_server.http.envelope import Envelope
from agent_server.http.probes import make_probes
from agent_server.http.problems import on_http_exception, on_server_error, on_unexpected
from agent_server.http.routes import make_router
from agent_server.runs.engine import Engine


def create_app(engine: Engine) -> ASGIApp:
    """Return the ASGI application; the engine must be open as long as it serves."""
    settings = engine.settings
    app = _with_probes(engine.require_ready)
    access = make_access(settings, engine.database)
    app.include_router(make_router(engine, access))
    if settings.allowed_origins:
        app.add_middleware(
            Cors, origins=settings.allowed_origins, allow_credentials=settings.allow_credentials
        )
    return Envelope(app)


def create_probes(engine: Engine) -> ASGIApp:
    """Return what a worker serves: `/health` and `/ready`, and 404 for anything else."""
    return Envelope(_with_probes(engine.require_ready))


def create_starting() -> ASGIApp:
    """Return what answers while the database is waited for: `/health`, and 503 to anything else."""

    async def not_yet(*_: Any) -> None:
        msg = "This process starts: it waits for its database."
        raise DatabaseUnavailable(msg)

    app = _with_probes(not_yet)
    app.router.default = not_yet
    return Envelope(app)


def _with_probes(require_ready: Callable[[], Awaitable[None]]) -> FastAPI:
    app = FastAPI(
        title="Agent server",
        version=__version__,
        redirect_slashes=False,
        openapi_url=None,  # FastAPI's own routes would tell anybody; ours asks who it is
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(make_probes(require_ready))
    app.add_exception_handler(ServerError, on_server_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(Exception, on_unexpected)  # else Starlette answers in plain text
    return app
