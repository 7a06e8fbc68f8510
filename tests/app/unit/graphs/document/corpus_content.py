"""What a document of the corpus says, before anybody lays it out: the labels of the corpus.

Knows nothing of the extractor. Amounts are exact; an inconsistent document has one deliberate fault,
and its labels are what is printed, faults included.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Item:
    description: str
    quantity: Decimal | None
    unit_price: Decimal | None
    amount: Decimal


@dataclass(frozen=True)
class Content:
    """One document's facts. `claimed_total` is a second, contradicting statement of the total."""

    kind: str
    seller: str
    buyer: str | None
    issue: date | None
    due: date | None
    start: date | None
    end: date | None
    currency: str
    items: tuple[Item, ...]
    subtotal: Decimal | None
    tax_rate: Decimal
    tax: Decimal | None
    total: Decimal
    claimed_total: Decimal | None = None
    fault: str | None = None
    number: str = ""
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Vocabulary:
    """The words of one split; the splits share none."""

    companies: tuple[str, ...]
    shops: tuple[str, ...]
    wares: tuple[str, ...]
    groceries: tuple[str, ...]
    services: tuple[str, ...]
    phases: tuple[str, ...]


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def _price(rng: random.Random, low: int, high: int) -> Decimal:
    return Decimal(rng.randrange(low * 100, high * 100, 5)) / 100


def _items(rng: random.Random, words: tuple[str, ...], low: int, high: int, scale: int) -> tuple[Item, ...]:
    chosen = rng.sample(words, rng.randint(low, high))
    rows = []
    for description in chosen:
        quantity, price = Decimal(rng.randint(1, 12)), _price(rng, 2, scale)
        rows.append(Item(description, quantity, price, cents(quantity * price)))
    return tuple(rows)


def _totals(items: tuple[Item, ...], rate: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    subtotal = sum((item.amount for item in items), Decimal(0))
    tax = cents(subtotal * rate / 100)
    return subtotal, tax, subtotal + tax


RATES = {"USD": ("8.25", "6", "7.5"), "EUR": ("19", "20", "21"), "GBP": ("20", "20", "5")}


def invoice(rng: random.Random, words: Vocabulary, currency: str, scale: int = 90) -> Content:
    seller, buyer = rng.sample(words.companies, 2)
    rate = Decimal(rng.choice(RATES[currency]))
    vocabulary = words.wares if rng.random() < 0.5 else words.services
    items = _items(rng, vocabulary, 2, 5, scale)
    issue = date(2024, 1, 3) + timedelta(days=rng.randrange(600))
    subtotal, tax, total = _totals(items, rate)
    due = issue + timedelta(days=rng.choice((14, 21, 30, 45)))
    number = f"{rng.choice('ABCDEFGHK')}{rng.randrange(1000, 9999)}/{issue.year % 100}"
    return Content(
        "invoice",
        seller,
        buyer,
        issue,
        due,
        None,
        None,
        currency,
        items,
        subtotal,
        rate,
        tax,
        total,
        number=number,
    )


def receipt(rng: random.Random, words: Vocabulary, currency: str, scale: int = 14) -> Content:
    rate = Decimal(rng.choice(RATES[currency]))
    items = _items(rng, words.groceries, 2, 6, scale)
    subtotal, tax, total = _totals(items, rate)
    issue = date(2024, 1, 3) + timedelta(days=rng.randrange(600))
    return Content("receipt", rng.choice(words.shops), None, issue, None, None, None, currency, items,
                   subtotal, rate, tax, total, number=str(rng.randrange(10000, 99999)))  # fmt: skip


def contract(rng: random.Random, words: Vocabulary, currency: str, scale: int = 20) -> Content:
    first, second = rng.sample(words.companies, 2)
    phases = rng.sample(words.phases, rng.randint(2, 4))
    items = tuple(Item(phase, None, None, Decimal(rng.randrange(3, scale) * 100)) for phase in phases)
    start = date(2024, 2, 1) + timedelta(days=rng.randrange(500))
    end = start + timedelta(days=rng.choice((180, 365, 730)))
    total = sum((item.amount for item in items), Decimal(0))
    number = f"{rng.randrange(100, 999)}-{start.year}"
    return Content(
        "contract",
        first,
        second,
        None,
        None,
        start,
        end,
        currency,
        items,
        None,
        Decimal(0),
        None,
        total,
        number=number,
    )


MAKERS: dict[str, Callable[..., Content]] = {"invoice": invoice, "receipt": receipt, "contract": contract}


def spoil(content: Content, fault: str, rng: random.Random) -> Content:
    """Return the document with one fault; everything that follows from the faulty value follows it."""
    off = Decimal(rng.choice((900, 1000, 1800, 10000, -300))) / 100
    if fault == "line":
        return _spoil_line(content, abs(off))
    if fault == "subtotal":
        subtotal = (content.subtotal or Decimal(0)) + abs(off)
        tax = cents(subtotal * content.tax_rate / 100)
        return replace(content, subtotal=subtotal, tax=tax, total=subtotal + tax, fault=fault)
    if fault == "total":
        return replace(content, total=content.total + abs(off), fault=fault)
    if fault == "claim":
        return replace(content, claimed_total=content.total + abs(off), fault=fault)
    return _spoil_dates(content)


def _spoil_line(content: Content, off: Decimal) -> Content:
    """One row's amount is wrong and the sums follow it."""
    first, *rest = content.items
    items = (replace(first, amount=first.amount + off), *rest)
    subtotal, tax, total = _totals(items, content.tax_rate)
    if content.kind == "contract":
        return replace(content, items=items, fault="line")
    return replace(content, items=items, subtotal=subtotal, tax=tax, total=total, fault="line")


def _spoil_dates(content: Content) -> Content:
    if content.kind == "contract" and content.start:
        return replace(content, end=content.start - timedelta(days=40), fault="dates")
    if content.issue:
        return replace(content, due=content.issue - timedelta(days=20), fault="dates")
    raise AssertionError(content.kind)


def plain(value: Decimal) -> str:
    """Write a number without exponent and without trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def labels(content: Content) -> dict[str, object]:
    """Return what an extraction is measured against."""
    dates = {"issue": content.issue, "due": content.due, "start": content.start, "end": content.end}
    names = [("seller", content.seller), ("buyer", content.buyer)]
    roles = [("party", name) if content.kind == "contract" else (role, name) for role, name in names if name]
    return {
        "document_type": content.kind,
        "parties": [{"role": role, "name": name} for role, name in roles],
        "dates": {kind: day.isoformat() for kind, day in dates.items() if day},
        "currency": content.currency,
        "line_items": [_row(item) for item in content.items],
        "totals": {
            name: plain(value)
            for name, value in (
                ("subtotal", content.subtotal),
                ("tax", content.tax),
                ("total", content.total),
            )
            if value is not None
        },
    }


def _row(item: Item) -> dict[str, str | None]:
    return {
        "description": item.description,
        "quantity": None if item.quantity is None else plain(item.quantity),
        "unit_price": None if item.unit_price is None else plain(item.unit_price),
        "amount": plain(item.amount),
    }
