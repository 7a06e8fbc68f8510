"""Line items that say how many at what price: `2 x Widget @ 12.50`, in one line, two, or a sentence."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from graphs.document.normalise import words
from graphs.document.numerals import Numeral
from graphs.document.page import Line, Page
from graphs.document.rows import (
    LONGEST_ITEM,
    SENTENCE,
    UNIT,
    UNITS,
    Row,
    describe,
    describe_counted,
    introduced,
    is_sum,
)
from graphs.document.vocabulary import COLUMNS

_PRICED_BEFORE = re.compile(r"(?:(?P<sign>[@*])|\bat|\bfor)\s*$", re.IGNORECASE)
_PRICED_AFTER = re.compile(r"\s*(?:/|per\b|each\b|ea\b|apiece\b|a piece\b|a unit\b)", re.IGNORECASE)
_TIMES_AFTER = re.compile(r"\s*(?:x\b|\*)", re.IGNORECASE)
_PER_UNIT = re.compile(rf"^(?:per|each|/)\b\s*(?:{UNIT})?|\bfor$", re.IGNORECASE)
_LEADING_COUNT = re.compile(r"\s*(\d{1,5})\s*[x*]?\s+(?=\S)", re.IGNORECASE)
_SEGMENT = re.compile(
    r";|(?<=\d)\.\s{1,2}(?=[A-Z])|,\s{1,2}and\s{1,2}|(?<=[\d)]),\s{1,2}(?=[\dA-Za-z])|\band\b\s{1,2}(?=\d)|"
    r"(?:(?<=[a-z]{2})|(?<=[A-Z]{3})|(?<=\)))\.\s{1,2}(?=[A-Z])"
)


def counted_rows(page: Page) -> list[Row]:
    """Return the items that show a quantity and a price."""
    return [row for line in page.lines for row in _rows(page, line)]


def _rows(page: Page, line: Line) -> Iterator[Row]:
    sentence = len(line.text) >= SENTENCE
    for start, part in _segments(line) if sentence else [(0, line)]:
        row = None if is_sum(part) else _row(part, sentence=sentence)
        if row is None:
            continue
        if not sentence:
            yield from _completed(page, row)
        elif row.amount is not None and 0 < len(words(introduced(row.description))) <= LONGEST_ITEM:
            # The sentence may state a sum as well: only these amounts are used up, not the line.
            used = frozenset((line.index, start + numeral.start) for numeral in part.amounts[:2])
            yield replace(row, description=introduced(row.description), lines=frozenset(), amounts=used)


def _segments(line: Line) -> list[tuple[int, Line]]:
    """Cut a sentence where one item of a list ends and the next begins; each part with its place."""
    cuts = [0, *(match.end() for match in _SEGMENT.finditer(line.text)), len(line.text)]
    return [(start, _slice(line, start, end)) for start, end in pairwise(cuts)]


def _slice(line: Line, start: int, end: int) -> Line:
    inside = [n for n in line.numerals if start <= n.start and n.end <= end]
    moved = [n._replace(start=n.start - start, end=n.end - start) for n in inside]
    return Line(line.index, line.text[start:end], line.plain[start:end], [], moved)


def _row(line: Line, *, sentence: bool) -> Row | None:
    """Tell quantity, price and amount apart by the signs and words beside them."""
    numbers = [numeral for numeral in line.numerals if not numeral.is_percentage]
    price = _price(line, numbers)
    if price is None:
        return None
    quantity = _quantity(line, [n for n in numbers if n.start < price.start and not n.is_money])
    if quantity is None and words(line.text[: price.start]):
        return None
    later = [n for n in numbers if n.start > price.start]
    amount = (later[0] if sentence else later[-1]) if later else None
    text = _description(line, [one for one in (quantity, price, amount) if one], sentence=sentence)
    count = quantity.value if quantity else None
    return Row(text, count, price.value, amount.value if amount else None, frozenset({line.index}))


def _price(line: Line, numbers: Sequence[Numeral]) -> Numeral | None:
    """Return the first number marked as a price, one with cents or a currency before all others."""
    marked = [numeral for numeral in numbers if _is_price(line, numeral)]
    return next((numeral for numeral in marked if numeral.is_money), next(iter(marked), None))


def _is_price(line: Line, numeral: Numeral) -> bool:
    if _PRICED_AFTER.match(line.plain, numeral.end):
        return True
    before = _PRICED_BEFORE.search(line.plain[max(0, numeral.start - 8) : numeral.start])
    later = any(other.start > numeral.start for other in line.numerals if not other.is_percentage)
    return bool(before and (numeral.is_money or (before["sign"] and later)))


def _quantity(line: Line, counts: Sequence[Numeral]) -> Numeral | None:
    """Return the count with a sign of multiplication beside it; else the nearest to the price."""
    signed = [n for n in counts if _TIMES_AFTER.match(line.plain, n.end) or _follows_times(line, n)]
    return next(iter([*signed, *reversed(counts)]), None)


def _follows_times(line: Line, numeral: Numeral) -> bool:
    return line.plain[max(0, numeral.start - 3) : numeral.start].rstrip()[-1:] == "*"


def _description(line: Line, used: Sequence[Numeral], *, sentence: bool) -> str:
    """Return the text between the first two numbers in use; else the first other text."""
    edges = [edge for numeral in sorted(used, key=lambda n: n.start) for edge in (numeral.start, numeral.end)]
    cuts = [0, *edges, len(line.text)]
    parts = [line.text[start:end] for start, end in zip(cuts[::2], cuts[1::2], strict=True)]
    parts = [re.split(r":\s", part)[-1] if sentence else part for part in parts]
    # Only what follows the count directly may begin with a unit.
    texts = [_text(part, counted=place == 1) for place, part in enumerate(parts)]
    ordered = (*texts[1:2], texts[0], *texts[2:])
    return next((text for text in ordered if words(text) and not _is_word_of_count(text)), "")


def _is_word_of_count(text: str) -> bool:
    return text.casefold() in UNITS or COLUMNS.whole(text) in {"quantity", "price", "amount"}


def _text(part: str, *, counted: bool) -> str:
    bare = re.sub(r"^\s*x\s+", "", part, flags=re.IGNORECASE)
    bare = describe_counted(bare) if counted else describe(bare)
    return _PER_UNIT.sub("", bare).strip(" ,:")


def _completed(page: Page, row: Row) -> Iterator[Row]:
    """Complete a till's second line, `2 x 12.50`, with the text, count and amount of the line before."""
    index = min(row.lines)
    if row.description:
        yield from [row] if row.amount is not None and row.quantity is not None else []
        return
    before = page.lines[index - 1] if index else None
    if before is None or not words(before.text) or is_sum(before):
        return
    last = before.amounts[-1] if before.amounts else None
    lead = _LEADING_COUNT.match(before.plain) if row.quantity is None else None
    text = before.text[lead.end() if lead else 0 : last.start if last else len(before.text)]
    count = Decimal(lead[1]) if lead else row.quantity
    amount = row.amount if row.amount is not None or last is None else last.value
    if count is not None:
        lines = row.lines | {before.index}
        yield replace(row, description=describe(text), quantity=count, amount=amount, lines=lines)
