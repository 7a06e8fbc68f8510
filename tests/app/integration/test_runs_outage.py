"""PostgreSQL is restarted under running runs: no run fails, none is lost."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from app.support.durable_world import client, made_ledger, start_on
from app.support.ledger import Ledger
from app.support.runs_client import begin, body_of, follow, new_client, open_stream
from support.postgres import private_cluster
from support.server import ServerProcess, finish

from lgp.embedded import Cluster

__all__ = ["client"]

STEPS = list("abcdef")
DOWN_SECONDS = (0.0, 0.3, 2.5)
"""The last one is longer than a statement is tried again, and than a lease."""


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    with private_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def ledger(own_cluster: Cluster) -> Iterator[Ledger]:
    with made_ledger(own_cluster) as made:
        yield made


@pytest.fixture(scope="module")
def pair(ledger: Ledger) -> Iterator[list[ServerProcess]]:
    servers = [start_on(ledger, WORKER_CONCURRENCY="40", MAX_CRASHES="10") for _ in range(2)]
    for server in servers:
        server.wait_until_ready()
    yield servers
    for server in servers:
        finish(server)


async def test_runs_outlive_restarts_of_the_database(
    client: httpx.AsyncClient, ledger: Ledger, pair: list[ServerProcess], own_cluster: Cluster
) -> None:
    marks = [str(uuid4()) for _ in range(20)]
    runs = [
        await begin(client, pair[number % 2], "six", body_of(mark, mark=mark, seconds=0.5))
        for number, mark in enumerate(marks)
    ]
    for seconds in DOWN_SECONDS:
        await asyncio.sleep(0.5)
        await asyncio.to_thread(own_cluster.stop)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(own_cluster.start)
    ended = [await asyncio.to_thread(ledger.wait_for_end, run) for run in runs]
    assert [run["status"] for run in ended] == ["success"] * 20, ended
    assert {mark: sorted(ledger.effects(mark)) for mark in marks} == dict.fromkeys(marks, STEPS)
    steps = sum(len(ledger.nodes(mark)) for mark in marks)
    again = sum(run["attempt"] - 1 for run in ended)
    counts = f"20 runs ended, {again} handed over, {steps - 120} steps repeated"
    print(f"{len(DOWN_SECONDS)} restarts of PostgreSQL: {counts}")


async def test_a_stream_that_a_restart_of_the_database_ends_can_be_gone_on_with(
    ledger: Ledger, pair: list[ServerProcess], own_cluster: Cluster
) -> None:
    mark, options = str(uuid4()), {"stream_mode": ["custom"]}
    async with new_client() as client:
        body = body_of(mark, mark=mark, words=80, seconds=0.03, options=options)
        reading = asyncio.create_task(open_stream(client, pair[0], "talk", body))
        await asyncio.to_thread(ledger.wait_for_node, mark, "talk")
        await asyncio.to_thread(own_cluster.stop)
        await asyncio.to_thread(own_cluster.start)
        stream = await reading
        assert stream.clean
        frames = list(stream.frames)
        for _ in range(20):
            if stream.ended:
                break
            stream = await follow(client, pair[1], stream.location, stream.last_id)
            frames += stream.frames
    assert stream.ended
    assert stream.frames[-1].data["status"] == "success"
    last = [frame for frame in frames if frame.id and frame.id.split("-")[0] == frames[-2].id.split("-")[0]]
    words = [frame.data["word"] for frame in last if frame.event == "custom"]
    assert words == list(range(80))
