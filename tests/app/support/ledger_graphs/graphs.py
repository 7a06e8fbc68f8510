"""Graphs whose nodes write down that they were executed, over a connection of their own.

The ledger is what the tests of durability judge by: `ledger.steps` has a row for each execution,
`ledger.effects` one for each idempotency key. A gate holds a node until the test opens it.
"""

import asyncio
import contextlib
import os
import time
from operator import add
from typing import Annotated, Any, TypedDict

import psycopg
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agent_server.core.errors import Invalid
from agent_server.effects import idempotency_key

LEDGER = os.environ["LEDGER_URL"]
_WRITE = """
with step as (
    insert into ledger.steps (mark, node, key, pid) values (%(mark)s, %(node)s, %(key)s, %(pid)s)
)
insert into ledger.effects (key, mark, node) values (%(key)s, %(mark)s, %(node)s) on conflict do nothing
"""
_GATE = "select 1 from ledger.gates where mark = %s and node = %s"


async def record(mark: str, node: str) -> None:
    """Write down an execution; a database that restarts is waited for, as an effect's receiver would be."""
    row = {"mark": mark, "node": node, "key": idempotency_key(node), "pid": os.getpid()}
    for _ in range(100):
        try:
            async with await psycopg.AsyncConnection.connect(LEDGER, autocommit=True) as connection:
                await connection.execute(_WRITE, row)
                return
        except psycopg.OperationalError:
            await asyncio.sleep(0.1)
    msg = f"the ledger does not answer: {node} of {mark}"
    raise AssertionError(msg)


