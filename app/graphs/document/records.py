"""Line items as labelled values: one label a line, or all labels of an item in one line."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from graphs.document.lexicon import Hit
from graphs.document.normalise import words
from graphs.document.numerals import Numeral
from graphs.document.page import Line, Page
from graphs.document.rows import Row, describe
from graphs.document.vocabulary import AMOUNTS, COLUMNS

_BETWEEN = re.compile(r"\s*(?:[:=]|of|is|-)?\s*")
_ENOUGH = 2
"""Labelled numbers that make a line an item of its own."""


def record_rows(page: Page) -> list[Row]:
    """Return the items whose parts have labels of their own."""
    inline = [row for line in page.lines if (row := _inline(line))]
    return inline or list(_blocks(page))


def _inline(line: Line) -> Row | None:
    """Read `Widget, qty 2, unit price 12.50, amount 25.00`."""
    found: dict[str, Numeral] = {}
    first = len(line.text)
    for hit in COLUMNS.every(line.text):
        numeral = _named_by(line, hit)
        if numeral and hit.concept in ("quantity", "price", "amount") and hit.concept not in found:
            found[hit.concept] = numeral
            first = min(first, hit.start)
    text = _without_label(line.text[:first])
    if len(found) < _ENOUGH or not words(text):
        return None
    values = {concept: numeral.value for concept, numeral in found.items()}
    return Row(
        text, values.get("quantity"), values.get("price"), values.get("amount"), frozenset({line.index})
    )


def _named_by(line: Line, hit: Hit) -> Numeral | None:
    """Return the number that directly follows a label."""
    gap = _BETWEEN.match(line.text, hit.end)
    at = gap.end() if gap else hit.end
    return next((n for n in line.numerals if hit.end <= n.start <= at and not n.is_percentage), None)


def _without_label(text: str) -> str:
    """Drop `Item 1:` or `Description:` from the start of a text."""
    label, colon, value = text.partition(":")
    return describe(value if colon and COLUMNS.whole(label) == "description" and words(value) else text)


def _blocks(page: Page) -> Iterator[Row]:
    """Read one label a line; the label of a description begins the next item."""
    row: Row | None = None
    for line in page.lines:
        concept, value = _field(line)
        if concept == "description" and words(value):
            if row and row.amount is not None:
                yield row
            row = Row(describe(value), None, None, None, frozenset({line.index}))
        elif row and concept:
            row = _extended(row, concept, _number(line))
            row = (
                replace(row, lines=row.lines | {line.index})
                if row.amount is None or concept == "amount"
                else row
            )
        if row and row.amount is not None:
            yield row
            row = None


def _field(line: Line) -> tuple[str, str]:
    """Return what the label of a line names, and the text after it."""
    label, colon, value = line.text.partition(":")
    label = label if colon else (line.cells[0].text if len(line.cells) == 2 else "")  # noqa: PLR2004 (label, value)
    value = value if colon else (line.cells[-1].text if label else "")
    hits = COLUMNS.every(label)
    covered = sum(len(words(label[hit.start : hit.end])) for hit in hits)
    if not hits or covered < len(words(label)) or AMOUNTS.whole(label) in {"subtotal", "tax", "due"}:
        return "", value
    return hits[-1].concept, value


def _extended(row: Row, concept: str, number: Decimal | None) -> Row:
    if number is None:
        return row
    if concept == "quantity" and row.quantity is None:
        return replace(row, quantity=number)
    if concept == "price" and row.price is None:
        return replace(row, price=number)
    return replace(row, amount=number) if concept == "amount" else row


def _number(line: Line) -> Decimal | None:
    """Return the first number after the label."""
    colon = line.text.find(":")
    return next((n.value for n in line.numerals if n.start > colon and not n.is_percentage), None)
