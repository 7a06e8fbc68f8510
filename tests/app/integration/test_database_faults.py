"""What a database that restarts, says nothing or is too small for its load costs: bars P1, P3, P5 and P7."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from app.support.cut_proxy import cut_proxy
from app.support.durable_world import new_ledger, start_on
from app.support.ledger import Ledger
from app.support.runs_client import Stream, begin, body_of, new_client, open_stream
from app.support.steady_load import steady_load
from app.support.storage_world import settings_for
from app.support.surface import GRAPHS, serving
from support.postgres import private_cluster
from support.server import ServerProcess, finish, start

from agent_server.storage.migrate import migrate
from lgp.embedded import Cluster

__all__ = ["new_ledger"]

RESTARTS = 2
WORST_SECONDS = 5.0
CONNECTIONS = """
    select count(*) as open,
        count(*) filter (where state like 'idle in transaction%' and now() - state_change > '1 s') as held
    from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
"""


async def restarted(cluster: Cluster) -> None:
    """As `pg_ctl restart -m fast`."""
    await asyncio.to_thread(cluster.stop)
    await asyncio.to_thread(cluster.start)


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    with private_cluster() as cluster:
        asyncio.run(migrate(settings_for(cluster.url)))
        yield cluster


async def test_restarts_of_the_database_under_load_fail_no_request(own_cluster: Cluster) -> None:
    with serving(own_cluster.url) as server:
        async with steady_load(server.url) as load:
            for _ in range(RESTARTS):
                await asyncio.sleep(1.5)
                await restarted(own_cluster)
            await asyncio.sleep(1.5)
    print(f"P1: {RESTARTS} restarts: {load}")
    assert load.failed == []
    assert load.worst <= WORST_SECONDS
    with psycopg.connect(own_cluster.url) as connection:
        stored = connection.execute("select thread_id from agent.threads join agent.runs using (thread_key)")
        assert sorted(row[0] for row in stored if row[0] in load.threads) == sorted(load.threads)


REQUESTS: dict[str, tuple[str, dict[str, Any], float]] = {
    "/threads": ("GET", {}, 10),
    "/graphs/echo/state?thread_id=t": ("GET", {}, 5),
    "/graphs/echo/history?thread_id=t": ("GET", {}, 5),
    "/graphs/echo/runs?thread_id=t": ("GET", {}, 10),
    "/graphs/echo/invoke": ("POST", {"input": {"text": "a"}}, 5),
    "/ready": ("GET", {}, 5),
}
"""Each with the bound of the statement that it waits for first, in seconds."""
GIVING_UP_SECONDS = 5.0
"""psycopg's, on a server that does not answer to a cancellation either."""
BACK_SECONDS = 10.0


async def test_a_black_hole_is_answered_in_time_and_forgotten_when_it_is_gone(own_cluster: Cluster) -> None:
    async with cut_proxy(own_cluster.url) as proxy, new_client() as client, ready_server(proxy.dsn) as server:
        made = await client.post(
            f"{server.url}/graphs/echo/invoke", json={"input": {"text": "a"}, "thread_id": "t"}
        )
        assert made.status_code == 200, made.text
        assert {status for _, status, _ in await asked(client, server)} == {200}
        proxy.passing.clear()
        for pause in (0.0, 1.5):  # connections that were just used, and those that are checked first
            await asyncio.sleep(pause)
            told = await asked(client, server)
            late = {
                path: seconds for path, _, seconds in told if seconds > REQUESTS[path][2] + GIVING_UP_SECONDS
            }
            assert {status for _, status, _ in told} == {503}, told
            assert late == {}
            print(f"P3: all 503, after {max(seconds for _, _, seconds in told):.1f} s at the most")
        proxy.passing.set()
        began = time.monotonic()
        while {status for _, status, _ in await asked(client, server)} != {200}:
            assert time.monotonic() - began < BACK_SECONDS
            await asyncio.sleep(0.1)
        print(f"P3: all answered again after {time.monotonic() - began:.1f} s")


@asynccontextmanager
async def ready_server(dsn: str, **more: str) -> AsyncGenerator[ServerProcess]:
    """A server whose way to the database is in this event loop, which must not stand still meanwhile."""
    server = start(dsn, GRAPHS, **more)
    try:
        await asyncio.to_thread(server.wait_until_ready)
        yield server
    finally:
        await asyncio.to_thread(finish, server)


