"""Research: a question is split, looked up in parallel, and answered with numbered citations.

    plan ──► look_up (one for each sub-question, at once) ──► merge ──► write

Streams `custom` events `{"step": …}`, one for each step.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# langgraph ships no py.typed marker, and its builder's signatures are partly unknown.

from langgraph.graph import END, START, StateGraph

from graphs.research import nodes
from graphs.research.state import Input, Output, State


def build() -> "StateGraph[State, None, Input, Output]":
    """Return the graph's plan, to be compiled with or without a checkpointer."""
    builder = StateGraph(State, input_schema=Input, output_schema=Output)
    builder.add_node("plan", nodes.plan)
    builder.add_node("look_up", nodes.look_up)
    builder.add_node("merge", nodes.merge)
    builder.add_node("write", nodes.write)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", nodes.fan_out, ["look_up", "merge"])
    builder.add_edge("look_up", "merge")
    builder.add_edge("merge", "write")
    builder.add_edge("write", END)
    return builder


graph = build().compile(name="research")
