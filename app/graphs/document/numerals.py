"""Numbers and money in a text: `1,234.56`, `1.234,56`, `1 234,56`, `$`, `EUR`, scanned or not; no floats."""

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

CURRENCIES = {
    "$": "USD", "US$": "USD", "USD": "USD", "€": "EUR", "EUR": "EUR", "£": "GBP", "GBP": "GBP",
    "CHF": "CHF", "C$": "CAD", "CAD": "CAD", "A$": "AUD", "AUD": "AUD", "¥": "JPY", "JPY": "JPY",
    "SEK": "SEK", "NOK": "NOK", "DKK": "DKK", "PLN": "PLN", "INR": "INR", "RM": "MYR", "MYR": "MYR",
    "DOLLARS": "USD", "EUROS": "EUR", "EURO": "EUR", "POUNDS STERLING": "GBP", "POUNDS": "GBP",
}  # fmt: skip
"""Signs, ISO 4217 codes and English names of the currencies that are recognised."""

_MARK = "|".join(sorted((re.escape(mark) for mark in CURRENCIES), key=len, reverse=True))
_MARK_ALONE = re.compile(rf"(?<![A-Za-z])(?:{_MARK})(?![A-Za-z])", re.IGNORECASE)
_CODE_SKELETONS = {code: re.compile(pattern) for code, pattern in {
    "USD": r"(?<![A-Z0-9])U[S5]D(?![A-Z0-9])", "GBP": r"(?<![A-Z0-9])G[B8]P(?![A-Z0-9])",
}.items()}  # fmt: skip

_CONFUSED = str.maketrans("OoQlI|!SsBZ", "00011115582")
_TOKEN = re.compile(r"(?<![^\W\d_oOlISsBZQ])[\dOoQlI|!SsBZ][\dOoQlI|!SsBZ.,'/-]*(?![^\W_])")
_ALONE_BEFORE = re.compile(r"(?:\n|\s{2}|[|:@*]\s?)$")
_HAS_CENTS = re.compile(r"[\w.,']*\w ?[.,] ?\w\w\b")
_ALONE_AFTER = re.compile(r"\s{2}|\s*(?:$|\||\*)|\s[xX@]\s")
_NUMBER_AHEAD = r"(?=\s?(?:[A-Za-z]{2,3}\$?\s?)?[$€£]?\s?\d)"
_TIMES = re.compile(
    rf"(?<=\d) [xX*]{_NUMBER_AHEAD}|(?<=\d)[xX*](?=\s|[$€£]|\d+[.,]\d\d(?!\d))|(?<=\s)[xX*]{_NUMBER_AHEAD}"
)
"""`2 x 12.50`, `2x12.50`, `x 2`; but not `60x50`, which is a size."""


class Style(NamedTuple):
    """How a document writes numbers: the decimal point, and the characters that may group thousands."""

    point: str
    groups: str


class Numeral(NamedTuple):
    """A number in a text and where it stands, its currency marks included."""

    value: Decimal
    start: int
    end: int
    currency: str | None
    is_percentage: bool
    places: int
    """Digits after the decimal point."""

    @property
    def is_money(self) -> bool:
        """Whether it is written as an amount of money: with a currency, or with cents."""
        return not self.is_percentage and (self.currency is not None or self.places == 2)  # noqa: PLR2004 (cents)


def unconfuse(text: str) -> str:
    """Return the text, as long as before, with letters inside numbers read as the digits they look like.

    A token counts as a number when most of it is digits; as many letters as digits are accepted only in a
    token with a separator, or alone in its column.
    """
    text = _TOKEN.sub(lambda match: _read_token(match, text), text)
    return _TIMES.sub(lambda match: "*".rjust(len(match.group())), text)


def _read_token(match: re.Match[str], text: str) -> str:
    token = match.group()
    digits = sum(char.isdigit() for char in token)
    letters = sum(char.isalpha() or char in "|!" for char in token)
    tied = letters == digits and (_HAS_CENTS.match(text, match.start()) or _is_alone(match, text))
    return token.translate(_CONFUSED) if digits and (digits > letters or tied) else token


def _is_alone(match: re.Match[str], text: str) -> bool:
    before = text[max(0, match.start() - 3) : match.start()] if match.start() else "\n"
    return bool(_ALONE_BEFORE.search(before) and _ALONE_AFTER.match(text, match.end()))


