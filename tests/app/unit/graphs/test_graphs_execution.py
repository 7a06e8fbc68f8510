"""One execution: events by mode, the values, what waits, and what the graph gives back."""

import itertools
from typing import Any

import pytest
from app.support.sample_graphs import steps
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.constants import END
from langgraph.runtime import RunControl
from langgraph.types import Interrupt, PregelTask, StateSnapshot
from pydantic import ValidationError

from agent_server.core.jsonio import dumps
from agent_server.graphs.execution import (
    Progress,
    Step,
    answers_of,
    execute,
    is_finished,
    output_of,
    plain_interrupt,
)
from agent_server.graphs.strict import serializer_for

STREAM_MODES = ("values", "updates", "messages", "custom", "events")


class Thread:
    """One thread of a graph on a saver of its own, with the events that it sent."""

    def __init__(self, made: Any, **compiling: Any) -> None:
        graph: Any = made if not hasattr(made, "compile") else made.compile(**compiling)
        saver = InMemorySaver(serde=serializer_for("g", graph, ()))
        self.graph = graph.copy({"checkpointer": saver})
        self.config: Any = {"configurable": {"thread_id": "1"}}
        self.events: list[tuple[str, Any]] = []

    async def run(self, given: Any, *modes: str, subgraphs: bool = False, **more: Any) -> Progress:
        options = {"context": None, "durability": "sync", **more}
        step = Step(given, self.config, modes=frozenset(modes), subgraphs=subgraphs, **options)
        self.events = []
        return await execute(
            self.graph, step, lambda name, data: self.events.append((name, data)), RunControl()
        )

    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def of(self, name: str) -> list[Any]:
        return [data for event, data in self.events if event == name]


def steps_of(progress: Progress) -> list[str]:
    return progress.values["steps"]


# Modes


async def test_nothing_asked_for_is_nothing_emitted_and_the_values_are_known() -> None:
    thread = Thread(steps.linear())
    progress = await thread.run({})
    assert thread.events == []
    assert steps_of(progress) == ["first:None", "speak"]
    assert (progress.stopped, progress.interrupts) == (False, [])


async def test_each_mode_alone_emits_itself_only() -> None:
    for mode in STREAM_MODES:
        thread = Thread(steps.linear())
        progress = await thread.run({}, mode)
        assert set(thread.names()) == {mode}
        assert steps_of(progress) == ["first:None", "speak"]


@pytest.mark.parametrize("modes", [*itertools.combinations(STREAM_MODES, 2), STREAM_MODES], ids="+".join)
async def test_modes_together_emit_what_each_emits_alone(modes: tuple[str, ...]) -> None:
    together = Thread(steps.linear())
    progress = await together.run({}, *modes)
    assert steps_of(progress) == ["first:None", "speak"]
    for mode in set(modes) - {"events"}:
        alone = Thread(steps.linear())
        await alone.run({}, mode)
        assert len(together.of(mode)) == len(alone.of(mode)), mode


async def test_values_updates_and_custom_are_langgraphs_own() -> None:
    thread = Thread(steps.linear())
    await thread.run({}, "values", "updates", "custom")
    assert thread.of("custom") == [{"progress": 1}]
    assert [list(update) for update in thread.of("updates")] == [["first"], ["speak"]]
    assert [value["steps"] for value in thread.of("values")] == [["first:None"], ["first:None", "speak"]]
    assert thread.of("values")[-1]["secret"] == "s"  # the whole state; what is given back is narrower


async def test_messages_come_chunk_by_chunk_with_their_metadata() -> None:
    thread = Thread(steps.linear())
    await thread.run({}, "messages")
    assert "".join(chunk.text for chunk, _ in thread.of("messages")) == "one two"
    assert len(thread.of("messages")) > 1
    assert {about["langgraph_node"] for _, about in thread.of("messages")} == {"speak"}


async def test_events_do_not_repeat_the_modes_that_only_we_asked_for() -> None:
    thread = Thread(steps.linear())
    await thread.run({}, "events")
    roots = [event for event in thread.of("events") if not event["parent_ids"]]
    assert [event["event"] for event in roots] == ["on_chain_start", "on_chain_end"]
    assert any(event["event"] == "on_chat_model_stream" for event in thread.of("events"))


