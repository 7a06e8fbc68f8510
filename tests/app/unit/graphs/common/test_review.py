"""Asking a person: the request that inboxes know, and answers that are checked."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from langchain.agents.middleware.human_in_the_loop import HITLRequest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from graphs.common.review import (
    ActionRequest,
    InvalidAnswerError,
    Verdict,
    ask_person,
    read_verdict,
    response_schema,
)

ACTION: ActionRequest = {"name": "send", "args": {"draft": "Hello"}, "description": "Someone waits."}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["decisions", "type", "edited_action", "name", "args", "draft", "message"]),
            inner | st.sampled_from(["approve", "edit", "reject", "send"]),
            max_size=3,
        )
    ),
    max_leaves=12,
)


class State(TypedDict):
    verdict: Verdict


async def ask(_: State) -> dict[str, Verdict]:
    return {"verdict": ask_person(ACTION, "draft")}


def edited(text: object, name: str = "send") -> dict[str, Any]:
    return {"decisions": [{"type": "edit", "edited_action": {"name": name, "args": {"draft": text}}}]}


GOOD = [
    ({"decisions": [{"type": "approve"}]}, {"type": "approve"}),
    (edited(" Hi "), {"type": "edit", "text": "Hi"}),
    ({"decisions": [{"type": "reject", "message": "no"}]}, {"type": "reject", "message": "no"}),
    ({"decisions": [{"type": "reject"}]}, {"type": "reject", "message": ""}),
]
BAD = [
    None,
    "approve",
    [],
    {},
    {"decisions": []},
    {"decisions": "approve"},
    {"decisions": [{"type": "approve"}, {"type": "approve"}]},
    {"decisions": ["approve"]},
    {"decisions": [{"type": "respond"}]},
    {"decisions": [{"type": "edit"}]},
    edited(""),
    edited(7),
    edited("Hi", name="transfer_money"),
]


@pytest.mark.parametrize(("answer", "verdict"), GOOD)
def test_an_answer_of_the_shape_asked_for_is_read(answer: object, verdict: Verdict) -> None:
    assert read_verdict(answer, "send", "draft") == verdict


@pytest.mark.parametrize("answer", BAD)
def test_any_other_answer_is_refused(answer: object) -> None:
    with pytest.raises(InvalidAnswerError):
        read_verdict(answer, "send", "draft")


@pytest.mark.parametrize("answer", [answer for answer, _ in GOOD])
def test_the_schema_admits_what_is_read(answer: object) -> None:
    Draft202012Validator(response_schema("send", "draft")).validate(answer)


@pytest.mark.parametrize("answer", BAD)
def test_the_schema_refuses_what_is_not(answer: object) -> None:
    assert not Draft202012Validator(response_schema("send", "draft")).is_valid(answer)


@given(JSON)
def test_no_answer_gets_past_the_reader_in_another_shape(answer: object) -> None:
    try:
        verdict = read_verdict(answer, "send", "draft")
    except InvalidAnswerError:
        return
    assert verdict["type"] in {"approve", "edit", "reject"}
    assert verdict["type"] != "edit" or verdict.get("text", "").strip()


async def test_a_request_has_the_shape_of_langchains_middleware() -> None:
    graph = asking_graph()
    (interrupt,) = (await graph.ainvoke({}, CONFIG))["__interrupt__"]
    TypeAdapter(HITLRequest).validate_python(interrupt.value, strict=True)
    assert interrupt.value["action_requests"] == [ACTION]
    Draft202012Validator.check_schema(interrupt.response_schema)


async def test_an_answer_that_does_not_fit_is_asked_for_again() -> None:
    graph = asking_graph()
    await graph.ainvoke({}, CONFIG)
    for answer in ({"decisions": []}, "yes"):
        (again,) = (await graph.ainvoke(Command(resume=answer), CONFIG))["__interrupt__"]
        assert "could not be used" in again.value["action_requests"][0]["description"]
        assert again.value["action_requests"][0]["args"] == ACTION["args"]
    result = await graph.ainvoke(Command(resume={"decisions": [{"type": "approve"}]}), CONFIG)
    assert result["verdict"] == {"type": "approve"}


CONFIG: Any = {"configurable": {"thread_id": "1"}}


def asking_graph() -> Any:
    plan = StateGraph(State)
    plan.add_node("ask", ask)
    plan.add_edge(START, "ask")
    return plan.compile(checkpointer=InMemorySaver())
