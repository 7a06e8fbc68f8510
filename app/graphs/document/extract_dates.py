"""Which date of a page is which: issue and due, or start and end."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from graphs.document.dates import Day
from graphs.document.lexicon import LONGEST
from graphs.document.normalise import words
from graphs.document.page import Line, Page
from graphs.document.rows import SENTENCE
from graphs.document.state import Kind
from graphs.document.vocabulary import DAYS

_DEFINED = re.compile(r'\s*\((?:the )?"?(?P<name>[^()"]{3,40})"?\)')
_TERM = re.compile(
    r"(?:net|within|in|terms?:?|due)[ :]{1,2}(?:net )?(\d{1,3}) ?(?:calendar )?days|"
    r"\b(\d{1,3}) days(?:'? net| from| after| of)",
    re.IGNORECASE,
)
_KINDS_OF_DAYS: dict[Kind, tuple[str, ...]] = {
    "invoice": ("issue", "due"),
    "receipt": ("issue",),
    "contract": ("issue", "start", "end"),
    "unknown": ("issue", "due", "start", "end"),
}


class Dates(NamedTuple):
    """The dates by their part, and the labelled ones that are no day of any calendar."""

    by_part: dict[str, date]
    unreadable: list[str]


def extract_dates(page: Page, kind: Kind) -> Dates:
    """Return each part's first labelled date; a due date may follow from terms such as `net 30 days`."""
    parts: dict[str, date] = {}
    unreadable: list[str] = []
    for line in page.lines:
        for part, day in _labelled(page, line, _KINDS_OF_DAYS[kind]):
            if part not in _KINDS_OF_DAYS[kind]:
                continue
            if day.value is None:
                unreadable.append(line.text[day.start : day.end])
            else:
                parts.setdefault(part, day.value)
    _complete(parts, page, kind)
    return Dates(parts, unreadable)


def _labelled(page: Page, line: Line, parts: Sequence[str]) -> list[tuple[str, Day]]:
    result: list[tuple[str, Day]] = []
    previous = ""
    for day in line.days:
        part = _part(page, line, day, previous, parts)
        result.append((part, day))
        previous = part
    return result


def _part(page: Page, line: Line, day: Day, previous: str, parts: Sequence[str]) -> str:
    """Return what a date is: by the name given to it, the words before it, or the label above it."""
    defined = _DEFINED.match(line.text, day.end)
    named = DAYS.whole(defined["name"]) if defined else None
    before = line.before_day(day.start)
    # A contract has no due date: in "must be finished by" it is the first word that counts.
    hit = DAYS.last(before, ignore={"due", "start", "end", "issue"}.difference(parts))
    part = named or (hit.concept if hit else _above(page, line, day, before))
    if previous == "start" and (part == "to" or not re.search(r"\w", before)):
        return "end"
    return "none" if part == "to" else part


def _above(page: Page, line: Line, day: Day, before: str) -> str:
    if any(char.isalpha() for char in before.rsplit("  ", 1)[-1]):
        return "none"
    label = page.above(line, day.start, day.end)
    hit = DAYS.last(label) if len(label) < SENTENCE and len(words(label)) <= LONGEST else None
    return hit.concept if hit else "none"


def _complete(parts: dict[str, date], page: Page, kind: Kind) -> None:
    """Fill in what follows: a due date from the terms, the only date of a page without labels."""
    every = [day.value for line in page.lines for day in line.days if day.value]
    if "issue" not in parts and kind in {"invoice", "receipt"}:
        others = [day for day in every if day not in parts.values()]
        parts.update({"issue": others[0]} if others else {})
    term = _TERM.search(page.text)
    if kind == "invoice" and "due" not in parts and "issue" in parts and term:
        parts["due"] = parts["issue"] + timedelta(days=int(term[1] or term[2]))
