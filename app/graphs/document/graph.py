"""The document graph: five agents, a person where it matters, and one filing.

    receive ─► classify ─► extract ─► validate ─► assess_risk ─► decide ─► file
                                         ▲                          │        ▲
                                         └────── edit ─────── human_review ──┘ approve, reject

Input: `{"text": "..."}` or `{"attachment_id": "..."}`, and `"source"`. It stops for a person above a
threshold and on any inconsistency; `review.py` has the shape of the question and of the answer.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# langgraph ships no py.typed marker, and its builder's signatures are partly unknown.

from typing import Literal

from langgraph.graph import END, START, StateGraph

from graphs.document import agents
from graphs.document.state import DocumentInput, DocumentOutput, State


def after_decision(state: State) -> Literal["human_review", "file"]:
    """Ask a person about whatever the rules do not approve."""
    return "human_review" if state["decision"]["outcome"] == "needs_review" else "file"


def after_review(state: State) -> Literal["validate", "file"]:
    """Check again what a person has edited; file the rest as they decided."""
    return "validate" if state["human_decisions"][-1]["type"] == "edit" else "file"


def build() -> "StateGraph[State, None, DocumentInput, DocumentOutput]":
    """Return the graph's plan; who compiles it adds a checkpointer, without which nobody can be asked."""
    plan = StateGraph(State, input_schema=DocumentInput, output_schema=DocumentOutput)
    plan.add_node("receive", agents.receive)
    plan.add_node("classify", agents.classify_agent)
    plan.add_node("extract", agents.extract_agent)
    plan.add_node("validate", agents.validate_agent)
    plan.add_node("assess_risk", agents.assess_risk_agent)
    plan.add_node("decide", agents.decide_agent)
    plan.add_node("human_review", agents.human_review)
    plan.add_node("file", agents.file_agent)
    plan.add_edge(START, "receive")
    plan.add_edge("receive", "classify")
    plan.add_edge("classify", "extract")
    plan.add_edge("extract", "validate")
    plan.add_edge("validate", "assess_risk")
    plan.add_edge("assess_risk", "decide")
    plan.add_conditional_edges("decide", after_decision)
    plan.add_conditional_edges("human_review", after_review)
    plan.add_edge("file", END)
    return plan


graph = build().compile(name="document")
