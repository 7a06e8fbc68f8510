"""Questions in the usual shape of an approval, and the answers to them.

A question is `{"action_requests": [...], "review_configs": [...]}`, its answer `{"decisions": [...]}` with
one decision for each action.
"""

from collections.abc import Sequence
from typing import Any

import langgraph_client as api
from lgp.errors import Refused, UsageProblem
from lgp.shapes import a_list, an_object


def actions_of(value: Any) -> list[dict[str, Any]] | None:
    """The actions a question asks to approve; None if it has another shape."""
    requests = a_list(an_object(value).get("action_requests"))
    return [an_object(request) for request in requests] or None


def decide_all(interrupts: Sequence[api.Interrupt], reason: str | None) -> dict[str, Any]:
    """Approve every action that waits, or with a reason reject it: answers by interrupt id."""
    if not interrupts:
        message = "the thread waits for nothing"
        raise Refused(message, code="nothing_to_resume")
    return {interrupt.id: _decide(interrupt, reason) for interrupt in interrupts}


def _decide(interrupt: api.Interrupt, reason: str | None) -> Any:
    actions = actions_of(interrupt.value)
    if actions is not None:
        decision = {"type": "approve"} if reason is None else {"type": "reject", "message": reason}
        return {"decisions": [decision for _ in actions]}
    if (interrupt.response_schema or {}).get("type") == "boolean":
        return reason is None
    message = f"question {interrupt.id} is not a plain approval: answer it with JSON"
    raise UsageProblem(message)