def style_of(text: str) -> Style:
    """Infer how an unconfused text, its dates blanked out, writes numbers; `1,234.56` if in doubt."""
    votes = Counter[str]()
    for match in re.finditer(r"\d ?([.,]) ?(\d+)(?! ?[.,]?\d)", text):
        separator, digits = match.groups()
        votes[separator] += 2 if len(digits) == 2 else 0  # noqa: PLR2004 (cents)
        votes["," if separator == "." else "."] += len(digits) == 3  # noqa: PLR2004 (thousands)
    point = "," if votes[","] > votes["."] else "."
    other = "." if point == "," else ","
    spaced = re.search(rf"(?<!\d)\d{{1,3}}(?: \d{{3}})+{re.escape(point)}\d\d(?!\d)", text)
    grouped = re.search(rf"\d{re.escape(other)}\d{{3}}(?!\d)", text)
    return Style(point, f"{other}'" if grouped or not spaced else " '")


def numerals(text: str, style: Style) -> Iterator[Numeral]:
    """Find the numbers of an unconfused text that stand alone: no part of a code, a time or a word."""
    for match in _pattern(style).finditer(text):
        digits = re.sub(r"\D", "", match["whole"])
        fraction = re.sub(r"\D", "", match["fraction"] or "")
        negative = bool(match["minus"] or match["sign"] or match["after"]) or _in_brackets(match, text)
        value = Decimal(f"{'-' if negative else ''}{digits}.{fraction or 0}")
        mark = match["before"] or match["behind"]
        currency = CURRENCIES[re.sub(r"\s+", " ", mark.upper())] if mark else None
        yield Numeral(value, match.start(), match.end(), currency, bool(match["percent"]), len(fraction))


def _in_brackets(match: re.Match[str], text: str) -> bool:
    """Tell whether this is an accountant's negative: in brackets, in a column, not within a sentence."""
    if not (match["open"] and match["close"]) or match["percent"]:
        return False
    before = text[max(0, match.start() - 2) : match.start()]
    return not before.strip() or before.strip() in "|:"


@lru_cache(maxsize=16)
def _pattern(style: Style) -> re.Pattern[str]:
    group = rf"(?: ?[{re.escape(style.groups.strip())}] ?)" if " " not in style.groups else "[ ']"
    point = re.escape(style.point)
    fraction = rf"(?:{point}\d{{1,6}}| {point}\d\d(?!\d)|{point} \d\d(?!\d))"
    units = r"(?:h|hrs?|hours?|pcs?|kg|g|l|m|ea|d|days?|st|u|x)\b"
    return re.compile(
        rf"(?<![\w/#.,+-])(?<!\d:)(?P<open>\()?(?P<minus>-)?(?:(?P<before>{_MARK})\s{{0,2}})?"
        rf"(?:{_MARK}\s?)?(?P<sign>-)?"
        rf"(?<!\d)(?P<whole>\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d{{1,12}})(?P<fraction>{fraction})?"
        rf"(?P<after>-(?!\w))?(?P<percent>\s?(?:%|per ?cent\b))?"
        rf"(?:\s?(?P<behind>{_MARK})(?![A-Za-z]))?(?P<close>\s?\))?"
        rf"(?:(?={units})|(?![\w#]|/\d|:\d|[.,-]\w))",
        re.IGNORECASE,
    )


def currencies(text: str) -> Counter[str]:
    """Count the currencies that a text names, next to an amount or not."""
    counts = Counter(CURRENCIES[mark.upper()] for mark in _MARK_ALONE.findall(text))
    for code, pattern in _CODE_SKELETONS.items():
        counts[code] += len(pattern.findall(text)) - len(
            re.findall(rf"(?<![A-Z0-9]){code}(?![A-Z0-9])", text)
        )
    return +counts


def parse_number(text: str) -> Decimal | None:
    """Read one number written in any known way, as a person or a model may hand it in; None if it is none."""
    plain = unconfuse(text.strip())
    found = list(numerals(plain, style_of(plain)))
    return found[0].value if len(found) == 1 and _covers(found[0], plain) else None


def _covers(numeral: Numeral, text: str) -> bool:
    return not text[: numeral.start].strip() and not text[numeral.end :].strip()


def exact(text: str | None) -> Decimal | None:
    """Read a number of the state, which is written by `written`; None stays None."""
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None


def written(value: Decimal | None) -> str | None:
    """Write a number for the state: plain digits, no exponent, no trailing zeros."""
    if value is None:
        return None
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
