"""Line items in a table: its columns are named by a header, or shown by the arithmetic of its rows."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations

from graphs.document.normalise import words
from graphs.document.numerals import Numeral
from graphs.document.page import Line, Page
from graphs.document.rows import Row, is_sum, tail
from graphs.document.table_rows import read_rows
from graphs.document.vocabulary import COLUMNS

_COVERED = 0.6
"""Share of a header's letters that must belong to known column titles."""

_UNTITLED = re.compile(r"\([^)]*\)|\b(?:USD|EUR|GBP|CHF|in)\b|[%$€£#]", re.IGNORECASE)
_FACTORS = 3
"""Numbers in a row from which a product can be told."""

_IN_A_ROW = range(_FACTORS, 9)
"""How many numbers a row of an untitled table may have."""

_ROUNDING = Decimal("0.01")


def titled_tables(page: Page) -> Iterator[list[Row]]:
    """Return the rows below each header."""
    for line in page.lines:
        columns = header(line)
        if columns:
            after = page.lines[line.index + 1 : line.index + 2]
            below = any(COLUMNS.whole(other.text) == "description" for other in after)
            yield read_rows(page, line.index + 1 + below, columns, header, below=below)


def untitled_tables(page: Page) -> Iterator[list[Row]]:
    """Return the rows whose numbers are a quantity, a price and their product, whatever the header says."""
    groups: dict[tuple[bool, int], list[tuple[Line, Sequence[Numeral]]]] = defaultdict(list)
    for line in page.lines:
        numbers, leads = _numbers(line)
        if len(numbers) in _IN_A_ROW and not is_sum(line):
            groups[leads, len(numbers)].append((line, numbers))
    for (leads, _), members in groups.items():
        columns = _shown([numbers for _, numbers in members], leads=leads)
        if columns:
            yield read_rows(page, members[0][0].index, columns, header)


def _numbers(line: Line) -> tuple[Sequence[Numeral], bool]:
    """Return the numbers of a row, and whether one of them stands before the text."""
    last = [numeral for numeral in tail(line) if not numeral.is_percentage]
    first = line.numerals[0] if line.numerals else None
    end = last[0].start if last else 0
    leads = bool(first and not line.text[: first.start].strip() and words(line.text[first.end : end]))
    return ([first, *last] if first and leads else last), leads


def _shown(rows: Sequence[Sequence[Numeral]], *, leads: bool) -> Sequence[str]:
    """Return the columns in which a product of two numbers is the last; none when few rows show it."""
    last = len(rows[0]) - 1
    pairs = list(combinations(range(last), 2))
    support = {pair: sum(_is_product(row, pair) for row in rows) for pair in pairs}
    best = max(pairs, key=lambda pair: support[pair])
    if support[best] * 2 <= len(rows):
        return ()
    cents = [sum(row[place].is_money for row in rows) for place in best]
    quantity, price = best if cents[0] <= cents[1] else best[::-1]
    names = {quantity: "quantity", price: "price", last: "amount"}
    titles = [names.get(place, "other") for place in range(last + 1)]
    return [titles[0], "description", *titles[1:]] if leads else ["description", *titles]


def _is_product(row: Sequence[Numeral], pair: tuple[int, int]) -> bool:
    left, right = (row[place].value for place in pair)
    return row[-1].value != 0 and abs(left * right - row[-1].value) < _ROUNDING


def header(line: Line) -> Sequence[str]:
    """Return the concepts of a header's columns in their order; none when the line is no header."""
    if line.amounts or line.days or line.text[-1] in ".;" or re.search(r":\s*\S", line.text):
        return ()
    text = _UNTITLED.sub(lambda match: " " * len(match.group()), line.text)
    columns = [concept for cell in line.cells for concept in _titles(text[cell.start : cell.end])]
    covered = sum(len(word.key) for hit in COLUMNS.every(text) for word in words(text[hit.start : hit.end]))
    known = {"amount", "price"} & set(columns) and len(set(columns)) > 1
    enough = covered >= _COVERED * sum(len(word.key) for word in words(text))
    described = "description" in columns or len(columns) >= _FACTORS
    return _named_apart(columns) if known and enough and described else ()


def _titles(cell: str) -> list[str]:
    whole = COLUMNS.whole(cell)
    return [whole] if whole else [hit.concept for hit in COLUMNS.every(cell)] or ["text"]


def _named_apart(columns: list[str]) -> list[str]:
    """Of two columns of the same meaning, keep the meaning of the likelier one."""
    result = list(columns)
    if result.count("description") > 1:
        result[result.index("description")] = "index"
    for concept in ("amount", "price", "quantity"):
        while result.count(concept) > 1:
            second = "price" if concept == "amount" and "price" not in result else "other"
            result[result.index(concept)] = second
    if "amount" not in result and "quantity" not in result:
        result[result.index("price")] = "amount"
    return result if "description" in result else ["description", *result]
