"""The steps of one piece of research. Searching the handbook is fast enough to run inline."""

from typing import Any

from langgraph.types import Send, StreamWriter

from graphs.common.calls import ModelUnavailableError, ask_structured, usable_model
from graphs.common.handbook import Hit, handbook, quote
from graphs.research import planning, prompts, writing
from graphs.research.state import Finding, LookUp, State

HITS_PER_SUB_QUESTION = 3
QUOTED = "The passages are quoted instead."


async def plan(state: State, writer: StreamWriter) -> dict[str, Any]:
    """Split the question, with the model if there is one; forget the findings of an earlier question."""
    sub_questions, notes = await _sub_questions(state["question"])
    writer({"step": "plan", "sub_questions": sub_questions})
    return {
        "sub_questions": sub_questions,
        "notes": notes,
        "found": None,
        "findings": [],
        "citations": [],
        "answer": "",
    }


async def _sub_questions(question: str) -> tuple[list[str], list[str]]:
    simple = planning.split(question)
    try:
        # Nothing to look for means nothing to ask a model for, either.
        model = await usable_model() if simple else None
        if model is None:
            return simple, []
        planned = await ask_structured(model, prompts.plan(question), prompts.Plan)
    except ModelUnavailableError as error:
        return simple, [f"{error} The question was split by rule."]
    # The rule's sub-questions follow, so that a poor plan still looks up what was asked.
    return planning.distinct([*planned.sub_questions, *simple])[: planning.MAX_PARTS], []


def fan_out(state: State) -> list[Send] | str:
    """Look up all sub-questions at once; without any, go straight on."""
    return [Send("look_up", LookUp(sub_question=each)) for each in state["sub_questions"]] or "merge"


async def look_up(state: LookUp, writer: StreamWriter) -> dict[str, Any]:
    """Find the passages that answer one sub-question."""
    asked = state["sub_question"]
    found = [_finding(hit, asked) for hit in handbook().answers(asked, HITS_PER_SUB_QUESTION)]
    writer({"step": "look_up", "sub_question": asked, "passages": [each["id"] for each in found]})
    return {"found": found}


def _finding(hit: Hit, asked: str) -> Finding:
    return {
        "sub_question": asked,
        "id": hit.passage.id,
        "title": hit.passage.title,
        "quote": quote(hit.passage, asked),
        "score": round(hit.coverage, 3),
    }


async def merge(state: State, writer: StreamWriter) -> dict[str, Any]:
    """Keep the best finding of each passage, ranked."""
    findings = writing.merge(state["found"])
    writer({"step": "merge", "findings": len(findings)})
    return {"findings": findings}


async def write(state: State, writer: StreamWriter) -> dict[str, Any]:
    """Write the answer; whatever a model cites is checked against what was found."""
    writer({"step": "write"})
    findings = state["findings"]
    if not findings:
        return {"answer": writing.nothing(state["sub_questions"])}
    claims, notes = await _claims(state["question"], findings)
    written = writing.write(claims, findings)
    dropped = [f"An invented citation was dropped: {each}." for each in written.invented]
    notes = [*state["notes"], *notes, *dropped]
    return {"answer": written.answer, "citations": written.citations, "notes": notes}


async def _claims(question: str, findings: list[Finding]) -> tuple[list[writing.Claim], list[str]]:
    passages = handbook().passages
    simple = writing.by_rule(findings, passages.__getitem__)
    given = [passages[finding["id"]] for finding in findings]
    try:
        model = await usable_model()
        if model is None:
            return simple, []
        draft = await ask_structured(model, prompts.write(question, given), prompts.Draft)
    except ModelUnavailableError as error:
        return simple, [f"{error} {QUOTED}"]
    claims = [writing.Claim(claim.text, claim.passages) for claim in draft.claims if claim.text.strip()]
    return (claims, []) if claims else (simple, [f"The language model wrote nothing. {QUOTED}"])
