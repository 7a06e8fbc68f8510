"""The rows of a table whose columns are known, wrapped descriptions included."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from graphs.document.normalise import words
from graphs.document.numerals import Numeral
from graphs.document.page import Line, Page
from graphs.document.rows import Row, describe, describe_counted, is_sum, tail

NUMERIC = ("quantity", "price", "amount")
"""The columns whose numbers are kept."""

PROSE = 70
"""A line this long without columns ends a table."""


def read_rows(
    page: Page, start: int, columns: Sequence[str], ends: Callable[[Line], object], *, below: bool = False
) -> list[Row]:
    """Return the rows from a line on, up to the first sum, sentence, or line that `ends` the table.

    With `below`, the description of a row is the line of text after it, whatever text the row has itself.
    """
    rows: list[Row] = []
    pending: list[Line] = []
    for line in page.lines[start:]:
        if is_sum(line) or ends(line) or (len(line.text) > PROSE and len(line.cells) == 1):
            break
        row = _row(line, columns)
        if rows and not pending and _is_text(line) and (below or not words(rows[-1].description)):
            rows[-1] = replace(rows[-1], description=describe(line.text), lines=rows[-1].lines | {line.index})
            pending = [line] if below else []
        elif row is not None:
            rows, row = _with_wrapped(rows, row, pending)
            rows.append(row)
            pending = []
        else:
            pending.append(line)
    return _continued(rows, pending[:1]) if rows and not below else rows


def _is_text(line: Line) -> bool:
    return bool(words(line.text)) and not line.amounts


def _with_wrapped(rows: list[Row], row: Row, pending: Sequence[Line]) -> tuple[list[Row], Row]:
    """Give the lines of text before a row to that row if it has none itself, else to the row before."""
    if row.description or not pending:
        return _continued(rows, pending[:1]), row
    own = pending[-1]
    named = replace(row, description=describe(own.text), lines=row.lines | {own.index})
    return _continued(rows, pending[:-1][:1]), named


def _continued(rows: list[Row], pending: Sequence[Line]) -> list[Row]:
    """Append a wrapped line, which is indented or begins in lower case, to the last row's description."""
    for line in pending:
        text = line.text.strip()
        wrapped = text[:1].islower() or line.text[:2] == "  "
        fresh = rows and line.index not in rows[-1].lines
        if fresh and wrapped and not line.numerals and ":" not in text and len(line.cells) == 1:
            lines = rows[-1].lines | {line.index}
            rows = [*rows[:-1], replace(rows[-1], description=f"{rows[-1].description} {text}", lines=lines)]
    return rows


def _row(line: Line, columns: Sequence[str]) -> Row | None:
    """Read one row, cell by cell where the cells fit the header, else by the order of its numbers."""
    row = _by_cells(line, columns) or _by_order(line, columns)
    return row if row.amount is not None else None


def _by_cells(line: Line, columns: Sequence[str]) -> Row | None:
    if len(line.cells) != len(columns):
        return None
    found: dict[str, Decimal] = {}
    text = ""
    for concept, cell in zip(columns, line.cells, strict=True):
        inside = [n for n in line.numerals if cell.start <= n.start < cell.end]
        if concept == "description":
            text = cell.text
        elif concept in NUMERIC:
            if len(inside) != 1:
                return None
            found[concept] = inside[0].value
    return _made(line, text, found) if words(text) else None


def _by_order(line: Line, columns: Sequence[str]) -> Row:
    """Assign the numbers after the text to the columns after the description, from the right."""
    numbers = [numeral for numeral in tail(line) if not numeral.is_percentage]
    at = columns.index("description")
    titles = [concept for concept in columns[at + 1 :] if concept in (*NUMERIC, "other")]
    numbers = numbers[-len(titles) :] if titles else []
    found = dict(zip(_fitting(titles, numbers), (numeral.value for numeral in numbers), strict=True))
    end = numbers[0].start if numbers else len(line.text)
    lead = [
        numeral for numeral in line.numerals if numeral.end <= end and not words(line.text[: numeral.start])
    ]
    leading = [concept for concept in columns[:at] if concept in {"quantity", "index", "code", "other"}]
    for concept, numeral in zip(leading, lead, strict=False):
        found.setdefault(concept, numeral.value)
    start = lead[len(leading) - 1].end if leading and len(lead) >= len(leading) else _after_index(line)
    text = line.text[start:end]
    return _made(line, describe_counted(text) if "quantity" in leading else text, found)


def _after_index(line: Line) -> int:
    """Return where the text of a row begins, behind a first cell that is a number without a title."""
    first, *rest = line.cells
    return rest[0].start if rest and not words(first.text) and words(rest[0].text) else 0


def _fitting(titles: Sequence[str], numbers: Sequence[Numeral]) -> Sequence[str]:
    """Return a title for each number, when some columns of a row are empty."""
    if not numbers or len(numbers) == len(titles):
        return titles[: len(numbers)]
    rest = [title for title in titles if title != "other"]
    if len(numbers) == 1:
        return ["amount"] if "amount" in rest else rest[-1:] or list(titles[-1:])
    kept = ["price" if numbers[0].is_money and "price" in rest else "quantity", "amount"]
    return kept if len(numbers) == len(kept) else titles[-len(numbers) :]


def _made(line: Line, text: str, found: dict[str, Decimal]) -> Row:
    amount = found.get("amount")
    return Row(describe(text), found.get("quantity"), found.get("price"), amount, frozenset({line.index}))
