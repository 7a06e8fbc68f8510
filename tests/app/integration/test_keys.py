import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from app.support.storage_world import sql

from agent_server.core.errors import DatabaseUnavailable, Invalid, NotFound
from agent_server.core.keys import new_key
from agent_server.core.principal import Principal
from agent_server.storage import keys as module
from agent_server.storage.audit import audit_entries
from agent_server.storage.database import Database
from agent_server.storage.keys import KeyStore

PEPPER = b"p" * 32
OPERATOR = Principal("", "operator", "admin")


class Counted(Database):
    """A database that counts what it is asked."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.pool, database.login)
        self.asked = 0

    async def all(self, *arguments: Any) -> Any:
        self.asked += 1
        return await super().all(*arguments)


async def made(keys: KeyStore, expires_in: timedelta | None = None) -> tuple[str, Any]:
    return await keys.create(OPERATOR, "acme", "ci", expires_in)


async def test_a_key_opens_its_tenant_in_its_name(database: Database) -> None:
    key, record = await made(KeyStore(database, PEPPER))
    assert (record.tenant, record.name, record.status, record.expires_at) == ("acme", "ci", "active", None)
    assert key.startswith(record.prefix)
    assert await KeyStore(database, PEPPER).verify(key) == Principal("acme", "key:ci", "admin")


async def test_what_is_stored_does_not_hold_the_key(database: Database) -> None:
    key, record = await made(KeyStore(database, PEPPER))
    stored = await sql(database, "select k::text || a::text as row from agent.api_keys k, agent.audit_log a")
    [text] = [row["row"] for row in stored]
    assert record.prefix in text
    assert key[len(record.prefix) :][:8] not in text
    assert key.encode().hex() not in text


@pytest.mark.parametrize("token", ["", "lgp_", "lgp_" + "a" * 42, "Bearer x", "\x00", "ü" * 46])
async def test_text_that_is_no_key_costs_no_query(database: Database, token: str) -> None:
    counted = Counted(database)
    assert await KeyStore(counted, PEPPER).verify(token) is None
    assert counted.asked == 0


async def test_an_unknown_key_and_one_of_another_pepper_open_nothing(database: Database) -> None:
    key, _ = await made(KeyStore(database, PEPPER))
    assert await KeyStore(database, PEPPER).verify(new_key()) is None
    assert await KeyStore(database, b"q" * 32).verify(key) is None


async def test_an_answer_is_used_again_for_5_seconds_at_most(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    counted = Counted(database)
    keys = KeyStore(counted, PEPPER)
    key, record = await made(keys)
    assert await keys.verify(key) is not None
    await KeyStore(database, PEPPER).revoke(OPERATOR, record.key_id)
    asked, now = counted.asked, 104.9
    assert await keys.verify(key) is not None
    assert counted.asked == asked
    now = 105.0
    assert await keys.verify(key) is None
    assert await keys.verify(key) is None
    assert counted.asked == asked + 1, "a refusal is remembered, too"


async def test_another_process_accepts_a_revoked_key_for_no_longer_than_5_seconds(database: Database) -> None:
    here, there = KeyStore(database, PEPPER), KeyStore(database, PEPPER)
    key, record = await made(here)
    assert await there.verify(key) is not None
    await here.revoke(OPERATOR, record.key_id)
    loop = asyncio.get_running_loop()
    revoked_at = loop.time()
    while await there.verify(key) is not None:
        assert loop.time() < revoked_at + 5.5
        await asyncio.sleep(0.05)


async def test_an_expired_key_opens_nothing_though_it_was_remembered(database: Database) -> None:
    keys = KeyStore(database, PEPPER)
    key, record = await made(keys, timedelta(seconds=0.7))
    assert record.expires_at is not None
    assert await keys.verify(key) is not None
    await asyncio.sleep(0.8)
    assert await keys.verify(key) is None
    assert [record.status for record in await keys.list()] == ["expired"]


async def test_unknown_keys_fill_no_memory_and_drive_no_good_key_out(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_BAD", 10)
    counted = Counted(database)
    keys = KeyStore(counted, PEPPER)
    key, _ = await made(keys)
    await keys.verify(key)
    for _ in range(30):
        assert await keys.verify(new_key()) is None
    assert len(keys._bad) == 10
    asked = counted.asked
    assert await keys.verify(key) is not None
    assert counted.asked == asked


async def test_known_keys_fill_no_memory(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED_GOOD", 2)
    keys = KeyStore(database, PEPPER)
    for _ in range(4):
        assert await keys.verify((await made(keys))[0]) is not None
    assert len(keys._good) == 2


async def test_two_keys_of_one_name_overlap_while_they_are_rotated(database: Database) -> None:
    keys = KeyStore(database, PEPPER)
    (old, record), (new, _) = await made(keys), await made(keys)
    assert await keys.verify(old) == await keys.verify(new)
    await keys.revoke(OPERATOR, record.key_id)
    assert await KeyStore(database, PEPPER).verify(new) is not None
    assert await KeyStore(database, PEPPER).verify(old) is None


async def test_making_and_revoking_a_key_is_on_record(database: Database) -> None:
    keys = KeyStore(database, PEPPER)
    _, record = await made(keys)
    for _ in range(2):
        revoked = await keys.revoke(OPERATOR, record.key_id)
        assert revoked.status == "revoked"
    entries = await audit_entries(database, "acme")
    assert [(entry.subject, entry.action, entry.target) for entry in entries] == [
        ("operator", "key.revoke", str(record.key_id)),
        ("operator", "key.create", str(record.key_id)),
    ]
    told = {"name": "ci", "role": "admin", "prefix": record.prefix}
    assert entries[1].detail == {**told, "expires_at": None}
    assert entries[0].detail == told


async def test_a_statement_that_is_executed_again_makes_one_key(database: Database) -> None:
    class Twice(Database):
        async def together(self, *arguments: Any) -> Any:
            await super().together(*arguments)
            return await super().together(*arguments)

    keys = KeyStore(Twice(database.pool, database.login), PEPPER)
    key, record = await made(keys)
    assert await keys.verify(key) is not None
    assert (await keys.revoke(OPERATOR, record.key_id)).key_id == record.key_id
    assert len(await keys.list()) == 1
    assert len(await audit_entries(database)) == 2


async def test_an_unknown_key_cannot_be_revoked(database: Database) -> None:
    with pytest.raises(NotFound):
        await KeyStore(database, PEPPER).revoke(OPERATOR, uuid4())
    assert await audit_entries(database) == []


async def test_keys_are_listed_of_one_tenant_or_of_all(database: Database) -> None:
    keys = KeyStore(database, PEPPER)
    for tenant in ("b", "a", "b"):
        await keys.create(OPERATOR, tenant, "n")
    assert [record.tenant for record in await keys.list()] == ["a", "b", "b"]
    assert [record.tenant for record in await keys.list("a")] == ["a"]
    assert await keys.list("c") == []


@pytest.mark.parametrize(
    ("tenant", "name", "expires_in"),
    [
        ("", "n", None),
        ("a.b", "n", None),
        ("a\nb", "n", None),
        ("a" * 64, "n", None),
        ("a", "", None),
        ("a", "n\x1b", None),
        ("a", "n", timedelta(0)),
    ],
)
async def test_a_key_of_a_bad_name_or_no_life_is_refused(
    database: Database, tenant: str, name: str, expires_in: timedelta | None
) -> None:
    with pytest.raises(Invalid):
        await KeyStore(database, PEPPER).create(OPERATOR, tenant, name, expires_in)


async def test_without_a_database_a_key_is_neither_good_nor_bad(database: Database) -> None:
    keys = KeyStore(database, PEPPER)
    key, _ = await made(keys)
    await sql(database, "alter table agent.api_keys rename to elsewhere")
    await database.pool.close()
    with pytest.raises(DatabaseUnavailable):
        await keys.verify(key)
