"""The verbs about graphs: those a server offers, and those a langgraph.json would give it."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

import langgraph_client as api
from lgp.errors import NotFound
from lgp.inputs import config_file
from lgp.output import Machine, document, json_line, out
from lgp.remote import Key, Url, connected, running_config
from lgp.server_command import offline_environment, relay, server_command
from lgp.state import clone_state

ConfigArgument = Annotated[
    Path,
    typer.Argument(envvar="LANGGRAPH_CONFIG", show_default=False, help="A langgraph.json, or its folder."),
]


def graphs(
    name: Annotated[str, typer.Argument(metavar="[GRAPH]", show_default=False, help="Show this one.")] = "",
    *,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Only its drawing, as Mermaid source.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Load them here, without a server.")] = False,
    url: Url = "",
    key: Key = "",
    machine: Machine = False,
) -> int:
    """List the graphs, or show the schemas of one."""
    if offline:
        return _load(running_config(), machine=machine)
    with connected(url, key) as client:
        found = client.graphs()
    if name or mermaid:
        _show_one(found, name, mermaid=mermaid, machine=machine)
    elif machine:
        json_line({"graphs": found})
    else:
        _list(found)
    return 0


def _load(config: Path, *, machine: bool) -> int:
    """The server's own check of a langgraph.json."""
    command = server_command("graphs", *(["--json"] if machine else []))
    environment = offline_environment(clone_state(), config_file(config))
    return relay(command, environment, "loading the graphs")


def _show_one(found: list[api.Graph], name: str, *, mermaid: bool, machine: bool) -> None:
    names = [graph.name for graph in found]
    if name not in names:
        near = get_close_matches(name, names, n=1, cutoff=0.5)
        message = f"no graph {name!r}: {f'did you mean {near[0]!r}?' if near else f'there are {names}'}"
        raise NotFound(message, code="unknown_graph", known=names)
    graph = found[names.index(name)]
    if mermaid and not machine:
        out().print(graph.mermaid or "", markup=False)
    elif machine:
        json_line(graph)
    else:
        document(graph)


def _list(found: list[api.Graph]) -> None:
    table = Table("graph", "", box=None, pad_edge=False, header_style="dim")
    for graph in found:
        table.add_row(f"[bold]{graph.name}[/bold]", (graph.description or "").strip().split("\n", 1)[0])
    out().print(table)
