"""Numbers that are not known exactly: the least, the likely and the most they may be."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """Low ≤ likely ≤ high, all at least 0: prices, quantities and amounts have no sign."""

    low: float
    likely: float
    high: float

    def __post_init__(self) -> None:
        """Refuse what is no range; a bug or a wrong table, never a user's number."""
        if not 0 <= self.low <= self.likely <= self.high:
            message = f"no range: {self.low}, {self.likely}, {self.high}"
            raise ValueError(message)

    def __add__(self, other: "Range") -> "Range":
        """Both ends added: the widest that the sum can be."""
        return Range(self.low + other.low, self.likely + other.likely, self.high + other.high)

    def __mul__(self, other: "Range | float") -> "Range":
        """Ends multiplied."""
        by = exactly(other)
        return Range(self.low * by.low, self.likely * by.likely, self.high * by.high)

    def per(self, other: "Range") -> "Range":
        """Divided: the least by the most. What is divided by nothing is nothing."""
        pairs = ((self.low, other.high), (self.likely, other.likely), (self.high, other.low))
        low, likely, high = (a / b if b else 0.0 for a, b in pairs)
        return Range(low, max(low, likely), max(low, likely, high))

    def each(self, change: Callable[[float], float]) -> "Range":
        """The same change to each; it must not turn the order around."""
        return Range(change(self.low), change(self.likely), change(self.high))

    def at_least(self, floor: float) -> "Range":
        """None of them below."""
        return self.each(lambda value: max(value, floor))

    def at_most(self, ceiling: float) -> "Range":
        """None of them above."""
        return self.each(lambda value: min(value, ceiling))

    def rounded(self) -> "Range":
        """To cents."""
        return self.each(lambda value: round(value, 2))


def exactly(value: "Range | float") -> Range:
    """A number that is known."""
    return value if isinstance(value, Range) else Range(value, value, value)


def total(ranges: "list[Range]") -> Range:
    """All added, to cents."""
    found = exactly(0)
    for each in ranges:
        found += each
    return found.rounded()
