"""Finds what the words of a label mean, however they are written, spaced or scanned."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from typing import NamedTuple

from graphs.document.normalise import Word, skeleton, words

LONGEST = 6
"""Words in the longest phrase that is recognised."""

REACH = 3
"""Words that may stand between a phrase and the value it names."""

_NEAR = 250
"""Characters in which a phrase, and the words of its reach, have room."""


class Hit(NamedTuple):
    """A meaning found in a text: its concept, and where its words stand."""

    concept: str
    start: int
    end: int


class Lexicon:
    """Phrases and what they mean. Spaces, case, punctuation and look-alike characters do not matter."""

    def __init__(self, phrases: Mapping[str, Iterable[str]]) -> None:
        """Take the phrases of each concept; a phrase of two concepts belongs to the first."""
        self._concepts: dict[str, str] = {}
        for concept, wordings in phrases.items():
            for wording in wordings:
                key = "".join(map(_key, wording.split())) or skeleton(wording)
                self._concepts.setdefault(key, concept)

    def last(self, text: str, ignore: AbstractSet[str] = frozenset()) -> Hit | None:
        """Return the meaning nearest to the end of the text, at most `REACH` words away, none of `ignore`.

        Of two that end together, the longer.
        """
        cut = max(0, len(text) - _NEAR)
        found = words(text[cut:])
        hits = (self._longest(found, end) for end in range(len(found), max(0, len(found) - REACH - 1), -1))
        hit = next((hit for hit in hits if hit and hit.concept not in ignore), None)
        return Hit(hit.concept, hit.start + cut, hit.end + cut) if hit else None

    def first(self, text: str) -> Hit | None:
        """Return the longest meaning that begins at the first word of the text."""
        found = words(text[:_NEAR])
        sizes = range(min(LONGEST, len(found)), 0, -1)
        return next((hit for size in sizes if (hit := self._hit(found[:size]))), None)

    def whole(self, text: str) -> str | None:
        """Return the concept when the text is a label and nothing else."""
        found = words(text) if len(text) <= _NEAR else []
        hit = self._hit(found) if len(found) <= LONGEST else None
        return hit.concept if hit else None

    def every(self, text: str) -> list[Hit]:
        """Return the meanings from left to right, longest first, without overlaps."""
        found = words(text)
        hits: list[Hit] = []
        at = 0
        while at < len(found):
            sizes = range(min(LONGEST, len(found) - at), 0, -1)
            size = next((size for size in sizes if self._hit(found[at : at + size])), 0)
            hit = self._hit(found[at : at + size])
            hits += [hit] if hit else []
            at += size or 1
        return hits

    def _longest(self, found: Sequence[Word], end: int) -> Hit | None:
        starts = range(max(0, end - LONGEST), end)
        return next((hit for start in starts if (hit := self._hit(found[start:end]))), None)

    def _hit(self, found: Sequence[Word]) -> Hit | None:
        concept = self._concepts.get("".join(word.key for word in found)) if found else None
        return Hit(concept, found[0].start, found[-1].end) if concept else None


@cache
def _key(token: str) -> str:
    """The key of what a phrase has between two spaces; few tokens make up all phrases."""
    return "".join(word.key for word in words(token))
