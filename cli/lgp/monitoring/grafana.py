"""Grafana with our dashboards, for whoever has it installed."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lgp.errors import PortTaken
from lgp.monitoring.program import Program
from lgp.monitoring.prometheus import LOOPBACK, SCRAPE_SECONDS
from lgp.paths import ROOT
from lgp.server_process import Address, require_free

DASHBOARDS = ROOT / "app" / "monitoring" / "dashboards"
HOME = DASHBOARDS / "langgraph-service.json"
PORT = 3000
"""Where it is, if nothing else is there."""


def find_grafana() -> list[str] | None:
    """The command that serves, with where its own files are; None if it is not installed whole."""
    for name, verb in (("grafana", ["server"]), ("grafana-server", [])):
        found = shutil.which(name)
        home = _home(Path(found).resolve()) if found else None
        if found and home:
            return [found, *verb, f"--homepath={home}"]
    return None


def _home(program: Path) -> Path | None:
    """Of the packages of Debian and Fedora, of Homebrew, of an archive."""
    prefix = program.parent.parent
    places = (Path("/usr/share/grafana"), prefix / "share" / "grafana", prefix)
    return next((place for place in places if (place / "conf" / "defaults.ini").is_file()), None)


def grafana_address() -> Address:
    """Where it will listen."""
    try:
        return require_free(Address(LOOPBACK, PORT))
    except PortTaken:
        return require_free(Address(LOOPBACK, 0))


def start_grafana(command: list[str], address: Address, prometheus: Address, folder: Path) -> Program:
    """Start it; who opens it on this machine sees everything and changes nothing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _provision(folder / "provisioning", prometheus)
    return Program.start("Grafana", command, folder, settings(address, folder))


def settings(address: Address, folder: Path) -> dict[str, str]:
    """Its settings, as variables. Nobody logs in, there is no administrator, and it calls nobody."""
    given = {
        "PATHS_DATA": str(folder),
        "PATHS_LOGS": str(folder / "log"),
        "PATHS_PLUGINS": str(folder / "plugins"),
        "PATHS_PROVISIONING": str(folder / "provisioning"),
        "SERVER_HTTP_ADDR": address.host,
        "SERVER_HTTP_PORT": str(address.port),
        "AUTH_ANONYMOUS_ENABLED": "true",
        "AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
        "AUTH_BASIC_ENABLED": "false",
        "AUTH_DISABLE_LOGIN_FORM": "true",
        "SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
        "ANALYTICS_REPORTING_ENABLED": "false",
        "ANALYTICS_CHECK_FOR_UPDATES": "false",
        "ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "NEWS_NEWS_FEED_ENABLED": "false",
        "DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": str(HOME),
        "LOG_LEVEL": "warn",
    }
    return {f"GF_{name}": value for name, value in given.items()}


def _provision(folder: Path, prometheus: Address) -> None:
    source: Mapping[str, Any] = {
        "name": "Prometheus",
        "uid": "prometheus",
        "type": "prometheus",
        "access": "proxy",
        "url": prometheus.url,
        "isDefault": True,
        "jsonData": {"timeInterval": f"{SCRAPE_SECONDS}s"},
    }
    provider: Mapping[str, Any] = {"name": "langgraph", "type": "file", "options": {"path": str(DASHBOARDS)}}
    _write(folder / "datasources" / "prometheus.yaml", {"apiVersion": 1, "datasources": [source]})
    _write(folder / "dashboards" / "langgraph.yaml", {"apiVersion": 1, "providers": [provider]})


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")
