"""The process that serves: one event loop, one engine, and signals that are ours."""

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from agent_server.core.errors import ConfigurationError, ServerError
from agent_server.core.settings import Settings
from agent_server.graphs.langsmith import langsmith
from agent_server.graphs.registry import Registry, load_graphs
from agent_server.http.app import create_app, create_probes, create_starting
from agent_server.http.door import Door
from agent_server.http.exposition import create_exposition
from agent_server.http.protocol import BoundedProtocol
from agent_server.runs.engine import Engine, open_engine_patiently
from agent_server.storage.gauges import DatabaseGauges

BACKLOG = 2048
LEFT_SECONDS = 0.2
"""How long a stop waits, beyond SHUTDOWN_SECONDS, for nodes that do not end when they are told to."""
CLOSE_SECONDS = 1
"""How long a stop waits, at least, for answers that are under way."""
HURRY_SECONDS = 1.5
"""How long a stop takes at most after a second signal."""
_THREADS = "node"

log = structlog.get_logger()


def serve(settings: Settings, *, worker: bool) -> None:
    """Answer requests until SIGTERM or SIGINT; then hand all runs over and return.

    Raises:
        ConfigurationError: a graph, the port or the database is not as it should be.
        DatabaseUnavailable: PostgreSQL has not answered for DATABASE_WAIT_SECONDS.
    """
    registry = load_graphs(settings.langgraph_config)
    with (
        _bind(settings.host, settings.port) as listening,
        _bind_metrics(settings) as scraped,
        langsmith(settings),
    ):
        _run(_serve(settings, registry, _Face("serving", create_app, listening, scraped), worker=worker))


def work(settings: Settings) -> None:
    """Execute enqueued and orphaned runs, and answer the probes, until a signal. Raises as `serve`."""
    registry = load_graphs(settings.langgraph_config)
    with (
        _bind(settings.host, settings.port) as listening,
        _bind_metrics(settings) as scraped,
        langsmith(settings),
    ):
        _run(_serve(settings, registry, _Face("working", create_probes, listening, scraped), worker=True))


@dataclass(frozen=True, slots=True)
class _Face:
    """What a process shows of itself, and where."""

    name: str
    app: Callable[[Engine], ASGIApp]
    listening: socket.socket
    scraped: socket.socket | None
    """Where the metrics are."""


def _run(main: Coroutine[Any, Any, None]) -> None:
    """Run to the end; of the errors that tasks leave in groups, raise our own by itself."""
    ours: list[ServerError] = []
    try:
        uvloop.run(main)
    except* ServerError as group:
        ours += _leaves(group)
    if ours:
        raise ours[0]


def _leaves(group: BaseExceptionGroup[ServerError]) -> list[ServerError]:
    found: list[ServerError] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


async def _serve(settings: Settings, registry: Registry, face: _Face, *, worker: bool) -> None:
    threads, gauges, door = _own_threads(), DatabaseGauges(settings.direct_dsn), Door(create_starting())
    server = _Server(_uvicorn(settings, door))
    host, port = face.listening.getsockname()[:2]
    log.info("starting", host=host, port=port)
    async with (
        _exposed(settings, face.scraped, gauges),
        _running(server, face.listening) as serving,
        open_engine_patiently(settings, registry, worker=worker) as engine,
    ):
        # Not a turn of the loop earlier: until then a signal ends the process at once, for it holds no run.
        signals = _Signals(on_second=partial(_hurry, engine, server))
        gauges.database = engine.database
        door.open(face.app(engine), lambda: engine.draining)
        _settle()
        log.info(face.name, host=host, port=port, graphs=sorted(registry))
        await asyncio.wait({serving, signals.first}, return_when=asyncio.FIRST_COMPLETED)
        deadline = time.monotonic() + settings.shutdown_seconds
        server.end_connections()
        await engine.drain()
        server.stop(max(CLOSE_SECONDS, round(deadline - time.monotonic())))
        await serving
        await _leave_runs(engine)
    log.info("stopped")
    await _leave_threads(threads)


def _uvicorn(settings: Settings, app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        access_log=False,
        backlog=BACKLOG,
        http=BoundedProtocol,
        lifespan="off",
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
        timeout_keep_alive=settings.keep_alive_seconds,
        ws="none",
    )


