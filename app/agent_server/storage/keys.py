"""API keys: made, listed, revoked, and checked at each request. Only their HMACs are stored."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from psycopg.rows import DictRow

from agent_server.core.errors import Invalid, NotFound
from agent_server.core.keys import NAME, SHOWN_LENGTH, TENANT, hmac_of, is_well_formed, new_key
from agent_server.core.principal import Principal, Role
from agent_server.storage.database import Database
from agent_server.storage.queries import load

_SQL = load("keys")

REMEMBERED_SECONDS = 5.0
"""How long an answer about a key is used again: a revoked key may still pass for so long."""
REMEMBERED_GOOD = 10_000
REMEMBERED_BAD = 1_000
"""Apart from the good ones, so that a flood of unknown keys drives none of those out."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What may be told of a key; `prefix` is its beginning."""

    key_id: UUID
    tenant: str
    name: str
    role: Role
    prefix: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    status: Literal["active", "expired", "revoked"]


class KeyStore:
    """The keys of all tenants.

    `verify` serves requests. The others are for operators, who are above tenants.
    """

    def __init__(self, database: Database, pepper: bytes) -> None:
        self.database = database
        self._pepper = pepper
        self._good = _Memory(REMEMBERED_GOOD)
        self._bad = _Memory(REMEMBERED_BAD)

    async def create(
        self,
        principal: Principal,
        tenant: str,
        name: str,
        expires_in: timedelta | None = None,
        *,
        role: Role = "admin",
    ) -> tuple[str, KeyRecord]:
        """Make a key of `tenant` and return it; it cannot be shown again. `principal` is on record.

        Raises:
            Invalid: a tenant or a name of other characters than they may have, or a time already over.
        """
        _check(tenant, name, expires_in)
        key = new_key()
        params = {
            "key_id": uuid4(),
            "tenant": tenant,
            "name": name,
            "role": role,
            "prefix": key[:SHOWN_LENGTH],
            "hmac": hmac_of(key, self._pepper),
            "expires_in": expires_in.total_seconds() if expires_in else None,
            "subject": principal.subject,
        }
        rows = await self.database.all(_SQL["create"], params)
        return key, _record(rows[0])

    async def list(self, tenant: str | None = None) -> list[KeyRecord]:
        """Return the keys of one tenant, or of all, oldest first; those that are over, too."""
        return [_record(row) for row in await self.database.all(_SQL["list"], {"tenant": tenant})]

    async def revoke(self, principal: Principal, key_id: UUID) -> KeyRecord:
        """End a key: within 5 s no process accepts it. Revoking it again changes nothing.

        Raises:
            NotFound: no key has this id.
        """
        params = {"key_id": key_id, "subject": principal.subject}
        row = await self.database.one(_SQL["revoke"], params)
        if row is None:
            msg = f"There is no key {key_id}."
            raise NotFound(msg)
        return _record(row)

    async def verify(self, token: str) -> Principal | None:
        """Return who holds the key, as `key:NAME` of its tenant; None if it is not a valid one.

        An answer may be up to 5 s old. Text that is no key costs no query.
        """
        if not is_well_formed(token):
            return None
        digest = hmac_of(token, self._pepper)
        asked_at = time.monotonic()
        good = self._good.get(digest, asked_at)
        if good is not None or self._bad.knows(digest, asked_at):
            return good
        row = await self.database.one(_SQL["verify"], {"hmac": digest})
        if row is None:
            self._bad.put(digest, None, asked_at + REMEMBERED_SECONDS)
            return None
        found = Principal(row["tenant"], f"key:{row['name']}", row["role"])
        self._good.put(digest, found, asked_at + min(REMEMBERED_SECONDS, row["seconds_left"]))
        return found


class _Memory:
    """Answers that end, at most `size` of them: the longest unused one goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[bytes, tuple[float, Principal | None]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def knows(self, digest: bytes, now: float) -> bool:
        """Whether there is an answer that has not ended; one that has is dropped."""
        entry = self._entries.get(digest)
        if entry is None:
            return False
        if entry[0] <= now:
            del self._entries[digest]
            return False
        self._entries.move_to_end(digest)
        return True

    def get(self, digest: bytes, now: float) -> Principal | None:
        """Return the answer, or None."""
        return self._entries[digest][1] if self.knows(digest, now) else None

    def put(self, digest: bytes, answer: Principal | None, until: float) -> None:
        """Keep an answer until `until`, by the monotonic clock."""
        self._entries[digest] = (until, answer)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)


def _check(tenant: str, name: str, expires_in: timedelta | None) -> None:
    if not TENANT.fullmatch(tenant):
        msg = "A tenant has 1 to 63 letters, digits, _ and -, and begins with a letter or a digit."
        raise Invalid(msg)
    if not NAME.fullmatch(name):
        msg = "A key's name has 1 to 63 letters, digits, _, ., @ and -, and begins with a letter or a digit."
        raise Invalid(msg)
    if expires_in is not None and expires_in <= timedelta(0):
        msg = "A key must expire in the future."
        raise Invalid(msg)


def _record(row: DictRow) -> KeyRecord:
    return KeyRecord(**row)
