"""`serve` and `worker`: the processes that stay."""

from argparse import Namespace
from importlib import import_module
from typing import Any

from agent_server.core.logs import configure_logs
from agent_server.core.settings import Settings, read_settings


def serve(given: Namespace) -> int:
    """Answer requests until SIGTERM or SIGINT."""
    settings = _settings(given)
    settings.require_safe_exposure()
    _server().serve(settings, worker=not given.no_worker)
    return 0


def worker(given: Namespace) -> int:
    """Execute runs until SIGTERM or SIGINT."""
    settings = _settings(given)
    _server().work(settings)
    return 0


def _server() -> Any:
    """Import the server, seconds of LangGraph: a wrong setting is told before."""
    return import_module("agent_server.http.server")


def _settings(given: Namespace) -> Settings:
    settings = read_settings()
    if given.machine:
        settings = settings.model_copy(update={"log_format": "json"})
    configure_logs(settings)
    return settings
