"""What the commands that end by themselves share: settings, a quiet log, a small database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from psycopg.errors import InvalidSchemaName, UndefinedColumn, UndefinedTable

from agent_server.core.errors import ConfigurationError
from agent_server.core.logs import configure_logs
from agent_server.core.settings import Settings, read_settings
from agent_server.storage.database import Database, open_database

T = TypeVar("T")


def settings_of_command() -> Settings:
    """Read the settings; only warnings and worse are logged from now on."""
    settings = read_settings()
    configure_logs(settings, at_least="WARNING")
    return settings


def with_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Do `work` with a database of one connection.

    Raises:
        DatabaseUnavailable: at once, where nothing answers.
        ConfigurationError: it refuses us, or is not migrated.
    """
    return asyncio.run(_with_database(settings, work))


async def _with_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    small = settings.model_copy(update={"pool_min_size": 1, "pool_max_size": 1})
    try:
        async with open_database(small) as database:
            return await work(database)
    except (InvalidSchemaName, UndefinedColumn, UndefinedTable) as error:
        msg = "The database is not migrated to this version: run `python -m agent_server migrate` first."
        raise ConfigurationError(msg) from error
