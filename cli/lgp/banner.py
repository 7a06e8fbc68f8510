"""What `lgp up` shows once everything runs: the address, the graphs, and three commands to try."""

import json
import os
import secrets
from pathlib import Path

from lgp.monitoring.grafana import DASHBOARDS
from lgp.output import json_line, out
from lgp.paths import own_command, shown
from lgp.samples import sample_names
from lgp.shapes import an_object
from lgp.state import Record


def announce(record: Record, *, machine: bool) -> None:
    """Say it to a person, or as one JSON document to a program."""
    graphs = graph_names(Path(record.config))
    if machine:
        told = {"url": record.url, "pid": os.getpid(), "graphs": graphs, "config": record.config}
        watched = {"prometheus_url": record.prometheus_url, "grafana_url": record.grafana_url}
        json_line({**told, "metrics_url": record.metrics_url, **watched})
        return
    tries = commands_to_try(Path(record.config), graphs, own_command(), secrets.token_hex(2))
    width = max((len(verb) for verb, _ in tries), default=0)
    lines = [
        "",
        f"[bold]LangGraph platform[/bold] · [bold cyan]{record.url}[/bold cyan]",
        f"[dim]graphs[/dim]   {'  '.join(graphs)}",
        *(f"[dim]{name:<8}[/dim] {where}" for name, where in _watching(record)),
        *([""] if tries else []),
        *(f"[dim]{verb:<{width}}[/dim]  {command}" for verb, command in tries),
        "",
        f"[dim]Ctrl-C stops everything{_stays(record)}[/dim]",
        "",
    ]
    out().print("\n".join(f"  {line}".rstrip() for line in lines))


def _watching(record: Record) -> list[tuple[str, str]]:
    """What tells how it is, and where."""
    found = [("metrics", record.metrics_url)] if record.metrics_url else []
    if record.prometheus_url:
        found.append(("alerts", f"{record.prometheus_url}/alerts"))
        found.append(
            ("boards", record.grafana_url or f"Grafana is not installed; for import: {shown(DASHBOARDS)}")
        )
    return found


def _stays(record: Record) -> str:
    return f"; the data stays in {shown(Path(record.data))}" if record.data else ""


def graph_names(config: Path) -> list[str]:
    """The graphs a langgraph.json names."""
    try:
        document = an_object(json.loads(config.read_text()))
    except (OSError, ValueError):
        return []
    return list(an_object(document.get("graphs")))


def commands_to_try(config: Path, graphs: list[str], lgp: str, thread: str) -> list[tuple[str, str]]:
    """A run that stops for a human, its approval, and a run to watch, where samples make that possible."""
    stops = _samples_that_stop(config, graphs)
    goes_on = [(graph, name) for graph in graphs for name in sample_names(config, graph)]
    plain = [choice for choice in goes_on if choice not in stops]
    tries: list[tuple[str, str]] = []
    if stops:
        graph, name = stops[0]
        tries.append(("invoke", f"{lgp} invoke {graph} --sample {name} --thread {graph}-{thread}"))
        tries.append(("approve", f"{lgp} resume {graph} {graph}-{thread} --sample {name}"))
    if watched := (plain or goes_on):
        graph, name = next((choice for choice in reversed(watched) if choice[0] != "document"), watched[0])
        tries.append(("watch", f"{lgp} stream {graph} --sample {name}"))
    return tries or [
        ("graphs", f"{lgp} graphs"),
        *((("invoke", f"{lgp} invoke {graph} '{{}}'")) for graph in graphs[:1]),
    ]


def _samples_that_stop(config: Path, graphs: list[str]) -> list[tuple[str, str]]:
    """Those whose answer ships too."""
    return [(graph, name) for graph in graphs for name in sample_names(config, graph, resume=True)]
