"""Who the document is between: by labels, by the sentence that names them, by the letterhead."""

import re
from collections.abc import Iterator, Sequence

from graphs.document.contract_parties import between, called, defined, numbered
from graphs.document.names import SENTENCE_NAME, clean_name, has_suffix, is_label, is_name, starts_with_suffix
from graphs.document.normalise import skeleton, words
from graphs.document.page import Cell, Line, Page
from graphs.document.state import Kind, Party, Role
from graphs.document.vocabulary import KINDS, PARTIES

LETTERHEAD_LINES = 6
"""Lines from the top in which an issuer's name may stand without a label; twice as many for the buyer's."""

SHORT = 60
"""A longer cell, in characters, is a sentence and no label with its name."""

_SIDES = 2
_PREPOSITION = re.compile(r"\b(?:to|by|from|for)$", re.IGNORECASE)
_SALUTATION = re.compile(r"\bDear ((?!Sir|Madam|Customer|Client)[A-Z][^\n,:]{2,60})[,:]?\n")
_NAME = rf"(?<![\w.&'-])({SENTENCE_NAME})"
_BILLS = r"(?:invoices|bills|charges|has invoiced|has billed|has supplied"
_DONE = r"(?:issued|supplied|provided|rendered|sold|billed|invoiced|delivered|payable)"
_SENTENCES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("seller", re.compile(rf"{_NAME} (?:hereby |herewith )?{_BILLS}|sold)\b")),
    ("seller", re.compile(rf"\b{_DONE} (?:by|to) {_NAME}")),
    ("buyer", re.compile(rf"\b{_BILLS}|invoiced to|billed to|sold to) {_NAME}")),
    ("seller", re.compile(rf"\b[Ff]rom {_NAME}(?= to\b)")),
    (
        "seller",
        re.compile(
            rf"(?i:shopping|purchase|order|dining|visit|bought|stay|eating) (?:at|from|with|to) {_NAME}"
        ),
    ),
    ("seller", re.compile(rf"(?i:thank you for (?:choosing|visiting)) {_NAME}")),
    ("buyer", re.compile(rf"\b[Ff]rom [A-Z][^\n;]{{1,60}}? to {_NAME}")),
    ("seller", re.compile(rf"(?i:sincerely|regards|faithfully|for and on behalf of)[,:]?\s+{_NAME}")),
)


def extract_parties(page: Page, kind: Kind) -> list[Party]:
    """Return the contract's parties, or an invoice's or receipt's seller and buyer; each name once."""
    if kind == "contract":
        return _contract_parties(page)
    found: dict[str, str] = {}
    for role, name in (*_labelled(page), *_in_sentences(page), *_letterhead(page, kind), *_salutation(page)):
        others = [skeleton(other) for other in found.values()]
        if role in {"seller", "buyer"} and role not in found and skeleton(name) not in others:
            found[role] = name
    roles: tuple[Role, ...] = ("seller", "buyer")
    return [{"role": role, "name": found[role]} for role in roles if role in found]


def _contract_parties(page: Page) -> list[Party]:
    sources = (
        between(page),
        called(page),
        numbered(page),
        [name for _, name in _labelled(page)],
        defined(page),
    )
    names: dict[str, str] = {}
    for source in sources:
        for name in source if len(names) < _SIDES else ():
            names.setdefault(skeleton(name), name)
    return [{"role": "party", "name": name} for name in names.values()]


def _labelled(page: Page) -> Iterator[tuple[str, str]]:
    """Find the names that stand after, or below, a label."""
    for line in page.lines:
        for index, cell in enumerate(line.cells):
            role, candidates = _label(page, line, index, cell)
            name = next(filter(is_name, map(clean_name, candidates)), None)
            if role in {"seller", "buyer", "party"} and name:
                yield role, name


def _label(page: Page, line: Line, index: int, cell: Cell) -> tuple[str | None, Sequence[str]]:
    """Return the role that a cell is the label of, and the texts that may be the name."""
    label, colon, value = cell.text.partition(":")
    role = _role(label)
    if role and value.strip():
        return role, [value]
    if role and not any(char.isdigit() for char in label):
        beside = [other.text for other in line.cells[index + 1 : index + 2] if ":" not in other.text]
        beside = [text for text in beside if not is_label(text)]
        return role, [*beside, *page.below(line, cell.start, cell.end)]
    return (None, []) if colon else _prefixed(cell)


