"""The steps of one turn. Each is a coroutine; searching the handbook is fast enough to run inline."""

from itertools import dropwhile
from typing import Any, Final, Literal

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langgraph.types import Command, StreamWriter

from graphs.common.calls import ModelFailedError, ModelUnavailableError, ask, usable_model
from graphs.common.handbook import handbook
from graphs.common.model import configured
from graphs.common.review import ActionRequest, Verdict, ask_person
from graphs.support import replies, rules, tools
from graphs.support.state import Escalation, Outcome, State

STOP: Final = "__end__"
"""`langgraph.graph.END`, as a literal that a type checker can follow."""

MAX_ROUNDS = 4
"""Times a model may search in one turn before the handbook is asked by rule."""

MAX_FAILURES = 2
"""Failed answers in a row after which a colleague takes over."""

HISTORY_MESSAGES = 30
"""Messages of the conversation that a model gets to see."""

SHOWN_MESSAGES = 3
"""The customer's last messages that a colleague is shown; who waits often writes more than once."""

REPLY = "reply_to_customer"
"""Name of the action that a colleague decides about."""

SETTLED: Final[dict[str, Any]] = {"failures": 0, "work": []}
"""What a turn leaves behind that ended with a reply."""

Decided = Command[Literal["consult", "answer", "hand_over", "__end__"]]
Consulted = Command[Literal["search", "answer", "hand_over", "__end__"]]
Answered = Command[Literal["hand_over", "__end__"]]


async def triage(state: State, writer: StreamWriter) -> Decided:
    """Decide by rule who answers, so that handing over never depends on a model."""
    text = question(state)
    waiting = state.get("escalation")
    reason = waiting["reason"] if waiting else rules.escalation_reason(text)
    writer({"step": "triage", "escalation": reason})
    if reason:
        proposal = waiting["draft"] if waiting else replies.draft(reason, text)
        return Command(goto="hand_over", update={**_fresh(), **_escalation(reason, proposal)})
    match rules.intent(text):
        case "greeting":
            return Command(goto=STOP, update={**_fresh(), **_reply(replies.GREETING, "greeted")})
        case "thanks":
            return Command(goto=STOP, update={**_fresh(), **_reply(replies.THANKS, "greeted")})
        case "unhappy":
            return _failed(state, text, _fresh())
        case "question":
            return Command(goto="consult" if configured() else "answer", update=_fresh())


async def consult(state: State, writer: StreamWriter) -> Consulted:
    """Let the model answer, search or hand over; without a usable answer the handbook is asked by rule."""
    writer({"step": "consult", "round": _rounds(state) + 1})
    try:
        return _follow(state, await _next(state))
    except ModelUnavailableError as error:
        writer({"step": "fallback", "reason": error.reason})
        return Command(goto="answer", update={"notes": [f"{error} {replies.FALLBACK}"]})


async def _next(state: State) -> AIMessage:
    model = await usable_model()
    # The key may be gone, or the process another one, since the turn began.
    if model is None or _rounds(state) >= MAX_ROUNDS:
        raise ModelFailedError
    return await ask(model, _prompt(state), tools.TOOLS)


def _follow(state: State, reply: AIMessage) -> Consulted:
    proposal = tools.proposed_draft(reply)
    if proposal is not None:
        return Command(goto="hand_over", update=_escalation("model", proposal or replies.OPENINGS["model"]))
    if reply.tool_calls:
        return Command(goto="search", update={"work": [*state["work"], reply]})
    text, citations, invented = replies.checked(reply.text, state["sources"], question(state))
    notes = [f"An invented citation was removed: {mark}." for mark in invented]
    answered = {**_reply(text, "answered", message_id=reply.id), "citations": citations, "notes": notes}
    return Command(goto=STOP, update={**answered, **SETTLED})


