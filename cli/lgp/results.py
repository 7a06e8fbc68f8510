"""How a run ended, for people and for programs, and what to type next."""

import json
import shlex
from typing import Any

import langgraph_client as api
from lgp.approval import actions_of
from lgp.output import document, escape, json_line, out
from lgp.paths import own_command

WAITS_FOR_A_HUMAN = 3


def show_result(graph: str, result: api.RunResult, *, machine: bool) -> int:
    """Show it and return the exit code: 0 for success, 3 if it waits for a human."""
    if machine:
        json_line(result)
    elif result.interrupted:
        show_questions(graph, result.thread_id, result.interrupts)
    else:
        document(result.result)
        out().print(
            f"[green]{result.status}[/green] [dim]thread {result.thread_id} · run {result.run_id}[/dim]"
        )
    return WAITS_FOR_A_HUMAN if result.interrupted else 0


def show_questions(graph: str, thread_id: str, interrupts: tuple[api.Interrupt, ...]) -> None:
    """What is waited for, and the exact commands that answer it."""
    out().print(f"[bold yellow]waits for a human[/bold yellow] [dim]thread {thread_id}[/dim]\n")
    for interrupt in interrupts:
        _show_question(interrupt)
    out().print("\nanswer it with")
    for command in answers(graph, thread_id, interrupts):
        out().print(f"  {escape(command)}")


def _show_question(interrupt: api.Interrupt) -> None:
    actions = actions_of(interrupt.value)
    if actions is None:
        document(interrupt.value)
    for action in actions or []:
        described = str(action.get("description") or "").strip()
        out().print(f"[bold]{escape(str(action.get('name') or 'action'))}[/bold]")
        if described:
            out().print(escape(described))
        if arguments := action.get("args", action.get("arguments")):
            document(arguments)


def answers(graph: str, thread_id: str, interrupts: tuple[api.Interrupt, ...]) -> list[str]:
    """Commands to copy: an approval and a rejection where the question is one, else a place for the JSON."""
    base = f"{own_command()} resume {quoted(graph)} {quoted(thread_id)}"
    if all(actions_of(interrupt.value) is not None for interrupt in interrupts):
        return [f"{base} --approve", f"{base} --reject 'the reason'"]
    if len(interrupts) == 1:
        return [f"{base} {quoted(_example(interrupts[0]))}"]
    given = " ".join(f"--interrupt {quoted(f'{one.id}={_example(one)}')}" for one in interrupts)
    return [f"{base} {given}"]


def _example(interrupt: api.Interrupt) -> str:
    """A value of the type that the question wants."""
    kind: Any = (interrupt.response_schema or {}).get("type")
    examples: dict[str, Any] = {"boolean": True, "object": {}, "array": [], "number": 0, "integer": 0}
    return json.dumps(examples.get(kind, "your answer") if isinstance(kind, str) else "your answer")


def quoted(word: str) -> str:
    """The word as a shell takes it."""
    return shlex.quote(word)
