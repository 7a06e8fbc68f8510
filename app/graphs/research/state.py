"""What one piece of research holds between its steps, and what clients send and get."""

from typing import Annotated

from typing_extensions import TypedDict

from graphs.common.handbook import Citation


class Finding(TypedDict):
    """A passage that says something about a sub-question."""

    sub_question: str
    id: str
    """The passage's id."""
    title: str
    quote: str
    score: float
    """Share of the sub-question's weight that the passage contains, 0 to 1."""


class NumberedCitation(Citation):
    """What `[number]` in the answer stands for."""

    number: int


class Input(TypedDict):
    """The question; each run starts afresh, also on a thread that has been used before."""

    question: str


class Output(TypedDict):
    """The answer with its numbered citations, and all that was found."""

    answer: str
    citations: list[NumberedCitation]
    findings: list[Finding]
    notes: list[str]
    """What the reader should know about how the answer came about."""


def gathered(left: list[Finding], right: list[Finding] | None) -> list[Finding]:
    """Add what one look-up found; None forgets everything, which starts a new question."""
    return [] if right is None else [*left, *right]


class State(Input, Output):
    """The output while it grows."""

    sub_questions: list[str]
    found: Annotated[list[Finding], gathered]
    """Findings of all look-ups, in any order and with repetitions."""


class LookUp(TypedDict):
    """What one parallel look-up gets."""

    sub_question: str
