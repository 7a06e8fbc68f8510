"""`serve` and `worker`: the processes that stay."""

import os
import signal
from argparse import Namespace
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import Any

from agent_server.core.logs import configure_logs
from agent_server.core.settings import Settings, read_settings
from agent_server.core.tracing import keep_content_private, tracing


def serve(given: Namespace) -> int:
    """Answer requests until SIGTERM or SIGINT."""
    _stop_early()
    settings = _settings(given)
    settings.require_safe_exposure()
    with _traced(settings):
        _server().serve(settings, worker=not given.no_worker)
    return 0


def worker(given: Namespace) -> int:
    """Execute runs, and answer the probes, until SIGTERM or SIGINT."""
    _stop_early()
    settings = _settings(given)
    with _traced(settings):
        _server().work(settings)
    return 0


def _stop_early() -> None:
    """End at once on a signal that comes before the server has handlers of its own: nothing is held yet.

    Without one, the first process of a container would ignore it.
    """

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # what a handler is given
        os._exit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


@contextmanager
def _traced(settings: Settings) -> Generator[None]:
    """Send traces where the environment says, if it does; without content, unless it says so, too."""
    if not settings.trace_content:
        keep_content_private()
    with tracing(settings):
        yield


def _server() -> Any:
    """Import the server, seconds of LangGraph: a wrong setting is told before."""
    return import_module("agent_server.http.server")


def _settings(given: Namespace) -> Settings:
    settings = read_settings()
    if given.machine:
        settings = settings.model_copy(update={"log_format": "json"})
    configure_logs(settings)
    return settings
