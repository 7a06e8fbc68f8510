"""How an extraction is measured: field by field, against the labels of the corpus."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from graphs.document.normalise import skeleton

Unit = tuple[str, ...]
"""One thing to get right: the kind of field, then its value."""


class Score(NamedTuple):
    """How many units were found, were right, and were to be found."""

    right: int
    found: int
    wanted: int

    @property
    def f1(self) -> float:
        return 2 * self.right / ((self.found + self.wanted) or 1)


def units(kind: str, fields: dict[str, Any]) -> Counter[Unit]:
    """Return the units of a document, as extracted or as labelled.

    A line item counts as one unit and only when all of it is right. Numbers and dates are compared exactly,
    names and descriptions without case, spacing and punctuation, and with what scanners confuse made equal.
    """
    dates = fields.get("dates") or {part: fields[f"{part}_date"] for part in ("issue", "due", "start", "end")}
    totals = fields.get("totals", fields)
    found: Counter[Unit] = Counter({("type", kind): 1})
    found.update(("parties", party["role"], skeleton(party["name"])) for party in fields["parties"])
    found.update(("dates", part, day) for part, day in dates.items() if day)
    found.update([("currency", fields["currency"])] if fields["currency"] else [])
    found.update(("line_items", *_row(item)) for item in fields["line_items"])
    sums = ("subtotal", "tax", "total")
    found.update(("totals", name, totals[name]) for name in sums if totals.get(name) is not None)
    return found


def _row(item: dict[str, Any]) -> Unit:
    rest = (str(item[name]) for name in ("quantity", "unit_price", "amount"))
    return (skeleton(item["description"]), *rest)


def scores(pairs: Iterable[tuple[Counter[Unit], Counter[Unit]]]) -> dict[str, Score]:
    """Return the score of each kind of field, and of all together, over (found, wanted) pairs."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for found, wanted in pairs:
        for counted, place in ((found & wanted, 0), (found, 1), (wanted, 2)):
            for unit, times in counted.items():
                sums[unit[0]][place] += times
                sums["all"][place] += times
    return {name: Score(*values) for name, values in sums.items()}


def table(title: str, result: dict[str, Score]) -> str:
    """Return the scores as text."""
    lines = [
        f"{name:<12} F1 {score.f1:.3f}  ({score.right} of {score.wanted}, {score.found} found)"
        for name, score in result.items()
    ]
    return "\n".join(["", title, *lines, ""])
