"""The command `lgp`: finds the verb, loads only what it needs, and turns every expected failure into a line.

Exit codes
    0  done, or stopped as asked
    1  the run failed, a stack is not well, or another failure
    2  the command line, its input or a file it names is wrong
    3  the run waits for a human: answer with `lgp resume`
    4  no such graph, thread, run, sample, stack or version
    5  nothing answers at the address, or its database is away
    6  refused: key, busy thread, nothing to resume; a protected stack, another cluster
    7  the time to wait is over; the run goes on
    130  stopped by a signal
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer

from lgp.errors import LgpError, UsageProblem
from lgp.output import failure

VERBS = {
    "up": "serving",
    "dev": "serving",
    "attach": "attaching",
    "invoke": "running",
    "stream": "running",
    "resume": "running",
    "graphs": "graphs",
    "validate": "validate",
    "build": "build",
    "threads": "reading",
    "state": "reading",
    "history": "reading",
    "runs": "reading",
    "cancel": "reading",
    "keys": "server",
    "audit": "server",
    "migrate": "server",
    "retention": "server",
    "verify": "server",
    "plan": "plan",
    "deploy": "operating",
    "rollback": "operating",
    "destroy": "operating",
    "status": "observing",
    "logs": "observing",
    "cost": "cost",
}
"""Each verb and the module of `lgp.commands` that has it as a function of that name."""

PASSED_ON: dict[str, Any] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
"""The verbs that are the server's own: their arguments go to it as they are."""


def build(arguments: Sequence[str]) -> typer.Typer:
    """The command line; with a known verb first, that verb alone, for the others cost time to import."""
    app = typer.Typer(
        name="lgp",
        help="Run and use the LangGraph platform.",
        epilog="Exit codes: 0 ok, 1 failed, 2 usage, 3 waits for a human, 4 not found, 5 no answer, "
        "6 refused, 7 time is over.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_root)
    wanted = [arguments[0]] if arguments and arguments[0] in VERBS else list(VERBS)
    for verb in wanted:
        module = VERBS[verb]
        settings = PASSED_ON if module == "server" else None
        app.command(verb, context_settings=settings)(getattr(import_module(f"lgp.commands.{module}"), verb))
    return app


def _root() -> None:
    """Run and use the LangGraph platform."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="replace")  # a terminal of ASCII shows `?` for what it has no sign for
    try:
        return _exit_code(build(given)(given, prog_name="lgp", standalone_mode=False))
    except typer.TyperException as error:
        problem = UsageProblem(error.format_message() or "which verb?")
    except LgpError as error:
        problem = error
    except OSError as error:
        problem = LgpError(f"{error.filename or 'system'}: {error.strerror or error}")
    except typer.Abort:
        return 130
    return failure(problem, machine="--json" in given)


def _exit_code(answer: Any) -> int:
    return answer if isinstance(answer, int) else 0
