"""The fenced saver behaves as LangGraph's own does on the same graphs, and stores nothing without a lease."""

import asyncio
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Annotated, Any, TypedDict

import pytest
from app.support.storage_world import begun, expire, rows_everywhere, runs_of, sql, taken_over
from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver, empty_checkpoint
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel

from agent_server.core.errors import LeaseLost
from agent_server.graphs.strict import serializer_for
from agent_server.storage.database import Database
from agent_server.storage.runs import Claim
from agent_server.storage.saver import Fence, FencedSaver, ReadOnlySaver, run_of_latest_checkpoint


class Colour(Enum):
    RED = "red"


class Word(StrEnum):
    YES = "yes"


class Order(BaseModel):
    number: int
    colour: Colour


@dataclass
class Note:
    text: str


class State(TypedDict, total=False):
    text: str
    ratio: float
    count: int
    flag: bool
    nothing: None
    word: Word
    order: Order
    note: Note
    messages: Annotated[list[AnyMessage], add_messages]
    seen: Annotated[list[str], operator.add]


VALUES: State = {
    "text": "plain",
    "ratio": 0.1,
    "count": 2**60,
    "flag": True,
    "nothing": None,
    "order": Order(number=1, colour=Colour.RED),
    "note": Note("note"),
    "messages": [HumanMessage("hello", id="m1")],
}


def plain() -> Any:
    builder = StateGraph(State)
    builder.add_node("one", lambda state: {"seen": ["one"], "count": state["count"] + 1})
    builder.add_node("two", lambda state: {"seen": ["two"], "messages": [HumanMessage("again", id="m2")]})
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    return builder.compile()


def fanned_out() -> Any:
    builder = StateGraph(State)
    builder.add_node("start", lambda state: {"seen": ["start"]})
    builder.add_node("leaf", lambda state: {"seen": [f"leaf {state['count']}"]})
    builder.add_edge(START, "start")
    builder.add_conditional_edges("start", lambda state: [Send("leaf", {"count": n}) for n in range(3)])
    return builder.compile()


def asking_inside() -> Any:
    def ask(state: State) -> State:
        return {"seen": [interrupt({"question": state["text"]})]}

    inner = StateGraph(State)
    inner.add_node("before", lambda state: {"text": "from inside"})
    inner.add_node("ask", ask)
    inner.add_edge(START, "before")
    inner.add_edge("before", "ask")
    builder = StateGraph(State)
    builder.add_node("inner", inner.compile())
    builder.add_node("other", lambda state: {"seen": ["other"]})
    builder.add_node("after", lambda state: {"seen": ["after"]})
    builder.add_edge(START, "inner")
    builder.add_edge(START, "other")
    builder.add_edge(["inner", "other"], "after")
    builder.add_edge("after", END)
    return builder.compile()


GRAPHS = [plain, fanned_out, asking_inside]
SaverFor = Callable[[Any], BaseCheckpointSaver[Any]]


def fenced(database: Database, claim: Claim, graph: Any) -> FencedSaver:
    fence = Fence(claim.run_id, claim.attempt, thread_is_new=claim.thread_is_new)
    return FencedSaver(database, serializer_for("test", graph, ()), fence)


async def told(graph: Any, saver: BaseCheckpointSaver[Any], thread_id: str, values: State) -> dict[str, Any]:
    """What a client of the graph can see of a run, an answer and their history."""
    own = graph.copy({"checkpointer": saver})
    config = {"configurable": {"thread_id": thread_id}}
    seen: dict[str, Any] = {"first": plainly(await own.ainvoke(values, config, durability="sync"))}
    waiting = await own.aget_state(config, subgraphs=True)
    seen["waiting"] = snapshot(waiting)
    if waiting.interrupts:
        answers = {each.id: "answered" for each in waiting.interrupts}
        seen["second"] = await own.ainvoke(Command(resume=answers), config, durability="sync")
    seen["history"] = [snapshot(state) async for state in own.aget_state_history(config)]
    seen["two"] = [state.next async for state in own.aget_state_history(config, limit=2)]
    await own.aupdate_state(config, {"text": "updated"})
    seen["updated"] = snapshot(await own.aget_state(config))
    return seen


def plainly(result: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key != "__interrupt__"}


