import asyncio
import shutil
import time
from pathlib import Path

import pytest
from app.support.storage_world import settings_for

from agent_server.core.errors import ConfigurationError
from agent_server.storage import migrate as migrate_module
from agent_server.storage.database import connect
from agent_server.storage.fingerprint import schema_fingerprint
from agent_server.storage.migrate import migrate, require_current

INVALID_INDEXES = "select indexrelid::regclass::text as name from pg_index where not indisvalid"
SCHEMA = """
    select table_schema, table_name, column_name, data_type from information_schema.columns
    where table_schema in ('agent', 'public') order by 1, 2, 3
"""


async def rows(url: str, statement: str) -> list[dict[str, object]]:
    connection = await connect(url, statement_timeout=5)
    async with connection:
        cursor = await connection.execute(statement)
        return await cursor.fetchall()


async def test_four_migrations_at_once_end_well(fresh_database: str) -> None:
    began = time.monotonic()
    applied = await asyncio.gather(*(migrate(settings_for(fresh_database)) for _ in range(4)))
    assert time.monotonic() - began < 10
    assert sorted(map(len, applied)) == [0, 0, 0, len(max(applied, key=len))]
    assert max(applied, key=len)[0] == "0001_runs"
    assert await rows(fresh_database, INVALID_INDEXES) == []
    connection = await connect(fresh_database, statement_timeout=5)
    async with connection:
        await require_current(connection)


async def test_a_second_migration_changes_nothing(migrated_database: str) -> None:
    everything = "select name, applied_at from agent.migrations order by name"
    before = await rows(migrated_database, everything), await rows(migrated_database, SCHEMA)
    assert await migrate(settings_for(migrated_database)) == []
    assert (await rows(migrated_database, everything), await rows(migrated_database, SCHEMA)) == before


async def test_a_database_that_was_never_migrated_is_refused(fresh_database: str) -> None:
    connection = await connect(fresh_database, statement_timeout=5)
    async with connection:
        with pytest.raises(ConfigurationError, match="migrate"):
            await require_current(connection)


async def test_a_database_of_another_version_is_refused(migrated_database: str) -> None:
    connection = await connect(migrated_database, statement_timeout=5)
    async with connection:
        await connection.execute("delete from agent.migrations where name like 'fingerprint:%'")
        with pytest.raises(ConfigurationError, match="migrate"):
            await require_current(connection)
        await migrate(settings_for(migrated_database))
        await require_current(connection)


async def test_an_older_version_goes_on_beside_a_newer_one_until_that_says_otherwise(
    migrated_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, ours = settings_for(migrated_database), migrate_module.MIGRATIONS
    newer = tmp_path / "migrations"
    shutil.copytree(ours, newer)
    (newer / "9001_adds.sql").write_text("alter table agent.runs add column later text;\n")
    monkeypatch.setattr(migrate_module, "MIGRATIONS", newer)
    assert await migrate(settings) == ["9001_adds"]
    monkeypatch.setattr(migrate_module, "MIGRATIONS", ours)
    assert await migrate(settings) == [], "an older image migrates nothing away"
    connection = await connect(migrated_database, statement_timeout=5)
    async with connection:
        await require_current(connection)
        (newer / "9002_takes.sql").write_text(
            "-- oldest: 9001_adds\nalter table agent.runs drop column later;\n"
        )
        monkeypatch.setattr(migrate_module, "MIGRATIONS", newer)
        assert await migrate(settings) == ["9002_takes"]
        await require_current(connection)
        monkeypatch.setattr(migrate_module, "MIGRATIONS", ours)
        with pytest.raises(ConfigurationError, match="newer version: this one does not know 9001_adds"):
            await migrate(settings)
        with pytest.raises(ConfigurationError, match="Run a version that does"):
            await require_current(connection)


async def test_a_migration_that_stopped_half_way_goes_on(fresh_database: str) -> None:
    connection = await connect(fresh_database, statement_timeout=5)
    async with connection:
        await connection.execute("create schema agent")
        await connection.execute("create table agent.migrations (name text primary key)")
        await connection.execute("create table checkpoint_migrations (v integer primary key)")
    assert len(await migrate(settings_for(fresh_database))) >= 1


async def test_records_of_what_was_done_cannot_be_changed(migrated_database: str) -> None:
    connection = await connect(migrated_database, statement_timeout=5)
    async with connection:
        await connection.execute(
            "insert into agent.audit_log (tenant, subject, action, target) values ('t', 's', 'a', 'x')"
        )
        for statement in (
            "update agent.audit_log set subject = 'other'",
            "delete from agent.audit_log",
            "truncate agent.audit_log",
        ):
            with pytest.raises(Exception, match="append-only"):
                await connection.execute(statement)


def test_the_fingerprint_is_short_and_stable() -> None:
    assert schema_fingerprint() == schema_fingerprint()
    assert len(bytes.fromhex(schema_fingerprint())) == 8
