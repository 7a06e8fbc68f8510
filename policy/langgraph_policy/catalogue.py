"""The rules as a part of a page, in Markdown."""

import inspect
import sys
from collections.abc import Iterable

from langgraph_policy.model import Rule
from langgraph_policy.rules import RULES

BEGIN = "<!-- rules: made by `make reference`; do not edit from here -->"
END = "<!-- to here -->"


def catalogue(rules: Iterable[Rule] = RULES) -> str:
    """Every rule in a table with those of its subject: name, what must be so, why, what to do."""
    by_subject: dict[str, list[Rule]] = {}
    for rule in rules:
        by_subject.setdefault(_subject(rule), []).append(rule)
    return "\n\n".join(_section(subject, found) for subject, found in sorted(by_subject.items()))


def placed(page: str) -> str:
    """The page with the catalogue between its marks."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{catalogue()}\n\n{END}{rest.partition(END)[2]}"


def _subject(rule: Rule) -> str:
    """What its module is about."""
    return (inspect.getdoc(sys.modules[rule.find.__module__]) or "").partition("\n")[0].rstrip(".")


def _section(subject: str, rules: Iterable[Rule]) -> str:
    head = f"### {subject}\n\n| rule | what | why | what to do |\n|---|---|---|---|"
    return "\n".join([head, *map(_row, rules)])


def _row(rule: Rule) -> str:
    cells = (rule.what, rule.why[0].upper() + rule.why[1:], rule.fix)
    return f"| `{rule.name}` | {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
