"""Text that anyone may have written, as Markdown that shows it and does nothing else.

Names and values come from a stack's files and program, which in a pull request may be a stranger's. They
stand in two places only, and in neither does a Markdown parser look at them:

- in `<code>` inside an HTML block: CommonMark takes such a block as it is up to the next blank line, and
  `shown` leaves no line break in a text; HTML's own signs are entities;
- in a fence, whose mark is longer than any run of backticks inside it.

GitHub makes no mention, reference or link of what is inside `<code>` and `<pre>`.
"""

import html
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

from lgp.planning.wording import shown

LINE = 400
"""Characters of a line in a fence."""

_RUNS = re.compile("`+")


def code(text: str) -> str:
    """The text in an HTML block."""
    return f"<code>{html.escape(shown(text))}</code>"


def fence(lines: Iterable[str], language: str = "diff") -> str:
    """A block of lines."""
    body = "\n".join(shown(line, LINE) for line in lines)
    longest = max((len(run) for run in _RUNS.findall(body)), default=0)
    mark = "`" * max(3, longest + 1)
    return f"{mark}{language}\n{body}\n{mark}"


def table(head: Iterable[str], rows: Iterable[str]) -> str:
    """A table of rows that are HTML already."""
    return "\n".join(["<table>", row(head, "th"), *rows, "</table>"])


def row(cells: Iterable[str], cell: str = "td") -> str:
    """A row of cells that are HTML already."""
    return f"<tr>{''.join(f'<{cell}>{each}</{cell}>' for each in cells)}</tr>"


def items(lines: Iterable[str]) -> str:
    """A list of lines that are HTML already."""
    return "\n".join(["<ul>", *(f"<li>{line}</li>" for line in lines), "</ul>"])


def columns(*head: str) -> Callable[[list[str]], str]:
    """Makes a table of rows."""
    return lambda rows: table(head, rows)


def foot(command: str) -> str:
    """The last line of a comment."""
    return (
        "<p><sub>Made offline from the program: no account, no state. "
        f"<code>pulumi preview</code> stays the authority. The same here: {code(command)}</sub></p>"
    )


def marker(stack: str) -> str:
    """What tells this comment from others, so that the next one takes its place; nobody sees it."""
    return f"<!-- lgp-plan:{quote(stack, safe='', errors='backslashreplace')} -->"
