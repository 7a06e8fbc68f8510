"""The texts of the conversation that no model writes."""

from typing import Final, NamedTuple

from graphs.common.handbook import MARK, Citation, Hit, cite, handbook
from graphs.support.rules import Reason

GREETING: Final = (
    "Hello! I answer questions about approvals, payments, refunds, security and everything else in our "
    "handbook. How can I help?"
)
THANKS: Final = "You are welcome. Write again whenever you have another question."
ASK_BACK: Final = (
    "I am not sure I understood that. Could you say it in other words, with the subject it is about "
    "(for example approvals, refunds, retention, API limits)? I can also hand you over to a colleague."
)
HANDED_OVER: Final = "A colleague has taken over your case and will get back to you."
FALLBACK: Final = "This answer comes straight from the handbook."

OPENINGS: Final[dict[Reason, str]] = {
    "asked_for_person": "Thank you for your message. You are now in touch with a person, not the assistant.",
    "complaint": ("I am sorry that we have given you reason to complain. I look after it myself."),
    "refund_dispute": "I am sorry for the trouble with your money. I am checking your case myself.",
    "legal": "Thank you for your message. Our legal team will answer you in writing.",
    "no_answer": "I am sorry that the assistant could not answer. I will look into your question myself.",
    "model": "Thank you for your message. I will look into it myself.",
}

REASONS: Final[dict[Reason, str]] = {
    "asked_for_person": "The customer asks for a person.",
    "complaint": "The customer complains.",
    "refund_dispute": "The customer disputes a refund or a charge.",
    "legal": "The customer mentions legal steps.",
    "no_answer": "Two answers in a row have failed.",
    "model": "The language model asks for a person.",
}

SHOWN_CHARACTERS: Final = 1000
"""Of each message, in what the colleague is shown."""


def extract(hits: list[Hit], query: str) -> tuple[str, list[Citation]]:
    """Return the best passage as an answer, and its citation.

    The passage is given whole: half of a rule about money may say the opposite of the rule.
    """
    best, others = hits[0].passage, [hit for hit in hits[1:3] if hit.points >= 0.8 * hits[0].points]
    more = "".join(f" See also [{hit.passage.id}]." for hit in others)
    return f"{best.text} [{best.id}]{more}", [cite(hit.passage, query) for hit in [hits[0], *others]]


def draft(reason: Reason, question: str) -> str:
    """Return the reply that is proposed to a colleague: an opening, and what the handbook says."""
    hits = [] if reason == "legal" else handbook().answers(question, limit=1)
    said = f" For your information: {hits[0].passage.text}" if hits else ""
    return OPENINGS[reason] + said


def description(reason: Reason, messages: list[str]) -> str:
    """Return what the colleague must know to decide, with the customer's last `messages`."""
    said = " ".join(f"“{_shortened(message)}”" for message in messages)
    return (
        f"{REASONS[reason]} The customer wrote: {said} The draft goes to the customer when it is approved. "
        "A reason given with a rejection stays with us."
    )


def _shortened(message: str) -> str:
    return message if len(message) <= SHOWN_CHARACTERS else message[:SHOWN_CHARACTERS] + "…"


class Checked(NamedTuple):
    """A model's reply that cites nothing but passages it was given."""

    text: str
    citations: list[Citation]
    invented: list[str]
    """Ids that were cited without having been given; they are no longer in the text."""


def checked(text: str, sources: list[str], query: str) -> Checked:
    """Return a model's `text`, held to `sources`: the ids of the passages it was given."""
    cited = list(dict.fromkeys(MARK.findall(text)))
    invented = [mark for mark in cited if mark not in sources]
    for mark in invented:
        text = text.replace(f" [{mark}]", "").replace(f"[{mark}]", "")
    passages = handbook().passages
    return Checked(text.strip(), [cite(passages[mark], query) for mark in cited if mark in sources], invented)
