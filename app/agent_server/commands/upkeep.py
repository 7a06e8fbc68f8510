"""`migrate` and `retention`: what an operator or a job does to the database."""

import asyncio
from argparse import Namespace

from agent_server.commands.output import fields_of, json_line, line
from agent_server.commands.session import settings_of_command, with_database


def migrate(given: Namespace) -> int:
    """Apply what is missing and name it."""
    from agent_server.storage.migrate import migrate as bring_up_to_date  # noqa: PLC0415  # imports LangGraph

    applied = asyncio.run(bring_up_to_date(settings_of_command()))
    if given.machine:
        json_line({"applied": applied})
    else:
        line(f"applied: {', '.join(applied)}" if applied else "up to date")
    return 0


def retention(given: Namespace) -> int:
    """Sweep once, through all threads, and count what was deleted."""
    from agent_server.storage.retention import sweep_once  # noqa: PLC0415  # `migrate` needs none of it

    settings = settings_of_command()
    swept = with_database(settings, lambda database: sweep_once(database, settings))
    counts = fields_of(swept) if swept is not None else None
    if given.machine:
        json_line({"swept": counts})
    elif counts is None:
        line("another process is sweeping: nothing done")
    else:
        line("deleted: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()))
    return 0
