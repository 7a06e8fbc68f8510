"""What a message asks for, decided without a model.

Escalation is a promise to customers, so it never depends on what a model thinks of a message.
"""

import re
from typing import Literal

Reason = Literal["asked_for_person", "complaint", "refund_dispute", "legal", "no_answer", "model"]
Intent = Literal["greeting", "thanks", "unhappy", "question"]

_FLAGS = re.IGNORECASE | re.DOTALL

# Legal threats come first: of several reasons the most serious one is shown to the colleague.
_ESCALATIONS: tuple[tuple[Reason, re.Pattern[str]], ...] = (
    (
        "legal",
        re.compile(
            r"\b(my|our) (lawyers?|attorneys?|solicitors?|legal team)\b|\blegal (action|steps|proceedings)\b"
            r"|\b(will|going to|gonna|to|shall) sue\b|\bsue (you|them)\b|\b(see|take) you (to|in) court\b"
            r"|\breport(ing)? (you|this) to the (regulator|authorit|police|ombudsman)",
            _FLAGS,
        ),
    ),
    (
        "refund_dispute",
        re.compile(
            r"\b(want|demand|give( me| us)?|need|where is|where's) (my|our) (money|refund)( back)?\b"
            r"|\brefund\b.{0,80}\b(refused?|denied|rejected|declined|never (came|arrived)"
            r"|still (not|waiting))\b"
            r"|\b(refused?|denied|rejected|declined|waiting for)\b.{0,80}\brefund\b"
            r"|(?<!do )(?<!can )(?<!may )(?<!should )\b(i|we)( am| are|'m|'re)? "
            r"(want to |would like to |wish to )?disput(e|ing)\b"
            r"|\bcharged? (me|us) (twice|double|wrongly|too much)\b|\bwas charged twice\b",
            _FLAGS,
        ),
    ),
    (
        "complaint",
        re.compile(
            r"\b(i|we) (want|wish|need|have|would like|'d like) (to )?(file |make |lodge |submit )?(a )?"
            r"(formal )?complain(t)?\b|\b(unacceptable|outrageous|disgraceful|fed up|rip-?off|scam)\b"
            r"|\b(terrible|awful|worst|horrible) (service|support|experience|company)\b",
            _FLAGS,
        ),
    ),
    (
        "asked_for_person",
        re.compile(
            r"\b(speak|talk|chat|connect|transfer|escalate|put|pass)\b.{0,30}"
            r"\b(human|person|people|agent|someone|somebody|representative|manager|supervisor|colleague)\b"
            r"|\b(real|actual|live) (human|person|agent)\b"
            r"|^\W*(a )?(human|person|agent|operator)( please)?\W*$"
            r"|\b(want|need|get|give) (me )?(a|an) (human|person|agent|representative|manager|supervisor)\b",
            _FLAGS,
        ),
    ),
)

_GREETING = re.compile(
    r"\W*(hi|hello|hey|greetings|good (morning|afternoon|evening|day))( there| all)?\W*", _FLAGS
)
_THANKS = re.compile(
    r"\W*(many )?(thanks?|thank you|thx|cheers|bye|goodbye)( a lot| so much| very much)?\W*", _FLAGS
)
_UNHAPPY = re.compile(
    r"\b(that|this|it|you|answer)\b.{0,20}(\bnot|n't|\bno|\bnever)\b.{0,20}"
    r"\b(help(ed|ful|ing)?|answer(ed)?|work(ed)?|useful|what i (asked|meant|wanted))\b"
    r"|\bn[o']t what i (asked|meant|wanted)\b|\b(wrong|useless) answer\b"
    r"|\b(that|this|it)('s| is) (wrong|useless|incorrect|no help)\b",
    _FLAGS,
)
_READ_CHARACTERS = 20_000
"""Of a message; a longer one is read at both ends, so that no message can hold up the process."""


def escalation_reason(text: str) -> Reason | None:
    """Return why a person must answer this message, or None."""
    plain = _plain(text)
    return next((reason for reason, pattern in _ESCALATIONS if pattern.search(plain)), None)


def intent(text: str) -> Intent:
    """Return what a message is; whatever is not plainly something else is a question."""
    plain = _plain(text)
    if not plain.strip() or _GREETING.fullmatch(plain):
        return "greeting"
    if _THANKS.fullmatch(plain):
        return "thanks"
    return "unhappy" if "?" not in plain and _UNHAPPY.search(plain) else "question"


def _plain(text: str) -> str:
    half = _READ_CHARACTERS // 2
    read = text if len(text) <= _READ_CHARACTERS else f"{text[:half]} {text[-half:]}"
    return read.replace("\u2019", "'")
