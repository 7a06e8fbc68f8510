"""How a graph asks a person: the shapes of `HITLRequest` and its decisions, and a reader that trusts nobody.

They have the shape that LangChain's human-in-the-loop middleware uses, so that any inbox that knows it can
show them; they are our own types, so that an upgrade of LangChain cannot change what waits in a database.
"""

from typing import Any, Literal, NotRequired, cast

from langgraph.types import interrupt
from typing_extensions import TypedDict

Decision = Literal["approve", "edit", "reject"]


class ActionRequest(TypedDict):
    """What the graph proposes to do."""

    name: str
    args: dict[str, Any]
    description: str


class ReviewConfig(TypedDict):
    """Which decisions a person may take about an action."""

    action_name: str
    allowed_decisions: list[Decision]


class ReviewRequest(TypedDict):
    """The value of an interrupt: one action, and what may be decided about it."""

    action_requests: list[ActionRequest]
    review_configs: list[ReviewConfig]


class Verdict(TypedDict):
    """What a person decided, checked."""

    type: Decision
    text: NotRequired[str]
    """The edited text, never blank; present on `edit` only."""
    message: NotRequired[str]
    """Why it was rejected; for colleagues, not for the customer."""


class InvalidAnswerError(ValueError):
    """The answer to an interrupt does not have the shape that was asked for."""


def ask_person(action: ActionRequest, text_arg: str) -> Verdict:
    """Wait for a person's decision about `action`, whose editable text is `args[text_arg]`.

    An answer that does not fit is asked for again, with the reason in the description: the text that waits
    for a decision is never lost to a typing error. Call it once in a node, before any side effect: the node
    starts again from its top with each answer.
    """
    schema = response_schema(action["name"], text_arg)
    problem = ""
    while True:
        answer = interrupt(_request(action, problem), response_schema=schema)
        try:
            return read_verdict(answer, action["name"], text_arg)
        except InvalidAnswerError as error:
            problem = str(error)


def _request(action: ActionRequest, problem: str) -> ReviewRequest:
    hint = f" (The last answer could not be used: {problem}.)" if problem else ""
    asked: ActionRequest = {**action, "description": action["description"] + hint}
    allowed: list[Decision] = ["approve", "edit", "reject"]
    return {
        "action_requests": [asked],
        "review_configs": [{"action_name": action["name"], "allowed_decisions": allowed}],
    }


def response_schema(name: str, text_arg: str) -> dict[str, Any]:
    """Return the JSON schema of an answer: one decision about the action `name`."""
    edited = _object(
        {"name": {"const": name}, "args": _object({text_arg: {"type": "string", "minLength": 1}}, text_arg)},
        "name",
        "args",
    )
    decisions = [
        _object({"type": {"const": "approve"}}, "type"),
        _object({"type": {"const": "edit"}, "edited_action": edited}, "type", "edited_action"),
        _object({"type": {"const": "reject"}, "message": {"type": "string"}}, "type"),
    ]
    one = {"type": "array", "minItems": 1, "maxItems": 1, "items": {"oneOf": decisions}}
    return _object({"decisions": one}, "decisions")


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def read_verdict(answer: object, name: str, text_arg: str) -> Verdict:
    """Return the one decision in `answer`.

    Raises:
        InvalidAnswerError: `answer` is anything else than `{"decisions": [decision]}` of a known type.
    """
    decision = _only_decision(answer)
    match decision.get("type"):
        case "approve":
            return {"type": "approve"}
        case "edit":
            return {"type": "edit", "text": _edited_text(decision.get("edited_action"), name, text_arg)}
        case "reject":
            return {"type": "reject", "message": str(decision.get("message") or "")}
        case _:
            msg = "the decision's type must be approve, edit or reject"
            raise InvalidAnswerError(msg)


def _only_decision(answer: object) -> dict[str, Any]:
    decisions = _dict(answer).get("decisions")
    if not isinstance(decisions, list) or len(cast("list[object]", decisions)) != 1:
        msg = 'it must be {"decisions": [one decision]}'
        raise InvalidAnswerError(msg)
    return _dict(cast("list[object]", decisions)[0])


def _edited_text(edited: object, name: str, text_arg: str) -> str:
    action = _dict(edited)
    text = _dict(action.get("args")).get(text_arg)
    if action.get("name") != name or not isinstance(text, str) or not text.strip():
        msg = f"an edit needs edited_action with the name {name} and a text in args.{text_arg}"
        raise InvalidAnswerError(msg)
    return text.strip()


def _dict(value: object) -> dict[str, Any]:
    """Return `value` if it is a dict, else an empty one, which then lacks whatever is looked for."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
