"""The verbs that are the server's own commands, run with the database of the running `lgp up`.

Their arguments go to `python -m agent_server` as they are, `--json` and `--help` included.
"""

import typer

from lgp.server_command import command_environment, relay, server_command
from lgp.state import clone_state


def keys(context: typer.Context) -> int:
    """Create, list and revoke API keys."""
    return _run("keys", context)


def audit(context: typer.Context) -> int:
    """Show who approved what, and which keys were made."""
    return _run("audit", context)


def migrate(context: typer.Context) -> int:
    """Bring the database's schema up to date."""
    return _run("migrate", context)


def retention(context: typer.Context) -> int:
    """Delete what is older than its time."""
    return _run("retention", context)


def verify(context: typer.Context) -> int:
    """Tell whether the database could be served; changes nothing."""
    return _run("verify", context)


def _run(verb: str, context: typer.Context) -> int:
    return relay(server_command(verb, *context.args), command_environment(clone_state()), verb)
