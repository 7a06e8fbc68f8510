"""`graphs`: loads what `langgraph.json` names, as a server would, and describes it. Opens no database."""

import sys
from argparse import Namespace
from contextlib import redirect_stdout

from agent_server.commands.output import json_line, note, table
from agent_server.commands.session import settings_of_command
from agent_server.core.errors import ConfigurationError


def graphs(given: Namespace) -> int:
    """Describe the graphs as `GET /graphs` does; exit 1 with a line for each that is wrong."""
    settings = settings_of_command()
    from agent_server.graphs.registry import LoadedGraph, load_each  # noqa: PLC0415  # a wrong setting is told at once

    with redirect_stdout(sys.stderr):  # a graph's module may print, but stdout is ours
        loaded = dict(load_each(settings.langgraph_config))
    described = [graph.described() for graph in loaded.values() if isinstance(graph, LoadedGraph)]
    wrong = {name: error for name, error in loaded.items() if isinstance(error, ConfigurationError)}
    if given.machine:
        problems = [{"graph": name, "detail": error.detail} for name, error in wrong.items()]
        json_line({"graphs": described, "problems": problems})
    elif described:
        table(("graph", ""), [(graph["name"], graph["description"]) for graph in described])
    for error in wrong.values():
        note(f"agent_server: {' '.join(error.detail.split())}")
    return 1 if wrong else 0
