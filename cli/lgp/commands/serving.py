"""`lgp up` and `lgp dev`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from lgp.inputs import config_file
from lgp.launcher import ServeOptions, launch
from lgp.output import Machine
from lgp.paths import BUNDLED_CONFIG
from lgp.server_process import Address
from lgp.state import clone_state
from lgp.watching import Watch

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(envvar="PORT", min=0, max=65535, help="Port to listen on; 0 for any.")]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        envvar="METRICS_PORT",
        min=0,
        max=65535,
        show_default="9464 if that is free, else none",
        help="Port of GET /metrics; 0 for none.",
    ),
]
Monitoring = Annotated[
    bool,
    typer.Option(
        "--monitoring",
        envvar="MONITORING",
        help="Prometheus with the alert rules beside it; Grafana, too, if there.",
    ),
]
PrometheusPort = Annotated[
    int | None,
    typer.Option(
        envvar="PROMETHEUS_PORT",
        min=0,
        max=65535,
        show_default="9090 if that is free, else any",
        help="Port of that Prometheus, on 127.0.0.1.",
    ),
]
Config = Annotated[
    Path,
    typer.Option(envvar="LANGGRAPH_CONFIG", show_default="bundled", help="A langgraph.json, or its folder."),
]
DatabaseUrl = Annotated[
    str,
    typer.Option(
        envvar="DATABASE_URL",
        show_default=False,
        help="A database of your own; else the embedded PostgreSQL.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Leave the server's log in its file in .lgp.")]
Parent = Annotated[int, typer.Option(envvar="LGP_PARENT", hidden=True, help="Stop when it is gone.")]


def _serving(name: str, promise: str, watch: Callable[[], Watch] | None = None) -> Callable[..., None]:
    """A verb that serves; what it says of itself in its help is `promise`."""

    def verb(
        *,
        host: Host = "127.0.0.1",
        port: Port = 8000,
        metrics_port: MetricsPort = None,
        monitoring: Monitoring = False,
        prometheus_port: PrometheusPort = None,
        config: Config = BUNDLED_CONFIG,
        database_url: DatabaseUrl = "",
        quiet: Quiet = False,
        machine: Machine = False,
        parent: Parent = 0,
    ) -> None:
        wanted = ServeOptions(
            address=Address(host, port),
            metrics_port=metrics_port,
            monitoring=monitoring,
            prometheus_port=prometheus_port,
            config=config_file(config),
            database_url=database_url or None,
            watch=watch() if watch else None,
            quiet=quiet,
            machine=machine,
            parent=parent or None,
        )
        launch(wanted, clone_state())

    verb.__name__, verb.__doc__ = name, promise
    return verb


def _watching() -> Watch:
    from lgp.reloading import watching  # noqa: PLC0415  # takes a tenth of a second, which `up` does not pay

    return watching


up = _serving("up", "Start PostgreSQL and the server, and serve until Ctrl-C.")
dev = _serving(
    "dev",
    "The same as `up`, and start the server anew when Python files, the langgraph.json or .env change.",
    _watching,
)
