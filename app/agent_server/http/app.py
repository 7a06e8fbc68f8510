"""The FastAPI application over an engine."""

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from agent_server import __version__
from agent_server.core.errors import ServerError
from agent_server.http.access import Access
from agent_server.http.cors import Cors
from agent_server.http.envelope import Envelope
from agent_server.http.probes import make_probes
from agent_server.http.problems import on_http_exception, on_server_error, on_unexpected
from agent_server.http.routes import make_router
from agent_server.runs.engine import Engine
from agent_server.storage.keys import KeyStore


def create_app(engine: Engine) -> ASGIApp:
    """Return the ASGI application; the engine must be open as long as it serves."""
    settings = engine.settings
    keys = KeyStore(engine.database, settings.require_pepper()) if settings.auth == "keys" else None
    app = _with_probes(engine)
    app.include_router(make_router(engine, Access(keys, settings.allowed_origins)))
    if settings.allowed_origins:
        app.add_middleware(
            Cors, origins=settings.allowed_origins, allow_credentials=settings.allow_credentials
        )
    return Envelope(app)


def create_probes(engine: Engine) -> ASGIApp:
    """Return what a worker serves: `/health` and `/ready`, and 404 for anything else."""
    return Envelope(_with_probes(engine))


def _with_probes(engine: Engine) -> FastAPI:
    app = FastAPI(
        title="Agent server",
        version=__version__,
        redirect_slashes=False,
        openapi_url=None,  # FastAPI's own routes would tell anybody; ours asks who it is
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(make_probes(engine))
    app.add_exception_handler(ServerError, on_server_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(Exception, on_unexpected)  # else Starlette answers in plain text
    return app
