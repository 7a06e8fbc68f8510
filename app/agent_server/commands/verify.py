"""`verify`: whether a database, such as a restored one, holds what a server needs. Changes nothing."""

import sys
from argparse import Namespace
from contextlib import redirect_stdout

from agent_server.commands.output import fields_of, json_line, line, note
from agent_server.commands.session import settings_of_command, with_database
from agent_server.storage.database import Database


def verify(given: Namespace) -> int:
    """Tell what is there; exit 1 with a line for each thread or attachment that could not be served."""
    settings = settings_of_command()
    from agent_server.graphs.registry import load_graphs  # noqa: PLC0415  # a wrong setting is told at once
    from agent_server.runs.verifying import Verified, verify  # noqa: PLC0415  # imports LangGraph
    from agent_server.storage.places import open_place  # noqa: PLC0415  # only this part needs it

    with redirect_stdout(sys.stderr):  # a graph's module may print, but stdout is ours
        registry = load_graphs(settings.langgraph_config)

    async def read(database: Database) -> Verified:
        async with open_place(settings) as place:
            return await verify(database, registry, place, limit=given.limit)

    found = with_database(settings, read)
    told = fields_of(found)
    problems = [fields_of(problem) for problem in told.pop("problems")]
    if given.machine:
        json_line({**told, "problems": problems})
    else:
        for name, value in told.items():
            line(f"{name.replace('_', ' ')}: {'-' if value is None else value}")
    for problem in found.problems:
        note(f"agent_server: tenant {problem.tenant}, {problem.subject}: {problem.detail}")
    return 1 if found.problems else 0
