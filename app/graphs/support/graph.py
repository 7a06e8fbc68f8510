"""Support: a conversation that answers from the handbook and hands over to a person when it should.

    triage ──► consult ⇄ search          with a model
       │          │
       ├──────► answer                   by rule: no model, or it failed or refused
       │          │
       └──────► hand_over                a colleague approves, edits or rejects the reply

Streams `custom` events `{"step": …}`, one for each step, and a model's tokens as `messages`.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# langgraph ships no py.typed marker, and its builder's signatures are partly unknown.

from langgraph.graph import END, START, StateGraph

from graphs.support import nodes
from graphs.support.state import Input, Output, State


def build() -> "StateGraph[State, None, Input, Output]":
    """Return the graph's plan; who compiles it adds a checkpointer, without which nobody can be asked."""
    plan = StateGraph(State, input_schema=Input, output_schema=Output)
    plan.add_node("triage", nodes.triage)
    plan.add_node("consult", nodes.consult)
    plan.add_node("search", nodes.search)
    plan.add_node("answer", nodes.answer)
    plan.add_node("hand_over", nodes.hand_over)
    plan.add_edge(START, "triage")
    plan.add_edge("search", "consult")
    plan.add_edge("hand_over", END)
    return plan


graph = build().compile(name="support")
