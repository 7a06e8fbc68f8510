"""The amounts of a page, each with what the words around it say that it is."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from graphs.document.extract_items import Items
from graphs.document.normalise import words
from graphs.document.numerals import Numeral
from graphs.document.page import Line, Page
from graphs.document.rows import named_amount
from graphs.document.vocabulary import AFTER, AMOUNTS

_WITHIN_LABEL = re.compile(r"[\s:=|@-]*(?:(?:at|of|on)\s+)?(?:\d[\d.,]*\s?%)?[\s:=|-]*")
"""What may stand between two amounts of one label."""


class Mention(NamedTuple):
    """An amount, what it is, the label that says so, and its line."""

    concept: str
    value: Decimal
    label: str
    line: int
    shared: bool = False
    """Whether the label names several amounts, as the last row of a table of taxes does."""


def mentions(page: Page, items: Items) -> list[Mention]:
    """Return the amounts that are no part of the line items, in their order."""
    lines = [line for line in page.lines if line.index not in items.lines]
    return [mention for line in lines for mention in _in_line(page, line, items)]


def _in_line(page: Page, line: Line, items: Items) -> Iterator[Mention]:
    """Name the amounts of a line; of several with one label (`VAT 20% on 100.00: 20.00`) the last counts."""
    found: list[Mention] = []
    labelled = bool(words(line.text))
    for amount in line.amounts or _unmarked(line):
        if (line.index, amount.start) in items.amounts:
            continue
        before = line.before_amount(amount.start)
        hit = None if _is_net(line, amount) else named_amount(before)
        same = _WITHIN_LABEL.fullmatch(before) and line.text[amount.start] != "("
        if hit is None and found and same and labelled:
            found[-1] = found[-1]._replace(value=amount.value, shared=True)
            continue
        concept = hit.concept if hit else _elsewhere(page, line, amount, before)
        label = before[hit.start : hit.end] if hit else " ".join(before.split()).strip(" :")
        found.append(Mention(concept, amount.value, label, line.index))
    return iter(found)


def _unmarked(line: Line) -> Sequence[Numeral]:
    """Return the last number of a line that is a label and a number without cents or currency."""
    numbers = [numeral for numeral in line.numerals if not numeral.is_percentage]
    label = line.text[: numbers[-1].start] if numbers else ""
    return numbers[-1:] if AMOUNTS.whole(label) in {"subtotal", "tax", "total", "due"} else []


def _is_net(line: Line, amount: Numeral) -> bool:
    """Tell whether the words directly after an amount make it a net one: `100.00 net`, `100.00 plus VAT`."""
    after = line.text[amount.end : amount.end + 30]
    hit = AFTER.first(after)
    return bool(hit and hit.concept == "subtotal" and not after[: hit.start].strip(" (,"))


def _elsewhere(page: Page, line: Line, amount: Numeral, before: str) -> str:
    """Return what an amount is by the words after it, or by the label above it."""
    text = line.text[amount.end : amount.end + 30]
    after = AFTER.first(text)
    if after and not text[: after.start].strip(" (,"):
        return after.concept
    if words(before.rsplit("  ", 1)[-1]):
        return "none"
    return AMOUNTS.whole(page.above(line, amount.start, amount.end)) or "none"
