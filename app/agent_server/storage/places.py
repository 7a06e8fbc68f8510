"""Where the contents of attachments are: a bucket, or a folder that all processes share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from agent_server.core.settings import Settings
from agent_server.storage.bucket import Bucket, open_bucket
from agent_server.storage.folder import Folder

Place = Bucket | Folder
"""Each has a `name` for the database, and `holds`, `read` and `remove` of a record's content."""


@asynccontextmanager
async def open_place(settings: Settings) -> AsyncGenerator[Place | None]:
    """The place that the settings name, for as long as the block lasts; None where they name none.

    Raises:
        ConfigurationError: the folder is missing or cannot be written, or the bucket cannot be one.
    """
    if settings.attachments_bucket is not None:
        async with open_bucket(settings) as bucket:
            yield bucket
    elif settings.attachments_dir is not None:
        yield Folder(settings.attachments_dir)
    else:
        yield None
