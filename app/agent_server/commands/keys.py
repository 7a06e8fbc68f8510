"""`keys create | list | revoke`: DATABASE_URL and API_KEY_PEPPER are all that they need."""

from argparse import Namespace
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import TypeVar

from agent_server.commands.output import fields_of, json_line, line, note, table
from agent_server.commands.session import settings_of_command, with_database
from agent_server.core.principal import Principal
from agent_server.storage.keys import KeyRecord, KeyStore

OPERATOR = "operator"
"""Who acts in a command, as the audit has it: whoever may run one reads the database's password anyway."""

T = TypeVar("T")


def create(given: Namespace) -> int:
    """Make a key; stdout holds it and nothing else."""
    operator = Principal(given.tenant, OPERATOR, "admin")
    key, record = _with_keys(
        lambda keys: keys.create(operator, given.tenant, given.name, given.expires_days, role=given.role)
    )
    if given.machine:
        json_line({"key": key, **fields_of(record)})
        return 0
    note(
        f"key {record.key_id} of tenant {record.tenant}, {record.role}, {_until(record)};"
        " it is not shown again:"
    )
    line(key)
    return 0


def list_keys(given: Namespace) -> int:
    """List keys; `prefix` is all that is known of each."""
    records = _with_keys(lambda keys: keys.list(given.tenant))
    if given.machine:
        json_line({"keys": [fields_of(record) for record in records]})
        return 0
    columns = (
        "key_id",
        "tenant",
        "name",
        "role",
        "prefix",
        "status",
        "created_at",
        "expires_at",
        "revoked_at",
    )
    table(columns, [[getattr(record, column) for column in columns] for record in records])
    return 0


def revoke(given: Namespace) -> int:
    """End a key."""
    record = _with_keys(lambda keys: keys.revoke(Principal("", OPERATOR, "admin"), given.key_id))
    if given.machine:
        json_line(fields_of(record))
    else:
        line(f"revoked: {record.prefix}… ({record.name} of {record.tenant})")
    return 0


def _with_keys(work: Callable[[KeyStore], Awaitable[T]]) -> T:
    settings = settings_of_command()
    pepper = settings.require_pepper()
    return with_database(settings, lambda database: work(KeyStore(database, pepper)))


def _until(record: KeyRecord) -> str:
    end = record.expires_at
    return f"good until {end.astimezone(UTC):%Y-%m-%d %H:%MZ}" if end else "without an end"
