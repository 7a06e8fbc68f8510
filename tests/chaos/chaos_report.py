"""The seed of a chaos session, and the table at its end."""

from dataclasses import astuple, dataclass

from app.support.kill_storm import seed_of_now

SEED = seed_of_now()
"""Of all storms of this session: `SEED=…` for an earlier one, as far as two cores allow."""

_rows: list["Row"] = []
_TITLES = ("what", "how many", "lost", "twice", "p95 s")


@dataclass(frozen=True, slots=True)
class Row:
    """What was done, to how many runs, how many of them were lost and how many effects happened twice."""

    what: str
    runs: int
    lost: int
    twice: int
    p95: float | None = None
    """Seconds of what the test measures: a takeover, an answer."""


def note(row: Row) -> None:
    """Put a line into the table; only what was judged is noted, after its judgement."""
    _rows.append(row)


def table() -> list[str]:
    """The lines of the table."""
    cells = [
        _TITLES,
        *(tuple("-" if cell is None else _text(cell) for cell in astuple(row)) for row in _rows),
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_TITLES))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _text(cell: object) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)
