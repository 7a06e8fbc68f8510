"""Graphs whose executions are watched: subgraphs, interrupts, messages, custom events, narrow outputs."""

import operator
from typing import Annotated, Any

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.runtime import Runtime
from langgraph.types import Send, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    steps: Annotated[list[str], operator.add]
    messages: Annotated[list[AnyMessage], add_messages]
    secret: str


class Output(TypedDict):
    steps: list[str]


class Context(TypedDict, total=False):
    tone: str


class Question(BaseModel):
    yes: bool


def first(state: State, runtime: Runtime[Context]) -> State:
    get_stream_writer()({"progress": 1})
    return {"steps": [f"first:{(runtime.context or {}).get('tone')}"], "secret": "s"}


async def speak(state: State) -> dict[str, Any]:
    model = GenericFakeChatModel(messages=iter([AIMessage("one two", id="m")]))
    return {"messages": [await model.ainvoke("hi")], "steps": ["speak"]}


def linear() -> Any:
    """First `first`, then `speak`; only `steps` is output."""
    builder = StateGraph(State, context_schema=Context, output_schema=Output)
    builder.add_sequence([first, speak])
    builder.add_edge(START, "first")
    return builder


def asking(name: str, schema: type[Any] | None = None) -> Any:
    """A node that waits for an answer and then notes it."""

    def ask(state: State) -> State:
        return {"steps": [f"{name}={interrupt({'ask': name}, response_schema=schema)}"]}

    return ask


def with_subgraph() -> Any:
    """`before`, then a subgraph of one node that asks."""
    inner = StateGraph(State)
    inner.add_node("ask", asking("inner", Question))
    inner.add_edge(START, "ask")
    builder = StateGraph(State)
    builder.add_node("before", lambda state: {"steps": ["before"]})
    builder.add_node("sub", inner.compile())
    builder.add_edge(START, "before")
    builder.add_edge("before", "sub")
    return builder


def with_several() -> Any:
    """Three branches: two ask, one of them in a subgraph, and one does not."""
    inner = StateGraph(State)
    inner.add_node("ask", asking("inner"))
    inner.add_edge(START, "ask")
    builder = StateGraph(State)
    builder.add_node("left", asking("left"))
    builder.add_node("sub", inner.compile())
    builder.add_node("quiet", lambda state: {"steps": ["quiet"]})
    builder.add_conditional_edges(
        START, lambda state: [Send(name, state) for name in ("left", "sub", "quiet")]
    )
    return builder


def failing() -> Any:
    """One step, and then an error."""

    def fail(state: State) -> State:
        msg = "the node's own words"
        raise KeyError(msg)

    builder = StateGraph(State)
    builder.add_node("before", lambda state: {"steps": ["before"]})
    builder.add_node("fail", fail)
    builder.add_edge(START, "before")
    builder.add_edge("before", "fail")
    builder.add_edge("fail", END)
    return builder


@entrypoint()
def functional(number: int) -> int:
    """No state at all: a value in, a value out."""
    return number + 1
