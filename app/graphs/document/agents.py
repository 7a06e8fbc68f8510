"""The intake, the five agents, the person, and the filing: the nodes of the graph.

Each reads what the agents before it found, does one thing, and returns only what it changes. A model does the
reading where one is configured; rules always check. Long texts are read in a thread: it may take seconds.
"""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agent_server.attachments import read as read_attachment
from graphs.common.review import InvalidAnswerError
from graphs.document.attached import UnreadableError, text_of
from graphs.document.classify import classify
from graphs.document.decide import by_human, decide
from graphs.document.extract import read_fields
from graphs.document.filing import NO_STORE, file_record
from graphs.document.model_reading import classify_with_model, concerns_of_model, extract_with_model
from graphs.document.page import read
from graphs.document.review import RESPONSE_SCHEMA, edited, read_answer, request
from graphs.document.risk import assess
from graphs.document.state import HumanDecision, State
from graphs.document.validate import unread, validate

Update = dict[str, Any]


def today() -> date:
    """Return the day that dates are judged by, in UTC."""
    return datetime.now(tz=UTC).date()


async def receive(state: State) -> Update:
    """Take the document's text, and forget what the thread's last document left behind.

    An attachment without readable text is a document with nothing in it, which a person has to look at.
    """
    fresh: Update = {"human_decisions": [], "status": "not_filed", "filing_id": None, "unread": None}
    attachment_id = state.get("attachment_id")
    if attachment_id is None:
        return {**fresh, "origin": state.get("source")}
    attachment = await read_attachment(attachment_id)
    fresh["origin"] = state.get("source", attachment.filename)
    try:
        return {**fresh, "text": await text_of(attachment)}
    except UnreadableError as error:
        return {**fresh, "text": "", "unread": str(error)}


async def classify_agent(state: State) -> Update:
    """Decide what kind of document it is."""
    text = state.get("text", "")
    found, notes = await classify_with_model(text)
    kind = found or await asyncio.to_thread(lambda: classify(read(text)))
    return {"document_type": kind, "notes": notes}


async def extract_agent(state: State) -> Update:
    """Read the fields, and the evidence in the text that they are held against."""
    kind = state["document_type"]
    text = state.get("text", "")
    by_rule, evidence = await asyncio.to_thread(read_fields, text, kind)
    by_model, notes = await extract_with_model(text, kind, by_rule)
    return {"fields": by_model or by_rule, "evidence": evidence, "notes": [*state["notes"], *notes]}


def validate_agent(state: State) -> Update:
    """Cross-check the fields. What a person has edited is held against itself only."""
    if state["human_decisions"]:
        return {"issues": validate(state["document_type"], state["fields"], None)}
    found = validate(state["document_type"], state["fields"], state["evidence"])
    return {"issues": [*unread(state["unread"]), *found]}


async def assess_risk_agent(state: State) -> Update:
    """Weigh what depends on a mistake. A model can add concerns and take none away."""
    kind, fields = state["document_type"], state["fields"]
    concerns, notes = await concerns_of_model(state.get("text", ""), kind)
    risk = assess(kind, fields, state["issues"], today(), concerns)
    return {"risk": risk, "notes": [*state["notes"], *notes]}


def decide_agent(state: State) -> Update:
    """Approve, or hand over to a human. No model is asked."""
    answers = state["human_decisions"]
    return {"decision": decide(state["issues"], state["risk"], answers[-1] if answers else None)}


def human_review(state: State) -> Update:
    """Wait for a person's decision. An answer that does not fit is asked for again, with the reason."""
    answer = _ask_person(state)
    update: Update = {"human_decisions": [*state["human_decisions"], answer]}
    if answer["type"] != "edit":
        return {**update, "decision": by_human(answer)}
    kind, fields = edited(state["document_type"], state["fields"], answer.get("args", {}))
    return {**update, "document_type": kind, "fields": fields}


def _ask_person(state: State) -> HumanDecision:
    problem = ""
    while True:
        question = request(state["document_type"], state["fields"], state["issues"], state["risk"], problem)
        answer = interrupt(question, response_schema=RESPONSE_SCHEMA)
        try:
            return read_answer(answer)
        except InvalidAnswerError as error:
            problem = str(error)


async def file_agent(state: State, runtime: Runtime) -> Update:
    """Put the document, or its rejection, into the store: the only side effect of the graph."""
    if runtime.store is None:
        return {"notes": [*state["notes"], NO_STORE]}
    status = "rejected" if state["decision"]["outcome"] == "rejected" else "filed"
    return {
        "status": status,
        "filing_id": await file_record(runtime.store, {**_record(state), "status": status}),
    }


def _record(state: State) -> dict[str, Any]:
    return {
        "document_type": state["document_type"],
        "origin": state["origin"],
        "fields": state["fields"],
        "issues": state["issues"],
        "risk": state["risk"],
        "decision": state["decision"],
        "human_decisions": state["human_decisions"],
    }