def snapshot(state: Any) -> Any:
    metadata = {key: state.metadata[key] for key in ("source", "step")}
    return {
        "values": state.values,
        "next": state.next,
        "metadata": metadata,
        "interrupts": [each.value for each in state.interrupts],
        "tasks": [
            (task.name, task.path, str(task.error), task.result, bool(task.interrupts), substate(task.state))
            for task in sorted(state.tasks, key=lambda task: (task.name, str(task.path)))
        ],
        "parent": state.parent_config is not None,
    }


def substate(state: Any) -> Any:
    return snapshot(state) if hasattr(state, "values") and hasattr(state, "next") else None


@pytest.fixture
async def claim(database: Database) -> Claim:
    return await begun(runs_of(database))


@pytest.mark.parametrize("make", GRAPHS)
async def test_a_graph_sees_what_it_sees_with_the_stock_saver(
    database: Database, claim: Claim, make: Callable[[], Any]
) -> None:
    graph = make()
    stock = AsyncPostgresSaver(database.pool, serde=serializer_for("test", graph, ()))
    expected = await told(graph, stock, "stock", VALUES)
    assert await told(graph, fenced(database, claim, graph), str(claim.thread_key), VALUES) == expected
    assert expected["history"]


@pytest.mark.parametrize("make", GRAPHS)
async def test_the_stock_saver_reads_what_was_stored_and_the_other_way_round(
    database: Database, claim: Claim, make: Callable[[], Any]
) -> None:
    graph, thread = make(), str(claim.thread_key)
    serde = serializer_for("test", graph, ())
    await told(graph, fenced(database, claim, graph), thread, VALUES)
    await told(graph, AsyncPostgresSaver(database.pool, serde=serde), "stock", VALUES)
    for thread_id in (thread, "stock"):
        config = {"configurable": {"thread_id": thread_id}}
        ours = [item async for item in ReadOnlySaver(database, serde).alist(config)]
        assert ours == [item async for item in AsyncPostgresSaver(database.pool, serde=serde).alist(config)]
        assert ours


async def test_a_typed_state_comes_back_typed_where_the_stock_saver_loses_it(
    database: Database, claim: Claim
) -> None:
    graph = plain()
    own = graph.copy({"checkpointer": fenced(database, claim, graph)})
    config = {"configurable": {"thread_id": str(claim.thread_key)}}
    await own.ainvoke({**VALUES, "word": Word.YES}, config)
    values = (await own.aget_state(config)).values
    assert (type(values["word"]), type(values["order"].colour)) == (Word, Colour)
    assert (type(values["note"]), values["count"]) == (Note, 2**60 + 1)


@pytest.mark.parametrize(
    "values",
    [
        {"text": "a\x00b"},
        {"text": "\U0001f600 plain"},
        {"ratio": math.inf},
        {"ratio": math.nan},
        {"ratio": 1e300},
        {"ratio": 1e16},
        {"ratio": -0.0},
        {"ratio": 5e-324},
        {"ratio": 0.1},
        {"ratio": 123456789012345.67},
        {"seen": ["a\x00b"]},
    ],
    ids=repr,
)
async def test_what_jsonb_would_refuse_or_change_comes_back_as_it_was(
    database: Database, claim: Claim, values: Any
) -> None:
    graph = plain()
    own = graph.copy({"checkpointer": fenced(database, claim, graph)})
    config = {"configurable": {"thread_id": str(claim.thread_key)}}
    await own.aupdate_state(config, {"count": 1, **values}, as_node="two")
    await own.aupdate_state(config, {"count": 2}, as_node="two")
    stored = (await own.aget_state(config)).values
    name = next(iter(values))
    assert repr(stored[name]) == repr(values[name])
    assert type(stored[name]) is type(values[name])


async def test_a_lone_surrogate_becomes_a_question_mark_as_langgraph_stores_it_in_lists(
    database: Database, claim: Claim
) -> None:
    graph = plain()
    own = graph.copy({"checkpointer": fenced(database, claim, graph)})
    config = {"configurable": {"thread_id": str(claim.thread_key)}}
    await own.aupdate_state(config, {"text": "a\ud800b", "seen": ["a\ud800b"]}, as_node="two")
    values = (await own.aget_state(config)).values
    assert (values["text"], values["seen"]) == ("a?b", ["a?b"])


