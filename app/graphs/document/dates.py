"""Calendar dates in a text, in any usual form, scanned or not, as `datetime.date`."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from graphs.document.normalise import skeleton

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTH_OF = {
    skeleton(name): index
    for index, full in enumerate(_MONTHS, 1)
    for name in (full, full[:3], *(("sept",) if full == "september" else ()))
}
_DAY_LETTERS = str.maketrans("OolI|SsB", "00111558")
_DAY = r"(?P<d>[\dOolI|SB]{1,2})(?: ?(?:st|nd|rd|th))?"
_MONTH = r"(?P<m>[A-Za-z0158|]{3,9})"
_YEAR = r"(?P<y>(?:[12lI|][\dOolI|SB]{3}|'\d\d))"
_SEPARATOR = r"[ .,/-]{1,3}"
_NAMED = (
    rf"\b{_DAY}(?: day)?(?: of)?{_SEPARATOR}{_MONTH}{_SEPARATOR}{_YEAR}(?!\w)",
    rf"\b{_MONTH}{_SEPARATOR}(?:the )?{_DAY}{_SEPARATOR}{_YEAR}(?!\w)",
)
_NAMED_PATTERNS = tuple(map(re.compile, _NAMED))
_ISO = re.compile(
    r"(?<![\d.,/-])(?P<y>\d{4}) ?(?P<s>[-/.]) ?(?P<m>\d{1,2}) ?(?P=s) ?(?P<d>\d{1,2})(?![\d]|[./-]\d)"
)
_NUMERIC = re.compile(
    r"(?<![\d.,/-])(?P<a>\d{1,2}) ?(?P<s>[-/.]) ?(?P<b>\d{1,2}) ?(?P=s) ?(?P<y>\d{4}|\d{2})(?![\d]|[./-]\d)"
)
_LAST_MONTH, _LAST_DAY = 12, 31
_CENTURY, _SHORT_YEAR = 2000, 100


class Day(NamedTuple):
    """A date in a text and where it stands; `value` is None where there is no such day."""

    value: date | None
    start: int
    end: int


class _Numeric(NamedTuple):
    """Two numbers whose order is not known yet, and a year."""

    first: int
    second: int
    year: int
    dotted: bool
    start: int
    end: int


def days(text: str, *, month_first: bool) -> list[Day]:
    """Return the dates of an unconfused text in their order.

    `month_first` decides what `03/04/2025` means, unless another date of the text (`03/14/2025`) shows it.
    Dates with dots are always day first.
    """
    numeric = list(_numeric(text))
    month_first = _order(numeric, default=month_first)
    found = [*_iso(text), *_named(text), *(_resolved(one, month_first=month_first) for one in numeric)]
    return _without_overlaps(sorted(found, key=lambda day: (day.start, -day.end)))


def parse_date(text: str) -> date | None:
    """Return the only date of a text, as a person or a model may hand it in; None without exactly one."""
    found = [day.value for day in days(text, month_first=False)]
    return found[0] if len(found) == 1 else None


def day_of(text: str | None) -> date | None:
    """Return the date of an ISO 8601 text; None for anything else."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _without_overlaps(found: Iterable[Day]) -> list[Day]:
    kept: list[Day] = []
    for day in found:
        if not kept or day.start >= kept[-1].end:
            kept.append(day)
    return kept


def _iso(text: str) -> Iterator[Day]:
    for match in _ISO.finditer(text):
        yield Day(_day(int(match["y"]), int(match["m"]), int(match["d"])), match.start(), match.end())


def _named(text: str) -> Iterator[Day]:
    for pattern in _NAMED_PATTERNS:
        for match in pattern.finditer(text):
            month = _MONTH_OF.get(skeleton(match["m"]))
            number = match["d"].translate(_DAY_LETTERS)
            if month and number.isdigit():
                year = match["y"].translate(_DAY_LETTERS).removeprefix("'")
                yield Day(_day(_full(int(year)), month, int(number)), match.start(), match.end())


def _numeric(text: str) -> Iterator[_Numeric]:
    for match in _NUMERIC.finditer(text):
        year = _full(int(match["y"]))
        dotted = match["s"] == "."
        yield _Numeric(int(match["a"]), int(match["b"]), year, dotted, match.start(), match.end())


def _order(numeric: list[_Numeric], *, default: bool) -> bool:
    """Tell whether months come first, by the dates that can be read in one order only."""
    plain = [one for one in numeric if not one.dotted]
    shows_month_first = sum(one.first <= _LAST_MONTH < one.second <= _LAST_DAY for one in plain)
    shows_day_first = sum(one.second <= _LAST_MONTH < one.first <= _LAST_DAY for one in plain)
    return default if shows_month_first == shows_day_first else shows_month_first > shows_day_first


def _resolved(one: _Numeric, *, month_first: bool) -> Day:
    """Read the date in the document's order, else in the only order that gives a day."""
    month, day = (one.first, one.second) if month_first and not one.dotted else (one.second, one.first)
    value = _day(one.year, month, day) or _day(one.year, day, month)
    return Day(value, one.start, one.end)


def _full(year: int) -> int:
    return year + _CENTURY if year < _SHORT_YEAR else year


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
