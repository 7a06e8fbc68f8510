"""State and history of threads at rest come from a replica, and from the primary whenever it will not do."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest
from app.support.roles import as_superuser, execute
from app.support.storage_world import ALICE, DONE, begun, runs_of, settings_for
from app.support.surface import caller, invoke, new_thread, ok, problem, serving
from support.postgres import private_cluster
from support.replica import replica_of
from support.server import ServerProcess

from agent_server.storage import replica as module
from agent_server.storage.database import Database, open_database
from agent_server.storage.migrate import migrate
from agent_server.storage.queries import Query
from agent_server.storage.replica import ANSWER_SECONDS, SettledReads, open_reads
from agent_server.storage.threads import ThreadRecord, ThreadStore
from lgp.embedded import Cluster

PORT = Query("port", "select pg_is_in_recovery() as replica", 5)
UNUSED = "the read replica is not used"


@pytest.fixture(scope="module")
def primary() -> Iterator[Cluster]:
    with private_cluster() as cluster:
        asyncio.run(migrate(settings_for(cluster.url)))
        yield cluster


@pytest.fixture(scope="module")
def replica(primary: Cluster) -> Iterator[Cluster]:
    with replica_of(primary) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def server(primary: Cluster, replica: Cluster) -> Iterator[ServerProcess]:
    with serving(primary.url, DATABASE_READ_URL=replica.url) as started:
        yield started


@pytest.fixture
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    with caller(server) as client:
        yield client


def rested(primary: Cluster) -> None:
    """All threads have been quiet for a minute."""
    execute(primary.url, "update agent.threads set updated_at = now() - interval '1 minute'")


def caught_up(primary: Cluster, replica: Cluster) -> None:
    (position,) = execute(as_superuser(primary, primary.url), "select pg_current_wal_insert_lsn()::text")[0]
    deadline = time.monotonic() + 20
    reached = "select pg_last_wal_replay_lsn() >= {position}::pg_lsn"
    while not execute(replica.url, reached, position=position)[0][0]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def held_back(primary: Cluster, replica: Cluster) -> Generator[None]:
    """The replica has everything until now, and learns nothing new."""
    superuser = as_superuser(replica, replica.url)
    caught_up(primary, replica)
    execute(superuser, "select pg_wal_replay_pause()")
    while execute(superuser, "select pg_get_wal_replay_pause_state()") != [("paused",)]:
        time.sleep(0.01)
    try:
        yield
    finally:
        execute(superuser, "select pg_wal_replay_resume()")
        caught_up(primary, replica)


@contextmanager
def frozen(cluster: Cluster) -> Generator[None]:
    """A server that keeps its connections and says nothing."""
    assert cluster.pid is not None
    parent = psutil.Process(cluster.pid)
    processes = [parent, *parent.children()]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in reversed(processes):
            process.send_signal(signal.SIGCONT)


def read(http: httpx.Client, thread_id: str) -> dict[str, Any]:
    """State and history."""
    asked = {"thread_id": thread_id}
    return {part: ok(http.get(f"/graphs/echo/{part}", params=asked)) for part in ("state", "history")}


def test_a_thread_at_rest_is_read_on_the_replica(
    http: httpx.Client, primary: Cluster, replica: Cluster
) -> None:
    thread = new_thread()
    ok(invoke(http, "echo", {"text": "a"}, thread_id=thread))
    rested(primary)
    before = read(http, thread)
    with held_back(primary, replica):
        execute(primary.url, "delete from checkpoints")  # so that only the replica can know
        assert read(http, thread) == before
    assert before["state"]["values"]["text"] == "a!"
    assert len(before["history"]["history"]) > 1


def test_a_thread_is_as_its_last_run_has_left_it_however_far_the_replica_lags(
    http: httpx.Client, primary: Cluster, replica: Cluster
) -> None:
    thread = new_thread()
    with held_back(primary, replica):
        ok(invoke(http, "echo", {"text": "a"}, thread_id=thread))
        assert read(http, thread)["state"]["values"]["text"] == "a!"
        ok(invoke(http, "echo", {"text": "b"}, thread_id=thread))
        assert read(http, thread)["state"]["values"]["text"] == "b!"


def test_whose_thread_it_is_is_never_asked_of_the_replica(
    http: httpx.Client, primary: Cluster, replica: Cluster
) -> None:
    thread = new_thread()
    ok(invoke(http, "echo", {"text": "a"}, thread_id=thread))
    rested(primary)
    with held_back(primary, replica):
        assert http.delete(f"/threads/{thread}").status_code == 204
        for part in ("state", "history"):
            problem(http.get(f"/graphs/echo/{part}", params={"thread_id": thread}), 404, "unknown_thread")


def test_a_replica_that_dies_costs_no_request_and_one_line(
    http: httpx.Client, server: ServerProcess, primary: Cluster, replica: Cluster
) -> None:
    threads = [new_thread() for _ in range(3)]
    for thread in threads:
        ok(invoke(http, "echo", {"text": thread}, thread_id=thread))
    rested(primary)
    caught_up(primary, replica)
    before = {thread: read(http, thread) for thread in threads}
    said = server.log().count(UNUSED)
    replica.stop()
    try:
        for _ in range(5):
            assert {thread: read(http, thread) for thread in threads} == before
    finally:
        replica.start()
    assert server.log().count(UNUSED) == said + 1


def test_a_process_starts_without_its_replica(primary: Cluster) -> None:
    with (
        serving(primary.url, DATABASE_READ_URL="postgresql://127.0.0.1:1/none") as server,
        caller(server) as http,
    ):
        thread = new_thread()
        ok(invoke(http, "echo", {"text": "a"}, thread_id=thread))
        rested(primary)
        assert read(http, thread)["state"]["values"]["text"] == "a!"


# How an outage is noticed, and how its end: in this process, where its times can be shortened.


@pytest.fixture
async def reads(
    primary: Cluster, replica: Cluster, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[SettledReads, ThreadRecord]]:
    """Reads of a thread at rest, which the replica has; it is tried again after half a second."""
    monkeypatch.setattr(module, "REST_SECONDS", 0.5)
    settings = settings_for(primary.url, database_read_url=replica.url)
    async with open_database(settings) as database, open_reads(settings, database) as opened:
        runs = runs_of(database)
        claim = await begun(runs, new_thread())
        await runs.finish(claim, DONE, None, thread_status="idle")
        rested(primary)
        caught_up(primary, replica)
        thread = await ThreadStore(database).get(ALICE, claim.thread_id)
        assert thread is not None
        yield opened, thread


async def on_replica(reads: tuple[SettledReads, ThreadRecord]) -> bool:
    """Whether a read was answered there."""

    async def ask(database: Database) -> bool:
        row = await database.one(PORT, {})
        assert row is not None
        return row["replica"]

    return await reads[0].of(reads[1], ask)


async def until_back(reads: tuple[SettledReads, ThreadRecord]) -> None:
    deadline = time.monotonic() + 20
    while not await on_replica(reads):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def test_a_replica_that_comes_back_is_used_again(
    reads: tuple[SettledReads, ThreadRecord], replica: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    assert await on_replica(reads)
    with caplog.at_level(logging.WARNING):
        await asyncio.to_thread(replica.stop)
        assert not await on_replica(reads)
        caplog.clear()
        for _ in range(6):
            assert not await on_replica(reads)
            await asyncio.sleep(0.3)
    assert caplog.text == "", "an outage is told once"
    await asyncio.to_thread(replica.start)
    await until_back(reads)


async def test_a_replica_that_freezes_delays_a_few_reads_by_two_seconds_and_no_more(
    reads: tuple[SettledReads, ThreadRecord], replica: Cluster
) -> None:
    assert await on_replica(reads)
    with frozen(replica):
        began = time.monotonic()
        assert await asyncio.gather(*(on_replica(reads) for _ in range(8))) == [False] * 8
        assert ANSWER_SECONDS <= time.monotonic() - began < ANSWER_SECONDS + 1
        began = time.monotonic()
        assert not await on_replica(reads)
        assert time.monotonic() - began < ANSWER_SECONDS / 2
    await until_back(reads)


async def test_a_replica_that_lags_more_than_ten_seconds_is_left_alone(
    reads: tuple[SettledReads, ThreadRecord], primary: Cluster, replica: Cluster
) -> None:
    opened, thread = reads
    with held_back(primary, replica):
        rested(primary)
        async with open_database(settings_for(primary.url)) as database:
            changed = await ThreadStore(database).get(ALICE, thread.thread_id)
        assert changed is not None
        assert not await on_replica((opened, changed))
        assert not await on_replica(reads), "though it has that one"
    await until_back((opened, changed))


async def test_what_a_read_raises_is_raised(reads: tuple[SettledReads, ThreadRecord]) -> None:
    asked: list[Database] = []

    async def fail(database: Database) -> None:
        asked.append(database)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await reads[0].of(reads[1], fail)
    assert len(asked) == 1
    assert await on_replica(reads)


async def test_a_thread_that_is_not_at_rest_is_read_on_the_primary(
    reads: tuple[SettledReads, ThreadRecord], primary: Cluster
) -> None:
    async with open_database(settings_for(primary.url)) as database:
        claim = await begun(runs_of(database), reads[1].thread_id)
        busy = await ThreadStore(database).get(ALICE, claim.thread_id)
        assert busy is not None
        assert busy.status == "busy"
        assert not await on_replica((reads[0], busy))
        await runs_of(database).finish(claim, DONE, None, thread_status="idle")
        ended = await ThreadStore(database).get(ALICE, claim.thread_id)
        assert ended is not None
        assert ended.quiet_seconds < 10
        assert not await on_replica((reads[0], ended))
