"""A new user or password in the files: a pool's connections are exchanged, once the new login is let in."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from agent_server.core.errors import ConfigurationError, DatabaseUnavailable
from agent_server.storage.login import Login

LOOK_SECONDS = 2.0
"""How often the files are read; the old login's connections end within this and the longest statement."""

log = structlog.get_logger()

Knock = Callable[[], Awaitable[AsyncConnection[Any]]]
"""Opens a connection with the login of this moment, or raises why it is not let in."""


@asynccontextmanager
async def following_login(pool: AsyncConnectionPool[Any], login: Login, knock: Knock) -> AsyncGenerator[None]:
    """Exchange the pool's connections whenever the login changes, as long as the block lasts."""
    if login.stamp() is None:
        yield
        return
    following = asyncio.create_task(_follow(pool, login, knock))
    try:
        yield
    finally:
        following.cancel()
        await asyncio.wait({following})


async def _follow(pool: AsyncConnectionPool[Any], login: Login, knock: Knock) -> None:
    known = login.stamp()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        stamp = login.stamp()
        if stamp in (known, None):
            continue
        try:
            first = await knock()
        except (ConfigurationError, DatabaseUnavailable) as error:
            log.warning("the new login is not let in yet: open connections go on", reason=error.detail)
            continue
        await first.close()
        known = stamp
        await pool.drain()
        log.info("the connections change to the new login")
