"""The bundled handbook: its passages, a search over them, and citations that can be checked.

A passage is one `##` section of a file in `handbook/`. Its id is `file#heading-in-kebab-case`: it stays the
same while the wording changes, and changes with the heading.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from typing_extensions import TypedDict

from graphs.common.ranking import Index

FOLDER = Path(__file__).parent / "handbook"

ENOUGH_COVERAGE = 0.5
"""Share of a question's weight that a passage must contain to answer it, 0 to 1. Below, it is a guess.
Tuned on the questions of `test_handbook.py`."""

MARK = re.compile(r"\[([a-z0-9-]+#[a-z0-9-]+)\]")
"""How a text cites a passage: its id in square brackets."""

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=[A-Z])")


class Passage(NamedTuple):
    """One section of the handbook."""

    id: str
    title: str
    """`Chapter / section`, for people."""
    text: str
    """Plain sentences, without the heading."""

    @property
    def chapter(self) -> str:
        """The title of the file that the passage is from."""
        return self.title.partition(" / ")[0]


class Hit(NamedTuple):
    """A passage that shares words with a query."""

    passage: Passage
    points: float
    """BM25; comparable within one query."""
    coverage: float
    """Share of the query's weight found in the passage, 0 to 1."""


class Citation(TypedDict):
    """A passage that backs an answer, as clients get it."""

    id: str
    title: str
    quote: str


class Handbook:
    """An immutable set of passages with its index."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        """Index `passages`; their ids must be unique."""
        self.passages = {passage.id: passage for passage in passages}
        self._order = list(self.passages.values())
        # A heading says what its section is about, so it counts twice.
        self._index = Index([f"{each.title} {each.title} {each.text}" for each in self._order])

    def search(self, query: str, limit: int = 4) -> list[Hit]:
        """Return at most `limit` passages that share a word with `query`, best first."""
        ranked = self._index.rank(query)[:limit]
        return [Hit(self._order[score.position], score.points, score.coverage) for score in ranked]

    def answers(self, query: str, limit: int = 4) -> list[Hit]:
        """Return the hits that cover enough of `query` to answer it, best first."""
        return [hit for hit in self.search(query, limit) if hit.coverage >= ENOUGH_COVERAGE]


@lru_cache(maxsize=1)
def handbook() -> Handbook:
    """Return the bundled handbook, read once per process (13 small files, about 5 ms)."""
    return Handbook(passage for path in sorted(FOLDER.glob("*.md")) for passage in read(path))


def read(path: Path) -> list[Passage]:
    """Return the passages of one Markdown file, in order. Text before the first `##` is not a passage."""
    head, *sections = re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    title = head.strip().partition("\n")[0].removeprefix("# ").strip()
    return [_passage(path.stem, title, section) for section in sections]


def _passage(stem: str, title: str, section: str) -> Passage:
    heading, _, text = section.partition("\n")
    anchor = "-".join(re.findall(r"[a-z0-9]+", heading.casefold()))
    return Passage(f"{stem}#{anchor}", f"{title} / {heading.strip()}", " ".join(text.split()))


def quote(passage: Passage, query: str, sentences: int = 2) -> str:
    """Return the `sentences` of a passage that say most about `query`, word for word and in their order."""
    parts = _SENTENCE_END.split(passage.text)
    ranked = [score.position for score in Index(parts).rank(query)] or [0]
    return " ".join(parts[index] for index in sorted(ranked[:sentences]))


def cite(passage: Passage, query: str) -> Citation:
    """Return the citation of a passage that answers `query`."""
    return {"id": passage.id, "title": passage.title, "quote": quote(passage, query)}
