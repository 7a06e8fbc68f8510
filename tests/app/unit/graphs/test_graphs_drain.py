"""A graph that is told to drain stops before its next superstep, and goes on there as if nothing had been."""

import asyncio
import operator
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphDrained
from langgraph.graph import START, StateGraph
from langgraph.runtime import RunControl
from langgraph.types import interrupt
from typing_extensions import TypedDict

from agent_server.graphs.execution import Progress, Step, answers_of, execute
from agent_server.graphs.strict import serializer_for

STREAM_MODES = ("values", "updates", "messages", "custom", "events")
MODES = [(), ("values",), ("events",), STREAM_MODES]


class State(TypedDict, total=False):
    steps: Annotated[list[str], operator.add]


class Watched:
    """A thread whose nodes note that they were executed; one of them is where the process is told to stop."""

    def __init__(self, build: "Callable[[Watched], Any]", *, told_in: str = "", **compiling: Any) -> None:
        self.visits: list[str] = []
        self.told_in = told_in
        self.control = RunControl()
        graph: Any = build(self).compile(**compiling)
        self.graph = graph.copy({"checkpointer": InMemorySaver(serde=serializer_for("g", graph, ()))})

    def node(self, name: str, then: Callable[[], Any] = lambda: None) -> Any:
        async def visit(_: State) -> State:
            self.visits.append(name)
            if name == self.told_in:
                self.control.request_drain()
            await asyncio.sleep(0)
            then()
            return {"steps": [name]}

        return visit

    def chain(self, *names: str) -> Any:
        builder = StateGraph(State)
        for before, name in zip((START, *names), names, strict=False):
            builder.add_node(name, self.node(name))
            builder.add_edge(before, name)
        return builder

    async def run(self, given: Any, modes: tuple[str, ...] = (), durability: Any = "sync") -> Progress:
        config: Any = {"configurable": {"thread_id": "1"}}
        step = Step(given, config, None, modes=frozenset(modes), subgraphs=bool(modes), durability=durability)
        return await execute(self.graph, step, lambda name, data: None, self.control)

    async def waiting(self) -> list[str]:
        snapshot = await self.graph.aget_state({"configurable": {"thread_id": "1"}})
        return [found.id for found in snapshot.interrupts]

    async def drained(self, given: Any, modes: tuple[str, ...] = (), durability: Any = "sync") -> None:
        """The same, cut short; the next run is another process's."""
        with pytest.raises(GraphDrained):
            await self.run(given, modes, durability)
        self.control, self.told_in = RunControl(), ""


def straight(watched: Watched) -> Any:
    return watched.chain("a", "b", "c")


def within(watched: Watched) -> Any:
    """`a` and `b` are in a subgraph, beside which `d` is executed."""
    builder = StateGraph(State)
    builder.add_node("inner", watched.chain("a", "b").compile())
    builder.add_node("d", watched.node("d")).add_node("c", watched.node("c"))
    builder.add_edge(START, "inner").add_edge(START, "d")
    return builder.add_edge(["inner", "d"], "c")


def asking(watched: Watched) -> Any:
    builder = StateGraph(State).add_node("ask", watched.node("ask", lambda: interrupt("?")))
    return builder.add_edge(START, "ask").add_node("c", watched.node("c")).add_edge("ask", "c")


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("modes", MODES)
async def test_each_step_is_executed_once_whatever_is_streamed_and_stored(
    modes: tuple[str, ...], durability: str
) -> None:
    watched = Watched(straight, told_in="b")
    await watched.drained({}, modes, durability)
    assert watched.visits == ["a", "b"]
    progress = await watched.run(None, modes, durability)
    assert watched.visits == progress.values["steps"] == ["a", "b", "c"]


@pytest.mark.parametrize("modes", MODES)
@pytest.mark.parametrize("told_in", ["a", "d"])
async def test_a_subgraph_stops_between_its_own_steps_and_what_ran_beside_it_is_kept(
    modes: tuple[str, ...], told_in: str
) -> None:
    watched = Watched(within, told_in=told_in)
    await watched.drained({}, modes)
    assert "c" not in watched.visits
    progress = await watched.run(None, modes)
    assert sorted(watched.visits) == sorted(progress.values["steps"]) == ["a", "b", "c", "d"]


async def test_the_last_step_ends_the_run_all_the_same() -> None:
    watched = Watched(straight, told_in="c")
    assert (await watched.run({})).values["steps"] == ["a", "b", "c"]


async def test_an_interrupt_of_the_last_step_is_an_interrupt() -> None:
    watched = Watched(asking, told_in="ask")
    progress = await watched.run({})
    assert (progress.stopped, [found.value for found in progress.interrupts]) == (True, ["?"])


@pytest.mark.parametrize("compiling", [{"interrupt_after": ["b"]}, {"interrupt_before": ["c"]}])
async def test_a_breakpoint_is_not_run_past(compiling: Any) -> None:
    watched = Watched(straight, told_in="b", **compiling)
    progress = await watched.run({})
    assert (progress.stopped, watched.visits) == (True, ["a", "b"])


async def test_nothing_is_executed_by_a_process_that_was_told_before() -> None:
    watched = Watched(straight)
    watched.control.request_drain()
    await watched.drained({})
    assert watched.visits == []
    assert (await watched.run(None)).values["steps"] == ["a", "b", "c"]


async def test_an_answer_that_was_not_worked_on_is_still_waited_for() -> None:
    watched = Watched(asking)
    (waiting,) = (await watched.run({})).interrupts
    watched.control.request_drain()
    answer = answers_of({waiting.id: "yes"})
    await watched.drained(answer)
    assert await watched.waiting() == [waiting.id]
    progress = await watched.run(answer)
    assert (progress.stopped, progress.values["steps"]) == (False, ["ask", "c"])
    assert watched.visits == ["ask", "ask", "c"]
