"""What travels between the agents. JSON-friendly throughout: amounts and dates are strings.

Amounts are plain decimal digits (`"1234.5"`), dates ISO 8601 (`"2025-03-31"`), currencies ISO 4217.
"""

# pyright: reportMissingTypeStubs=false
# langgraph ships no py.typed marker.

from typing import Annotated, Any, Literal, NotRequired

from langgraph.channels.ephemeral_value import EphemeralValue
from pydantic import with_config
from typing_extensions import TypedDict  # pydantic refuses typing.TypedDict on Python 3.11

Kind = Literal["invoice", "receipt", "contract", "unknown"]
Role = Literal["seller", "buyer", "party"]
Status = Literal["filed", "rejected", "not_filed"]


class Party(TypedDict):
    """Somebody named in the document. Both sides of a contract are `party`."""

    role: Role
    name: str


class LineItem(TypedDict):
    """One row. What the document does not say is None."""

    description: str
    quantity: str | None
    unit_price: str | None
    amount: str | None


class Adjustment(TypedDict):
    """Something between subtotal and total that is no tax: shipping (positive), a discount (negative)."""

    label: str
    amount: str


class Fields(TypedDict):
    """What the document says. None and empty lists mean that it does not say."""

    number: str | None
    parties: list[Party]
    issue_date: str | None
    due_date: str | None
    start_date: str | None
    end_date: str | None
    currency: str | None
    line_items: list[LineItem]
    subtotal: str | None
    adjustments: list[Adjustment]
    tax: str | None
    tax_included: bool
    """Whether the line items and the subtotal contain the tax already."""
    total: str | None
    paid: str | None
    """What was paid beforehand, such as a deposit."""
    amount_due: str | None


class Evidence(TypedDict):
    """What the text itself shows, always found by rule: a model's reading is held against it."""

    stated_totals: list[str]
    """Every amount that the text calls its total, without repetitions."""
    amounts: list[str]
    """Every amount of money in the text."""
    currencies: list[str]
    """The currencies that amounts are written in; else those the text names."""
    unreadable_dates: list[str]
    unread_lines: list[str]
    """Line items with more numbers than were understood, so that they cannot be checked."""
    truncated: bool


class Issue(TypedDict):
    """One thing that is wrong, missing or unverifiable. Any of them asks for a human."""

    code: str
    field: str
    message: str


class Risk(TypedDict):
    """How much depends on a mistake here. 0 to 100, with the reasons in the order of their weight."""

    score: int
    reasons: list[str]
    above_threshold: bool


class Decision(TypedDict):
    """What happens to the document, and who decided it."""

    outcome: Literal["approved", "rejected", "needs_review"]
    by: Literal["rules", "human"]
    reasons: list[str]


class HumanDecision(TypedDict):
    """One answer of a person, as it was given and accepted."""

    type: Literal["approve", "edit", "reject"]
    message: NotRequired[str]
    args: NotRequired[dict[str, Any]]


@with_config(json_schema_extra={"oneOf": [{"required": ["text"]}, {"required": ["attachment_id"]}]})
class DocumentInput(TypedDict):
    """What a caller hands in: the text, or an attachment that holds it.

    What has no channel that lasts holds for this document only: it is gone after the first step of its run.
    """

    text: NotRequired[str]
    """The document as plain text. At most 100,000 characters are read."""
    attachment_id: NotRequired[Annotated[str, EphemeralValue]]
    """An attachment of the thread: a PDF, or a text in UTF-8."""
    source: NotRequired[Annotated[str, EphemeralValue]]
    """Where it came from; else the attachment's file name. Recorded as `origin`, not read."""


class DocumentOutput(TypedDict):
    """What a caller gets back."""

    document_type: Kind
    fields: Fields
    issues: list[Issue]
    risk: Risk
    decision: Decision
    human_decisions: list[HumanDecision]
    status: Status
    filing_id: str | None
    notes: list[str]


class State(DocumentInput):
    """What the agents share. A key is there once the agent that makes it has run."""

    origin: str | None
    unread: str | None
    """Why the attachment could not be read, for people; None where it was, or where there is none."""
    document_type: Kind
    fields: Fields
    evidence: Evidence
    issues: list[Issue]
    risk: Risk
    decision: Decision
    human_decisions: list[HumanDecision]
    """Every answer of a person to this document, in order."""
    status: Status
    filing_id: str | None
    notes: list[str]
    """What the reader of the result should know, such as that a model could not be asked."""
