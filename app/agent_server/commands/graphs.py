"""`graphs`: loads what `langgraph.json` names, as a server would, and describes it. Opens no database."""

import sys
from argparse import Namespace
from contextlib import redirect_stdout

from agent_server.commands.output import json_line, table
from agent_server.commands.session import settings_of_command


def graphs(given: Namespace) -> int:
    """Describe the graphs as `GET /graphs` does; exit 1 with the reason if one of them is wrong."""
    settings = settings_of_command()
    from agent_server.graphs.registry import load_graphs  # noqa: PLC0415  # a wrong setting is told at once

    with redirect_stdout(sys.stderr):  # a graph's module may print, but stdout is ours
        loaded = load_graphs(settings.langgraph_config)
    described = [graph.described() for graph in loaded.values()]
    if given.machine:
        json_line({"graphs": described})
    else:
        table(("graph", ""), [(graph["name"], graph["description"]) for graph in described])
    return 0
