"""How a person is asked about a document, and what they may answer.

The request has the shape of `graphs.common.review`, which an inbox for people knows. The answer's models are
the one source of both the JSON schema that is sent along and the check of what comes back.
"""

from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphs.common.review import ActionRequest, InvalidAnswerError, ReviewConfig, ReviewRequest
from graphs.document.state import Fields, HumanDecision, Issue, Kind, Risk, Role

ACTION = "file_document"
"""The name of the one action that a person decides about."""

Amount = Annotated[str, Field(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$", examples=["1234.50"])]
Day = Annotated[
    str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", examples=["2025-03-31"])
]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Strict(BaseModel):
    """Refuses fields that it does not know."""

    model_config = ConfigDict(extra="forbid")


class EditedParty(_Strict):
    """A corrected party."""

    role: Role
    name: Name


class EditedLine(_Strict):
    """A corrected line item."""

    description: str
    quantity: Amount | None = None
    unit_price: Amount | None = None
    amount: Amount | None


class EditedAdjustment(_Strict):
    """A corrected discount (negative) or charge (positive)."""

    label: Name
    amount: Amount


def _without_defaults(schema: dict[str, Any]) -> None:
    """Drop the defaults: a form must not fill them in, for what is left out stays as it was read."""
    for field in schema["properties"].values():
        field.pop("default", None)


class EditedDocument(_Strict):
    """The corrected arguments. What is left out stays as it was read."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    document_type: Literal["invoice", "receipt", "contract"] = "invoice"
    number: str | None = None
    parties: list[EditedParty] = []
    issue_date: Day | None = None
    due_date: Day | None = None
    start_date: Day | None = None
    end_date: Day | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    line_items: Annotated[list[EditedLine], Field(max_length=500)] = []
    subtotal: Amount | None = None
    adjustments: list[EditedAdjustment] = []
    tax: Amount | None = None
    tax_included: bool = False
    total: Amount | None = None
    paid: Amount | None = None
    amount_due: Amount | None = None


class EditedAction(_Strict):
    """The action with corrected arguments."""

    name: Literal["file_document"]
    args: EditedDocument


class Approve(_Strict):
    """File the document as it was read."""

    type: Literal["approve"]


class Edit(_Strict):
    """File the document with these corrections, once they are consistent."""

    type: Literal["edit"]
    edited_action: EditedAction


class Reject(_Strict):
    """Do not file the document; record that it was rejected."""

    type: Literal["reject"]
    message: Annotated[str, Field(max_length=2000)] = ""


class Answer(_Strict):
    """The answer to a review: one decision exactly."""

    decisions: Annotated[
        list[Annotated[Approve | Edit | Reject, Field(discriminator="type")]],
        Field(min_length=1, max_length=1),
    ]


RESPONSE_SCHEMA: dict[str, Any] = Answer.model_json_schema()
"""The JSON schema of an answer."""


def request(kind: Kind, fields: Fields, issues: list[Issue], risk: Risk, problem: str = "") -> ReviewRequest:
    """Return the question; `problem` says why the last answer could not be used."""
    args: dict[str, Any] = {"document_type": kind, **fields}
    action: ActionRequest = {
        "name": ACTION,
        "args": args,
        "description": _description(kind, issues, risk, problem),
    }
    config: ReviewConfig = {"action_name": ACTION, "allowed_decisions": ["approve", "edit", "reject"]}
    return {"action_requests": [action], "review_configs": [config]}


def _description(kind: Kind, issues: list[Issue], risk: Risk, problem: str) -> str:
    findings = [issue["message"] for issue in issues] or risk["reasons"]
    lines = [f"File this {kind}? Risk {risk['score']} of 100.", *(f"- {finding}" for finding in findings)]
    return "\n".join([*lines, *([f"The last answer could not be used: {problem}"] if problem else [])])


def read_answer(answer: object) -> HumanDecision:
    """Return the decision in an answer; its `args` hold only what the person changed or repeated.

    Raises:
        InvalidAnswerError: the answer does not fit `RESPONSE_SCHEMA`.
    """
    try:
        decision = Answer.model_validate(answer).decisions[0]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "answer"
        msg = f"{place}: {first['msg']}"
        raise InvalidAnswerError(msg) from error
    match decision:
        case Approve():
            return {"type": "approve"}
        case Reject(message=message):
            return {"type": "reject", "message": message}
        case Edit(edited_action=action):
            return {"type": "edit", "args": action.args.model_dump(exclude_unset=True)}


def edited(kind: Kind, fields: Fields, args: dict[str, Any]) -> tuple[Kind, Fields]:
    """Return the document with a person's corrections; `args` come from `read_answer`."""
    changes = {name: value for name, value in args.items() if name != "document_type"}
    changes["line_items"] = [_line(item) for item in args.get("line_items", fields["line_items"])]
    return args.get("document_type", kind), cast("Fields", {**fields, **changes})


def _line(item: dict[str, Any]) -> dict[str, Any]:
    return {"quantity": None, "unit_price": None, **item}
