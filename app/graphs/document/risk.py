"""How much depends on a mistake in a document: a score with its reasons."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from graphs.document.dates import day_of
from graphs.document.numerals import exact
from graphs.document.state import Fields, Issue, Kind, Risk

THRESHOLDS = {"USD": Decimal(10_000), "EUR": Decimal(10_000), "GBP": Decimal(8_000)}
"""The highest total of each currency that is approved without a human, tax included. About the same value in
each; a document in any other currency has no threshold and always goes to a human."""

REVIEW_SCORE = 40
"""From this score on a human decides, even below the threshold."""

MOST = 100
"""The highest score."""

POST_DATED = timedelta(days=31)
"""How far in the future a date of issue is believed."""

LATEST_START = timedelta(days=2 * 365)
"""How far in the future a contract may begin."""

LONGEST_TERM = timedelta(days=10 * 366)
"""How long a contract usually lasts at most."""

LONGEST_CREDIT = timedelta(days=180)
"""How long after its issue an invoice is usually due at the latest."""

HIGHEST_TAX = Decimal("0.30")
"""The highest usual share of tax in a subtotal."""


class Concern(NamedTuple):
    """One reason and its weight in points."""

    points: int
    reason: str


def assess(
    kind: Kind, fields: Fields, issues: Sequence[Issue], today: date, more: Sequence[Concern] = ()
) -> Risk:
    """Return the risk on the day `today`. `more` are concerns from elsewhere; they only raise the score."""
    value = _value(fields)
    concerns = [*_of_issues(issues), *_of_dates(kind, fields, today), *_of_fields(kind, fields), *more]
    concerns += [value] if value else []
    ranked = sorted(concerns, key=lambda concern: -concern.points)
    return {
        "score": min(MOST, sum(concern.points for concern in ranked)),
        "reasons": [concern.reason for concern in ranked],
        "above_threshold": value is not None,
    }


def _value(fields: Fields) -> Concern | None:
    total, currency = exact(fields["total"]), fields["currency"]
    if total is None or currency is None:
        return Concern(30, "The value of the document is not known.")
    threshold = THRESHOLDS.get(currency)
    if threshold is None:
        return Concern(40, f"No threshold is set for {currency}.")
    if total <= threshold:
        return None
    return Concern(50, f"The total {total} {currency} is above the threshold of {threshold}.")


def _of_issues(issues: Sequence[Issue]) -> Iterator[Concern]:
    missing = [issue for issue in issues if issue["code"] == "missing"]
    wrong = [issue for issue in issues if issue["code"] != "missing"]
    if wrong:
        yield Concern(40 + 5 * (len(wrong) - 1), f"{len(wrong)} inconsistencies: {wrong[0]['message']}")
    for issue in missing:
        yield Concern(20 if issue["field"] in {"seller", "buyer", "parties"} else 10, issue["message"])


def _of_dates(kind: Kind, fields: Fields, today: date) -> Iterator[Concern]:
    issue, due = day_of(fields["issue_date"]), day_of(fields["due_date"])
    start, end = day_of(fields["start_date"]), day_of(fields["end_date"])
    if issue and issue > today + POST_DATED:
        yield Concern(40, f"It is dated far in the future: {issue}.")
    if start and start > today + LATEST_START:
        yield Concern(40, f"It begins far in the future: {start}.")
    if start and end and end - start > LONGEST_TERM:
        yield Concern(25, f"It lasts until {end}, unusually long.")
    if issue and due and due - issue > LONGEST_CREDIT:
        yield Concern(20, f"It is due on {due}, unusually late.")
    if kind == "invoice" and due is None:
        yield Concern(5, "It names no due date.")


def _of_fields(kind: Kind, fields: Fields) -> Iterator[Concern]:
    subtotal, tax = exact(fields["subtotal"]), exact(fields["tax"])
    if subtotal and tax and tax > subtotal * HIGHEST_TAX:
        yield Concern(20, f"The tax {tax} is unusually high for {subtotal}.")
    if kind == "contract" and fields["end_date"] is None:
        yield Concern(10, "The contract names no end.")
