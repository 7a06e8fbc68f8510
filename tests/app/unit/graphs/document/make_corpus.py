"""Writes the labelled documents under `corpus/`: `python make_corpus.py`, or with `--check` compares them.

The splits share no layouts, and `held_out` no name of a company or ware with any other. `development` was in
sight while the extractor was written. Each draw was written when the extractor was frozen, from other
practice than the draws before, and was scored once. When the score was not good enough, the draw was used to
improve the extractor, and a new one was written. What the draws scored when they were new, which is what to
expect of layouts that nobody has seen:

| draw             | documents | micro F1 | faulty ones that stopped | wrong stops         |
|------------------|-----------|----------|--------------------------|---------------------|
| `first_draw`     | 66        | 0.850    | 18 of 18                 | 16 of 39            |
| `second_draw`    | 75        | 0.866    | 15 of 15                 | 16 of 58            |
| `third_draw`     | 75        | 0.828    | 14 of 15                 | 24 of 56            |
| `fourth_draw`    | 84        | 0.955    | 16 of 16                 | 26 of 63            |
| `fifth_draw`     | 78        | 0.948    | 15 of 15                 | 13 of 58            |
| `sixth_draw`     | 84        | 0.978    | 15 of 16                 | 1 of 63             |
| `held_out`       | 84        | 0.921    | 16 of 16                 | 10 of 64            |

A wrong stop is a consistent document below the threshold that was handed to a human. `held_out` has not been
used for anything but that score. Only it and `development` are stored; the other draws are built when a test
needs them.
"""

import importlib
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from corpus_content import MAKERS, labels, spoil
from corpus_noise import scan
from corpus_style import pick

FOLDER = Path(__file__).parent / "corpus"
STORED = ("development", "held_out")
SEEDS = {
    "development": 11,
    "first_draw": 2024,
    "second_draw": 77031,
    "third_draw": 860221,
    "fourth_draw": 5150607,
    "fifth_draw": 42003,
    "sixth_draw": 990817,
    "held_out": 3360014,
}
SIZES = {
    "development": 24,
    "first_draw": 66,
    "second_draw": 75,
    "third_draw": 75,
    "fourth_draw": 84,
    "fifth_draw": 78,
    "sixth_draw": 84,
    "held_out": 84,
}
BY_TURN = ("development", "first_draw")
"""Splits in which noise, faults and size go by turn; in the others they are dealt at random."""

KINDS = ("invoice", "receipt", "contract")
FAULTS = {
    "invoice": ("line", "total", "subtotal", "dates", "claim"),
    "receipt": ("total", "line", "claim"),
    "contract": ("dates", "claim", "line"),
}
LARGE = {"invoice": 2200, "receipt": 900, "contract": 250}
"""The scale of the prices of documents that are meant to be above any threshold."""

Document = dict[str, Any]
Marks = tuple[bool, bool, bool]
"""Whether a document is noisy, faulty, large."""


def build(split: str) -> list[Document]:
    """Return the documents of a split; the same each time."""
    rng = random.Random(SEEDS[split])
    return list(_documents(split, rng, importlib.import_module(f"corpus_{split}")))


def _marks(split: str, rng: random.Random) -> list[Marks]:
    """Make one third noisy, about a fifth faulty and a tenth large."""
    size = SIZES[split]
    if split in BY_TURN:
        return [((n // 3 + n) % 3 == 0, n // 3 % 4 == 1, n // 3 % 8 == 2) for n in range(size)]
    return list(zip(_share(rng, size, 3), _share(rng, size, 5), _share(rng, size, 10), strict=True))


def _share(rng: random.Random, size: int, part: int) -> list[bool]:
    chosen = set(rng.sample(range(size), size // part))
    return [index in chosen for index in range(size)]


def _documents(split: str, rng: random.Random, words: ModuleType) -> Iterator[Document]:
    for index, (noisy, faulty, large) in enumerate(_marks(split, rng)):
        kind, turn = KINDS[index % 3], index // 3
        currency = ("USD", "EUR", "GBP", "EUR", "USD")[(index + turn) % 5]
        fault = rng.choice(FAULTS[kind]) if faulty else None
        scale = {"scale": LARGE[kind]} if large else {}
        content = MAKERS[kind](rng, words.WORDS, currency, **scale)
        content = spoil(content, fault, rng) if fault else content
        layout = words.LAYOUTS[kind][turn % len(words.LAYOUTS[kind])]
        text = layout(content, pick(rng, currency, words.MONEYS, words.DATES))
        yield {
            "id": f"{split}-{index:02}",
            "layout": layout.__name__,
            "noisy": noisy,
            "fault": content.fault,
            "text": scan(text, rng) if noisy else text,
            "expected": labels(content),
        }


def load(split: str) -> list[Document]:
    """Return the stored documents of a split."""
    return json.loads((FOLDER / f"{split}.json").read_text(encoding="utf-8"))


def main() -> int:
    """Write the splits, or return how many differ from what is stored."""
    if "--check" in sys.argv:
        return sum(load(split) != build(split) for split in STORED)
    for split in STORED:
        text = json.dumps(build(split), indent=1, ensure_ascii=False) + "\n"
        (FOLDER / f"{split}.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
