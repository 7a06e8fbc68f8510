"""Decides by rule what kind of document a page is."""

from collections.abc import Iterator

from graphs.document.lexicon import Lexicon
from graphs.document.normalise import words
from graphs.document.page import Page
from graphs.document.state import Kind
from graphs.document.vocabulary import KINDS

HEADING_LINES = 4
"""Lines from the top that count as the document's heading."""

HEADING_CHARACTERS = 300
"""Characters of those lines that count."""

HEADING, STRONG, WEAK = 5, 2, 1
"""Points for a kind's own name in the heading and elsewhere, and for a word typical of it; each word once."""

ENOUGH = 2
"""With fewer points a document is of no known kind."""


def classify(page: Page) -> Kind:
    """Return the kind that most words speak for; `unknown` when hardly any does."""
    title = _title("\n".join(line.text for line in page.lines[:HEADING_LINES])[:HEADING_CHARACTERS])
    scores = {
        kind: _points(page, lexicon) + (HEADING if kind == title else 0) for kind, lexicon in KINDS.items()
    }
    best = max(scores, key=lambda kind: scores[kind])
    if scores[best] < ENOUGH:
        return "unknown"
    return "invoice" if best == "invoice" else "receipt" if best == "receipt" else "contract"


def _title(heading: str) -> str | None:
    """Return the kind whose own name stands first in the heading, be it in a label such as `Invoice to`."""
    names = [
        (start, kind)
        for kind, lexicon in KINDS.items()
        for start, text in _terms(heading, lexicon)
        if lexicon.whole(text) == "strong"
    ]
    return min(names)[1] if names else None


def _terms(heading: str, lexicon: Lexicon) -> Iterator[tuple[int, str]]:
    for span in (*words(heading), *lexicon.every(heading)):
        yield span.start, heading[span.start : span.end]


def _points(page: Page, lexicon: Lexicon) -> int:
    found = {(hit.concept, page.text[hit.start : hit.end].casefold()) for hit in lexicon.every(page.text)}
    return sum(STRONG if concept == "strong" else WEAK for concept, _ in found)
