"""What people see on the terminal, and what programs read from stdout."""

import dataclasses
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any

import typer
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.markup import escape

from lgp.errors import LgpError

__all__ = ["Machine", "document", "escape", "failure", "json_line", "note", "out", "people", "plain", "table"]

Machine = Annotated[bool, typer.Option("--json", help="Nothing but JSON on stdout.")]
"""The option every verb has."""


@cache
def out() -> Console:
    """Stdout, for people."""
    return Console(highlight=False, soft_wrap=True, emoji=False)


@cache
def people() -> Console:
    """Stderr, for people: notes and failures, so that stdout stays a program's."""
    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def note(line: str) -> None:
    """A quiet line beside the result."""
    people().print(f"[dim]{escape(line)}[/dim]")


def plain(value: Any) -> Any:
    """The value as JSON has it: records as objects without their empty optional fields, times as RFC 3339."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # any JSON
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  # any JSON
    return value.isoformat() if isinstance(value, datetime) else value


def json_line(value: Any) -> None:
    """One JSON document on one line of stdout, at once."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def document(value: Any) -> None:
    """The value as readable JSON, for people."""
    out().print_json(json.dumps(plain(value), ensure_ascii=False), indent=2)


def table(heads: list[str], rows: list[list[str]], total: int | None = None) -> None:
    """Print columns that are never cut, however narrow the terminal is: ids are there to be copied."""
    widths = [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]
    for number, row in enumerate([heads, *rows]):
        line = "  ".join(set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True))
        out().print(line.rstrip(), markup=False, style=None if number else "dim")
    if total is not None and total > len(rows):
        out().print(f"[dim]{len(rows)} of {total}[/dim]")


def failure(error: LgpError, *, machine: bool) -> int:
    """Tell it in one line on stderr, and to programs as `{"error": …}` on stdout; return the exit code."""
    if machine:
        json_line({"error": {"detail": str(error), "exit_code": error.exit_code, **error.extra}})
    people().print(f"[bold red]lgp:[/bold red] {escape(' '.join(str(error).split()))}")
    return error.exit_code
