"""The promised figures, and whether they were reached."""

import math
from dataclasses import dataclass

from tests.bench.figures import Book
from tests.bench.plan import FIRST_TOKEN, FLOOR, LISTING, OURS

AGAINST = (
    ("g1@10", FLOOR, 0.7),
    ("g5@10", FLOOR, 0.7),
    ("g1@10", LISTING, 1.5),
    ("g5@10", LISTING, 1.0),
)
"""Our rate over another's at 10 concurrent, median of the rounds, at least."""

FIRST_TOKEN_MS = 15.0
"""Median time to the first token of a lone stream, at most."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise."""

    promise: str
    figure: str
    reached: bool


def bars(book: Book) -> list[Bar]:
    """Those that this benchmark measured."""
    return [*_ratios(book), *_first_token(book), *_truth(book)]


def _ratios(book: Book) -> list[Bar]:
    found = [(cell, base, least, book.ratio(cell, OURS, base)) for cell, base, least in AGAINST]
    return [
        Bar(f"{cell}: at least {least} x {base}", str(spread), spread.median >= least)
        for cell, base, least, spread in found
        if spread is not None
    ]


def _first_token(book: Book) -> list[Bar]:
    if not book.of(FIRST_TOKEN, OURS):
        return []
    figure = book.mark(FIRST_TOKEN, OURS, "first_token")
    reached = not math.isnan(figure) and figure <= FIRST_TOKEN_MS
    return [Bar(f"first token within {FIRST_TOKEN_MS:.0f} ms", f"{figure:.1f} ms", reached)]


def _truth(book: Book) -> list[Bar]:
    figure = "; ".join(book.faults) or "none"
    return [Bar("no wrong answer, and the databases hold what was answered", figure, not book.faults)]
