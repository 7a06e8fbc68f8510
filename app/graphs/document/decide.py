"""What happens to a document. Only rules and people decide; a language model never does."""

from collections.abc import Sequence

from graphs.document.risk import REVIEW_SCORE
from graphs.document.state import Decision, HumanDecision, Issue, Risk


def decide(issues: Sequence[Issue], risk: Risk, human: HumanDecision | None) -> Decision:
    """Approve what is in order and below the threshold; hand everything else to a human.

    `human` is the last answer of a person to this document, if there was one: their edit is approved when
    it is consistent, for they have seen the value and the risk.
    """
    reasons = [issue["message"] for issue in issues]
    if human is not None and not reasons:
        return {
            "outcome": "approved",
            "by": "human",
            "reasons": ["A person edited it, and it is consistent."],
        }
    if risk["above_threshold"] or risk["score"] >= REVIEW_SCORE:
        reasons += [reason for reason in risk["reasons"] if reason not in reasons]
    if reasons:
        return {"outcome": "needs_review", "by": "rules", "reasons": reasons}
    return {"outcome": "approved", "by": "rules", "reasons": ["It is consistent and below the threshold."]}


def by_human(answer: HumanDecision) -> Decision:
    """Return the decision that a person's approval or rejection is."""
    if answer["type"] == "reject":
        return {
            "outcome": "rejected",
            "by": "human",
            "reasons": [answer.get("message") or "No reason was given."],
        }
    return {"outcome": "approved", "by": "human", "reasons": ["A person approved it as it is."]}
