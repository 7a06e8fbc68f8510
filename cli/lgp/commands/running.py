"""The verbs that start a run, watch it, or let it go on."""

from pathlib import Path
from typing import Annotated, Any, get_args
from uuid import uuid4

import typer

import langgraph_client as api
from lgp.approval import decide_all
from lgp.errors import UsageProblem
from lgp.events import show_events
from lgp.inputs import read_json, read_pairs
from lgp.output import Machine
from lgp.progress import step
from lgp.remote import WAIT_SECONDS, Key, Timeout, Url, connected, running_config
from lgp.results import show_result
from lgp.samples import read_sample

MODES: tuple[str, ...] = get_args(api.StreamMode)
Graph = Annotated[str, typer.Argument(help="One of `lgp graphs`.")]
Input = Annotated[
    str, typer.Argument(metavar="[JSON | @FILE | -]", show_default=False, help="The graph's input.")
]
Answer = Annotated[str, typer.Argument(metavar="[JSON | @FILE | -]", show_default=False, help="The answer.")]
Sample = Annotated[str, typer.Option(show_default=False, help="A body that ships with the graph.")]
Thread = Annotated[str, typer.Option(show_default=False, help="The thread to go on with; else a new one.")]
Enqueue = Annotated[bool, typer.Option("--enqueue", help="Wait in line if the thread is busy.")]
Attach = Annotated[
    Path | None,
    typer.Option(
        "--attach",
        exists=True,
        dir_okay=False,
        show_default=False,
        help="Attach this file first, and hand its id in as attachment_id.",
    ),
]
IdempotencyKey = Annotated[str, typer.Option(show_default=False, help="The same key joins the same run.")]


def invoke(
    graph: Graph,
    value: Input = "",
    *,
    sample: Sample = "",
    attach: Attach = None,
    thread: Thread = "",
    enqueue: Enqueue = False,
    idempotency_key: IdempotencyKey = "",
    timeout: Timeout = WAIT_SECONDS,
    url: Url = "",
    key: Key = "",
    machine: Machine = False,
) -> int:
    """Run a graph and print its result, or the question it waits with."""
    body = start_body(graph, value, sample, thread, enqueue=enqueue, attach=attach)
    with connected(url, key, timeout) as client:
        attach_first(client, body, attach)
        with step(f"{graph} runs"):
            result = client.invoke(graph, **body, idempotency_key=idempotency_key or None)
    return show_result(graph, result, machine=machine)


def stream(
    graph: Graph,
    value: Input = "",
    *,
    sample: Sample = "",
    attach: Attach = None,
    thread: Thread = "",
    run: Annotated[str, typer.Option(show_default=False, help="Watch this run instead of a new one.")] = "",
    after: Annotated[
        str, typer.Option(show_default=False, help="With --run: only events behind this id.")
    ] = "",
    mode: Annotated[
        list[str] | None, typer.Option(show_default=False, help=f"{', '.join(MODES)}; several at once.")
    ] = None,
    subgraphs: Annotated[bool, typer.Option("--subgraphs", help="Events of subgraphs too.")] = False,
    enqueue: Enqueue = False,
    idempotency_key: IdempotencyKey = "",
    url: Url = "",
    key: Key = "",
    machine: Machine = False,
) -> int:
    """Run a graph and show its events as they happen; a lost connection is taken up again."""
    modes: Any = mode or ["updates", "messages", "custom"]
    if wrong := [name for name in modes if name not in MODES]:
        message = f"no mode {wrong[0]!r}: there are {', '.join(MODES)}"
        raise UsageProblem(message)
    with connected(url, key) as client:
        if run:
            return show_events(graph, client.join_stream(graph, run, after or None), machine=machine)
        body = start_body(graph, value, sample, thread, enqueue=enqueue, attach=attach)
        attach_first(client, body, attach)
        body |= {"stream_mode": modes, "subgraphs": subgraphs, "idempotency_key": idempotency_key or None}
        return show_events(graph, client.stream(graph, **body), machine=machine)


def resume(
    graph: Graph,
    thread: Annotated[str, typer.Argument(help="The thread that waits.")],
    value: Answer = "",
    *,
    sample: Sample = "",
    approve: Annotated[bool, typer.Option("--approve", help="Approve every action that waits.")] = False,
    reject: Annotated[str | None, typer.Option(metavar="REASON", help="Reject every action.")] = None,
    interrupt: Annotated[
        list[str] | None, typer.Option(metavar="ID=JSON", help="The answer to one of several; repeat it.")
    ] = None,
    timeout: Timeout = WAIT_SECONDS,
    url: Url = "",
    key: Key = "",
    machine: Machine = False,
) -> int:
    """Answer the question a thread waits with, and print how its run ended."""
    ways = [bool(value), bool(sample), approve, reject is not None, bool(interrupt)]
    if sum(ways) != 1:
        message = "give one answer: JSON, --sample, --approve, --reject or --interrupt"
        raise UsageProblem(message)
    with connected(url, key, timeout) as client:
        if approve or reject is not None:
            waiting = client.get_state(graph, thread).interrupts
            answer: dict[str, Any] = {"interrupts": decide_all(waiting, reject)}
        else:
            answer = given_answer(graph, value, sample, interrupt or [])
        with step(f"{graph} goes on"):
            result = client.resume(graph, thread, **answer)
    return show_result(graph, result, machine=machine)


def start_body(
    graph: str, value: str, sample: str, thread: str, *, enqueue: bool, attach: Path | None = None
) -> dict[str, Any]:
    """The arguments of the client's `invoke` and `stream`, from the one way of giving them."""
    if (value and sample) or not (value or sample or attach):
        message = "give one input: JSON, @FILE, - or --sample NAME, or a file by --attach"
        raise UsageProblem(message)
    body: dict[str, Any] = (
        read_sample(running_config(), graph, sample) if sample else {"input": read_json(value or "{}")}
    )
    thread_id = thread or body.get("thread_id")
    return {
        "input_data": body.get("input"),
        "thread_id": thread_id,
        "config": body.get("config"),
        "on_busy": "enqueue" if enqueue else "reject",
    }


def attach_first(client: api.SyncLangGraphClient, body: dict[str, Any], file: Path | None) -> None:
    """Attach a file, if there is one, to the run's thread, and name it in the run's input."""
    if file is None:
        return
    if not isinstance(body["input_data"], dict):
        message = "with --attach the input is an object"
        raise UsageProblem(message)
    body["thread_id"] = body["thread_id"] or str(uuid4())
    with step(f"{file.name} is sent"):
        attachment = client.attachments.upload(body["thread_id"], file)
    body["input_data"] = {**body["input_data"], "attachment_id": attachment.attachment_id}


def given_answer(graph: str, value: str, sample: str, pairs: list[str]) -> dict[str, Any]:
    """The arguments of the client's `resume`, from what was written."""
    if pairs:
        return {"interrupts": read_pairs(pairs)}
    if value:
        return {"resume_data": read_json(value)}
    body = read_sample(running_config(), graph, sample, resume=True)
    return {name: body[name] for name in ("resume_data", "interrupts") if name in body}
