"""Partitioned checkpoint tables: made once, else like the library's own, and all that stores runs on them."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

# The very tests of the plain tables, on partitioned ones: `migrated_template` below is what they get.
from app.integration.test_retention import *  # noqa: F403  # all of its tests
from app.integration.test_storage_saver import *  # noqa: F403  # all of its tests
from app.integration.test_storage_threads import *  # noqa: F403  # all of its tests
from app.support.roles import as_role, as_superuser, execute, new_role
from app.support.storage_world import DONE, begun, runs_of, settings_for
from app.support.surface import caller, invoke, new_thread, ok, serving
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import sql
from support.postgres import empty_database

from agent_server.core.errors import ConfigurationError
from agent_server.storage.database import open_database
from agent_server.storage.migrate import migrate
from agent_server.storage.partitions import KNOWN, TABLES, digest
from lgp.embedded import Cluster
from lgp.embedded.binaries import program_folder

COUNT = 8
COLUMNS = """
    select table_name, column_name, data_type, is_nullable, column_default, ordinal_position
    from information_schema.columns
    where table_name = any(array['checkpoints', 'checkpoint_blobs', 'checkpoint_writes'])
    order by 1, 2
"""
INDEXES = """
    select i.indrelid::regclass::text, c.relname, i.indisprimary, i.indisunique, i.indisvalid,
        (select array_agg(attname::text order by attnum) from pg_attribute where attrelid = i.indexrelid)
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = any(array['checkpoints', 'checkpoint_blobs', 'checkpoint_writes']::regclass[]::oid[])
    order by 1, 2
"""
VERSIONS = "select v from checkpoint_migrations order by v"
PARTITIONS = """
    select inhparent::regclass::text, count(*) from pg_inherits i join pg_class c on c.oid = i.inhparent
    where c.relkind = 'p' group by 1 order by 1