async def test_events_of_a_mode_that_was_asked_for_stay_among_the_events() -> None:
    thread = Thread(steps.linear())
    await thread.run({}, "events", "values")
    chunks = [
        event["data"]["chunk"]
        for event in thread.of("events")
        if event["event"] == "on_chain_stream" and not event["parent_ids"]
    ]
    assert {chunk[0] for chunk in chunks} == {"values"}


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("mode", ["updates", "events"])
async def test_every_durability_and_the_context_reach_the_graph(durability: str, mode: str) -> None:
    thread = Thread(steps.linear())
    progress = await thread.run({}, mode, durability=durability, context={"tone": "kind"})
    assert steps_of(progress)[0] == "first:kind"
    count = len([item async for item in thread.graph.aget_state_history(thread.config)])
    assert count == (1 if durability == "exit" else 4)


async def test_all_that_is_emitted_can_be_written_as_json() -> None:
    for made in (steps.linear(), steps.with_several()):
        thread = Thread(made)
        await thread.run({}, *STREAM_MODES, subgraphs=True)
        for name, data in thread.events:
            assert dumps([name, data])


# Subgraphs


@pytest.mark.parametrize("others", [(), ("events",)])
async def test_a_subgraphs_events_are_named_after_it_and_only_when_asked_for(others: tuple[str, ...]) -> None:
    thread = Thread(steps.with_subgraph())
    await thread.run({}, "updates", *others, subgraphs=True)
    (inner,) = {name for name in thread.names() if "|" in name}
    assert inner.startswith("updates|sub:")
    quiet = Thread(steps.with_subgraph())
    await quiet.run({}, "updates", *others)
    assert not any("|" in name for name in quiet.names())


# Interrupts


@pytest.mark.parametrize("subgraphs", [False, True])
@pytest.mark.parametrize("modes", [(), ("values",), ("updates",), ("events",), STREAM_MODES])
async def test_an_interrupt_in_a_subgraph_is_collected_once(modes: tuple[str, ...], subgraphs: bool) -> None:
    thread = Thread(steps.with_subgraph())
    progress = await thread.run({}, *modes, subgraphs=subgraphs)
    assert [interrupt.value for interrupt in progress.interrupts] == [{"ask": "inner"}]
    assert progress.stopped
    assert steps_of(progress) == ["before"]
    assert not is_finished(await thread.graph.aget_state(thread.config))


@pytest.mark.parametrize("subgraphs", [False, True])
@pytest.mark.parametrize("modes", [(), ("events",), STREAM_MODES])
async def test_several_interrupts_at_once_are_each_collected_once(
    modes: tuple[str, ...], subgraphs: bool
) -> None:
    thread = Thread(steps.with_several())
    progress = await thread.run({}, *modes, subgraphs=subgraphs)
    assert sorted(interrupt.value["ask"] for interrupt in progress.interrupts) == ["inner", "left"]
    assert len({interrupt.id for interrupt in progress.interrupts}) == 2


async def test_answers_by_id_go_on_in_any_order_until_none_waits() -> None:
    thread = Thread(steps.with_several())
    waiting = (await thread.run({})).interrupts
    ids = {interrupt.value["ask"]: interrupt.id for interrupt in waiting}
    progress = await thread.run(answers_of({ids["inner"]: "yes"}))
    assert [interrupt.id for interrupt in progress.interrupts] == [ids["left"]]
    progress = await thread.run(answers_of({ids["left"]: {"a" * 32: 1}}))
    assert (progress.stopped, progress.interrupts) == (False, [])
    assert sorted(steps_of(progress)) == ["inner=yes", "left={'" + "a" * 32 + "': 1}", "quiet"]
    assert is_finished(await thread.graph.aget_state(thread.config))


async def test_an_answer_that_does_not_fit_its_schema_raises_and_the_thread_still_waits() -> None:
    thread = Thread(steps.with_subgraph())
    (waiting,) = (await thread.run({})).interrupts
    with pytest.raises(ValidationError):
        await thread.run(answers_of({waiting.id: "no object"}))
    progress = await thread.run(answers_of({waiting.id: {"yes": True}}))
    assert steps_of(progress)[-1] == "inner=yes=True"