async def asked(client: httpx.AsyncClient, server: ServerProcess) -> list[tuple[str, int, float]]:
    """Path, status and seconds of all kinds of requests at once."""

    async def ask(path: str) -> tuple[str, int, float]:
        method, body, _ = REQUESTS[path]
        began = time.monotonic()
        answer = await client.request(method, f"{server.url}{path}", json=body or None)
        return path, answer.status_code, time.monotonic() - began

    return await asyncio.gather(*(ask(path) for path in REQUESTS))


POOL = {"POOL_MIN_SIZE": "1", "POOL_MAX_SIZE": "2"}
EXCESS_SECONDS = 2.0
SLACK_SECONDS = 2.0
"""For a client of a hundred requests on a machine that does other things, too."""


async def test_more_requests_than_connections_are_told_so_and_leases_are_renewed_all_the_while(
    new_ledger: Ledger,
) -> None:
    """P5: a lock on the threads holds both connections of the pool."""
    server = start_on(new_ledger, **POOL)
    try:
        await asyncio.to_thread(server.wait_until_ready)
        async with new_client() as client:
            mark = str(uuid4())
            run = await begin(client, server, "notes", body_of(mark, note=mark, seconds=5))
            await asyncio.to_thread(new_ledger.wait_for_node, mark, "note")
            excess = await while_locked(new_ledger.url, client, server)
            assert len(excess) >= 98 - 2
            for answer, seconds in excess:
                assert answer.json()["code"] == "overloaded"
                assert int(answer.headers["retry-after"]) >= 1
                assert seconds <= EXCESS_SECONDS + SLACK_SECONDS
            print(f"P5: {len(excess)} of 100 refused after {max(seconds for _, seconds in excess):.2f} s")
            ended = await asyncio.to_thread(new_ledger.wait_for_end, run)
            assert (ended["status"], ended["attempt"]) == ("success", 1), "its lease was renewed"
            again = [client.get(f"{server.url}/threads") for _ in range(20)]
            assert {answer.status_code for answer in await asyncio.gather(*again)} == {200}
            assert pooled(new_ledger.url) <= 2 + 2
    finally:
        finish(server)


async def while_locked(
    url: str, client: httpx.AsyncClient, server: ServerProcess
) -> list[tuple[httpx.Response, float]]:
    """The answers of 503 to a hundred requests, and their seconds, while two of them hold the pool."""

    async def ask(number: int) -> tuple[httpx.Response, float]:
        body, began = body_of(f"excess-{number}", mark="x"), time.monotonic()
        answer = await client.post(f"{server.url}/graphs/six/invoke", json=body)
        return answer, time.monotonic() - began

    with psycopg.connect(url) as connection:
        connection.execute("lock table agent.threads in access exclusive mode")
        answers = await asyncio.gather(*(ask(number) for number in range(100)))
    return [(answer, seconds) for answer, seconds in answers if answer.json()["code"] == "overloaded"]


def pooled(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(CONNECTIONS).fetchone()
    assert row is not None
    return row[0] - 1  # the ledger's own


STREAMS = 200
STREAM_SECONDS = 9


async def test_idle_streams_hold_no_connection(migrated_database: str) -> None:
    """P7: their runs wait for something that is not the database."""
    async with ready_server(migrated_database, POOL_MIN_SIZE="1", POOL_MAX_SIZE="4") as server:
        async with new_client() as client, asyncio.TaskGroup() as group:
            body = {"input": {"seconds": STREAM_SECONDS}}
            streams: list[asyncio.Task[Stream]] = []
            for _ in range(STREAMS):
                streams.append(group.create_task(open_stream(client, server, "slow", body)))
                await asyncio.sleep(0.02)
            seen = await watched(migrated_database)
        assert all(stream.result().ended for stream in streams)
    most, longest = max(row[0] for row in seen), max(row[1] for row in seen)
    print(f"P7: {STREAMS} streams: {most} connections, {longest} idle in a transaction for a second")
    assert most <= 4 + 2
    assert longest == 0


async def watched(url: str) -> list[tuple[int, int]]:
    """Connections and those idle in a transaction, from when all runs are under way until the first ends."""
    seen: list[tuple[int, int]] = []
    running = """
        select count(*) filter (where status = 'running'), count(*) filter (where finished_at is not null)
        from agent.runs
    """
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            under_way, ended = await (await connection.execute(running)).fetchone() or (0, 0)
            if ended:
                break
            if under_way == STREAMS:
                seen.append(await (await connection.execute(CONNECTIONS)).fetchone() or (0, 0))
            await asyncio.sleep(0.1)
    return seen
