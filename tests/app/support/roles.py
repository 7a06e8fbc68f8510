"""Roles of the tests' PostgreSQL: its superuser, roles of their own, and a stand-in of RDS's `rds_iam`."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from lgp.embedded import Cluster
from lgp.folders import kept_secret

_numbers = count(1)


def new_role() -> str:
    """A name that no other test uses, and that works only where it is quoted."""
    return f"Langgraph app-{next(_numbers)}"


def as_superuser(cluster: Cluster, url: str) -> str:
    """The URL of the same database for the cluster's superuser."""
    return make_conninfo(
        url, user="postgres", password=kept_secret(cluster.layout.keep / "superuser-password")
    )


def as_role(url: str, role: str, password: str) -> str:
    return make_conninfo(url, user=role, password=password)


def without_login(url: str) -> str:
    """The URL as a deployment has it: no user, no password."""
    parts = {key: value for key, value in conninfo_to_dict(url).items() if key not in {"user", "password"}}
    return make_conninfo("", **parts)


def execute(url: str, statement: LiteralString, *names: str, **literals: str) -> list[Any]:
    """The rows of a statement in which `{}` are names and `{password}` are texts."""
    composed = sql.SQL(statement).format(
        *map(sql.Identifier, names), **{key: sql.Literal(value) for key, value in literals.items()}
    )
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(composed)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def rds_iam(superuser: str) -> Iterator[None]:
    """The role that RDS has; here it lets nobody in, it is only granted."""
    execute(superuser, "create role rds_iam")
    try:
        yield
    finally:
        execute(superuser, "drop role rds_iam")


def members_of_rds_iam(superuser: str) -> set[str]:
    found = execute(
        superuser,
        "select m.rolname from pg_auth_members a join pg_roles r on r.oid = a.roleid"
        " join pg_roles m on m.oid = a.member where r.rolname = 'rds_iam'",
    )
    return {row[0] for row in found}
