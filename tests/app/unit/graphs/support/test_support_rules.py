"""What a message asks for: the promises about when a person takes over, as examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.support.rules import Intent, Reason, escalation_reason, intent

ESCALATED: list[tuple[str, Reason]] = [
    ("I want to talk to a human", "asked_for_person"),
    ("Can I speak with someone please?", "asked_for_person"),
    ("connect me to an agent", "asked_for_person"),
    ("Human please!", "asked_for_person"),
    ("Is there a real person there?", "asked_for_person"),
    ("Get me a manager", "asked_for_person"),
    ("I want to complain about your service", "complaint"),
    ("We would like to file a formal complaint", "complaint"),
    ("This is UNACCEPTABLE", "complaint"),
    ("worst support ever", "complaint"),
    ("I want my money back", "refund_dispute"),
    ("You refused my refund", "refund_dispute"),
    ("My refund was denied, although I paid twice", "refund_dispute"),
    ("you charged me twice", "refund_dispute"),
    ("I'm disputing this invoice", "refund_dispute"),
    ("My lawyer will contact you", "legal"),
    ("We will sue", "legal"),
    ("I\u2019ll see you in court", "legal"),
    ("we are considering legal action", "legal"),
    ("I will report this to the authorities", "legal"),
]

NOT_ESCALATED = [
    "Who approves an invoice of 20,000 EUR?",
    "Can I get a refund?",
    "How long does a refund take?",
    "How do I dispute a charge?",
    "What happens with a complaint?",
    "What is a legal hold?",
    "Can two people approve an invoice?",
    "Which agent extracts the invoice?",
    "May a human reviewer edit a proposal?",
    "How do I add a user?",
    "What do you do about phishing?",
    "",
]

INTENTS: list[tuple[str, Intent]] = [
    ("Hi", "greeting"),
    ("Good morning!", "greeting"),
    ("hello there", "greeting"),
    ("   ", "greeting"),
    ("thanks a lot", "thanks"),
    ("Thank you!", "thanks"),
    ("bye", "thanks"),
    ("That does not help", "unhappy"),
    ("that didn\u2019t answer my question", "unhappy"),
    ("Not what I asked", "unhappy"),
    ("wrong answer", "unhappy"),
    ("Hi, what are your opening hours?", "question"),
    ("Thanks, and what about refunds?", "question"),
    ("Is it wrong to approve my own invoice?", "question"),
    ("rate limits", "question"),
]


@pytest.mark.parametrize(("text", "reason"), ESCALATED)
def test_a_person_takes_over(text: str, reason: Reason) -> None:
    assert escalation_reason(text) == reason


@pytest.mark.parametrize("text", NOT_ESCALATED)
def test_a_plain_question_stays_with_the_assistant(text: str) -> None:
    assert escalation_reason(text) is None


@pytest.mark.parametrize(("text", "expected"), INTENTS)
def test_intent(text: str, expected: Intent) -> None:
    assert intent(text) == expected


def test_the_most_serious_reason_is_given() -> None:
    assert escalation_reason("I want my money back or my lawyer will talk to someone") == "legal"


@pytest.mark.parametrize("place", ["{threat} {filler}", "{filler} {threat}"])
def test_a_threat_at_either_end_of_a_huge_message_is_read(place: str) -> None:
    message = place.format(threat="We will sue you.", filler="blah " * 100_000)
    assert escalation_reason(message) == "legal"


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    escalation_reason(text)
    intent(text)
