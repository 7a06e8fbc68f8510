"""Threads with a history, for what retention has to leave of them."""

import operator
from collections.abc import Mapping
from typing import Annotated, Any, TypedDict, cast
from uuid import UUID

from app.support.storage_world import ALICE, new_run, runs_of, sql
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from agent_server.graphs.pregel import Graph, compiled
from agent_server.graphs.strict import serializer_for
from agent_server.storage.database import Database
from agent_server.storage.retention import RetentionPolicy
from agent_server.storage.runs import Outcome
from agent_server.storage.saver import Fence, FencedSaver, ReadOnlySaver
from agent_server.storage.threads import ThreadStore

KEEP = RetentionPolicy(
    events=1e9, idempotency_keys=1e9, runs=None, history=None, max_checkpoints=None, threads=None
)
"""Keeps everything; tests replace one field."""
TABLES = {
    "checkpoints": "checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint::text, metadata::text",
    "checkpoint_blobs": "checkpoint_ns, channel, version, type, blob",
    "checkpoint_writes": "checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob",
}
"""LangGraph's tables and all of their columns but the thread's id."""


class State(TypedDict, total=False):
    said: Annotated[list[str], operator.add]
    turns: int
    answer: str


def counting() -> Graph:
    """Two steps a turn; the list grows with each."""
    builder = StateGraph(State)
    builder.add_node("count", lambda state: {"turns": state.get("turns", 0) + 1})
    builder.add_node("say", lambda state: {"said": [f"turn {state['turns']}"]})
    builder.add_edge(START, "count").add_edge("count", "say").add_edge("say", END)
    return graph_of(builder)


def asking() -> Graph:
    """Waits for an answer at each turn."""
    builder = StateGraph(State)
    builder.add_node("prepare", lambda state: {"said": ["prepared"]})
    builder.add_node("ask", lambda state: {"answer": interrupt("well?")})
    builder.add_edge(START, "prepare").add_edge("prepare", "ask")
    return graph_of(builder)


def asking_within() -> Graph:
    """Waits for an answer in a subgraph of a subgraph, after a call of another one that remembers."""
    inner = asking_builder().compile()
    middle = StateGraph(State)
    middle.add_node("before", lambda state: {"said": ["middle"]})
    middle.add_node("inner", inner)
    middle.add_edge(START, "before").add_edge("before", "inner")
    memory = counting_builder().compile(checkpointer=True)
    outer = StateGraph(State)
    outer.add_node("memory", memory)
    outer.add_node("middle", middle.compile())
    outer.add_node("after", lambda state: {"said": [f"answered {state['answer']}"]})
    outer.add_edge(START, "memory").add_edge("memory", "middle").add_edge("middle", "after")
    return graph_of(outer)


def asking_builder() -> Any:
    builder = StateGraph(State)
    builder.add_node("prepare", lambda state: {"said": ["prepared"]})
    builder.add_node("ask", lambda state: {"answer": interrupt("well?"), "said": ["asked"]})
    builder.add_edge(START, "prepare").add_edge("prepare", "ask")
    return builder


def counting_builder() -> Any:
    builder = StateGraph(State)
    builder.add_node("count", lambda state: {"turns": state.get("turns", 0) + 1})
    builder.add_edge(START, "count")
    return builder


def graph_of(builder: Any) -> Graph:
    graph = compiled(builder)
    assert graph is not None
    return graph


async def turn(
    database: Database, graph: Graph, given: Any, thread_id: str = "t", durability: str = "sync"
) -> Any:
    """One run from its beginning to its end, as the server has it; returns what the graph returned."""
    runs = runs_of(database)
    claim = await runs.begin(ALICE, new_run(thread_id), None, make_thread=True)
    assert claim is not None
    fence = Fence(claim.run_id, claim.attempt, claim.thread_is_new)
    saver = FencedSaver(database, serializer_for("g", graph, ()), fence)
    bound = cast("Any", graph.copy({"checkpointer": saver}))
    config = {"configurable": {"thread_id": str(claim.thread_key)}, "metadata": {"run_id": str(claim.run_id)}}
    result = await bound.ainvoke(given, config, durability=durability)
    waits = isinstance(result, dict) and "__interrupt__" in result
    status = "interrupted" if waits else "success"
    await runs.finish(claim, Outcome(status), None, thread_status="interrupted" if waits else "idle")
    return result


def answer_to(result: Mapping[str, Any], value: str) -> Command[Any]:
    """What answers the interrupts that a turn has ended with."""
    return Command(resume={waiting.id: value for waiting in result["__interrupt__"]})


async def state_of(database: Database, graph: Graph, thread_id: str = "t") -> tuple[Any, ...]:
    """All that a client sees of a thread's state, in subgraphs too."""
    snapshot = await reader(database, graph).aget_state(await config_of(database, thread_id), subgraphs=True)
    return _plain(snapshot)


async def history_of(database: Database, graph: Graph, thread_id: str = "t") -> list[Any]:
    config = await config_of(database, thread_id)
    return [snapshot async for snapshot in reader(database, graph).aget_state_history(config)]


def reader(database: Database, graph: Graph) -> Graph:
    return graph.copy({"checkpointer": ReadOnlySaver(database, serializer_for("g", graph, ()))})


async def config_of(database: Database, thread_id: str = "t") -> Any:
    return {"configurable": {"thread_id": str(await key_of(database, thread_id))}}


async def key_of(database: Database, thread_id: str = "t") -> UUID:
    thread = await ThreadStore(database).get(ALICE, thread_id)
    assert thread is not None
    return thread.thread_key


async def let_pass(database: Database, days: float) -> None:
    """Everything that happened has happened so long ago."""
    past = f"- make_interval(secs => {days * 86400})"
    await sql(database, f"update agent.threads set updated_at = updated_at {past}")
    await sql(database, f"update agent.runs set finished_at = finished_at {past}")
    await sql(database, f"update agent.idempotency_keys set created_at = created_at {past}")


async def rows_of(database: Database, key: UUID | str) -> dict[str, set[tuple[Any, ...]]]:
    """All rows of LangGraph's tables for one of its threads."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    for table, columns in TABLES.items():
        rows = await sql(database, f"select {columns} from {table} where thread_id = %(key)s", key=str(key))
        found[table] = {tuple(row.values()) for row in rows}
    return found


async def copy_rows(database: Database, key: UUID, copy: str) -> None:
    """The same rows under another thread's id."""
    for table in TABLES:
        found = await sql(
            database,
            "select string_agg(quote_ident(column_name), ', ') as names from information_schema.columns"
            " where table_name = %(table)s and column_name <> 'thread_id'",
            table=table,
        )
        names = found[0]["names"]
        await sql(
            database,
            f"insert into {table} (thread_id, {names}) select %(copy)s, {names} from {table}"
            " where thread_id = %(key)s",
            copy=copy,
            key=str(key),
        )


def _plain(snapshot: Any) -> tuple[Any, ...]:
    return (
        snapshot.values,
        snapshot.next,
        [(waiting.id, waiting.value) for waiting in snapshot.interrupts],
        [
            (task.name, _plain(task.state) if hasattr(task.state, "values") else None)
            for task in snapshot.tasks
        ],
    )
