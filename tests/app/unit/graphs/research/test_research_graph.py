"""Research without a model: splitting, finding in parallel, merging, and citations that can be checked."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from langgraph.checkpoint.memory import InMemorySaver

from graphs.common.handbook import handbook
from graphs.common.model import KEYS
from graphs.research import graph as module
from graphs.research import writing
from graphs.research.planning import MAX_PARTS, distinct, split
from graphs.research.state import Finding
from graphs.research.writing import Claim, merge, write

SAMPLES = Path(module.__file__).parents[1] / "samples" / "research"


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS.values():
        monkeypatch.delenv(name, raising=False)


async def research(question: str) -> dict[str, Any]:
    return await module.graph.ainvoke({"question": question})


def finding(passage: str, score: float, sub_question: str = "q") -> Finding:
    return {"id": passage, "title": passage, "quote": "…", "score": score, "sub_question": sub_question}


FINDINGS = st.lists(
    st.builds(finding, st.sampled_from("abcdefghijkl"), st.floats(0, 1), st.sampled_from("pqr")), max_size=30
)
CLAIMS = st.lists(
    st.builds(Claim, st.text(min_size=1, max_size=9), st.lists(st.sampled_from("abcdxyz"), max_size=4)),
    max_size=6,
)


# planning


def test_clauses_become_sub_questions() -> None:
    question = "Where is data stored, how long do you keep invoices, and who approves a refund of 300 EUR?"
    assert split(question) == [
        "Where is data stored",
        "how long do you keep invoices",
        "who approves a refund of 300 EUR",
    ]


def test_a_question_of_one_clause_is_also_asked_in_its_chapters() -> None:
    parts = split("How long do you keep invoices?")
    assert parts[0] == "How long do you keep invoices?"
    assert any(part.startswith("Retention: ") for part in parts)


def test_an_unknown_subject_stays_one_question() -> None:
    assert split("What is the weather in Paris?") == ["What is the weather in Paris?"]


@pytest.mark.parametrize("empty", ["", "  ", "?", "what is it?"])
def test_a_question_without_words_to_look_for_has_no_parts(empty: str) -> None:
    assert split(empty) == []


def test_no_more_than_five_look_ups() -> None:
    assert len(split("; ".join(f"what about topic{number}" for number in range(20)))) == MAX_PARTS


def test_the_same_question_in_other_words_order_is_asked_once() -> None:
    assert distinct(["refund rules", " ", "the rules of a refund", "audit"]) == ["refund rules", "audit"]


@given(st.text())
def test_any_question_can_be_split(question: str) -> None:
    parts = split(question)
    assert len(parts) <= MAX_PARTS
    assert all(part.strip() for part in parts)


# merging and writing


def test_the_best_finding_of_a_passage_is_kept() -> None:
    found = [finding("a", 0.5, "p"), finding("b", 0.7), finding("a", 0.9, "q")]
    assert [(each["id"], each["sub_question"]) for each in merge(found)] == [("a", "q"), ("b", "q")]


@given(FINDINGS)
def test_merged_findings_are_few_distinct_and_ranked(found: list[Finding]) -> None:
    merged = merge(found)
    assert len({each["id"] for each in merged}) == len(merged) <= writing.MAX_FINDINGS
    assert [each["score"] for each in merged] == sorted((each["score"] for each in merged), reverse=True)
    assert all(each in found for each in merged)


def test_citations_are_numbered_as_they_appear() -> None:
    written = write([Claim("One.", ["b"]), Claim("Two.", ["a", "b"])], [finding("a", 1), finding("b", 1)])
    assert written.answer == "One. [1]\n\nTwo. [2][1]"
    assert [(each["number"], each["id"]) for each in written.citations] == [(1, "b"), (2, "a")]


def test_an_invented_citation_is_dropped_and_reported() -> None:
    written = write([Claim("One.", ["x"]), Claim("Two.", ["x", "a"])], [finding("a", 1)])
    assert written.answer == f"One. {writing.UNSOURCED}\n\nTwo. [1]"
    assert written.invented == ["x"]


@given(claims=CLAIMS, found=FINDINGS)
def test_whatever_is_claimed_only_findings_are_cited(claims: list[Claim], found: list[Finding]) -> None:
    written = write(claims, found)
    known = {each["id"] for each in found}
    assert {each["id"] for each in written.citations} <= known
    assert known.isdisjoint(written.invented)
    assert [each["number"] for each in written.citations] == list(range(1, len(written.citations) + 1))


# the graph


async def test_every_part_of_a_question_is_answered_with_sources() -> None:
    result = await research("Where is data stored, and how long do you keep invoices?")
    cited = {each["id"] for each in result["citations"]}
    assert {"residency#where-data-is-stored", "retention#how-long-documents-are-kept"} <= cited
    assert all(f"[{each['number']}]" in result["answer"] for each in result["citations"])
    assert cited <= handbook().passages.keys()


async def test_citations_quote_their_passage_word_for_word() -> None:
    result = await research("Who approves an invoice above 10,000 EUR?")
    for each in result["citations"]:
        text = handbook().passages[each["id"]].text
        assert all(sentence in text for sentence in each["quote"].split(". "))


@pytest.mark.parametrize("question", ["What is the weather in Paris?", "Which limits apply to magic?", ""])
async def test_it_says_plainly_when_nothing_is_found(question: str) -> None:
    result = await research(question)
    assert result["answer"].startswith(writing.NOTHING)
    assert (result["citations"], result["findings"]) == ([], [])


async def test_a_misspelt_model_costs_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("AGENT_MODEL", "gpt")
    result = await research("What is a legal hold?")
    assert len(result["citations"]) > 0
    assert all(note.startswith("The language model could not be used.") for note in result["notes"])
    assert len(result["notes"]) == 2


async def test_the_output_has_nothing_but_the_answer() -> None:
    assert (await research("refunds")).keys() == {"answer", "citations", "findings", "notes"}


async def test_a_thread_that_was_used_before_starts_afresh() -> None:
    graph = module.build().compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    await graph.ainvoke({"question": "Where is data stored?"}, config)
    second = await graph.ainvoke({"question": "What is the weather in Paris?"}, config)
    assert (second["findings"], second["citations"]) == ([], [])
    json.dumps((await graph.aget_state(config)).values)


async def test_progress_is_streamed() -> None:
    stream = module.graph.astream({"question": "Where is data stored?"}, stream_mode="custom")
    events: list[Any] = [event async for event in stream]
    steps = [event["step"] for event in events]
    assert steps[0] == "plan"
    assert steps[-2:] == ["merge", "write"]
    assert set(steps[1:-2]) == {"look_up"}


async def test_look_ups_of_one_question_run_in_one_step() -> None:
    stream = module.graph.astream({"question": "data storage; opening hours; refunds"}, stream_mode="debug")
    steps = [event["step"] async for event in stream if event["type"] == "task"]
    assert steps.count(2) == 3


@pytest.mark.parametrize("name", ["approvals", "data"])
async def test_a_sample_is_answered_in_full(name: str) -> None:
    body = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
    Draft202012Validator(module.graph.get_input_jsonschema()).validate(body["input"])
    result = await module.graph.ainvoke(body["input"])
    assert len(result["citations"]) >= 3
    assert len({each["sub_question"] for each in result["findings"]}) == 3


def test_every_sample_is_run_above() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} == {"approvals", "data"}


def test_the_schemas_are_small() -> None:
    assert len(json.dumps(module.graph.get_input_jsonschema())) < 500
    assert len(json.dumps(module.graph.get_output_jsonschema())) < 3_000
