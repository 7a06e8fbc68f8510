"""What the labels of business documents mean, as `Lexicon`s; the phrases themselves are in `phrases.toml`.

Wordings are composed where the language composes them ("total" with "excluding" with "VAT"), so that a
combination need not have been seen to be understood. English, with the abbreviations that European invoices
in English keep.
"""

import re
import tomllib
from itertools import product
from pathlib import Path

from graphs.document.lexicon import Lexicon

_PHRASES = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))
_SET = re.compile(r"<(\w+)(\?)?>")


def _split(text: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in text.split(",")]


def expand(template: str) -> list[str]:
    """Return the phrases that a template such as `total <with> <tax>` stands for."""
    parts = [_alternatives(part) for part in template.split()]
    return [" ".join(filter(None, combination)) for combination in product(*parts)]


def _alternatives(part: str) -> list[str]:
    name = _SET.fullmatch(part)
    return [part] if name is None else _split(_PHRASES["sets"][name[1]]) + ([""] if name[2] else [])


def _lexicon(table: str) -> Lexicon:
    concepts = {concept: _split(text) for concept, text in _PHRASES[table].items()}
    return Lexicon(
        {
            concept: [phrase for template in templates for phrase in expand(template)]
            for concept, templates in concepts.items()
        }
    )


AMOUNTS = _lexicon("amounts")
"""What an amount is, by the words before it."""

AFTER = _lexicon("after")
"""What an amount is, by the words directly after it: `EUR 100.00 net`."""

COLUMNS = _lexicon("columns")
"""What a column, or a field of one line item, holds."""

DAYS = _lexicon("days")
"""What a date is, by the words before it. `to` counts only after a start."""

PARTIES = _lexicon("parties")
"""Whose name follows. `ship` and `person` are nobody's part of the contract."""

NUMBERS = _lexicon("numbers")
"""The document's own number."""

KINDS = {kind: _lexicon(kind) for kind in ("invoice", "receipt", "contract")}
"""Words that show the kind of a document."""
