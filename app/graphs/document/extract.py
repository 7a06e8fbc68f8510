"""Reads a page by rule: all its fields, and the evidence that any other reading is held against."""

import re
from collections.abc import Iterator
from decimal import Decimal

from graphs.document.extract_dates import Dates, extract_dates
from graphs.document.extract_items import Items, is_named, readings
from graphs.document.extract_parties import extract_parties
from graphs.document.extract_totals import Totals, extract_totals
from graphs.document.normalise import truncated
from graphs.document.numerals import CURRENCIES, exact, written
from graphs.document.page import Page, read
from graphs.document.rows import is_product
from graphs.document.state import Evidence, Fields, Kind
from graphs.document.vocabulary import NUMBERS

_NUMBER = re.compile(r"[\s:#.-]*((?=[\w/.-]*\d)[\w/.-]{1,40})")


def extract(page: Page, kind: Kind) -> tuple[Fields, Evidence]:
    """Return what the page says, and what it shows."""
    items, totals = max(_summed(page, kind), key=lambda reading: _evident(*reading))
    dates = extract_dates(page, kind)
    return _fields(page, kind, items, totals, dates), _evidence(page, items, totals, dates)


def _summed(page: Page, kind: Kind) -> Iterator[tuple[Items, Totals]]:
    """Return each reading of the line items, with the sums that are left outside its lines."""
    for items in readings(page):
        yield items, extract_totals(page, kind, items, _sum(items))


def _sum(items: Items) -> Decimal:
    return sum((exact(item["amount"]) or Decimal(0) for item in items.items), Decimal(0))


def _evident(items: Items, totals: Totals) -> tuple[bool, bool, bool, int, int]:
    """Tell how much speaks for a reading: it has items, adds up, leaves a total; products and descriptions.

    Of readings that are equal the first wins. No reading changes a number, so a fault stays a fault.
    """
    total = totals.total or Decimal(0)
    taxed = _sum(items) + (totals.tax or Decimal(0))
    adds_up = bool(items.items) and (_sum(items) in {totals.subtotal, total} or taxed == total)
    named = sum(is_named(item) for item in items.items)
    products = sum(is_product(item) for item in items.items)
    return named > 0 or adds_up, adds_up, totals.total is not None, products, named


def read_fields(text: str, kind: Kind) -> tuple[Fields, Evidence]:
    """Return what a raw text says, and what it shows."""
    fields, evidence = extract(read(text), kind)
    return fields, {**evidence, "truncated": truncated(text)}


def _fields(page: Page, kind: Kind, items: Items, totals: Totals, dates: Dates) -> Fields:
    days = {part: day.isoformat() for part, day in dates.by_part.items()}
    return {
        "number": _number(page),
        "parties": extract_parties(page, kind),
        "issue_date": days.get("issue"),
        "due_date": days.get("due"),
        "start_date": days.get("start"),
        "end_date": days.get("end"),
        "currency": currency(page),
        "line_items": items.items,
        "subtotal": written(totals.subtotal),
        "adjustments": totals.adjustments,
        "tax": written(totals.tax),
        "tax_included": totals.tax_included,
        "total": written(totals.total),
        "paid": written(totals.paid),
        "amount_due": written(totals.due),
    }


def currency(page: Page) -> str | None:
    """Return the currency of most amounts; else the one that the text names most."""
    used = [numeral.currency for line in page.lines for numeral in line.numerals if numeral.currency]
    if used:
        return max(dict.fromkeys(used), key=used.count)
    return max(page.currencies, key=lambda code: page.currencies[code], default=None)


def _evidence(page: Page, items: Items, totals: Totals, dates: Dates) -> Evidence:
    numerals = [numeral for line in page.lines for numeral in line.numerals]
    used = dict.fromkeys(n.currency for n in numerals if n.currency)
    declared = re.findall(r"(?i:currency)\W{1,3}([A-Z]{3}|[$€£])", page.text)
    used.update(dict.fromkeys(CURRENCIES[mark] for mark in declared if mark in CURRENCIES))
    return {
        "stated_totals": [written(value) or "" for value in totals.stated],
        "amounts": list(dict.fromkeys(written(numeral.value) or "" for numeral in numerals)),
        "currencies": [code for code in used if code],
        "unreadable_dates": dates.unreadable,
        "unread_lines": list(items.unread),
        "truncated": False,
    }


def _number(page: Page) -> str | None:
    """Return what follows the label of the document's number."""
    for line in page.lines:
        for hit in NUMBERS.every(line.text):
            match = _NUMBER.match(line.text, hit.end)
            if match and not any(day.start <= match.start(1) < day.end for day in line.days):
                return match[1].strip(".-/")
    return None
