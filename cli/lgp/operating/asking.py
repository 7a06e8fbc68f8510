"""A person's word before anything changes."""

import sys

from rich.markup import escape

from lgp.errors import LgpError, UsageProblem
from lgp.output import people


def check_terminal(*, yes: bool, how: str = "--yes") -> None:
    """Refuse at once, before anything is built or shown, where nobody could be asked.

    Raises:
        UsageProblem: there is no terminal, and `--yes` was not given.
    """
    if not yes and not sys.stdin.isatty():
        message = f"there is no terminal to ask at: give {how}"
        raise UsageProblem(message)


def confirm(question: str, expected: str = "") -> None:
    """Go on if a person says `y`, or types the expected word where one is given.

    Raises:
        LgpError: the answer is another one; nothing was changed.
    """
    wanted = f"type [bold]{escape(expected)}[/bold] to go on" if expected else "y/N"
    people().print(f"{escape(question)} ({wanted}): ", end="")
    answer = sys.stdin.readline().strip()
    if (answer != expected) if expected else (answer.lower() not in ("y", "yes")):
        message = "nothing was changed"
        raise LgpError(message)