class _Kept:
    """One connection to the ledger for the whole process: for graphs that run by the dozen each second."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def record(self, mark: str, node: str) -> None:
        row = {"mark": mark, "node": node, "key": idempotency_key(node), "pid": os.getpid()}
        async with self._lock:
            if self._connection is None:
                self._connection = await psycopg.AsyncConnection.connect(LEDGER, autocommit=True)
            await self._connection.execute(_WRITE, row)


kept = _Kept()


async def pass_gate(mark: str, node: str) -> None:
    """Wait as long as the test has closed the gate."""
    async with await psycopg.AsyncConnection.connect(LEDGER, autocommit=True) as connection:
        while await (await connection.execute(_GATE, (mark, node))).fetchone():  # noqa: ASYNC110  # the test is another process
            await asyncio.sleep(0.02)


async def executed(mark: str) -> int:
    """How many steps of a mark have been executed."""
    async with await psycopg.AsyncConnection.connect(LEDGER, autocommit=True) as connection:
        cursor = await connection.execute("select count(*) from ledger.steps where mark = %s", (mark,))
        (count,) = await cursor.fetchone() or (0,)
    return count


class Work(TypedDict, total=False):
    mark: str
    seconds: float
    asks: bool
    steps: Annotated[list[str], add]


def _node(name: str) -> Any:
    async def node(state: Work) -> Work:
        if name == "c" and state.get("asks"):
            interrupt("go on?")
        await record(state["mark"], name)
        await asyncio.sleep(state.get("seconds", 0))
        return {"steps": [name]}

    return node


def _chain(*names: str) -> Any:
    builder = StateGraph(Work)
    for before, name in zip((START, *names), names, strict=False):
        builder.add_node(name, _node(name))
        builder.add_edge(before, name)
    return builder


six = _chain("a", "b", "c", "d", "e", "f").compile()
_inside = StateGraph(Work).add_node("inner", _chain("a", "b", "c").compile()).add_node("d", _node("d"))
inside = _inside.add_edge(START, "inner").add_edge("inner", "d").compile()
paused = _chain("a", "b", "c", "d").compile(interrupt_after=["b"], interrupt_before=["d"])


def _brisk(name: str) -> Any:
    async def node(state: Work) -> Work:
        await kept.record(state["mark"], name)
        write, pieces = get_stream_writer(), 5
        for piece in range(pieces):
            write({"node": name, "piece": piece})
            await asyncio.sleep(state["seconds"] / pieces)
        return {"steps": [name]}

    return node


_three = StateGraph(Work)
for _before, _name in zip((START, "one", "two"), ("one", "two", "three"), strict=True):
    _three.add_node(_name, _brisk(_name))
    _three.add_edge(_before, _name)
brisk = _three.compile()


async def _quick(state: Work) -> Work:
    await kept.record(state["mark"], "one")
    await asyncio.sleep(state["seconds"])
    return {"steps": ["one"]}


quick = StateGraph(Work).add_node("one", _quick).add_edge(START, "one").compile()


class Notes(TypedDict, total=False):
    note: str
    seconds: float
    notes: Annotated[list[str], add]


async def _take_note(state: Notes) -> Notes:
    await record(state["note"], "note")
    await asyncio.sleep(state.get("seconds", 0))
    return {"notes": [state["note"]]}


notes = StateGraph(Notes).add_node("note", _take_note).add_edge(START, "note").compile()


class Answers(TypedDict, total=False):
    mark: str
    answers: Annotated[list[Any], add]


async def _ask_once(state: Answers) -> Answers:
    answer = interrupt("first?")
    await record(state["mark"], f"answered {answer}")
    await pass_gate(state["mark"], "answered")
    return {"answers": [answer]}


ask = StateGraph(Answers).add_node("ask", _ask_once).add_edge(START, "ask").compile()


async def _ask_twice(state: Answers) -> Answers:
    first = interrupt("first?")
    await record(state["mark"], f"first {first}")
    await pass_gate(state["mark"], "first")
    second = interrupt("second?")
    await record(state["mark"], f"second {second}")
    await pass_gate(state["mark"], "second")
    return {"answers": [first, second]}


twice = StateGraph(Answers).add_node("ask", _ask_twice).add_edge(START, "ask").compile()


async def _after(state: Answers) -> Answers:
    await record(state["mark"], "after")
    await pass_gate(state["mark"], "after")
    return {"answers": ["after"]}


async def _end(state: Answers) -> Answers:
    await record(state["mark"], "end")
    return {"answers": ["end"]}


_inner = StateGraph(Answers).add_node("ask", _ask_twice).add_node("after", _after)
_inner.add_edge(START, "ask").add_edge("ask", "after")
_outer = StateGraph(Answers).add_node("inner", _inner.compile()).add_node("end", _end)
nested = _outer.add_edge(START, "inner").add_edge("inner", "end").compile()


async def _die(state: Work) -> Work:
    await record(state["mark"], "die")
    if state.get("asks"):
        os._exit(9)
    return {"steps": ["lived"]}


poison = StateGraph(Work).add_node("die", _die).add_edge(START, "die").compile()


class Chat(TypedDict, total=False):
    mark: str
    messages: Annotated[list[AnyMessage], add_messages]


async def _call_tools(state: Chat) -> Chat:
    if isinstance(state["messages"][-1], ToolMessage) or state["mark"] == "quiet":
        return {"messages": [AIMessage("done")]}
    calls = [{"name": "slow", "args": {}, "id": f"call {number}"} for number in range(2)]
    return {"messages": [AIMessage("", tool_calls=calls)]}


async def _slow_tools(state: Chat) -> Chat:
    await record(state["mark"], "tools")
    await asyncio.sleep(60)
    return {}


def _next(state: Chat) -> str:
    last = state["messages"][-1]
    return "tools" if isinstance(last, AIMessage) and last.tool_calls else END


_tools = StateGraph(Chat).add_node("model", _call_tools).add_node("tools", _slow_tools)
_tools.add_edge(START, "model").add_edge("tools", "model")
tools = _tools.add_conditional_edges("model", _next, ["tools", END]).compile()


class Talk(TypedDict, total=False):
    mark: str
    words: int
    seconds: float
    said: Annotated[list[str], add]


async def _talk(state: Talk) -> Talk:
    await record(state["mark"], "talk")
    write = get_stream_writer()
    for number in range(state["words"]):
        write({"word": number})
        await asyncio.sleep(state.get("seconds", 0))
    return {"said": [state["mark"]]}


async def _close(state: Talk) -> Talk:
    await record(state["mark"], "close")
    return {"said": ["closed"]}


_talker = StateGraph(Talk).add_node("talk", _talk).add_node("close", _close)
talk = _talker.add_edge(START, "talk").add_edge("talk", "close").compile()


async def _block(state: Work) -> Work:
    earlier = await executed(state["mark"])
    await record(state["mark"], "block")
    if state.get("asks") or not earlier:
        time.sleep(state["seconds"])  # noqa: ASYNC251  # what must never be done, and is
    return {"steps": ["blocked"]}


block = StateGraph(Work).add_node("block", _block).add_edge(START, "block").compile()


async def _will_not_stop(state: Work) -> Work:
    await record(state["mark"], "deaf")
    until = time.monotonic() + state["seconds"]
    while (left := until - time.monotonic()) > 0:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(left)
    return {"steps": ["deaf"]}


deaf = StateGraph(Work).add_node("deaf", _will_not_stop).add_edge(START, "deaf").compile()


def _in_thread(state: Work) -> Work:
    with psycopg.connect(LEDGER, autocommit=True) as connection:
        row = {"mark": state["mark"], "node": "thread", "key": idempotency_key(), "pid": os.getpid()}
        connection.execute(_WRITE, row)
    time.sleep(state["seconds"])
    return {"steps": ["threaded"]}


thread = StateGraph(Work).add_node("thread", _in_thread).add_edge(START, "thread").compile()


class Turns(TypedDict, total=False):
    mark: str
    turn: int
    last: list[int]


def _turn(state: Turns) -> Turns:
    return {"last": [*state.get("last", []), state["turn"]][-20:]}


turns = StateGraph(Turns).add_node("turn", _turn).add_edge(START, "turn").compile()


async def _killer(state: Work) -> Work:
    """Beyond its gate it kills its process, if it is asked to."""
    await record(state["mark"], "gate")
    await pass_gate(state["mark"], "gate")
    if state.get("asks"):
        os._exit(9)
    return {"steps": ["passed"]}


killer = StateGraph(Work).add_node("gate", _killer).add_edge(START, "gate").compile()


async def _put_what_no_index_takes(state: Work, runtime: Runtime) -> Work:
    await record(state["mark"], "put")
    assert runtime.store is not None
    await runtime.store.aput(("notes",), os.urandom(4000).hex(), {})
    return {"steps": ["put"]}


long_key = StateGraph(Work).add_node("put", _put_what_no_index_takes).add_edge(START, "put").compile()


async def _refuse(state: Work) -> Work:
    await record(state["mark"], "refuse")
    raise Invalid("the node's own words")  # noqa: EM101, TRY003  # what a graph may do


refusing = StateGraph(Work).add_node("refuse", _refuse).add_edge(START, "refuse").compile()


async def _held(state: Answers) -> Answers:
    await record(state["mark"], "held")
    await pass_gate(state["mark"], "held")
    return {"answers": ["held"]}


_both = StateGraph(Answers).add_node("ask", _ask_once).add_node("held", _held)
ask_beside = _both.add_edge(START, "ask").add_edge(START, "held").compile()
