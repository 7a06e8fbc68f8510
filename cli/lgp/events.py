"""The events of a run as lines for a person who watches it."""

import json
from collections.abc import Iterable
from typing import Any

import langgraph_client as api
from lgp.output import escape, json_line, note, out, plain
from lgp.paths import own_command
from lgp.results import WAITS_FOR_A_HUMAN, show_questions
from lgp.shapes import a_list, an_object

INTERRUPTED = 130
"""Exit code of what Ctrl-C ended, as a shell has it."""

WIDTH = 100
"""Characters of a value that a line shows."""


def show_events(graph: str, events: Iterable[api.StreamEvent], *, machine: bool) -> int:
    """Show them as they come; the exit code is that of the run's end. Ctrl-C leaves the run as it is."""
    last = api.StreamEvent("", {})
    run_id = ""
    talk = _Talk()
    try:
        for last in events:
            run_id = last.data["run_id"] if last.event == "metadata" else run_id
            if machine:
                json_line({"event": last.event, "data": last.data, "id": last.id})
            elif last.mode == "messages":
                talk.say(last.data)
            else:
                talk.pause()
                _show(graph, last)
    except KeyboardInterrupt:
        note(f"the run goes on: {own_command()} stream {graph} --run {run_id}")
        return INTERRUPTED
    waits = last.event == "end" and an_object(last.data).get("status") == "interrupted"
    return WAITS_FOR_A_HUMAN if waits else 0


class _Talk:
    """The pieces of a message, on one line until something else comes."""

    def __init__(self) -> None:
        self._open = False

    def say(self, data: Any) -> None:
        chunk = next(iter(a_list(data)), data)
        text = an_object(chunk).get("content", chunk)
        if text and isinstance(text, str):
            out().print(escape(text), end="")
            self._open = True

    def pause(self) -> None:
        if self._open:
            out().print()
        self._open = False


def _show(graph: str, event: api.StreamEvent) -> None:
    data = event.data
    if event.event == "metadata":
        out().print(
            f"[dim]run {data['run_id']} · thread {data['thread_id']} · attempt {data['attempt']}[/dim]"
        )
    elif event.event == "gap":
        out().print(
            "[yellow]the process died; another one goes on, some of the last lines come again[/yellow]"
        )
    elif event.event == "end":
        _show_end(graph, data)
    elif event.mode == "updates":
        for node, update in an_object(data).items():
            _line(".".join([*_nodes(event), node]), update)
    else:
        _line(event.event, data)


def _nodes(event: api.StreamEvent) -> list[str]:
    return [part.partition(":")[0] for part in event.namespace]


def _line(name: str, value: Any) -> None:
    shown = value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
    cut = shown if len(shown) <= WIDTH else f"{shown[: WIDTH - 1]}…"
    out().print(f"[cyan]●[/cyan] [bold]{escape(name)}[/bold] {escape(cut)}")


def _show_end(graph: str, data: dict[str, Any]) -> None:
    if data["status"] != "interrupted":
        out().print(
            f"[green]{data['status']}[/green] [dim]thread {data['thread_id']} · run {data['run_id']}[/dim]"
        )
        return
    interrupts = tuple(
        api.Interrupt(id=one["id"], value=one["value"], response_schema=one.get("response_schema"))
        for one in data.get("interrupts", [])
    )
    show_questions(graph, data["thread_id"], interrupts)
