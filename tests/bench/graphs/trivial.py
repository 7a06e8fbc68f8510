"""Graphs whose nodes cost nothing, so that what is measured is the system around them.

`g1` and `g5` append one number per node to a list: `{"items": [7]}` comes out of `g5` as
`{"items": [7, 8, 9, 10, 11, 12]}`, an answer that no other request has.
"""

import asyncio
import operator
from typing import Annotated, Any, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import StreamWriter, interrupt

TOKENS = 200
"""Custom chunks that one run of `tokens` streams."""


class Items(TypedDict):
    """A list that grows."""

    items: Annotated[list[int], operator.add]


async def step(state: Items) -> Items:
    """Append the next number."""
    return {"items": [state["items"][-1] + 1]}


async def talk(state: Items, writer: StreamWriter) -> Items:
    """Stream the tokens, each free to leave before the next is made."""
    for token in range(TOKENS):
        writer({"token": token})
        await asyncio.sleep(0)
    return {"items": [state["items"][-1] + 1]}


async def ask(state: Items) -> Items:
    """Stop for a number, then append it."""
    return {"items": [interrupt({"question": "next?", "after": state["items"][-1]})]}


def _chain(*nodes: Any) -> StateGraph[Items, Any, Items, Items]:
    builder = StateGraph(Items)
    names = [f"node_{number}" for number in range(1, len(nodes) + 1)]
    for name, node in zip(names, nodes, strict=True):
        builder.add_node(name, node)
    for before, after in zip([START, *names], names, strict=False):
        builder.add_edge(before, after)
    return builder


g1 = _chain(step)
g5 = _chain(step, step, step, step, step)
tokens = _chain(talk)
approval = _chain(ask)

BUILDERS = {"g1": g1, "g5": g5, "tokens": tokens, "approval": approval}