async def test_interrupts_are_not_part_of_the_values() -> None:
    progress = await Thread(steps.with_several()).run({}, "values", "updates")
    assert "__interrupt__" not in progress.values


async def test_clients_see_an_interrupt_with_its_json_schema() -> None:
    (interrupt,) = (await Thread(steps.with_subgraph()).run({})).interrupts
    shown = plain_interrupt(interrupt)
    assert (shown["id"], shown["value"]) == (interrupt.id, {"ask": "inner"})
    assert shown["response_schema"]["properties"]["yes"]["type"] == "boolean"
    assert plain_interrupt(Interrupt("v", id="i", response_schema=steps.Question))["response_schema"] is None


@pytest.mark.parametrize("compiling", [{"interrupt_before": ["speak"]}, {"interrupt_after": ["first"]}])
@pytest.mark.parametrize("modes", [(), ("events",), ("updates",)])
async def test_a_static_breakpoint_stops_and_none_goes_on(compiling: Any, modes: tuple[str, ...]) -> None:
    thread = Thread(steps.linear(), **compiling)
    progress = await thread.run({}, *modes)
    assert (progress.stopped, progress.interrupts) == (True, [])
    assert steps_of(progress) == ["first:None"]
    progress = await thread.run(None, *modes)
    assert progress.stopped is False
    assert steps_of(progress) == ["first:None", "speak"]


# Ends


@pytest.mark.parametrize("modes", [(), ("values",), ("events",)])
async def test_what_a_node_raises_passes_through_as_it_is(modes: tuple[str, ...]) -> None:
    thread = Thread(steps.failing())
    with pytest.raises(KeyError, match="own words"):
        await thread.run({}, *modes)
    assert (await thread.graph.aget_state(thread.config)).next == ("fail",)


@pytest.mark.parametrize("modes", [(), ("events",)])
async def test_the_recursion_limit_of_the_config_holds(modes: tuple[str, ...]) -> None:
    thread = Thread(steps.linear())
    thread.config["recursion_limit"] = 1
    with pytest.raises(RecursionError):
        await thread.run({}, *modes)


async def test_the_output_is_narrower_than_the_state() -> None:
    thread = Thread(steps.linear())
    progress = await thread.run({})
    assert output_of(thread.graph, progress.values) == {"steps": ["first:None", "speak"]}
    state = (await thread.graph.aget_state(thread.config)).values
    assert state["secret"] == "s"
    assert output_of(thread.graph, state) == {"steps": ["first:None", "speak"]}


@pytest.mark.parametrize("modes", [(), ("events",), ("values", "updates")])
async def test_a_functional_graph_gives_back_its_value(modes: tuple[str, ...]) -> None:
    thread = Thread(steps.functional)
    progress = await thread.run(41, *modes)
    assert output_of(thread.graph, progress.values) == 42
    assert progress.stopped is False


@pytest.mark.parametrize("values", [None, [], "x", 1])
def test_an_output_that_is_no_object_is_given_as_it_is(values: Any) -> None:
    assert output_of(steps.linear().compile(), values) == values


@pytest.mark.parametrize(
    ("following", "finished"), [((), True), ((END,), True), (("a",), False), (("a", END), False)]
)
def test_a_thread_is_finished_when_nothing_is_next(following: tuple[str, ...], finished: bool) -> None:
    tasks = tuple(PregelTask(name, name, ()) for name in following)
    snapshot = StateSnapshot({}, following, {}, None, None, None, tasks, ())
    assert is_finished(snapshot) is finished


def test_a_thread_whose_last_tasks_have_stored_their_writes_but_no_checkpoint_is_not_finished() -> None:
    """`next` leaves such tasks out; what follows them has not been executed."""
    task = PregelTask("id", "a", (), result={"x": 1})
    assert not is_finished(StateSnapshot({}, (), {}, None, None, None, (task,), ()))


async def test_a_second_run_of_a_thread_begins_with_its_state() -> None:
    thread = Thread(steps.linear())
    await thread.run({})
    assert len(steps_of(await thread.run({}, "updates"))) == 4
