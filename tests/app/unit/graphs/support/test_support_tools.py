"""What a model may do in a conversation: its tools, and the checks of what it says."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from langchain_core.messages import AIMessage, ToolCall

from graphs.common.handbook import handbook
from graphs.support import replies
from graphs.support.tools import ESCALATE, SEARCH, TOOLS, proposed_draft, run_search

IDS = st.sampled_from(["retention#legal-hold", "refunds#how-a-refund-is-paid", "made#up", "x#y"])


def call(name: str, **args: object) -> ToolCall:
    return ToolCall(name=name, args=args, id="1")


def test_the_tools_are_named_as_they_are_run() -> None:
    assert [tool["function"]["name"] for tool in TOOLS] == [SEARCH, ESCALATE]
    for tool in TOOLS:
        Draft202012Validator.check_schema(tool["function"]["parameters"])


def test_a_search_returns_passages_and_their_ids() -> None:
    message, ids = run_search(call(SEARCH, query="legal hold"), handbook())
    passages = json.loads(str(message.content))
    assert [passage["id"] for passage in passages] == ids
    assert ids[0] == "retention#legal-hold"
    assert message.tool_call_id == "1"


@pytest.mark.parametrize("wrong", [call("rm"), call(SEARCH), call(SEARCH, query=["a"])])
def test_a_wrong_call_is_answered_with_what_is_wrong(wrong: ToolCall) -> None:
    message, ids = run_search(wrong, handbook())
    assert (message.status, ids) == ("error", [])
    assert SEARCH in str(message.content)


@pytest.mark.parametrize(
    ("calls", "draft"),
    [
        ([], None),
        ([call(SEARCH, query="x")], None),
        ([call(SEARCH, query="x"), call(ESCALATE, draft=" Hello ")], "Hello"),
        ([call(ESCALATE)], ""),
        ([call(ESCALATE, draft=7)], ""),
    ],
)
def test_handing_over_is_read_from_the_calls(calls: list[ToolCall], draft: str | None) -> None:
    assert proposed_draft(AIMessage("", tool_calls=calls)) == draft


@given(given=st.lists(IDS), cited=st.lists(IDS), known=st.just(set(handbook().passages)))
def test_a_reply_cites_nothing_but_what_was_looked_up(
    given: list[str], cited: list[str], known: set[str]
) -> None:
    sources = [each for each in given if each in known]
    checked = replies.checked("So. " + " ".join(f"[{each}]" for each in cited), sources, "hold")
    assert {each["id"] for each in checked.citations} == set(cited) & set(sources)
    assert set(checked.invented) == set(cited) - set(sources)
    assert not any(f"[{each}]" in checked.text for each in checked.invented)


@pytest.mark.parametrize("reason", replies.OPENINGS)
def test_each_reason_has_an_opening_and_an_explanation(reason: Any) -> None:
    assert replies.draft(reason, "nothing that the handbook knows").startswith(replies.OPENINGS[reason])
    assert replies.REASONS[reason] in replies.description(reason, ["Hello"])


def test_a_legal_threat_is_not_answered_from_the_handbook() -> None:
    assert replies.draft("legal", "My lawyer asks about your legal hold") == replies.OPENINGS["legal"]
    assert "For your information" in replies.draft("complaint", "I want to complain about the legal hold")
