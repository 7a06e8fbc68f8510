"""Who did what: the entries of `agent.audit_log`, which a trigger keeps from ever being changed.

They are written by the statements that do what they tell (`runs.sql`, `keys.sql`), never apart from them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent_server.storage.database import Database
from agent_server.storage.queries import load

_SQL = load("audit")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act: `subject` of `tenant` did `action` to `target`. `entry` grows with time."""

    entry: int
    at: datetime
    tenant: str
    subject: str
    action: str
    target: str
    detail: dict[str, Any]


async def audit_entries(
    database: Database, tenant: str | None = None, *, limit: int = 50, before: int | None = None
) -> list[AuditEntry]:
    """Return up to `limit` entries, newest first, older than the entry `before`.

    For operators: without a tenant, those of all of them.
    """
    params = {"tenant": tenant, "limit": limit, "before": before}
    return [AuditEntry(**row) for row in await database.all(_SQL["page"], params)]
