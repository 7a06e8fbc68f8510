"""Keys of several people for tests, made in the process instead of by one command each."""

import asyncio
from collections.abc import Mapping

from app.support.storage_world import settings_for

from agent_server.core.principal import Principal, Role
from agent_server.storage.database import open_database
from agent_server.storage.keys import KeyStore

OPERATOR = Principal("", "operator", "admin")


def keyholders(
    database_url: str, pepper: str, roles: Mapping[str, Role], tenant: str = "acme"
) -> dict[str, str]:
    """A key of the tenant for each name, with its role."""

    async def make() -> dict[str, str]:
        async with open_database(settings_for(database_url)) as database:
            keys = KeyStore(database, pepper.encode())
            return {
                name: (await keys.create(OPERATOR, tenant, name, role=role))[0]
                for name, role in roles.items()
            }

    return asyncio.run(make())
