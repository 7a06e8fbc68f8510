"""What a support conversation holds between its steps, and what clients send and get."""

from typing import Annotated, Literal, NotRequired

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages  # pyright: ignore[reportMissingTypeStubs] (no py.typed marker)
from typing_extensions import TypedDict

from graphs.common.handbook import Citation
from graphs.support.rules import Reason

Outcome = Literal["answered", "asked_back", "greeted", "waiting", "handed_over"]


class CustomerMessage(TypedDict):
    """A message as clients send it: `{"role": "user", "content": "…"}`, or with LangChain's `type`."""

    role: NotRequired[Literal["user", "human"]]
    type: NotRequired[Literal["human"]]
    content: str
    id: NotRequired[str]


class Escalation(TypedDict):
    """A conversation that waits for a colleague."""

    reason: Reason
    draft: str
    """The reply that is proposed; the colleague may change it."""


class Input(TypedDict):
    """New messages of the customer; they are added to the thread's conversation."""

    messages: Annotated[list[CustomerMessage], add_messages]


class Output(TypedDict):
    """The reply to the last message. The whole conversation is in the thread's state."""

    reply: str
    """Empty while a colleague is asked."""
    outcome: Outcome
    citations: list[Citation]
    notes: list[str]
    """What the customer should know about how the reply came about, such as that no model was used."""


class State(Output):
    """The conversation and what one turn of it needs."""

    messages: Annotated[list[AnyMessage], add_messages]
    failures: int
    """Turns in a row without an answer; the second one hands over."""
    escalation: Escalation | None
    """Set from the moment it is decided until the colleague has answered, over any number of messages."""
    work: list[AnyMessage]
    """Calls of tools and their results, of this turn only."""
    sources: list[str]
    """Ids of the passages that were looked up in this turn: all that a reply may cite."""
