"""`audit`: who did what, newest first."""

from argparse import Namespace

from agent_server.commands.output import fields_of, json_line, table
from agent_server.commands.session import settings_of_command, with_database
from agent_server.storage.audit import audit_entries


def audit(given: Namespace) -> int:
    """Show entries; the last one's number is the `--before` of the next page."""
    settings = settings_of_command()
    entries = with_database(
        settings,
        lambda database: audit_entries(database, given.tenant, limit=given.limit, before=given.before),
    )
    if given.machine:
        json_line({"entries": [fields_of(entry) for entry in entries]})
        return 0
    columns = ("entry", "at", "tenant", "subject", "action", "target", "detail")
    table(columns, [[getattr(entry, column) for column in columns] for entry in entries])
    return 0
