import asyncio
import time

import pytest
from app.support.cut_proxy import cut_proxy
from app.support.storage_world import ALICE, begun, chunk, queued, runs_of, settings_for, sql
from psycopg import AsyncConnection, OperationalError
from pydantic import SecretStr
from support.postgres import private_cluster

from agent_server.core.errors import ConfigurationError, DatabaseUnavailable, Overloaded
from agent_server.storage import database as module
from agent_server.storage.database import Database, connect, connect_first, open_database
from agent_server.storage.queries import Query
from agent_server.storage.runs import Outcome

NOW = Query("now", "select 1 as one", 5)
SLOW = Query("slow", "select pg_sleep(30)", 0.3)


async def test_a_malformed_url_stops_the_start() -> None:
    for url in ("postgresql://[bad", "host", "postgresql://h/d?no_such_option=1"):
        unchecked = settings_for("postgresql://h/d").model_copy(update={"database_url": SecretStr(url)})
        with pytest.raises(ConfigurationError) as caught:
            async with open_database(unchecked):
                pass
        assert url not in str(caught.value)
        with pytest.raises(ConfigurationError):
            await connect_first(url)


async def test_a_database_that_is_not_there_is_told_in_time() -> None:
    began = time.monotonic()
    url = "postgresql://127.0.0.1:1/none"
    with pytest.raises(
        DatabaseUnavailable, match=r"at 127\.0\.0\.1 port 1 is not available: nothing listens"
    ):
        async with open_database(settings_for(url)):
            pass
    with pytest.raises(DatabaseUnavailable):
        await connect(url, statement_timeout=5)
    assert time.monotonic() - began < 1


