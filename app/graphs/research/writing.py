"""From findings to an answer: merging, and the text with numbered citations."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from graphs.common.handbook import Passage
from graphs.research.state import Finding, NumberedCitation

MAX_FINDINGS = 8
"""Passages that an answer may draw on."""

NOTHING: Final = "The handbook says nothing about this question."
UNSOURCED: Final = "(no source)"


class Claim(NamedTuple):
    """A statement and the ids of the passages that are said to back it."""

    text: str
    ids: Sequence[str]


class Written(NamedTuple):
    """An answer whose every citation is one of the findings."""

    answer: str
    citations: list[NumberedCitation]
    invented: list[str]
    """Ids that were cited but never found; they are not in the answer."""


def merge(found: Sequence[Finding]) -> list[Finding]:
    """Return the best finding of each passage, best first; what ties keeps its order."""
    best: dict[str, Finding] = {}
    for finding in sorted(found, key=lambda each: -each["score"]):
        best.setdefault(finding["id"], finding)
    return list(best.values())[:MAX_FINDINGS]


def write(claims: Sequence[Claim], findings: Sequence[Finding]) -> Written:
    """Number the passages in the order in which `claims` cite them, and drop citations of anything else.

    A claim that is left without a source is marked as such.
    """
    known = {finding["id"]: finding for finding in findings}
    cited = list(dict.fromkeys(passage for claim in claims for passage in claim.ids))
    numbers = {passage: number for number, passage in enumerate((c for c in cited if c in known), start=1)}
    lines = [_line(claim, numbers) for claim in claims if claim.text.strip()]
    citations = [_numbered(known[passage], number) for passage, number in numbers.items()]
    return Written("\n\n".join(lines), citations, [passage for passage in cited if passage not in known])


def _line(claim: Claim, numbers: dict[str, int]) -> str:
    marks = "".join(f"[{numbers[passage]}]" for passage in dict.fromkeys(claim.ids) if passage in numbers)
    return f"{claim.text.strip()} {marks or UNSOURCED}"


def _numbered(finding: Finding, number: int) -> NumberedCitation:
    return {"number": number, "id": finding["id"], "title": finding["title"], "quote": finding["quote"]}


def by_rule(findings: Sequence[Finding], passage: Callable[[str], Passage]) -> list[Claim]:
    """Return the passages found, word for word, each under its title."""
    return [Claim(f"{each['title']}: {passage(each['id']).text}", [each["id"]]) for each in findings]


def nothing(sub_questions: Sequence[str]) -> str:
    """Return the answer that says plainly that nothing was found, and what was looked for."""
    looked = "".join(f"\n- {each}" for each in sub_questions)
    return NOTHING + (f" I looked for:{looked}" if looked else " It has no word that I could look for.")
