"""Graphs that wait for humans, in all the ways there are."""

import operator
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict

YES_OR_NO = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}


class Asked(TypedDict, total=False):
    text: str
    answers: Annotated[list[Any], operator.add]


def ask(state: Asked) -> Asked:
    return {"answers": [interrupt({"question": state.get("text", "?")})]}


def ask_twice(state: Asked) -> Asked:
    return {"answers": [interrupt("first?"), interrupt("second?")]}


def ask_left(state: Asked) -> Asked:
    return {"answers": [{"left": interrupt("left?")}]}


def ask_right(state: Asked) -> Asked:
    return {"answers": [{"right": interrupt("right?")}]}


def ask_strictly(state: Asked) -> Asked:
    return {"answers": [interrupt("ok?", response_schema=YES_OR_NO)]}


def one_node(node: Any) -> Any:
    builder = StateGraph(Asked)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    builder.add_edge("node", END)
    return builder


def make_parallel() -> Any:
    builder = StateGraph(Asked)
    for name, node in (("left", ask_left), ("right", ask_right)):
        builder.add_node(name, node)
        builder.add_edge(START, name)
        builder.add_edge(name, END)
    return builder


ask_one = one_node(ask).compile()
sequence = one_node(ask_twice).compile()
parallel = make_parallel().compile()
nested = one_node(one_node(ask).compile()).compile()
strictly = one_node(ask_strictly).compile()
