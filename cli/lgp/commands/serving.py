"""The options that `up` and `dev` share."""

from pathlib import Path
from typing import Annotated

import typer

from lgp.errors import UsageProblem
from lgp.output import Machine
from lgp.paths import BUNDLED_CONFIG

__all__ = [
    "BUNDLED_CONFIG",
    "Config",
    "DatabaseUrl",
    "Host",
    "Machine",
    "MetricsPort",
    "Monitoring",
    "Parent",
    "Port",
    "PrometheusPort",
    "Quiet",
    "config_file",
]

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


def config_file(config: Path) -> Path:
    """The absolute path of a langgraph.json, or of the one in a folder; it must be there."""
    file = (config / "langgraph.json" if config.is_dir() else config).absolute()
    if not file.is_file():
        message = f"there is no file {config}: CONFIG must be the path of a langgraph.json"
        raise UsageProblem(message)
    return file
