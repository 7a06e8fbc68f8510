"""What commands print: records as JSON for programs, as columns for people."""

import dataclasses
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson


def json_line(value: Any) -> None:
    """One JSON document on one line of stdout; times are RFC 3339 in UTC."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_UTC_Z).decode() + "\n")
    sys.stdout.flush()


def line(text: str) -> None:
    """One line of stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """One line of stderr, beside the result."""
    sys.stderr.write(text + "\n")


def table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Columns under titles, for people."""
    cells = [list(titles), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(titles))]
    for row in cells:
        line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def fields_of(record: Any) -> dict[str, Any]:
    """The fields of a dataclass, by name; times in UTC, whatever the database's time zone is."""
    return {field.name: _in_utc(getattr(record, field.name)) for field in dataclasses.fields(record)}


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    return str(value)
