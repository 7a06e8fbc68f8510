"""The verbs that start a run, watch it, or let it go on."""

from typing import Annotated, Any, get_args

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
IdempotencyKey = Annotated[str, typer.Option(show_default=False, help="The same key joins the same run.")]


def invoke(
    graph: Graph,
    value: Input = "",
    *,
    sample: Sample = "",
    thread: Thread = "",
    enqueue: Enqueue = False,
    idempotency_key: IdempotencyKey = "",
    timeout: Timeout = WAIT_SECONDS,
    url: Url = "",
    key: Key = "",
    machine: Machine = False,
) -> int:
    """Run a graph and print its result, or the question it waits with."""
    body = start_body(graph, value, sample, thread, enqueue=enqueue)
    with connected(url, key, timeout) as client, step(f"{graph} runs"):
        result = client.invoke(graph, **body, idempotency_key=idempotency_key or None)
    return show_result(graph, result, machine=machine)


def stream(
    graph: Graph,
    value: Input = "",
    *,
    sample: Sample = "",
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
        body = start_body(graph, value, sample, thread, enqueue=enqueue)
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


def start_body(graph: str, value: str, sample: str, thread: str, *, enqueue: bool) -> dict[str, Any]:
    """The arguments of the client's `invoke` and `stream`, from the one way of giving them."""
    if bool(value) == bool(sample):
        message = "give one input: JSON, @FILE, - or --sample NAME"
        raise UsageProblem(message)
    body: dict[str, Any] = (
        read_sample(running_config(), graph, sample) if sample else {"input": read_json(value)}
    )
    thread_id = thread or body.get("thread_id")
    return {
        "input_data": body.get("input"),
        "thread_id": thread_id,
        "config": body.get("config"),
        "on_busy": "enqueue" if enqueue else "reject",
    }


def given_answer(graph: str, value: str, sample: str, pairs: list[str]) -> dict[str, Any]:
    """The arguments of the client's `resume`, from what was written."""
    if pairs:
        return {"interrupts": read_pairs(pairs)}
    if value:
        return {"resume_data": read_json(value)}
    body = read_sample(running_config(), graph, sample, resume=True)
    return {name: body[name] for name in ("resume_data", "interrupts") if name in body}
