"""The real Prometheus, which reads the server every few seconds and evaluates our alert rules."""

import json
import shutil
from pathlib import Path
from typing import Any

from lgp.errors import PortTaken, ProgramMissing
from lgp.monitoring.program import Program
from lgp.paths import ROOT
from lgp.server_process import Address, require_free

LOOPBACK = "127.0.0.1"
"""Prometheus has no login: nobody else may ask it."""

PORT = 9090
"""Where it is, if nobody says otherwise and nothing else is there."""

RULES = ROOT / "app" / "monitoring" / "rules.yaml"
JOB = "agent-server"
"""The rules ask for what is scraped under this name."""

SCRAPE_SECONDS = 5
KEPT = ("7d", "512MB")
"""What is older goes, and what is more."""


def require_prometheus() -> str:
    """Its path; ProgramMissing says how to get it."""
    found = shutil.which("prometheus")
    if found is None:
        message = (
            "Prometheus is not installed: `apt-get install prometheus`, `brew install prometheus` or"
            " https://prometheus.io/download; or start without MONITORING"
        )
        raise ProgramMissing(message)
    return found


def prometheus_address(port: int | None) -> Address:
    """Where it will listen; PortTaken only for a port that was asked for."""
    try:
        return require_free(Address(LOOPBACK, PORT if port is None else port), variable="PROMETHEUS_PORT")
    except PortTaken:
        if port is not None:
            raise
        return require_free(Address(LOOPBACK, 0))


def start_prometheus(program: str, address: Address, metrics: Address, folder: Path) -> Program:
    """Start it on the data of this folder's last one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = folder.with_suffix(".yaml")
    # YAML takes JSON as it is
    config.write_text(json.dumps(configuration(metrics), indent=2) + "\n")
    age, size = KEPT
    command = [
        program,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder}",
        f"--storage.tsdb.retention.time={age}",
        f"--storage.tsdb.retention.size={size}",
        f"--web.listen-address={address.host}:{address.port}",
        "--log.level=warn",
    ]
    return Program.start("Prometheus", command, folder)


def configuration(metrics: Address) -> dict[str, Any]:
    """What it reads, and how often."""
    return {
        "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "evaluation_interval": "15s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": JOB, "static_configs": [{"targets": [_target(metrics)]}]}],
    }


def _target(metrics: Address) -> str:
    """Where the server's metrics are reached from this machine."""
    reached = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(metrics.host, metrics.host)  # noqa: S104  # not listened on
    return Address(reached, metrics.port).url.removeprefix("http://")