def _role(label: str) -> str | None:
    """Return what a label names; of a label with two names, `Agency (Buyer)`, the last."""
    hits = PARTIES.every(label) if len(label) <= SHORT else []
    covered = sum(len(words(label[hit.start : hit.end])) for hit in hits)
    return hits[-1].concept if hits and covered == len(words(label)) else None


def _prefixed(cell: Cell) -> tuple[str | None, Sequence[str]]:
    """Read `Bill to Acme Ltd` and `Receipt from Acme`: a label that ends in a preposition, and a name."""
    text = _without_title(cell.text).strip()
    hit = PARTIES.first(text)
    if hit is None or not _PREPOSITION.search(text[: hit.end]) or _is_sentence(text[hit.end :]):
        return None, []
    # "Contract for works" has a title and a subject, no name.
    subject = text != cell.text and text.casefold().startswith("for")
    rest = text[hit.end :].strip()
    return (hit.concept, [rest]) if rest[:1].isupper() and not subject else (None, [])


def _is_sentence(rest: str) -> bool:
    """Tell whether more than a name follows a label: `Acme to Beta`, or something with a full stop."""
    return len(rest) > SHORT or " to " in rest or (rest[-1:] in {".", ";", ","} and not has_suffix(rest))


def _in_sentences(page: Page) -> Iterator[tuple[str, str]]:
    for role, pattern in _SENTENCES:
        for match in pattern.finditer(page.text):
            name = clean_name(match[1])
            if is_name(name) and not is_label(name):
                yield role, name


def _letterhead(page: Page, kind: Kind) -> Iterator[tuple[str, str]]:
    """Take the first name at the top for the seller's, and a further company there for the buyer's.

    In a letter the buyer need not look like a company: the name that opens a block after an address is it.
    """
    names: list[str] = []
    addressed = False
    for line in page.lines[: LETTERHEAD_LINES * 2]:
        found = [name for cell in line.cells if (name := _heading(cell.text, first=not names))]
        if kind == "invoice" and addressed and line.opens_block and len(names) == 1 and found:
            yield "buyer", found[0]
        names = _wrapped(names, found)
        addressed = addressed or bool(names and any(char.isdigit() for char in line.text))
    ranked = names[:1] if addressed and kind == "invoice" else sorted(names[:2], key=has_suffix, reverse=True)
    yield from (("seller", name) for name in ranked)
    yield from (("buyer", name) for name in names if kind == "invoice" and has_suffix(name))


def _wrapped(names: list[str], found: list[str]) -> list[str]:
    """Add the names of a line; what begins with a suffix, or follows an &, is the rest of the name before."""
    if names and found and (starts_with_suffix(found[0]) or names[-1].endswith("&")):
        return [*names[:-1], f"{names[-1]} {found[0]}", *found[1:]]
    return [*names, *found]


def _heading(text: str, *, first: bool) -> str:
    """Return the name in a cell of the letterhead, if any: no label, no title, nothing with digits.

    The first name may have some: "99 Speed Mart"; a later one would be an address.
    """
    labelled = PARTIES.first(text)
    if ":" in text or (labelled and _PREPOSITION.search(text[: labelled.end])):
        return ""
    name = clean_name(_without_title(text))
    digits, letters = sum(map(str.isdigit, name)), sum(map(str.isalpha, name))
    if not digits:
        return name if is_name(name) else ""
    return name if first and letters > 2 * digits and is_name(f"A {name}") and not is_label(name) else ""


def _salutation(page: Page) -> Iterator[tuple[str, str]]:
    for match in _SALUTATION.finditer(page.text):
        yield "buyer", clean_name(match[1])


def _without_title(text: str) -> str:
    """Drop a title such as INVOICE from the start of a line."""
    hits = [hit for lexicon in KINDS.values() if (hit := lexicon.first(text)) and hit.concept == "strong"]
    return text[max(hit.end for hit in hits) :] if hits else text
