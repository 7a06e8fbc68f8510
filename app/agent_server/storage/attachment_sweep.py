"""What a sweep does about attachments: those that nobody waits for go, and contents follow their rows.

A row is marked as deleted in the transaction that deletes its thread. Its content goes afterwards, here, so a
process that dies between the two leaves nothing that no row tells of.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from agent_server.storage.attachments import record_of
from agent_server.storage.database import Database
from agent_server.storage.places import Place
from agent_server.storage.queries import load

_SQL = load("attachments")

UNSETTLED_SECONDS = 86400
"""An attachment has so long for its content and for its thread to come."""
AGAIN_SECONDS = 3600
"""So long after a deletion no upload is under way any more: the content is removed once more."""
BATCH = 200

_NOBODY = UUID(int=0)


class AttachmentSweep:
    """One sweep over the attachments of one place."""

    def __init__(self, database: Database, place: Place) -> None:
        self._database = database
        self._place = place

    async def run(self) -> int:
        """Do what is due; return how many contents were removed.

        Raises:
            DatabaseUnavailable, Overloaded, StorageUnavailable: the next sweep goes on.
        """
        await self._settle()
        return await self._remove()

    async def _settle(self) -> None:
        """Keep those that have both content and thread; mark the others as deleted."""
        at, after = datetime.fromtimestamp(0, UTC), _NOBODY
        params = {"age": UNSETTLED_SECONDS}
        while page := await self._page("unsettled", {**params, "at": at, "after": after}):
            kept = [row["attachment_id"] for row in page if await self._is_whole(row)]
            others = [row["attachment_id"] for row in page if row["attachment_id"] not in kept]
            await self._database.all(_SQL["settle"], {"attachment_ids": kept})
            await self._database.all(_SQL["expire"], {"attachment_ids": others})
            at, after = page[-1]["created_at"], page[-1]["attachment_id"]

    async def _is_whole(self, row: DictRow) -> bool:
        if not row["has_thread"]:
            return False
        return row["stored_at"] is not None or await self._place.holds(record_of(row))

    async def _remove(self) -> int:
        removed = 0
        async for page in self._dropped():
            for row in page:
                await self._place.remove(record_of(row))
            params = {"attachment_ids": [row["attachment_id"] for row in page], "again": AGAIN_SECONDS}
            counts = (await self._database.all(_SQL["forget"], params))[0]
            removed += counts["noted"]
        return removed

    async def _dropped(self) -> AsyncIterator[list[DictRow]]:
        after = _NOBODY
        while page := await self._page("dropped", {"again": AGAIN_SECONDS, "after": after}):
            yield page
            after = page[-1]["attachment_id"]

    async def _page(self, name: str, params: Mapping[str, Any]) -> list[DictRow]:
        return await self._database.all(_SQL[name], {**params, "place": self._place.name, "limit": BATCH})
