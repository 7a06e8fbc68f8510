"""`lgp dev`."""

from lgp.commands.serving import (
    BUNDLED_CONFIG,
    Config,
    DatabaseUrl,
    Host,
    Machine,
    MetricsPort,
    Monitoring,
    Parent,
    Port,
    PrometheusPort,
    Quiet,
    config_file,
)
from lgp.launcher import Wish, launch
from lgp.reloading import watching
from lgp.server_process import Address
from lgp.state import clone_state


def dev(
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
    """The same as `up`, and start the server anew when Python files, the langgraph.json or .env change."""
    launch(
        Wish(
            address=Address(host, port),
            metrics_port=metrics_port,
            monitoring=monitoring,
            prometheus_port=prometheus_port,
            config=config_file(config),
            database_url=database_url or None,
            watch=watching,
            quiet=quiet,
            machine=machine,
            parent=parent or None,
        ),
        clone_state(),
    )
