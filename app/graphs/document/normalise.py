"""Text as a scanner or a mail program left it, made fit for reading; and words made comparable.

Nothing here guesses at content: a cleaned text says what the raw text says.
"""

import re
import unicodedata
from typing import NamedTuple

MAX_CHARACTERS = 100_000
"""Longer documents are cut here, which `truncated` tells; no invoice comes near it."""

LONGEST_LINE = 4_000
"""Characters of a line, a whole paragraph of prose included."""

_PLAIN = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | dict.fromkeys("\u2018\u2019\u201b\u2032\u00b4`", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"')
    | {"\u00d7": "x", "\u2192": "="}
)
"""Dashes, quotes, the sign of multiplication and arrows, as a typewriter has them."""

_INVISIBLE = re.compile(r"[\u200b-\u200f\u2028-\u202e\ufeff\x00-\x08\x0e-\x1f]")
_BROKEN_WORD = re.compile(r"(?<=[a-z])-\n[ \n]*(?=[a-z])")
_SPACED_WORD = re.compile(r"(?<![^\s|])(?:[^\W\d_] ){3,20}[^\W\d_](?![^\s:|.,])")
_MARKUP = re.compile(
    r"\*\*|__|^ {0,3}(?:#{1,6}|>) (?=\S)|^[ ]*[*\u2022\u25aa\u00b7][ ]+|\\(?=[$€£])", re.MULTILINE
)
_RULE = re.compile(r"^[\s|+=_*~-]*$")
_GAP = re.compile(r"\s{2,}|\|")
_BEGINS = re.compile(r"[\w\"'($€£]")
_BULLET = re.compile(r"\(?\w{1,3}[.)]\s")
_LABEL = re.compile(r"[^\s:]+(?: [^\s:]+){0,3}:")
_ENDS_IN_AMOUNT = re.compile(r"\d[.)]*$|[$€£]$|\b(?:USD|EUR|GBP)$")
_PROSE_WIDTH = 60
"""A line at least this long, without columns, may go on in the next line."""

_LOOKALIKE_LETTERS = str.maketrans("01i|58", "olllsb")


class Word(NamedTuple):
    """A word of letters, folded by `skeleton`, and where it stands in its text."""

    key: str
    start: int
    end: int


def clean(text: str) -> str:
    """Return the text with plain quotes, dashes and spaces, and with broken words and paragraphs joined.

    Columns stay recognisable: a tab, and any run of spaces, remains at least two spaces.
    """
    text = unicodedata.normalize("NFC", text[:MAX_CHARACTERS]).translate(_PLAIN)
    text = re.sub(r"\r\n?|\f|\v", "\n", text).replace("\t", "    ")
    text = re.sub(r"[\u00a0\u2000-\u200a\u202f\u3000]", " ", text)
    text = _MARKUP.sub("", _INVISIBLE.sub("", text))
    text = _SPACED_WORD.sub(lambda match: match.group().replace(" ", ""), text)
    lines = _joined(_BROKEN_WORD.sub("", text).split("\n"))
    return "\n".join(piece for line in lines for piece in _wrapped(line))


def _wrapped(line: str) -> list[str]:
    """Break a line that is longer than any honest one, so that the work on a line stays bounded."""
    return [line[at : at + LONGEST_LINE] for at in range(0, len(line), LONGEST_LINE)] or [line]


def truncated(text: str) -> bool:
    """Tell whether `clean` would leave out the end of the text."""
    return len(text) > MAX_CHARACTERS


def _joined(lines: list[str]) -> list[str]:
    """Join the lines of a paragraph; leave one blank line of several, and of a ruled line."""
    result: list[str] = []
    before = ""
    for line in (raw.rstrip() for raw in lines):
        if _RULE.match(line):
            before = before if not line else ""
            result += [""] if result and result[-1] else []
            continue
        if _is_open(before) and _goes_on(before, line.strip()):
            while not result[-1]:
                result.pop()
            result[-1] = f"{result[-1]} {line.strip()}"
        else:
            result.append(line)
        before = line.strip()
    return result


def _is_open(text: str) -> bool:
    """Tell whether a paragraph may go on after this line: it is long, has no columns and no full stop."""
    return len(text) >= _PROSE_WIDTH and not _GAP.search(text) and text[-1] not in ".:!?"


def _goes_on(before: str, text: str) -> bool:
    """Tell whether a line goes on with the sentence of the line before.

    After a comma or semicolon all but a bullet does; else no label does, nor a new sentence after an amount.
    """
    if _GAP.search(text) or not _BEGINS.match(text) or _BULLET.match(text):
        return False
    if before[-1] in ",;":
        return True
    return not _LABEL.match(text) and not (text[0].isupper() and _ENDS_IN_AMOUNT.search(before))


def skeleton(text: str) -> str:
    """Fold what scanners confuse (0/O, 1/I/l, 5/S, 8/B) and drop all that is no letter or digit."""
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_LOOKALIKE_LETTERS)
    return "".join(char for char in plain if char.isalnum())


_WORD = re.compile(r"[^\W_]+(?:\|[^\W_]+)*")
_FILLERS = "of the a an this our your is be shall will usd eur gbp chf cad aud rm myr"
_STOP_WORDS = frozenset(map(skeleton, _FILLERS.split()))


def words(text: str) -> list[Word]:
    """Return the words of a text in order, without numbers and without filler words."""
    found = [
        Word(skeleton(m.group()), m.start(), m.end()) for m in _WORD.finditer(text) if _is_word(m.group())
    ]
    return [word for word in found if word.key and word.key not in _STOP_WORDS]


def _is_word(token: str) -> bool:
    letters = sum(char.isalpha() for char in token)
    return letters > len(token) - letters
