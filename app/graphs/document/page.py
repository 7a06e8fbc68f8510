"""A document as lines and columns, with its dates and numbers found once."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from graphs.document.dates import Day, days
from graphs.document.normalise import clean
from graphs.document.numerals import Numeral, Style, currencies, numerals, style_of, unconfuse

_CELL = re.compile(r"(?:[^\s|]|[ ](?![ |]))+")
_LEADER = re.compile(r"\s*(?:\.\s?){3,}\s*|_{3,}")
_BULLET = re.compile(
    r"^\s*\d{1,2}(?:\.\d{1,2}){1,3}\s+(?=[A-Z])|^\s*\(?\d{1,3}(?:\.\d{1,2}){0,3}[.)]\s+(?=[\"'(]?[^\W\d_])|^\s*\(\d{1,2}\)\s"
)
_ABBREVIATED = re.compile(
    r"\b(?:excl|incl|inc|ltd|no|nos|co|corp|approx|amt|qty|tel|ref|st|mr|ms|dr)\.$", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.;!?]\s+(?=[\w(\"'])")


class Cell(NamedTuple):
    """Text of one column of one line, and where it stands in the line."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Line:
    """One line: as written, with its numbers made readable (same length), and what stands in it."""

    index: int
    text: str
    plain: str
    days: Sequence[Day]
    numerals: Sequence[Numeral]
    opens_block: bool = False
    """Whether a blank line stands before it, which in a scan may mean nothing."""

    @cached_property
    def cells(self) -> Sequence[Cell]:
        """The columns: what is two spaces, a bar or a row of dots apart."""
        return [
            Cell(m.group().strip(), m.start(), m.end())
            for m in _CELL.finditer(self.text)
            if m.group().strip()
        ]

    @cached_property
    def amounts(self) -> Sequence[Numeral]:
        """The numbers that are amounts of money, by their currency or their cents."""
        return [numeral for numeral in self.numerals if numeral.is_money]

    def before_day(self, position: int) -> str:
        """Return what the sentence says before a date, back to the last date, amount or full stop."""
        return self._before(position, [*self.days, *self.amounts], self.text)

    def before_amount(self, position: int) -> str:
        """Return what the sentence says before an amount, back to the last amount or stop; dates blank."""
        return self._before(position, self.amounts, _blank(self.text, self.days))

    def _before(self, position: int, mentions: Sequence[Day | Numeral], text: str) -> str:
        ends = [mention.end for mention in mentions if mention.end <= position]
        ends += [end for end in self._sentence_ends if end <= position]
        return text[max(ends, default=0) : position]

    @cached_property
    def _sentence_ends(self) -> Sequence[int]:
        return [match.end() for match in _SENTENCE_END.finditer(self.text) if not self._abbreviates(match)]

    def _abbreviates(self, end: re.Match[str]) -> bool:
        return bool(_ABBREVIATED.search(self.text[max(0, end.start() - 8) : end.start() + 1]))


@dataclass(frozen=True)
class Page:
    """A whole document."""

    lines: Sequence[Line]
    style: Style

    @cached_property
    def text(self) -> str:
        """The cleaned text."""
        return "\n".join(line.text for line in self.lines)

    @cached_property
    def currencies(self) -> dict[str, int]:
        """How often each currency is named."""
        return dict(currencies(self.text))

    def above(self, line: Line, start: int, end: int) -> str:
        """Return what stands above a place, in the nearest line that has anything in those columns."""
        for other in reversed(self.lines[max(0, line.index - 2) : line.index]):
            for cell in other.cells:
                if _same_column(line, start, end, other, cell):
                    return cell.text
        return ""

    def below(self, line: Line, start: int, end: int) -> list[str]:
        """Return what stands below a place, line by line, for the next two lines."""
        following = self.lines[line.index + 1 : line.index + 3]
        return [
            cell.text for other in following for cell in other.cells if cell.start < end and start < cell.end
        ]


def _same_column(line: Line, start: int, end: int, other: Line, cell: Cell) -> bool:
    """Tell whether a cell of another line stands above or below a place; bars count before distances."""
    if "|" in line.text and "|" in other.text:
        return line.text.count("|", 0, start) == other.text.count("|", 0, cell.start)
    return cell.start < end and start < cell.end


def read(text: str) -> Page:
    """Find the lines, dates and numbers of a raw text."""
    every = [_LEADER.sub(lambda m: " " * max(2, len(m.group())), line) for line in clean(text).split("\n")]
    opens = [not before for before, line in zip(["", *every], every, strict=False) if line]
    raw = [line for line in every if line]
    plain = unconfuse("\n".join(raw)).split("\n")
    month_first = _writes_months_first(text)
    found = _by_line(plain, days("\n".join(plain), month_first=month_first))
    masked = [_mask(line, spans) for line, spans in zip(plain, found, strict=True)]
    style = style_of("\n".join(masked))
    return Page(
        [
            Line(
                index,
                raw[index],
                plain[index],
                found[index],
                list(numerals(masked[index], style)),
                opens[index],
            )
            for index in range(len(raw))
        ],
        style,
    )


def _writes_months_first(text: str) -> bool:
    """Dollars suggest 12/31/2025; any other currency, or none, 31/12/2025."""
    counts = currencies(text)
    return counts["USD"] > 0 and counts["USD"] >= max(counts.values())


def _by_line(lines: Sequence[str], found: Sequence[Day]) -> list[list[Day]]:
    """Place the dates of a text in its lines; a date that is broken over two lines belongs to none."""
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    placed: list[list[Day]] = [[] for _ in lines]
    for day in found:
        at = bisect_right(starts, day.start) - 1
        if day.end < starts[at + 1]:
            placed[at].append(Day(day.value, day.start - starts[at], day.end - starts[at]))
    return placed


def _mask(line: str, spans: Sequence[Day]) -> str:
    """Blank out what is no number: dates, and the numbering of a list."""
    return _blank(_BULLET.sub(lambda match: "\0" * len(match.group()), line), spans, "\0")


def _blank(line: str, spans: Sequence[Day], filler: str = " ") -> str:
    for day in spans:
        line = line[: day.start] + filler * (day.end - day.start) + line[day.end :]
    return line