"""
FILLING: tuple[LiteralString, ...] = (
    "insert into checkpoints (thread_id, checkpoint_id, checkpoint)"
    " select n::text, 'c', '[]' from generate_series(1, 99) n",
    "insert into checkpoint_blobs (thread_id, channel, version, type, blob)"
    " select n::text, 'a', '1', 'bytes', '\\x00ff' from generate_series(1, 99) n",
    "insert into checkpoint_writes (thread_id, checkpoint_id, task_id, idx, channel, blob)"
    " select n::text, 'c', 't', 0, 'a', '\\x00ff' from generate_series(1, 99) n",
)
HOLDING = "select count(distinct tableoid) from checkpoints"

del test_300_turns_on_one_thread_keep_a_bounded_number_of_rows  # noqa: F821  # imported; half of the time of all


@pytest.fixture(scope="module")
def migrated_template(postgres_cluster: Cluster) -> Iterator[str]:
    """The URL of a migrated database with partitions, which is only copied."""
    with empty_database(postgres_cluster) as url:
        asyncio.run(migrate(settings_for(url, checkpoint_partitions=COUNT)))
        yield url


def catalog(url: str) -> list[object]:
    return [execute(url, COLUMNS), execute(url, INDEXES), execute(url, VERSIONS)]


async def test_each_table_has_its_partitions_and_is_else_as_the_library_makes_it(
    migrated_template: str, fresh_database: str
) -> None:
    await migrate(settings_for(fresh_database))
    assert catalog(migrated_template) == catalog(fresh_database)
    assert execute(migrated_template, PARTITIONS) == [(table, COUNT) for table in sorted(TABLES)]
    assert execute(fresh_database, PARTITIONS) == []


async def test_migrating_again_changes_nothing_and_four_at_once_end_well(fresh_database: str) -> None:
    settings = settings_for(fresh_database, checkpoint_partitions=4)
    applied = await asyncio.gather(*(migrate(settings) for _ in range(4)))
    assert sorted(map(bool, applied)) == [False, False, False, True]
    before = catalog(fresh_database)
    assert await migrate(settings) == []
    assert catalog(fresh_database) == before


@pytest.mark.parametrize(("first", "later"), [(0, 4), (4, 8), (4, 0)])
async def test_another_number_later_is_refused_and_changes_nothing(
    fresh_database: str, first: int, later: int
) -> None:
    await migrate(settings_for(fresh_database, checkpoint_partitions=first))
    before = catalog(fresh_database), execute(fresh_database, PARTITIONS)
    with pytest.raises(
        ConfigurationError, match=rf"CHECKPOINT_PARTITIONS is {later}, .* Set it to {first}, or"
    ):
        await migrate(settings_for(fresh_database, checkpoint_partitions=later))
    assert (catalog(fresh_database), execute(fresh_database, PARTITIONS)) == before


async def test_one_partition_is_none(fresh_database: str) -> None:
    await migrate(settings_for(fresh_database, checkpoint_partitions=1))
    assert execute(fresh_database, PARTITIONS) == []
    await migrate(settings_for(fresh_database))


def test_the_librarys_migrations_are_those_that_are_known() -> None:
    """With a new version of the library: read what it adds, see the other tests pass, then change KNOWN."""
    assert digest(AsyncPostgresSaver.MIGRATIONS) == KNOWN


async def test_migrations_that_are_not_known_are_refused_before_anything_is_made(
    new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, empty = new_database(), new_database()
    await migrate(settings_for(old, checkpoint_partitions=4))
    added = "create index concurrently later on checkpoints (checkpoint_id)"
    monkeypatch.setattr(AsyncPostgresSaver, "MIGRATIONS", [*AsyncPostgresSaver.MIGRATIONS, added])
    for url in (old, empty):
        with pytest.raises(
            ConfigurationError, match=r"langgraph-checkpoint-postgres .* does not know how to apply"
        ):
            await migrate(settings_for(url, checkpoint_partitions=4))
    assert execute(empty, "select to_regclass('checkpoint_migrations')") == [(None,)]


async def test_tables_are_made_whole_or_not_at_all(fresh_database: str) -> None:
    settings = settings_for(fresh_database, checkpoint_partitions=4)
    execute(fresh_database, "create table checkpoint_writes_p003 ()")  # in the way of the last one
    with pytest.raises(psycopg.errors.DuplicateTable):
        await migrate(settings)
    assert execute(fresh_database, "select to_regclass('checkpoints')") == [(None,)]
    execute(fresh_database, "drop table checkpoint_writes_p003")
    await migrate(settings)
    assert execute(fresh_database, PARTITIONS) == [(table, 4) for table in sorted(TABLES)]


async def test_the_application_role_serves_on_partitions_over_which_threads_are_spread(
    postgres_cluster: Cluster, fresh_database: str, tmp_path: Path
) -> None:
    role, superuser = new_role(), as_superuser(postgres_cluster, fresh_database)
    (tmp_path / "password").write_text("secret-of-the-role")
    told = {"application_role": role, "application_role_password_file": tmp_path / "password"}
    await migrate(settings_for(superuser, checkpoint_partitions=COUNT, **told))
    threads = [new_thread() for _ in range(3 * COUNT)]
    with serving(as_role(fresh_database, role, "secret-of-the-role")) as server, caller(server) as http:
        for thread in threads:
            ok(invoke(http, "echo", {"text": "a"}, thread_id=thread))
        assert execute(superuser, HOLDING)[0][0] > COUNT / 2
        for thread in threads:
            assert ok(http.get("/graphs/echo/state", params={"thread_id": thread}))["values"]["text"] == "a!"
            assert http.delete(f"/threads/{thread}").status_code == 204
    assert execute(superuser, "select count(*) from checkpoints") == [(0,)]


async def test_the_data_of_plain_tables_can_be_copied_into_partitioned_ones(
    postgres_cluster: Cluster, new_database: Callable[[], str]
) -> None:
    """As docs/howto/partition-checkpoints.md says it."""
    old, new = new_database(), new_database()
    await migrate(settings_for(old))
    async with open_database(settings_for(old)) as database:
        claim = await begun(runs_of(database))
        await runs_of(database).finish(claim, DONE, None, thread_status="idle")
    for statement in FILLING:
        execute(old, statement)
    await migrate(settings_for(new, checkpoint_partitions=4))
    await asyncio.to_thread(copy_data, program_folder(postgres_cluster.layout.binaries), old, new)
    for table in (*TABLES, "agent.threads", "agent.runs"):
        everything = sql.SQL("select t::text from {} t order by 1").format(sql.Identifier(*table.split(".")))
        with psycopg.connect(old) as before, psycopg.connect(new) as after:
            assert before.execute(everything).fetchall() == after.execute(everything).fetchall() != []


def copy_data(programs: Path, old: str, new: str) -> None:
    left_out = ("agent.migrations", "checkpoint_migrations", "store_migrations", "vector_migrations")
    dump = [str(programs / "pg_dump"), "--data-only", *(f"--exclude-table={name}" for name in left_out), old]
    dumped = subprocess.run(dump, check=True, capture_output=True).stdout
    load = [str(programs / "psql"), "--quiet", "--single-transaction", "-v", "ON_ERROR_STOP=1", new]
    subprocess.run(load, input=dumped, check=True, capture_output=True)
