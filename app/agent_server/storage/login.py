"""What a new connection logs in with; asked for each, so that a password may change meanwhile."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from agent_server.core.errors import ConfigurationError, DatabaseUnavailable
from agent_server.core.metrics import CONNECT_FAILURES
from agent_server.core.settings import Settings
from agent_server.storage.aws_credentials import Source, credentials_of
from agent_server.storage.rds_token import Target, rds_token

POSTGRES_PORT = 5432


class Login:
    """User and password by DATABASE_AUTH, for as many connections as one asks for."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigurationError where the AWS credentials' address is not to be trusted."""
        self._settings = settings
        self._source: Source | None = credentials_of(settings) if settings.database_auth == "iam" else None
        self.failures = 0
        """How often there was nothing to log in with: such attempts never reached the database."""

    async def conninfo(self, dsn: str) -> str:
        """Return the URL with the user and the password of this moment.

        Raises:
            ConfigurationError: the URL is malformed, or a file cannot be read.
            DatabaseUnavailable: AWS credentials are not to be had.
        """
        try:
            return with_parts(dsn, **await self._parts(dsn))
        except (ConfigurationError, DatabaseUnavailable):
            self.failures += 1
            CONNECT_FAILURES.inc()
            raise

    def stamp(self) -> str | None:
        """Return what changes with the two files of `DATABASE_AUTH=file`, and tells nothing of their content.

        None where the login is not in files, or they cannot be read.
        """
        if self._settings.database_auth != "file":
            return None
        try:
            user, password = self._from_files()
        except ConfigurationError:
            return None
        return hashlib.sha256(f"{user}\0{password}".encode()).hexdigest()

    def _from_files(self) -> tuple[str, str]:
        settings = self._settings
        user = read_secret("DATABASE_USER_FILE", settings.database_user_file)
        return user, read_secret("DATABASE_PASSWORD_FILE", settings.database_password_file)

    async def _parts(self, dsn: str) -> dict[str, str]:
        settings = self._settings
        if settings.database_auth == "file":
            user, password = self._from_files()
            return {"user": user, "password": password}
        if self._source is not None:
            credentials = await self._source.get()
            target = _target(dsn, settings.aws_region or "")
            return {"password": rds_token(credentials, target, datetime.now(UTC))}
        return {}


def with_parts(dsn: str, **parts: str | int) -> str:
    """Return the URL with these parameters; raises ConfigurationError if it is malformed."""
    try:
        return make_conninfo(dsn, **parts)
    except ProgrammingError:
        msg = "DATABASE_URL is not a usable PostgreSQL URL."
        raise ConfigurationError(msg) from None


def read_secret(variable: str, file: Path) -> str:
    """Return what a file holds, less the line's end; raises ConfigurationError, naming the variable."""
    try:
        value = file.read_text().rstrip("\r\n")
    except OSError as error:
        msg = f"{variable}: {file} cannot be read: {error.strerror}."
        raise ConfigurationError(msg) from None
    except UnicodeDecodeError:
        value = ""
    if not value or "\0" in value:
        msg = f"{variable}: {file} holds no text."
        raise ConfigurationError(msg)
    return value


def _target(dsn: str, region: str) -> Target:
    parts = conninfo_to_dict(dsn)
    port = int(parts.get("port") or POSTGRES_PORT)
    return Target(str(parts["host"]), port, str(parts["user"]), region)
