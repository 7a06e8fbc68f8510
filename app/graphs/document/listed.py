"""Line items that are a text and an amount: the lines of a till, or a list within a sentence."""

import re
from collections.abc import Sequence

from graphs.document.normalise import words
from graphs.document.numerals import Numeral
from graphs.document.page import Line, Page
from graphs.document.rows import (
    LONGEST_ITEM,
    SENTENCE,
    Row,
    describe,
    describe_counted,
    introduced,
    is_sum,
    sum_label,
    tail,
)
from graphs.document.vocabulary import AMOUNTS

NEAR = 4
"""Lines above the first counted item that may be items without a count."""

_TAX_CODE = 3
"""Characters that may follow the amount of a line."""

_FOR = re.compile(r"\s*(?:for|upon|on completion of|on delivery of|towards)\s+(?:the\s+)?([^,;.()]{3,80})")
_NO_ITEM = frozenset({"total", "subtotal", "tax", "none", "due", "fee"})


def listed_rows(page: Page) -> list[Row]:
    """Return the lines before the first sum that are items; without any, the list within a sentence."""
    return _lines(page.lines) or [row for line in page.lines for row in _in_sentence(line)]


def with_uncounted(page: Page, counted: list[Row]) -> list[Row]:
    """Add to counted items the lines between them, and shortly before them, that show an amount only."""
    used = frozenset[int]().union(*(row.lines for row in counted))
    if not used:
        return counted
    near = [line for line in page.lines[max(0, min(used) - NEAR) :] if line.index not in used]
    end = next((line.index for line in page.lines[min(used) :] if is_sum(line)), len(page.lines))
    plain = [row for row in _lines(near) if min(row.lines) < end]
    return sorted([*counted, *plain], key=lambda row: min(row.lines, default=0))


def _lines(lines: Sequence[Line]) -> list[Row]:
    rows: list[Row] = []
    for line in lines:
        if is_sum(line) and (rows or _is_subtotal(line)):
            break
        row = None if line.days or is_sum(line) or len(line.text) >= SENTENCE else _line(line)
        rows += [row] if row else []
    return rows


def _is_subtotal(line: Line) -> bool:
    """Tell whether a line ends the items even if none was found; a total may stand at the top as well."""
    named = sum_label(line.text[: line.numerals[-1].start])
    return named is not None and named.concept == "subtotal"


def _line(line: Line) -> Row | None:
    """Read a text with an amount at its end; perhaps a count at its start, then a price before the amount."""
    if not line.amounts or line.amounts[-1].end < len(line.text.rstrip()) - _TAX_CODE:
        return None
    numbers = [numeral for numeral in tail(line) if numeral.is_money] or line.amounts[-1:]
    lead = _count(line, numbers[0])
    text = line.text[lead.end if lead else 0 : numbers[0].start]
    description = describe_counted(text) if lead else describe(text)
    if not words(description) or _names_sum(description):
        return None
    price = numbers[-2].value if lead and len(numbers) > 1 else None
    count = lead.value if lead else None
    return Row(description, count, price, numbers[-1].value, frozenset({line.index}))


def _count(line: Line, amount: Numeral) -> Numeral | None:
    lead = line.numerals[0]
    at_start = not lead.is_money and not line.text[: lead.start].strip()
    return lead if at_start and words(line.text[lead.end : amount.start]) else None


def _names_sum(text: str) -> bool:
    """Tell whether a text is the label of a sum, or ends with one, or names an amount that is no item."""
    named = AMOUNTS.last(text)
    if named is None:
        return False
    summed = re.search(r"\b(?:total|sums?)\b", text[named.start : named.end], re.IGNORECASE)
    ends = named.concept in {"total", "subtotal"} and (summed or named.end == len(text))
    return bool(ends) or named.concept == "none" or sum_label(text) is not None


def _in_sentence(line: Line) -> list[Row]:
    """Read `Design: 1,400.00; Testing: 400.00`, or `1,400.00 for Design`; one amount alone is no list."""
    if len(line.text) < SENTENCE:
        return []
    for name in (_named_after, _named_before):
        found = [(name(line, amount), amount.value) for amount in line.amounts]
        rows = [Row(text, None, None, value, frozenset()) for text, value in found if text]
        if len(rows) > 1:
            return rows
    return []


def _named_before(line: Line, amount: Numeral) -> str:
    before = line.before_amount(amount.start)
    text = introduced(describe(re.split(r":\s+(?=\S)", before.rstrip(" :(-"))[-1]))
    named = AMOUNTS.last(text)
    fits = 0 < len(words(text)) <= LONGEST_ITEM and not (named and named.concept in _NO_ITEM)
    return text if fits else ""


def _named_after(line: Line, amount: Numeral) -> str:
    match = _FOR.match(line.text, amount.end)
    return describe(match[1]) if match and len(words(match[1])) <= LONGEST_ITEM else ""
