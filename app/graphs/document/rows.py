"""One line item: what it is made of, and how its parts are told apart."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from graphs.document.lexicon import Hit
from graphs.document.normalise import words
from graphs.document.numerals import Numeral, exact, written
from graphs.document.page import Line
from graphs.document.state import LineItem
from graphs.document.vocabulary import AMOUNTS

LONGEST_ITEM = 8
"""Words in the longest description that is found within a sentence."""

SENTENCE = 75
"""A line this long is running text."""

_UNITS = """
    h hr hrs hour hours day days week weeks month months pc pcs piece pieces unit units ea each item items
    no nos st x kg g lb lbs l m m2 km box boxes pack packs set sets bottle bottles roll rolls seat seats
    licence licences license licenses"""
UNITS = frozenset(_UNITS.split())
"""Words that count; they belong to a quantity, not to a description."""

UNIT = r"(?:" + "|".join(sorted(UNITS, key=len, reverse=True)) + r")\b\.?"
"""The pattern of one of `UNITS`."""

_BULLET = re.compile(
    r"^(?:[\s\-*:;,.|)(]+|\d{1,2}(?:\.\d{1,2})+\s+(?=[A-Z])|(?:item|line|pos(?:ition)?|no\.?)?\s*#?\d{1,3}\s*[.):]\s+|\(?[a-z]{1,3}\)\s+|[a-z]\.\s+|"
    r"and\s+|(?:item|line|position)\s+\d{1,3}\s+)+",
    re.IGNORECASE,
)
_LEADING_UNIT = re.compile(rf"^(?:{UNIT}\s*(?:of\s+|x\s+|\*\s*)?|(?i:{UNIT})\s+of\s+|of\s+|[xX*@]\s+)+")
"""A unit with a capital belongs to a name, `Day pass`, unless it is a unit `of` something."""

_CONNECTING = re.compile(r"(?:^|\s)(?:at|for|a|x|of|is|are|->)$", re.IGNORECASE)
_INTRODUCTION = re.compile(
    r"^.{0,120}\b(?:deliver(?:s|ed)?|suppl(?:y|ies|ied)|provide[sd]?|sells?|sold|rendered|completed|performed|"
    r"carried out|charged?|bill(?:ed)?|invoiced?|covers|covering|includ(?:es|ing)|compris(?:es|ing)|namely|"
    r"for|into|following|being)\b\s+(?=\S)",
    re.IGNORECASE,
)
_TOTALLED = {"fee": "total", "tender": "paid_total", "paid": "paid_total"}
"""What "total" makes of the noun after it."""

_NEAR = 25
"""Characters in which "total" and its noun may stand apart."""

_CENT = Decimal("0.01")
_TAX_CODE = re.compile(r"(?<=\d)\s+[A-Z]{1,2}\*?$")
_PLAIN_SUMS = frozenset({"subtotal", "tax", "tax_included", "total", "due", "paid_total"})
SUMS = frozenset(
    {"subtotal", "tax", "tax_included", "total", "due", "paid_total", "paid", "tender", "deducted", "added"}
)


@dataclass(frozen=True)
class Row:
    """A line item and the lines it was read from."""

    description: str
    quantity: Decimal | None
    price: Decimal | None
    amount: Decimal | None
    lines: frozenset[int]
    amounts: frozenset[tuple[int, int]] = frozenset()
    """Line and place of the amounts that an item in a sentence was read from."""

    def as_item(self) -> LineItem:
        """Return the row as the state holds it."""
        return {
            "description": self.description,
            "quantity": written(self.quantity),
            "unit_price": written(self.price),
            "amount": written(self.amount),
        }


def is_product(item: LineItem) -> bool:
    """Tell whether an item's amount is its quantity times its price."""
    quantity, price, amount = (exact(item[name]) for name in ("quantity", "unit_price", "amount"))
    if quantity is None or price is None or amount is None:
        return False
    return abs(quantity * price - amount) < _CENT


def describe(text: str) -> str:
    """Return a description without bullets and the connecting words around it."""
    text = re.sub(r"\s*\|\s*|\s{2,}", " ", text).strip()
    text = _BULLET.sub("", text)
    shorter = ""
    while text != shorter:
        text, shorter = _CONNECTING.sub("", text.rstrip(" -:;,=@*|(/")), text
    return text.strip(" \"'")


def describe_counted(text: str) -> str:
    """Return a description that stood beside a quantity, without its unit: `hours of training`."""
    return describe(_LEADING_UNIT.sub("", describe(text)))


def introduced(text: str) -> str:
    """Drop the introduction of a list in a sentence: `broken down into Design` is Design.

    A list's first item begins with the first capital, where there is one.
    """
    text = _INTRODUCTION.sub("", text)
    capital = re.search(r"(?<=\s)[^\W\d_a-z]", text)
    return text[capital.start() :] if capital and text[:1].islower() else text


def is_sum(line: Line) -> bool:
    """Tell whether a line states a sum, a tax or a payment instead of an item."""
    amounts = [numeral for numeral in line.numerals if not numeral.is_percentage]
    if not amounts:
        return False
    labels = (sum_label(line.before_amount(amount.start)) for amount in amounts if amount.is_money)
    hit = sum_label(line.text[: amounts[-1].start]) or next(filter(None, labels), None)
    return bool(hit and hit.concept in SUMS and (len(amounts) < 3 or hit.concept != "added"))  # noqa: PLR2004 (q, p, a)


def named_amount(text: str) -> Hit | None:
    """Return what the words before an amount name.

    A `total ... fee`, whatever stands between, is a total, and `total paid by card` no mere payment;
    `VAT of 20 % comes to` is what its subject is.
    """
    hit = AMOUNTS.last(text)
    if hit is not None and hit.concept == "makes":
        clause = text[: hit.start].rfind(",") + 1
        subject = AMOUNTS.last(" " * clause + text[clause : hit.start])
        return subject or Hit("total", hit.start, hit.end)
    if hit is None or hit.concept not in _TOTALLED:
        return hit
    start = max(0, hit.start - _NEAR)
    every = [one for one in AMOUNTS.every(text[start : hit.end]) if one.concept in {"total", "paid_total"}]
    return Hit(_TOTALLED[hit.concept], start + every[-1].start, hit.end) if every else hit


def _ends_in_total(text: str) -> bool:
    """Tell whether a label's last word is "total": `Parts and labour total`."""
    return bool(re.search(r"\btotal\W*$", text, re.IGNORECASE))


def sum_label(text: str) -> Hit | None:
    """Return the meaning of a label that says little else than a sum, or nothing else than a payment."""
    hit = named_amount(text)
    if hit is None or _ends_in_total(text):
        return hit
    hits = [hit] if hit.concept in _PLAIN_SUMS else AMOUNTS.every(text)
    covered = sum(len(word.key) for one in hits for word in words(text[one.start : one.end]))
    every = sum(len(word.key) for word in words(text))
    return hit if (covered * 2 >= every if hit.concept in _PLAIN_SUMS else covered == every) else None


def tail(line: Line) -> Sequence[Numeral]:
    """Return the numbers at the end of a line, after its last word that is no unit."""
    text = _TAX_CODE.sub("", line.plain)
    for numeral in line.numerals:
        text = text[: numeral.start] + " " * (numeral.end - numeral.start) + text[numeral.end :]
    others = [m.end() for m in re.finditer(r"[^\W\d_]+", text) if m.group().casefold() not in UNITS]
    end = max(others, default=0)
    return [numeral for numeral in line.numerals if numeral.start >= end]
