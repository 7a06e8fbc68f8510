"""The database's schema, brought up to date only when it is not: a warm start imports no LangGraph for it."""

import subprocess
from collections.abc import Mapping
from importlib import import_module

import psycopg

from lgp.errors import CannotConnect, LgpError
from lgp.progress import step
from lgp.server_command import server_command
from lgp.signals import Signals
from lgp.state import State

CONNECT_SECONDS = 10


def migrate_if_needed(environment: Mapping[str, str], state: State, signals: Signals) -> None:
    """Run the server's `migrate` unless the database says that this very schema is there."""
    url = environment.get("DATABASE_DIRECT_URL") or environment["DATABASE_URL"]
    if _is_current(url):
        return
    with step("schema") as told:
        log = state.folder / "migrate.log"
        with log.open("wb") as output:
            child = subprocess.Popen(
                server_command("migrate"),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            while child.poll() is None and not signals.asked_to_stop:
                signals.wait(1)
            child.terminate()
            child.wait()
        if child.returncode == 0:
            told("up to date")
        elif not signals.asked_to_stop:
            lines = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
            message = f"the schema could not be made: {lines[-1]} (see {log})"
            raise LgpError(message)


def _is_current(url: str) -> bool:
    fingerprint = _fingerprint()
    query = "SELECT count(*) FROM agent.migrations WHERE name = %s"
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
            if fingerprint is None:
                return False
            row = connection.execute(query, [f"fingerprint:{fingerprint}"]).fetchone()
            return row is not None and row[0] == 1
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return False
    except psycopg.Error as error:
        message = f"the database does not answer: {error}"
        raise CannotConnect(message) from None


def _fingerprint() -> str | None:
    """What the server's code calls its schema; None if it cannot tell without importing everything."""
    try:
        module = import_module("agent_server.storage.fingerprint")
    except ModuleNotFoundError:
        return None
    return str(module.schema_fingerprint())
