"""Subtotal, tax, total and what lies between them: which amount is which, by words and then by arithmetic."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from graphs.document.extract_items import Items
from graphs.document.mentions import Mention, mentions
from graphs.document.numerals import written
from graphs.document.page import Page
from graphs.document.state import Adjustment, Kind

NOTHING = Decimal(0)


class Totals(NamedTuple):
    """The sums of a page, and every amount that is called its total."""

    subtotal: Decimal | None
    tax: Decimal | None
    tax_included: bool
    total: Decimal | None
    paid: Decimal | None
    due: Decimal | None
    adjustments: list[Adjustment]
    stated: list[Decimal]


def extract_totals(page: Page, kind: Kind, items: Items, items_sum: Decimal) -> Totals:
    """Return the sums outside the lines of the items.

    Of contradicting totals the one that fits the other sums is taken, else the last; `stated` has all.
    """
    found = _as_subtotal(_with_tax(mentions(page, items)))
    subtotal = next((m.value for m in found if m.concept == "subtotal"), None)
    if subtotal is None and kind != "contract":
        subtotal = _unnamed_subtotal(found, items_sum)
    tax, included = _tax(found)
    paid = sum((m.value for m in found if m.concept == "paid"), NOTHING) if kind == "invoice" else NOTHING
    due = next((m.value for m in reversed(found) if m.concept == "due"), None)
    adjustments = list(_adjustments(found)) if kind != "contract" else []
    stated = _stated(found, kind, paid)
    base = (items_sum if subtotal is None else subtotal) + (NOTHING if included else tax or NOTHING)
    expected = base + sum((Decimal(one["amount"]) for one in adjustments), NOTHING)
    total = _chosen(stated, expected)
    if total is None:
        total = _unnamed_total(found, kind, expected)
    elif total != expected and kind != "contract":
        adjustments += _unnamed_addition(found, total, total - expected)
    return Totals(subtotal, tax, included, total, paid or None, due if paid else None, adjustments, stated)


def _unnamed_subtotal(found: Sequence[Mention], items_sum: Decimal) -> Decimal | None:
    """Return the sum of the items if the page states it before its tax, whatever it calls it."""
    taxes = [m.line for m in found if m.concept == "tax"]
    stated = [m for m in found if m.concept in {"none", "fee"} and m.label and m.value == items_sum != 0]
    return items_sum if taxes and any(m.line < taxes[0] for m in stated) else None


def _unnamed_total(found: Sequence[Mention], kind: Kind, expected: Decimal) -> Decimal | None:
    """Return the last amount that is what the total should be; of a contract else the greatest fee."""
    fits = [m.value for m in found if m.concept in {"none", "fee"} and m.value == expected != 0]
    fees = [m.value for m in found if m.concept == "fee"] if kind == "contract" else []
    return fits[-1] if fits else max(fees, default=None)


def _unnamed_addition(found: Sequence[Mention], total: Decimal, gap: Decimal) -> Iterator[Adjustment]:
    """Return the one amount above the total that is just what the sums lack, and what the page calls it."""
    totals = [m.line for m in found if m.value == total and m.concept in {"total", "due", "paid_total"}]
    above = [m for m in found if m.concept == "none" and m.label and m.line < max(totals, default=0)]
    fits = [m for m in above if abs(m.value) == abs(gap)]
    if len(fits) == 1:
        yield {"label": fits[0].label.casefold(), "amount": written(gap) or "0"}


def _with_tax(found: list[Mention]) -> list[Mention]:
    """Read `including tax: 119.00` as a total, `including tax: 19.00` as the tax that a total contains."""
    sums = [m.value / 2 for m in found if m.concept in {"subtotal", "total", "due"}]
    taxes = [m.value for m in found if m.concept == "tax"]
    least = max([*sums, *taxes], default=None)
    if least is None:
        return found
    return [
        m._replace(concept="total") if m.concept == "tax_included" and m.value > least else m for m in found
    ]


def _as_subtotal(mentions: list[Mention]) -> list[Mention]:
    """Read a total before the tax, with another after it, as the subtotal that is stated nowhere else."""
    mentions = _as_total(mentions)
    taxes = [m.line for m in mentions if m.concept == "tax"]
    totals = [m for m in mentions if m.concept in {"total", "due"}]
    if not taxes or any(m.concept == "subtotal" for m in mentions):
        return mentions
    early = [m for m in totals if m.concept == "total" and m.line < taxes[0]]
    if not early or all(m.line < taxes[-1] for m in totals):
        return mentions
    return [m._replace(concept="subtotal") if m is early[-1] else m for m in mentions]


def _as_total(mentions: list[Mention]) -> list[Mention]:
    """Read a net total after the tax, or without any tax, as the total that is stated nowhere after it."""
    taxes = [m.line for m in mentions if m.concept == "tax"]
    sums = [m for m in mentions if m.concept in {"total", "due", "subtotal"}]
    late = [m for m in sums if m.line > taxes[0]] if taxes else sums[-1:]
    if not late or any(m.concept != "subtotal" for m in late) or late[-1].value < max(m.value for m in sums):
        return mentions
    return [m._replace(concept="total") if any(m is one for one in late) else m for m in mentions]


def _tax(mentions: Sequence[Mention]) -> tuple[Decimal | None, bool]:
    """Add the taxes up, each label once, unless one of them is the sum of the others."""
    for concept in ("tax", "tax_included"):
        taxes = {(m.label.casefold(), m.value) for m in mentions if m.concept == concept}
        values = [value for _, value in taxes]
        if values:
            whole = next((value for value in values if len(values) > 2 and value * 2 == sum(values)), None)  # noqa: PLR2004 (two parts)
            return (sum(set(values), NOTHING) if whole is None else whole), concept == "tax_included"
    return None, False


def _adjustments(mentions: Sequence[Mention]) -> Iterator[Adjustment]:
    for mention in mentions:
        if mention.concept in {"deducted", "added"} and mention.value:
            value = -abs(mention.value) if mention.concept == "deducted" else mention.value
            yield {"label": mention.label.strip().casefold(), "amount": written(value) or "0"}


def _stated(mentions: Sequence[Mention], kind: Kind, paid: Decimal) -> list[Decimal]:
    """Return each different amount that is called the total, in order."""
    concepts = {"invoice": {"total", "due"}, "receipt": {"total", "due", "paid_total"}}.get(kind, {"total"})
    found = [m for m in mentions if m.concept in concepts]
    found = [m for m in found if not m.shared] or found
    values = [m.value + (paid if m.concept == "due" else 0) for m in found]
    rounding = [m.value for m in mentions if m.concept == "added" and m.label.casefold().startswith("round")]
    unrounded = {value - step for value in values for step in rounding if step}
    return [value for value in dict.fromkeys(values) if value not in unrounded]


def _chosen(stated: Sequence[Decimal], expected: Decimal) -> Decimal | None:
    return next((value for value in stated if value == expected), stated[-1] if stated else None)
