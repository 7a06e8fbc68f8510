"""What the database's schema should be, as one short text; imports only the standard library.

`migrate` leaves it in `agent.migrations`, so that a start can tell without importing LangGraph whether
there is anything to migrate, and `serve` can refuse a database that is not up to date.
"""

import hashlib
from importlib.metadata import version
from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"
_LIBRARY = "langgraph-checkpoint-postgres"
"""It makes the tables of the saver and of the store."""


def schema_fingerprint() -> str:
    """Return 16 hex digits that change with our migrations and with LangGraph's Postgres library."""
    digest = hashlib.sha256(version(_LIBRARY).encode())
    for path in sorted(MIGRATIONS.glob("*.sql")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
