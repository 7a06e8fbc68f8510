"""One execution of one graph: its events as they happen, and at the end its values and interrupts."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.constants import END
from langgraph.runtime import RunControl
from langgraph.types import Command, Interrupt, StateSnapshot, StreamMode

from agent_server.graphs.config import Durability
from agent_server.graphs.pregel import Graph

Emit = Callable[[str, Any], None]
"""Takes the name of an event and its data."""

_INTERRUPT = "__interrupt__"


@dataclass(frozen=True, slots=True)
class Step:
    """What a graph is asked to do."""

    input: Any
    """The input, a Command, or None to go on from the last checkpoint."""
    config: RunnableConfig
    context: dict[str, Any] | None
    modes: frozenset[str]
    subgraphs: bool
    durability: Durability


@dataclass(slots=True)
class Progress:
    """What is known of an execution so far."""

    values: Any = None
    stopped: bool = False
    """At an interrupt or a static breakpoint."""
    interrupts: list[Interrupt] = field(default_factory=list[Interrupt])


async def execute(graph: Graph, step: Step, emit: Emit, control: RunControl) -> Progress:
    """Run the graph to its end or to where it waits; whatever its nodes raise passes through.

    Raises:
        GraphDrained: `control` was told to drain, and the graph stopped before its next superstep. With
            `input` None it goes on there.
    """
    progress = Progress()
    async for namespace, mode, payload in _parts(graph, step, emit, control):
        if not namespace:
            _note(progress, mode, payload)
        if mode in step.modes:
            emit("|".join((mode, *namespace)), payload)
    return progress


def output_of(graph: Graph, values: Any) -> Any:
    """Pick the graph's output from its state's values."""
    channels = graph.output_channels
    if not isinstance(values, dict):
        return values
    state = cast("dict[str, Any]", values)
    if isinstance(channels, str):
        return state.get(channels, state)
    return {channel: state[channel] for channel in channels if channel in state}


def answers_of(interrupts: dict[str, Any]) -> Command[Any]:
    """The command that answers interrupts by their ids; never a bare value, which would be ambiguous."""
    return Command(resume=interrupts)


def plain_interrupt(interrupt: Interrupt) -> dict[str, Any]:
    """An interrupt as clients see it."""
    return {
        "id": interrupt.id,
        "value": interrupt.value,
        "response_schema": interrupt.response_schema if isinstance(interrupt.response_schema, dict) else None,
    }


def is_finished(snapshot: StateSnapshot) -> bool:
    """Whether nothing is left to execute on a thread.

    `next` alone does not tell: it leaves out nodes whose writes are stored while the checkpoint that follows
    them is not, as after a crash between the two.
    """
    return not snapshot.tasks or snapshot.next == (END,)


def _note(progress: Progress, mode: str, payload: Any) -> None:
    if mode == "values":
        progress.values = payload
    elif mode == "updates" and isinstance(payload, dict) and _INTERRUPT in payload:
        progress.stopped = True
        progress.interrupts.extend(cast("dict[str, Any]", payload)[_INTERRUPT])


def _parts(
    graph: Graph, step: Step, emit: Emit, control: RunControl
) -> AsyncIterator[tuple[tuple[str, ...], str, Any]]:
    # "updates" tells interrupts and "values" the result, whatever the client asked to see.
    modes = cast("list[StreamMode]", sorted((step.modes | {"values", "updates"}) - {"events"}))
    options: dict[str, Any] = {
        "context": step.context,
        "stream_mode": modes,
        "subgraphs": step.subgraphs,
        "durability": step.durability,
        "control": control,
    }
    if "events" in step.modes:
        return _with_events(graph, step, options, emit)
    return _plain(graph, step, options)


async def _plain(
    graph: Graph, step: Step, options: dict[str, Any]
) -> AsyncIterator[tuple[tuple[str, ...], str, Any]]:
    async for part in graph.astream(step.input, step.config, **options):
        yield _tagged(part)


async def _with_events(
    graph: Graph, step: Step, options: dict[str, Any], emit: Emit
) -> AsyncIterator[tuple[tuple[str, ...], str, Any]]:
    """The same parts out of `astream_events`, which wraps them as chunks of the root's own stream."""
    async for event in graph.astream_events(step.input, step.config, version="v2", **options):
        if event["event"] == "on_chain_stream" and not event["parent_ids"]:
            part = _tagged(event["data"]["chunk"])
            yield part
            if part[1] not in step.modes:
                continue  # ours, not asked for: values and updates are in it anyway
        emit("events", event)


def _tagged(part: Any) -> tuple[tuple[str, ...], str, Any]:
    """`(mode, payload)` or `(namespace, mode, payload)` as the latter."""
    if len(part) == 2:  # noqa: PLR2004  # LangGraph's two shapes
        return (), part[0], part[1]
    return part
