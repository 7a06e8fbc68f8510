"""Splitting a question into sub-questions without a model."""

import re

from graphs.common.handbook import handbook
from graphs.common.ranking import MAX_CHARACTERS, terms

MAX_PARTS = 5
"""Sub-questions of one question, which is how many look-ups run at once."""

_JOINTS = re.compile(
    r"[?;!\n]+|\.\s+"
    r"|,?\s+(?:and also|and|as well as|plus)\s+(?=\w+\s+\w+)"
    r"|,\s+(?=(?:how|what|when|where|which|who|why|can|may|must|do|does|is|are)\b)",
    re.IGNORECASE,
)


def split(question: str) -> list[str]:
    """Return up to five sub-questions, or none if the question has no word to look for.

    They are its clauses. A question of one clause is also asked within the chapters that answer it, which
    brings in their neighbouring sections; if nothing answers it, it stays alone.
    """
    whole = " ".join(question[:MAX_CHARACTERS].split())
    if not terms(whole):
        return []
    parts = [" ".join(part.split()).strip(" ,.") for part in _JOINTS.split(question[:MAX_CHARACTERS])]
    clauses = distinct([part for part in parts if terms(part)])
    return (clauses if len(clauses) > 1 else distinct([whole, *_within_chapters(whole)]))[:MAX_PARTS]


def _within_chapters(question: str) -> list[str]:
    return [f"{hit.passage.chapter}: {question}" for hit in handbook().answers(question, limit=2)]


def distinct(parts: list[str]) -> list[str]:
    """Return `parts` in order without blank ones and without those that ask for the same words."""
    seen: dict[frozenset[str], str] = {}
    for part in parts:
        if part.strip():
            seen.setdefault(frozenset(terms(part)), part.strip())
    return list(seen.values())