async def test_a_write_under_an_old_attempt_stores_nothing(database: Database, claim: Claim) -> None:
    graph, config = plain(), {"configurable": {"thread_id": str(claim.thread_key), "checkpoint_ns": ""}}
    zombie = fenced(database, claim, graph)
    await expire(database, claim)
    (taken,) = await taken_over(database, runs_of(database))
    with pytest.raises(LeaseLost):
        await zombie.aput(config, empty_checkpoint(), {"source": "loop", "step": 0}, {})
    writing = {"configurable": {**config["configurable"], "checkpoint_id": "c"}}
    for channel in ("text", "__interrupt__"):
        with pytest.raises(LeaseLost):
            await zombie.aput_writes(writing, [(channel, "late")], "task")
    with pytest.raises(LeaseLost):
        await zombie.aput_writes(writing, [], "task")
    with pytest.raises(LeaseLost):
        await graph.copy({"checkpointer": zombie}).ainvoke(VALUES, config, durability="sync")
    counts = await rows_everywhere(database, claim.thread_key, [])
    assert [counts[table] for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes")] == [0, 0, 0]
    await fenced(database, taken, graph).aput(config, empty_checkpoint(), {"source": "loop", "step": 0}, {})


async def test_a_write_waits_for_a_takeover_under_way_and_then_stores_nothing(
    database: Database, claim: Claim
) -> None:
    saver = fenced(database, claim, plain())
    config = {"configurable": {"thread_id": str(claim.thread_key), "checkpoint_ns": ""}}
    async with database.pool.connection() as connection, connection.transaction():
        await connection.execute("update agent.runs set attempt = attempt + 1")
        writing = {"configurable": {**config["configurable"], "checkpoint_id": "c"}}
        late = [
            asyncio.ensure_future(saver.aput(config, empty_checkpoint(), {"source": "loop", "step": 0}, {})),
            asyncio.ensure_future(saver.aput_writes(writing, [("text", "late")], "task")),
        ]
        await asyncio.sleep(0.3)
        assert [write.done() for write in late] == [False, False]
    answers = await asyncio.gather(*late, return_exceptions=True)
    assert [type(answer) for answer in answers] == [LeaseLost, LeaseLost]
    counts = await rows_everywhere(database, claim.thread_key, [])
    assert [counts[table] for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes")] == [0, 0, 0]


async def test_a_run_that_has_ended_or_waits_stores_nothing(database: Database, claim: Claim) -> None:
    saver = fenced(database, claim, plain())
    await runs_of(database).release(claim, None)
    with pytest.raises(LeaseLost):
        await saver.aput_writes(
            {"configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": "c"}}, [], "task"
        )


async def test_writes_stay_as_first_stored_and_special_ones_are_replaced(
    database: Database, claim: Claim
) -> None:
    graph, thread = plain(), str(claim.thread_key)
    saver = fenced(database, claim, graph)
    config = await saver.aput(
        {"configurable": {"thread_id": thread, "checkpoint_ns": ""}},
        empty_checkpoint(),
        {"source": "loop", "step": 0},
        {},
    )
    for value in ("first", "second"):
        await saver.aput_writes(config, [("text", value)], "ordinary")
        await saver.aput_writes(config, [("__interrupt__", value)], "special")
    found = await saver.aget_tuple(config)
    assert found is not None
    assert sorted(found.pending_writes or []) == [
        ("ordinary", "text", "first"),
        ("special", "__interrupt__", "second"),
    ]


async def test_the_newest_checkpoint_names_its_run(database: Database, claim: Claim) -> None:
    graph = plain()
    assert await run_of_latest_checkpoint(database, claim.thread_key) is None
    own = graph.copy({"checkpointer": fenced(database, claim, graph)})
    thread = {"thread_id": str(claim.thread_key)}
    await own.ainvoke(VALUES, {"configurable": thread, "metadata": {"run_id": str(claim.run_id)}})
    assert await run_of_latest_checkpoint(database, claim.thread_key) == claim.run_id


async def test_a_reader_writes_nothing(database: Database, claim: Claim) -> None:
    graph = plain()
    reader = ReadOnlySaver(database, serializer_for("test", graph, ()))
    with pytest.raises(NotImplementedError):
        await graph.copy({"checkpointer": reader}).ainvoke(VALUES, {"configurable": {"thread_id": "t"}})
    with pytest.raises(NotImplementedError):
        await reader.setup()
    assert await sql(database, "select * from checkpoints") == []
