"""The role that serving processes log in as: it reads and writes rows, and changes no schema."""

from pathlib import Path
from typing import LiteralString

import structlog
from psycopg import Error, sql

from agent_server.core.errors import ConfigurationError
from agent_server.storage.database import Connection
from agent_server.storage.login import read_secret

RDS_IAM = "rds_iam"
"""The role of Amazon RDS whose members log in by IAM tokens, and by nothing else."""

ROWS = "select, insert, update, delete"
NARROWER: dict[str, LiteralString] = {"agent.audit_log": "select, insert", "agent.migrations": "select"}
"""What is recorded stays: the role cannot even try to change it."""
LANGGRAPH_TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "store")
"""All that serving touches of what LangGraph's library makes in `public`."""

log = structlog.get_logger()


async def provide_role(connection: Connection, role: str, password_file: Path | None) -> None:
    """Make the role, or bring it up to date: its way to log in, and what it may do.

    With a password file it gets that password, of which only the SCRAM verifier is sent; without, it
    logs in by RDS IAM tokens. Whoever connects must have made the role, or be a superuser.

    Raises:
        ConfigurationError: the role may not be used for this, `rds_iam` is missing, the password file cannot
            be read, or PostgreSQL refused.
    """
    password = read_secret("APPLICATION_ROLE_PASSWORD_FILE", password_file) if password_file else None
    try:
        async with connection.transaction():
            await _make(connection, role)
            if password is None:
                await _let_in_by_iam(connection, role)
            else:
                await _let_in_by_password(connection, role, password)
            await _grant(connection, role)
    except Error as error:
        reason = error.diag.message_primary or type(error).__name__
        msg = f"APPLICATION_ROLE {role}: PostgreSQL refused: {reason}"
        raise ConfigurationError(msg) from None
    log.info("application role provided", role=role, login="password" if password else "iam")


async def _make(connection: Connection, role: str) -> None:
    found = await _attributes(connection, role)
    if found is None:
        await _execute(connection, "create role {} login nosuperuser nocreatedb nocreaterole", role)
        return
    if found["mighty"]:
        msg = f"APPLICATION_ROLE {role} is the role that migrates, or may do more than serve; name another."
        raise ConfigurationError(msg)
    if not found["login"]:
        await _execute(connection, "alter role {} login", role)


async def _attributes(connection: Connection, role: str) -> dict[str, bool] | None:
    cursor = await connection.execute(
        "select rolcanlogin as login, rolname = current_user or rolsuper or rolcreaterole or rolcreatedb"
        " or rolreplication or rolbypassrls as mighty from pg_roles where rolname = %s",
        (role,),
    )
    return await cursor.fetchone()


async def _let_in_by_iam(connection: Connection, role: str) -> None:
    if await _attributes(connection, RDS_IAM) is None:
        msg = (
            f"APPLICATION_ROLE {role} is to log in by IAM, and this database has no role {RDS_IAM}:"
            " enable IAM authentication on the RDS instance, or set APPLICATION_ROLE_PASSWORD_FILE."
        )
        raise ConfigurationError(msg)
    await _execute(connection, "alter role {} password null", role)
    await _execute(connection, "grant {} to {}", RDS_IAM, role)


async def _let_in_by_password(connection: Connection, role: str, password: str) -> None:
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    set_password = sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier))
    await connection.execute(set_password)
    cursor = await connection.execute(
        "select from pg_auth_members m join pg_roles g on g.oid = m.roleid"
        " join pg_roles r on r.oid = m.member where g.rolname = %s and r.rolname = %s",
        (RDS_IAM, role),
    )
    if await cursor.fetchone() is not None:  # its members are let in by no password
        await _execute(connection, "revoke {} from {}", RDS_IAM, role)


async def _grant(connection: Connection, role: str) -> None:
    database = connection.info.dbname
    await _execute(connection, "grant connect on database {} to {}", database, role)
    await _execute(connection, "grant usage on schema agent, public to {}", role)
    await _execute(connection, "grant " + ROWS + " on all tables in schema agent to {}", role)
    for table, rights in NARROWER.items():
        name = table.split(".")
        await _execute(connection, "revoke all on {} from {}", name, role)
        await _execute(connection, "grant " + rights + " on {} to {}", name, role)
    for table in LANGGRAPH_TABLES:
        await _execute(connection, "grant " + ROWS + " on {} to {}", ["public", table], role)
    # for what a later version makes, until its own `migrate` comes here
    for schema in ("agent", "public"):
        await _execute(
            connection,
            "alter default privileges in schema {} grant " + ROWS + " on tables to {}",
            schema,
            role,
        )


async def _execute(connection: Connection, statement: LiteralString, *names: str | list[str]) -> None:
    """Execute a statement about names, each quoted: of schema and table where it is a list."""
    quoted = [sql.Identifier(*([name] if isinstance(name, str) else name)) for name in names]
    await connection.execute(sql.SQL(statement).format(*quoted))
