"""The line items of a page, in each way that it may list them."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from graphs.document.counted import counted_rows
from graphs.document.listed import listed_rows, with_uncounted
from graphs.document.page import Page
from graphs.document.records import record_rows
from graphs.document.rows import Row, tail
from graphs.document.state import LineItem
from graphs.document.tables import titled_tables, untitled_tables

MAX_ITEMS = 500
"""The most line items that are kept."""

_AMOUNT = re.compile(r"\W*\d[\d.,]*[.,]\d\d\W*")
_UNDERSTOOD = 3
"""Numbers in a row from which on a quantity and a price must have been found among them."""


class Items(NamedTuple):
    """One reading of a page's line items."""

    items: list[LineItem]
    lines: frozenset[int] = frozenset()
    """The lines that hold nothing else."""
    amounts: frozenset[tuple[int, int]] = frozenset()
    """Places (line, character) of their amounts in other lines."""
    unread: tuple[str, ...] = ()
    """Rows with more numbers than were understood."""


def readings(page: Page) -> Iterator[Items]:
    """Return the different readings, the likelier ways first; the last may be empty."""
    counted = with_uncounted(page, counted_rows(page))
    for rows in (*titled_tables(page), record_rows(page), counted, *untitled_tables(page)):
        if rows:
            yield _items(page, rows)
    yield _items(page, listed_rows(page))


def is_named(item: LineItem) -> bool:
    """Tell whether an item has a description, be it a code; an amount in its place is none."""
    return bool(item["description"]) and not _AMOUNT.fullmatch(item["description"])


def _items(page: Page, rows: Sequence[Row]) -> Items:
    lines = frozenset[int]().union(*(row.lines for row in rows))
    amounts = frozenset[tuple[int, int]]().union(*(row.amounts for row in rows))
    unread = tuple(row.description for row in rows if _is_unread(page, row))
    return Items([row.as_item() for row in rows[:MAX_ITEMS]], lines, amounts, unread)


def _is_unread(page: Page, row: Row) -> bool:
    """Tell whether a row has numbers that could be a quantity and a price, and none was found."""
    if row.quantity is not None and row.price is not None:
        return False
    numbers = [n for index in row.lines for n in tail(page.lines[index]) if not n.is_percentage]
    return len(numbers) >= _UNDERSTOOD
