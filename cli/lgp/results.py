"""How a run ended, for people and for programs, and what to type next."""

import json
import shlex
from typing import Any

import langgraph_client as api
from lgp.approval import actions_of
from lgp.output import document, escape, json_line, out
from lgp.paths import own_command
from lgp.shapes import a_list, an_object

WAITS_FOR_A_HUMAN = 3
MAX_DEPTH = 5
"""Of the example of an answer: a schema may refer to itself."""


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
    """A value that fits what the question wants, as far as its schema is a plain one."""
    schema = an_object(interrupt.response_schema)
    return json.dumps(_fitting(schema, an_object(schema.get("$defs"))))


def _fitting(given: Any, definitions: dict[str, Any], depth: int = 0) -> Any:
    schema = an_object(given)
    if name := str(schema.get("$ref", "")).removeprefix("#/$defs/"):
        schema = an_object(definitions.get(name))
    choices = [*a_list(schema.get("examples")), *a_list(schema.get("enum"))]
    for known in (schema.get("const"), schema.get("default"), *choices):
        if known is not None:
            return known
    options = [*a_list(schema.get("anyOf")), *a_list(schema.get("oneOf"))]
    if options and depth < MAX_DEPTH:
        return _fitting(options[0], definitions, depth + 1)
    return _of_type(schema, definitions, depth)


def _of_type(schema: dict[str, Any], definitions: dict[str, Any], depth: int) -> Any:
    kind: Any = schema.get("type")
    if isinstance(kind, list):
        kind = next(iter(a_list(kind)), None)
    if kind == "object" and depth < MAX_DEPTH:
        properties = an_object(schema.get("properties"))
        required = [str(name) for name in a_list(schema.get("required"))]
        return {name: _fitting(properties.get(name), definitions, depth + 1) for name in required}
    if kind == "array" and depth < MAX_DEPTH and schema.get("minItems"):
        return [_fitting(schema.get("items"), definitions, depth + 1)]
    number = schema.get("minimum", 0)
    examples: dict[str, Any] = {
        "boolean": True,
        "object": {},
        "array": [],
        "number": number,
        "integer": number,
        "null": None,
    }
    return examples.get(str(kind), "your answer")


def quoted(word: str) -> str:
    """The word as a shell takes it."""
    return shlex.quote(word)