async def search(state: State, writer: StreamWriter) -> dict[str, Any]:
    """Answer each tool call of the model's last message, in order."""
    asked = state["work"][-1]
    calls = asked.tool_calls if isinstance(asked, AIMessage) else []
    results = [tools.run_search(call, handbook()) for call in calls]
    found = [passage for _, passages in results for passage in passages]
    writer({"step": "search", "passages": found})
    return {
        "work": [*state["work"], *(message for message, _ in results)],
        "sources": sorted({*state["sources"], *found}),
    }


async def answer(state: State, writer: StreamWriter) -> Answered:
    """Answer with the passage that fits, or ask back; never with a guess."""
    text = question(state)
    hits = handbook().answers(text)
    writer({"step": "answer", "passages": [hit.passage.id for hit in hits]})
    if not hits:
        return _failed(state, text, {})
    said, citations = replies.extract(hits, text)
    note = "".join(f"\n\n(Note: {each})" for each in state["notes"])
    return Command(goto=STOP, update={**_reply(said + note, "answered"), **SETTLED, "citations": citations})


async def hand_over(state: State, writer: StreamWriter) -> dict[str, Any]:
    """Wait for a colleague's decision about the proposed reply; what they decide goes to the customer."""
    case = state["escalation"]
    if case is None:
        msg = "hand_over was reached without an escalation"
        raise RuntimeError(msg)
    writer({"step": "hand_over", "reason": case["reason"]})
    action: ActionRequest = {
        "name": REPLY,
        "args": {"draft": case["draft"]},
        "description": replies.description(case["reason"], _said(state)[-SHOWN_MESSAGES:]),
    }
    verdict = ask_person(action, "draft")
    said = _reply(_decided_text(verdict, case), "handed_over")
    return {**said, **SETTLED, "escalation": None, "notes": []}


def _decided_text(verdict: Verdict, case: Escalation) -> str:
    """Return what the customer reads; the reason of a rejection is not for them."""
    match verdict["type"]:
        case "approve":
            return case["draft"]
        case "edit":
            return verdict.get("text", case["draft"])
        case "reject":
            return replies.HANDED_OVER


def question(state: State) -> str:
    """Return the text of the customer's last message, "" if there is none."""
    return (_said(state) or [""])[-1]


def _said(state: State) -> list[str]:
    return [str(each.text) for each in state.get("messages", []) if isinstance(each, HumanMessage)]


def _prompt(state: State) -> list[AnyMessage]:
    """Rebuild the conversation as plain text: what one provider wrote, another must be able to read.

    It starts with the customer, as Anthropic demands, and leaves out whatever else a client put in.
    """
    said: list[AnyMessage] = [
        HumanMessage(str(each.text)) if isinstance(each, HumanMessage) else AIMessage(str(each.text))
        for each in state["messages"]
        if isinstance(each, HumanMessage | AIMessage) and each.text.strip()
    ]
    recent = dropwhile(lambda each: isinstance(each, AIMessage), said[-HISTORY_MESSAGES:])
    return [SystemMessage(tools.INSTRUCTIONS), *recent, *state["work"]]


def _rounds(state: State) -> int:
    return sum(isinstance(message, AIMessage) for message in state["work"])


def _failed(state: State, text: str, update: dict[str, Any]) -> Any:
    failures = state.get("failures", 0) + 1
    if failures >= MAX_FAILURES:
        case = _escalation("no_answer", replies.draft("no_answer", text))
        return Command(goto="hand_over", update={**update, **case, "failures": failures})
    asked = _reply(replies.ASK_BACK, "asked_back")
    return Command(goto=STOP, update={**update, **asked, "failures": failures, "work": []})


def _fresh() -> dict[str, Any]:
    """Return what a new turn must not inherit from the one before."""
    return {"citations": [], "notes": [], "work": [], "sources": []}


def _escalation(reason: rules.Reason, proposal: str) -> dict[str, Any]:
    return {"escalation": Escalation(reason=reason, draft=proposal), "reply": "", "outcome": "waiting"}


def _reply(text: str, outcome: Outcome, message_id: str | None = None) -> dict[str, Any]:
    """Return the update that says `text`; with the id of a streamed message clients show it only once."""
    return {"messages": [AIMessage(text, id=message_id)], "reply": text, "outcome": outcome}
