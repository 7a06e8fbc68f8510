import psycopg
import pytest
from app.support.storage_world import sql

from agent_server.storage.audit import audit_entries
from agent_server.storage.database import Database


async def entries_made(database: Database) -> None:
    for number in range(4):
        await sql(
            database,
            "insert into agent.audit_log (tenant, subject, action, target, detail)"
            " values (%(tenant)s, 'someone', 'key.create', %(target)s, '{\"a\": 1}')",
            tenant="ab"[number % 2],
            target=str(number),
        )


async def test_entries_come_newest_first_page_by_page(database: Database) -> None:
    await entries_made(database)
    first = await audit_entries(database, limit=3)
    assert [entry.target for entry in first] == ["3", "2", "1"]
    assert first[0].detail == {"a": 1}
    rest = await audit_entries(database, limit=3, before=first[-1].entry)
    assert [entry.target for entry in rest] == ["0"]


async def test_a_tenants_entries_are_its_own(database: Database) -> None:
    await entries_made(database)
    assert [entry.target for entry in await audit_entries(database, "a")] == ["2", "0"]
    assert await audit_entries(database, "c") == []


@pytest.mark.parametrize(
    "change",
    [
        "update agent.audit_log set subject = 'someone else'",
        "update agent.audit_log set subject = 'someone else' where false",
        "delete from agent.audit_log",
        "truncate agent.audit_log",
    ],
)
async def test_no_entry_can_be_changed_or_deleted(database: Database, change: str) -> None:
    await entries_made(database)
    before = await audit_entries(database)
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        await sql(database, change)
    assert await audit_entries(database) == before
