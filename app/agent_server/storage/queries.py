"""Named queries from `sql/*.sql`, each with its own bound in seconds.

A query begins at a line `-- name (seconds)` and ends at the next one.
"""

import re
from dataclasses import dataclass
from importlib.resources import files

_HEADER = re.compile(r"^-- (\w+) \((\d+) s\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Query:
    """One statement; `seconds` is the client-side deadline of its execution."""

    name: str
    sql: str
    seconds: float


def load(module: str) -> dict[str, Query]:
    """Read the queries of `sql/<module>.sql`, by name."""
    text = (files("agent_server.storage") / "sql" / f"{module}.sql").read_text()
    parts = _HEADER.split(text)[1:]
    return {
        name: Query(f"{module}.{name}", sql.strip().rstrip(";"), float(seconds))
        for name, seconds, sql in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }
