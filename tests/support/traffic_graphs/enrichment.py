"""A graph that asks a register which is slow at times and fails at others, as registers are."""

import asyncio
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


class Company(TypedDict, total=False):
    name: str
    seconds: float
    fails: bool
    register: str


async def ask_register(state: Company) -> Company:
    await asyncio.sleep(state.get("seconds", 0))
    if state.get("fails"):
        msg = "the register answered 502"
        raise RuntimeError(msg)
    return {"register": f"{state.get('name', 'nobody')} is known"}


_builder = StateGraph(Company)
_builder.add_node("ask_register", ask_register)
_builder.add_edge(START, "ask_register")
_builder.add_edge("ask_register", END)
graph = _builder.compile()
