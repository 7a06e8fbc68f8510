"""How the server's own commands are run, and what they are told."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lgp.errors import CannotConnect
from lgp.paths import BUNDLED_CONFIG
from lgp.progress import step
from lgp.state import State


def server_command(verb: str, *arguments: str) -> list[str]:
    """A command of the server, with this Python; `-P` keeps modules of the current folder out of its way."""
    return [sys.executable, "-P", "-m", "agent_server", verb, *arguments]


def relay(command: list[str], environment: Mapping[str, str], what: str) -> int:
    """Run a command of the server and pass on what it says and its exit code; alive while it takes long."""
    with step(what):
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    sys.stdout.buffer.write(done.stdout)
    sys.stdout.buffer.flush()
    sys.stderr.buffer.write(done.stderr)
    return done.returncode


def server_environment(state: State, database_url: str, config: Path) -> dict[str, str]:
    """Ours, with what the server must be told; nothing that would lead it to another database."""
    inherited = dict(os.environ)
    if inherited.get("DATABASE_URL") != database_url:
        inherited = {name: value for name, value in inherited.items() if not _leads_elsewhere(name)}
    if not inherited.get("API_KEY_PEPPER"):
        inherited["API_KEY_PEPPER"] = state.pepper()
    if not (inherited.get("ATTACHMENTS_BUCKET") or inherited.get("ATTACHMENTS_DIR")):
        inherited["ATTACHMENTS_DIR"] = str(state.attachments())
    told = {"DATABASE_URL": database_url, "LANGGRAPH_CONFIG": str(config), "PYTHONUNBUFFERED": "1"}
    return {"LOG_FORMAT": "console", **inherited, **told}


def _leads_elsewhere(name: str) -> bool:
    """Whether a database driver would take it into account."""
    return name == "DATABASE_DIRECT_URL" or name.startswith("PG")


def command_environment(state: State, config: Path | None = None) -> dict[str, str]:
    """For a command beside the running `lgp up`: its database, unless DATABASE_URL names another."""
    record = state.read()
    url = os.environ.get("DATABASE_URL") or (record.database_url if record is not None else "")
    if not url:
        message = "no database: start one with `make up`, or set DATABASE_URL"
        raise CannotConnect(message)
    served = Path(record.config) if record is not None else BUNDLED_CONFIG
    chosen = os.environ.get("LANGGRAPH_CONFIG")
    return server_environment(state, url, config or (Path(chosen).absolute() if chosen else served))


def at_address(environment: Mapping[str, str], host: str, port: int, metrics_port: int) -> dict[str, str]:
    """The same for a server that listens there; `metrics_port` is 0 for no metrics."""
    return {**environment, "HOST": host, "PORT": str(port), "METRICS_PORT": str(metrics_port)}


def offline_environment(state: State, config: Path) -> dict[str, str]:
    """For a command that needs no database: none is opened, but the server's settings want a URL."""
    url = os.environ.get("DATABASE_URL") or "postgresql://nowhere.invalid/none"
    return server_environment(state, url, config)
