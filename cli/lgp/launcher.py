"""`lgp up`: PostgreSQL, the schema, the server; then everything back, PostgreSQL last."""

import contextlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lgp.embedded import Cluster, clone_layout
from lgp.errors import PortTaken, UsageProblem
from lgp.monitoring import Beside, monitored, prometheus_address, require_prometheus
from lgp.output import note
from lgp.progress import step
from lgp.schema import migrate_if_needed
from lgp.server_command import at_address, server_environment
from lgp.server_process import Address, end_leftover, require_free
from lgp.service import Revive, Service, ServicePlan, Shown
from lgp.signals import Signals
from lgp.state import Record, State
from lgp.watching import Watch

METRICS_PORT = 9464
"""Where the metrics are, if nobody says otherwise and nothing else is there."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What `lgp up` was asked for."""

    address: Address
    config: Path
    database_url: str | None
    """None for the embedded PostgreSQL."""
    metrics_port: int | None = None
    """0 for no metrics; None for METRICS_PORT where that is free, else none, or any with `monitoring`."""
    monitoring: bool = False
    """Whether Prometheus, and Grafana where it is installed, run beside the server."""
    prometheus_port: int | None = None
    """None for 9090 where that is free, else any."""
    watch: Watch | None = None
    """With it, the server is started anew when files of the graphs change."""
    quiet: bool = False
    """Whether the server's log stays in its file."""
    machine: bool = False
    """Whether stdout gets one JSON document instead of the banner."""
    parent: int | None = None
    """The `make` that started us; when it is killed, we stop as if asked to."""


def launch(options: ServeOptions, state: State) -> None:
    """Serve until a stop is asked for. A failure leaves nothing running."""
    if options.monitoring:
        require_prometheus()
    state.open()
    with state.alone(), Signals() as signals, contextlib.suppress(_StoppedError):
        _end_what_was_left(state)
        address = require_free(options.address)
        metrics = _metrics_address(options, address)
        watching = prometheus_address(options.prometheus_port) if options.monitoring else None
        with _database(options, state) as database:
            _stop_if_asked(signals)
            environment = server_environment(state, database.url, options.config)
            environment = at_address(environment, address.host, address.port, metrics.port if metrics else 0)
            migrate_if_needed(environment, state, signals)
            _stop_if_asked(signals)
            signals.stop_with(options.parent)
            with monitored(watching, metrics, state.folder / "monitoring", signals) as beside:
                _stop_if_asked(signals)
                record = Record(
                    address.url,
                    str(options.config),
                    database.url,
                    database.data,
                    metrics_url=f"{metrics.url}/metrics" if metrics else None,
                    prometheus_url=beside.prometheus_url,
                    grafana_url=beside.grafana_url,
                )
                shown = Shown(log=not (options.quiet or options.machine), machine=options.machine)
                plan = ServicePlan(
                    address, environment, record, shown, _care(database, beside), options.watch
                )
                Service(plan, state, signals).run()


def _care(database: "_Database", beside: Beside) -> Revive:
    """Look after both: the database is started again, what watches is not."""

    def care() -> bool:
        beside.tell_of_the_dead()
        return database.revive()

    return care


def _metrics_address(options: ServeOptions, address: Address) -> Address | None:
    """Where the metrics will be; None for nowhere. PortTaken only for a port that was asked for."""
    if options.metrics_port == 0:
        if options.monitoring:
            message = "MONITORING reads the metrics, and METRICS_PORT=0 means none: leave one of them out"
            raise UsageProblem(message)
        return None
    try:
        metrics = Address(address.host, options.metrics_port or METRICS_PORT)
        return require_free(metrics, variable="METRICS_PORT", beside=address.port)
    except PortTaken:
        if options.metrics_port is not None:
            raise
        if options.monitoring:
            return require_free(Address(address.host, 0))
        note(f"no metrics: port {METRICS_PORT} is taken; METRICS_PORT chooses another one")
        return None


class _StoppedError(Exception):
    """A stop was asked for before everything ran."""


def _stop_if_asked(signals: Signals) -> None:
    if signals.asked_to_stop:
        raise _StoppedError


def _end_what_was_left(state: State) -> None:
    """End the server of a killed launcher: it may hold the port, and its runs go on in the new one."""
    left = state.read()
    if left is not None and left.server is not None:
        with step("server of a killed launcher") as told:
            told("ended" if end_leftover(left.server) else "had ended")
    state.forget()


@dataclass(frozen=True, slots=True)
class _Database:
    """What to serve from."""

    url: str
    data: str | None = None
    """The folder of the embedded one."""
    revive: Revive = bool
    """For a database of one's own, `bool()`: it never had died."""


@contextmanager
def _database(options: ServeOptions, state: State) -> Generator[_Database, None, None]:
    """The database to serve from; the embedded one is stopped last, whatever happened."""
    if options.database_url:
        yield _Database(options.database_url)
        return
    cluster = Cluster(clone_layout(state.folder))
    try:
        with step("PostgreSQL 18") as told:
            told("started" if cluster.start() else "was still running")
        data = str(cluster.layout.data)
        yield _Database(cluster.url, data, lambda: cluster.pid is None and cluster.start())
    finally:
        if cluster.pid is not None:
            with step("PostgreSQL 18") as told:
                cluster.stop()
                told("stopped")
