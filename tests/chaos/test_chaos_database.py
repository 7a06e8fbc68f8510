"""P1, P3: the same as in `test_database_faults.py`, for longer."""

import asyncio
import random
import time
from collections.abc import Iterator
from statistics import quantiles

import pytest
from app.integration.test_database_faults import asked, ready_server, restarted
from app.support.cut_proxy import cut_proxy
from app.support.runs_client import new_client
from app.support.steady_load import steady_load
from app.support.storage_world import settings_for
from app.support.surface import serving
from chaos_report import SEED, Row, note
from support.postgres import private_cluster

from agent_server.storage.migrate import migrate
from lgp.embedded import Cluster

RESTARTS = 5
HOLES = (1.0, 8.0, 30.0)
"""Seconds without a word; the last is longer than every time-out on the way."""
WORST_SECONDS = 5.0
LONGEST_SECONDS = 15.0
BACK_SECONDS = 10.0


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    with private_cluster() as cluster:
        asyncio.run(migrate(settings_for(cluster.url)))
        yield cluster


@pytest.mark.timeout(300)
async def test_five_restarts_under_load_fail_no_request(own_cluster: Cluster) -> None:
    pauses = random.Random(SEED)
    with serving(own_cluster.url) as server:
        async with steady_load(server.url) as load:
            for _ in range(RESTARTS):
                await asyncio.sleep(pauses.uniform(2, 6))
                await restarted(own_cluster)
            await asyncio.sleep(3)
    print(f"P1: {RESTARTS} restarts: {load}")
    assert load.failed == []
    assert load.worst <= WORST_SECONDS
    seconds = quantiles([answer.seconds for answer in load.answers], n=20)[-1]
    note(Row(f"P1, {RESTARTS} restarts of PostgreSQL under load", load.kinds["write"], 0, 0, seconds))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seconds", HOLES)
async def test_black_holes_are_answered_in_time_and_forgotten(own_cluster: Cluster, seconds: float) -> None:
    async with cut_proxy(own_cluster.url) as proxy, new_client() as client, ready_server(proxy.dsn) as server:
        path = f"{server.url}/graphs/echo/invoke"
        await client.post(path, json={"input": {"text": "a"}, "thread_id": "t"})
        proxy.passing.clear()
        over = time.monotonic() + seconds
        told: list[tuple[str, int, float]] = []
        while time.monotonic() < over:
            asking = asyncio.create_task(asked(client, server))
            await asyncio.wait({asking}, timeout=over - time.monotonic())
            if not asking.done():
                proxy.passing.set()
            told += await asking
        proxy.passing.set()
        began = time.monotonic()
        while {status for _, status, _ in await asked(client, server)} != {200}:
            assert time.monotonic() - began < BACK_SECONDS
            await asyncio.sleep(0.1)
    longest, back = max(each[2] for each in told), time.monotonic() - began
    figures = f"{len(told)} answers, after {longest:.1f} s at most; back after {back:.1f} s"
    print(f"P3: silent for {seconds:.0f} s: {figures}")
    assert {status for _, status, _ in told} <= {200, 503}
    assert longest <= LONGEST_SECONDS