async def test_no_free_connection_is_overload_and_no_outage(
    migrated_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECKOUT_SECONDS", 0.3)
    async with open_database(settings_for(migrated_database, pool_max_size=1)) as database:
        async with database.pool.connection():
            with pytest.raises(Overloaded):
                await database.all(NOW, {})
        assert await database.one(NOW, {}) == {"one": 1}


async def test_a_statement_is_bounded_and_its_connection_not_lost(database: Database) -> None:
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        await database.all(SLOW, {})
    assert time.monotonic() - began < 6
    assert await database.one(NOW, {}) == {"one": 1}


async def test_the_servers_own_bound_is_not_waited_for_three_times(migrated_database: str) -> None:
    settings = settings_for(migrated_database, statement_timeout_seconds=0.3)
    async with open_database(settings) as database:
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            await database.all(Query("slow", "select pg_sleep(30)", 20), {})
        assert time.monotonic() - began < 0.9


async def test_a_task_that_was_told_to_stop_stops_whatever_becomes_of_its_statement(
    database: Database,
) -> None:
    tries: list[int] = []

    async def attempt() -> None:
        tries.append(1)
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            raise OperationalError from None  # as psycopg does when the connection is lost meanwhile

    task = asyncio.create_task(database.retried(attempt))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(tries) == 1


async def test_a_cancelled_statement_ends_on_the_server(database: Database) -> None:
    task = asyncio.create_task(database.all(Query("slow", "select pg_sleep(30)", 20), {}))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    rows = await sql(
        database,
        "select count(*) as n from pg_stat_activity"
        " where state = 'active' and query like '%%pg_sleep%%' and pid <> pg_backend_pid()",
    )
    assert rows == [{"n": 0}]


async def test_several_statements_are_one_transaction(database: Database) -> None:
    await sql(database, "create table numbers (n integer primary key)")
    insert = Query("insert", "insert into numbers values (1) returning n", 5)
    with pytest.raises(DatabaseUnavailable):
        await database.together((insert, SLOW), {})
    assert await sql(database, "select * from numbers") == []
    assert await database.together((NOW, insert), {}) == [{"n": 1}]


async def test_a_stopped_database_is_told_in_time_and_forgotten_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CHECKOUT_SECONDS", 3)
    with private_cluster() as cluster:
        async with open_database(settings_for(cluster.url)) as database:
            await database.all(NOW, {})
            await asyncio.to_thread(cluster.stop)
            began = time.monotonic()
            with pytest.raises(DatabaseUnavailable):
                await database.all(NOW, {})
            assert time.monotonic() - began < 6
            await asyncio.to_thread(cluster.start)
            began = time.monotonic()
            assert await database.one(NOW, {}) == {"one": 1}
            assert time.monotonic() - began < 3


async def test_an_outage_is_no_overload_while_the_pool_waits_to_connect_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its pauses between attempts are longer than some statements wait."""
    monkeypatch.setattr(module, "CHECKOUT_SECONDS", 0.1)
    with private_cluster() as cluster:
        async with open_database(settings_for(cluster.url, pool_max_size=2)) as database:
            await database.all(NOW, {})
            await asyncio.to_thread(cluster.stop)
            with pytest.raises(DatabaseUnavailable):
                await database.all(NOW, {})
            for _ in range(20):
                with pytest.raises(DatabaseUnavailable):
                    await database.all(NOW, {})


async def test_a_restart_under_load_loses_no_statement() -> None:
    insert = Query("insert", "insert into numbers values (%(n)s) on conflict do nothing", 5)
    with private_cluster() as cluster:
        async with open_database(settings_for(cluster.url)) as database:
            await sql(database, "create table numbers (n integer primary key)")
            stop = asyncio.Event()

            async def write(worker: int) -> list[int]:
                done: list[int] = []
                while not stop.is_set():
                    await database.all(insert, {"n": worker * 1_000_000 + len(done)})
                    done.append(worker * 1_000_000 + len(done))
                return done

            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(write(worker)) for worker in range(8)]
                await asyncio.sleep(0.5)
                await asyncio.to_thread(cluster.stop)
                await asyncio.to_thread(cluster.start)
                await asyncio.sleep(2.5)
                stop.set()
            answered = {number for task in tasks for number in task.result()}
            stored = {row["n"] for row in await sql(database, "select n from numbers")}
            assert answered <= stored
            assert len(answered) > 100


async def test_an_idle_connection_that_died_unnoticed_costs_no_statement(migrated_database: str) -> None:
    async with (
        cut_proxy(migrated_database) as proxy,
        open_database(settings_for(proxy.dsn, pool_min_size=4)) as database,
    ):
        await database.all(NOW, {})
        for writer in proxy._writers:
            writer.close()
        assert await asyncio.gather(*(database.one(NOW, {}) for _ in range(8))) == [{"one": 1}] * 8


async def notified(connection: AsyncConnection[dict[str, object]]) -> list[str]:
    return [note.payload async for note in connection.notifies(timeout=0.3)]


async def test_news_of_a_run_reach_those_who_watch_it(database: Database, migrated_database: str) -> None:
    runs = runs_of(database)
    connection = await connect(migrated_database, statement_timeout=5)
    async with connection:
        await connection.execute("listen agent")
        claim = await begun(runs)
        await runs.append_events(claim, chunk(1, 1, 1))
        assert await notified(connection) == []
        await runs.watch(ALICE, claim.run_id)
        assert await notified(connection) == [f"run:{claim.run_id}"]  # for the process that executes it
        await runs.watch(ALICE, claim.run_id)
        await runs.append_events(claim, chunk(1, 2, 2))
        assert await notified(connection) == [f"run:{claim.run_id}"]
        await queued(runs)
        assert await notified(connection) == ["queue"]
        await runs.finish(claim, Outcome("success"), None, thread_status="idle")
        assert sorted(await notified(connection)) == ["queue", f"run:{claim.run_id}"]


async def test_a_run_that_ends_unwatched_with_nobody_waiting_tells_nobody(
    database: Database, migrated_database: str
) -> None:
    runs = runs_of(database)
    connection = await connect(migrated_database, statement_timeout=5)
    async with connection:
        await connection.execute("listen agent")
        claim = await begun(runs)
        await runs.finish(claim, Outcome("success"), None, thread_status="idle")
        assert await notified(connection) == []
        claim = await begun(runs)
        await runs.request_cancel(ALICE, claim.graph, claim.run_id)
        await runs.release(claim, None)
        assert sorted(await notified(connection)) == [
            f"cancel:{claim.run_id}",
            "queue",
            f"run:{claim.run_id}",
        ]