@asynccontextmanager
async def _exposed(
    settings: Settings, scraped: socket.socket | None, gauges: DatabaseGauges
) -> AsyncGenerator[None]:
    """Serve the metrics as long as the block lasts."""
    if scraped is None:
        yield
        return
    async with _running(_Server(_uvicorn(settings, create_exposition(gauges))), scraped):
        yield


@asynccontextmanager
async def _running(server: "_Server", listening: socket.socket) -> AsyncGenerator[asyncio.Task[None]]:
    """Serve as long as the block lasts, in the task that it is given."""
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield serving
    finally:
        server.stop(CLOSE_SECONDS)
        await serving


class _Signals:
    """SIGTERM and SIGINT: a process that has claimed runs must hand them over."""

    def __init__(self, *, on_second: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self.first: asyncio.Future[None] = loop.create_future()
        self._on_second = on_second
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._came)

    def _came(self) -> None:
        if self.first.done():
            self._on_second()
        else:
            self.first.set_result(None)


class _Server(uvicorn.Server):
    """uvicorn, which would wait for open streams for ever: it is told to stop when they have ended."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals to us. Nothing is raised again at the end: the exit code is 0."""
        yield

    def end_connections(self) -> None:
        """Close each connection after the answer that is under way on it."""
        for connection in self.server_state.connections:
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                connection.shutdown()

    def stop(self, seconds: int) -> None:
        """Close what is open, within so long."""
        self.config.timeout_graceful_shutdown = seconds
        self.should_exit = True

    def stop_at_once(self) -> None:
        """Wait for nobody."""
        self.force_exit = True


def _own_threads() -> ThreadPoolExecutor:
    """Give the event loop threads that can be told apart."""
    threads = ThreadPoolExecutor(thread_name_prefix=_THREADS)
    asyncio.get_running_loop().set_default_executor(threads)
    return threads


def _hurry(engine: Engine, server: _Server) -> None:
    """Wait for nobody: hand over what can be handed over in HURRY_SECONDS, and end."""
    engine.hurry()
    server.stop_at_once()
    asyncio.get_running_loop().call_later(HURRY_SECONDS, lambda: _exit("a second signal came"))


async def _leave_runs(engine: Engine) -> None:
    """End the process if nodes will not be cancelled: their runs are left to their leases."""
    deadline = time.monotonic() + LEFT_SECONDS
    while engine.executor.local:
        if time.monotonic() > deadline:
            _exit("nodes would not be cancelled", len(engine.executor.local))
        await asyncio.sleep(0.02)


async def _leave_threads(threads: ThreadPoolExecutor) -> None:
    """End the process if nodes still run in threads: nobody can stop them, and their runs go on elsewhere."""
    threads.shutdown(wait=False, cancel_futures=True)
    deadline = time.monotonic() + LEFT_SECONDS
    while busy := [thread for thread in threading.enumerate() if thread.name.startswith(_THREADS)]:
        if time.monotonic() > deadline:
            _exit("nodes in threads were left behind", len(busy))
        await asyncio.sleep(0.02)


def _exit(reason: str, count: int = 0) -> NoReturn:
    log.warning("stopped at once", reason=reason, count=count)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _settle() -> None:
    """Take what the start has made out of the garbage collector's rounds: none of it ever becomes garbage."""
    gc.collect()
    gc.freeze()


def _bind(host: str, port: int) -> socket.socket:
    """Listen before anything else is opened: a taken port is told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)  # sockets that are only bound may share a port
    except OSError as error:
        listening.close()
        msg = f"Cannot listen on {host} port {port}: {error.strerror}."
        raise ConfigurationError(msg) from None
    return listening


@contextmanager
def _bind_metrics(settings: Settings) -> Generator[socket.socket | None]:
    """The same for METRICS_PORT; None where it is switched off."""
    if not settings.metrics_port:
        yield None
        return
    try:
        listening = _bind(settings.host, settings.metrics_port)
    except ConfigurationError as error:
        msg = f"METRICS_PORT: {error.detail} Set another one, or 0 for none."
        raise ConfigurationError(msg) from None
    with listening:
        yield listening
