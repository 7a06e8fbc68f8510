"""Cross-checks what a document says. Every finding asks for a human, whoever read the document.

All arithmetic is exact decimal arithmetic.
"""

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from graphs.document.dates import day_of
from graphs.document.numerals import exact
from graphs.document.state import Evidence, Fields, Issue, Kind, LineItem

TOLERANCE = Decimal("0.01")
"""How far two sums may differ, in units of the currency: one rounding of cents."""

_AMOUNTS = ("subtotal", "tax", "total", "paid", "amount_due")
_DAYS = ("issue_date", "due_date", "start_date", "end_date")
_CENT = Decimal("0.01")
_Name = Literal["seller", "buyer", "parties", "issue_date", "start_date", "currency", "line_items", "total"]
_REQUIRED: dict[Kind, tuple[_Name, ...]] = {
    "invoice": ("seller", "buyer", "issue_date", "currency", "line_items", "total"),
    "receipt": ("seller", "issue_date", "currency", "line_items", "total"),
    "contract": ("parties", "start_date", "currency", "total"),
    "unknown": ("currency", "total"),
}
"""What each kind must state. A contract's date of signing stands in for its start."""


def validate(kind: Kind, fields: Fields, evidence: Evidence | None) -> list[Issue]:
    """Return everything that is wrong, missing or contradictory; nothing for a document in order.

    Without `evidence` the fields are held against each other only: a person has put them right, and may have
    decided between contradicting statements of the text.
    """
    checks = (_missing(kind, fields), _unreadable(fields), _lines(fields), _sums(fields), _order(fields))
    issues = [issue for check in checks for issue in check]
    return [*issues, *(_against(fields, evidence) if evidence else ())]


def unread(why: str | None) -> list[Issue]:
    """Return the issue of an attachment that could not be read; none where there is no reason."""
    return [_issue("unreadable", "attachment", why)] if why else []


def _issue(code: str, field: str, message: str) -> Issue:
    return {"code": code, "field": field, "message": message}


def _missing(kind: Kind, fields: Fields) -> Iterator[Issue]:
    if kind == "unknown":
        yield _issue(
            "unknown_type", "document_type", "This is neither an invoice nor a receipt nor a contract."
        )
    for name in _REQUIRED[kind]:
        if not _present(fields, name):
            yield _issue("missing", name, f"The document names no {name.replace('_', ' ')}.")


def _present(fields: Fields, name: _Name) -> bool:
    roles = [party["role"] for party in fields["parties"]]
    match name:
        case "seller" | "buyer":
            return name in roles
        case "parties":
            return len(roles) >= 2  # noqa: PLR2004 (a contract has two sides)
        case "start_date":
            return bool(fields["start_date"] or fields["issue_date"])
        case _:
            return bool(fields[name])


def _unreadable(fields: Fields) -> Iterator[Issue]:
    """Find values that are no amounts or no dates, as a person may have typed them."""
    for name in _AMOUNTS:
        if fields[name] is not None and exact(fields[name]) is None:
            yield _issue("unreadable", name, f"{fields[name]!r} is no amount.")
    for name in _DAYS:
        if fields[name] is not None and day_of(fields[name]) is None:
            yield _issue("unreadable", name, f"{fields[name]!r} is no date.")


def _lines(fields: Fields) -> Iterator[Issue]:
    for number, item in enumerate(fields["line_items"], 1):
        field = f"line_items[{number}]"
        quantity, price, amount = (exact(item[key]) for key in ("quantity", "unit_price", "amount"))
        if amount is None:
            yield _issue(
                "line_amount_missing", field, f"Line {number} ({item['description']}) has no amount."
            )
        elif quantity is not None and price is not None and _differ(_cents(quantity * price), amount):
            yield _issue("line_amount", field, f"Line {number}: {quantity} x {price} is not {amount}.")


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)


def _differ(left: Decimal, right: Decimal) -> bool:
    return abs(left - right) > TOLERANCE


def lines_sum(items: Sequence[LineItem]) -> Decimal | None:
    """Return the sum of the lines; None without lines or with one that has no amount."""
    amounts = [exact(item["amount"]) for item in items]
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(amounts) else None


def _sums(fields: Fields) -> Iterator[Issue]:
    items = lines_sum(fields["line_items"])
    subtotal, total, tax = (
        exact(fields["subtotal"]),
        exact(fields["total"]),
        exact(fields["tax"]) or Decimal(0),
    )
    adjusted = sum((exact(one["amount"]) or Decimal(0) for one in fields["adjustments"]), Decimal(0))
    added = adjusted + (Decimal(0) if fields["tax_included"] else tax)
    # Where prices include the tax, the lines add up to the total, though the subtotal is stated without tax.
    gross = items is not None and total is not None and not _differ(items + adjusted, total)
    if items is not None and subtotal is not None and _differ(items, subtotal) and not gross:
        yield _issue("lines_sum", "subtotal", f"The lines add up to {items}, not to the subtotal {subtotal}.")
    base = subtotal if subtotal is not None else items
    if (
        base is not None
        and total is not None
        and _differ(base + added, total)
        and (subtotal is not None or not gross)
    ):
        yield _issue(
            "total_sum", "total", f"{base} + {added} (tax and adjustments) is not the total {total}."
        )
    yield from _payment(fields, total)


def _payment(fields: Fields, total: Decimal | None) -> Iterator[Issue]:
    paid, due = exact(fields["paid"]), exact(fields["amount_due"])
    if total is not None and total < 0:
        yield _issue("negative_total", "total", f"The total {total} is negative.")
    if total is not None and paid is not None and due is not None and _differ(total - paid, due):
        yield _issue("amount_due", "amount_due", f"{total} less {paid} paid is not the amount due {due}.")


def _order(fields: Fields) -> Iterator[Issue]:
    issue, due, start, end = (day_of(fields[name]) for name in _DAYS)
    if issue and due and due < issue:
        yield _issue("dates_order", "due_date", f"Due on {due}, before it was issued on {issue}.")
    if start and end and end <= start:
        yield _issue("dates_order", "end_date", f"Ends on {end}, not after its start on {start}.")


def _against(fields: Fields, evidence: Evidence) -> Iterator[Issue]:
    """Hold a reading against the text: no reader, and no instruction in the text, gets around these."""
    stated, total = evidence["stated_totals"], fields["total"]
    if len(stated) > 1:
        yield _issue("totals_contradict", "total", f"The text states several totals: {', '.join(stated)}.")
    if total is not None and total not in (stated or evidence["amounts"]):
        yield _issue("total_not_stated", "total", f"The text does not state {total} as its total.")
    used = evidence["currencies"]
    if len(used) > 1 or (used and fields["currency"] not in used):
        yield _issue(
            "currencies", "currency", f"Read as {fields['currency']}, but amounts are in {', '.join(used)}."
        )
    for text in evidence["unreadable_dates"]:
        yield _issue("unreadable", "dates", f"{text!r} is no day of the calendar.")
    for text in evidence["unread_lines"]:
        yield _issue("line_unread", "line_items", f"Not all numbers of {text!r} are understood.")
    if evidence["truncated"]:
        yield _issue("truncated", "text", "The text is too long; its end was not read.")
