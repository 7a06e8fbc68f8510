"""Who a contract is between: the sentence that says so, an enumeration, or names with a role in brackets."""

import re
from collections.abc import Iterator

from graphs.document.names import clean_name, ends_with_suffix, has_suffix, is_name, leading_name
from graphs.document.page import Page

_BETWEEN = re.compile(r"\b(?:[Bb]etween|among|BETWEEN|AMONG|[Pp]arties(?: (?:to|of) this \w+)? are)\b[\s:]*")
_CLAUSE = 700
"""Characters after "between" in which both names are looked for."""

_CLAUSE_END = re.compile(r"\n\s*(?:WHEREAS|RECITALS|BACKGROUND|1\.|\(A\))|(?<=[a-z)\"]{2})\.\s+(?=[A-Z\d(])")
_ROLE = re.compile(r"\((?:[^()\"]{0,40})\"[^()\"]{3,40}\"\)")
_AFTER_ROLE = re.compile(r"\b[Aa](?:nd|ND)\b[\s:]+")
_ROLE_AHEAD = r"(?:(?:the|The|THE)\s+\w+\s*:\s*)?"
_AND = tuple(
    rf"{before}(?:and|AND)\s+{_ROLE_AHEAD}(?=[(\dA-Z])" for before in (r"\)\s*,?\s*", r"[;,]\s*", r"\s")
)
_CALLED = re.compile(r"\bhereinafter\b[^,;.]{0,60}")
_ENUMERATED = re.compile(
    r"(?:parties|between|among)\W*\n\s*\(?[1a][.)]\s+(.+)(?:\n(?!\s*\(?[2b][.)]).*){0,3}\n"
    r"\s*(?:and\s+)?\(?[2b][.)]\s+(.+)",
    re.IGNORECASE,
)
_DEFINED = re.compile(r'([A-Z][^();\n]{2,80}?),?\s*\((?:[^()"]{0,40})"[A-Z][\w ]{2,30}"\)')


def between(page: Page) -> list[str]:
    """Return the two names after "between"; nothing without both."""
    for match in _BETWEEN.finditer(page.text):
        clause = page.text[match.end() : match.end() + _CLAUSE]
        for halves in _halves(clause[: _end(clause)]):
            pair = [_name_of(half) for half in halves]
            if all(is_name(name) for name in pair):
                return pair
    return []


def _name_of(half: str) -> str:
    """Return the name at the start of a part of the clause: its first line, if that is one."""
    first = clean_name(half.strip().split("\n")[0])
    return first if ends_with_suffix(first) and is_name(first) else leading_name(" ".join(half.split("\n")))


def _end(clause: str) -> int:
    """Return where the sentence ends; the full stop of a company's suffix is no end."""
    ends = (end.start() for end in _CLAUSE_END.finditer(clause, 20))
    return next((end for end in ends if not has_suffix(clause[max(0, end - 20) : end])), len(clause))


def _halves(clause: str) -> Iterator[tuple[str, str]]:
    """Split a clause at an "and": best at the first one after a role in brackets, else after a comma."""
    role = _ROLE.search(clause)
    later = _AFTER_ROLE.search(clause, role.end()) if role else None
    if role and later:
        yield clause[: role.start()], clause[later.end() :]
    for pattern in _AND:
        yield from (
            (clause[: split.start() + 1], clause[split.end() :]) for split in re.finditer(pattern, clause)
        )


def called(page: Page) -> list[str]:
    """Return the two names that are each followed by "hereinafter called"; nothing without both."""
    for line in page.lines:
        first = _CALLED.search(line.text)
        later = _AFTER_ROLE.search(line.text, first.end()) if first else None
        if first and later and _CALLED.search(line.text, later.end()):
            pair = [clean_name(line.text[: first.start()]), clean_name(line.text[later.end() :])]
            return pair if all(map(is_name, pair)) else []
    return []


def numbered(page: Page) -> list[str]:
    """Return the names after `(1)` and `(2)`, or `1.` and `2.`, below the heading of the parties."""
    match = _ENUMERATED.search(page.text)
    names = [clean_name(part) for part in match.groups()] if match else []
    return names if all(map(is_name, names)) else []


def defined(page: Page) -> list[str]:
    """Return the names that are followed by a role in brackets and quotes."""
    names = (clean_name(match[1]) for match in _DEFINED.finditer(page.text))
    return [name for name in names if is_name(name)]
