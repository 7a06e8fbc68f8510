"""R8, R9: a long node is executed once, and one that blocks its process cannot end a run twice."""

import asyncio
from collections import Counter
from contextlib import ExitStack
from uuid import uuid4

import httpx
import pytest
from app.support.durable_world import made_ledger, start_on
from app.support.ledger import Ledger
from app.support.runs_client import begin, body_of
from chaos_report import Row, note
from support.server import ServerProcess, finish

from lgp.embedded import Cluster

LEASE = 15.0
LONG_SECONDS = 240.0
SCALED_LEASE = 2.0
SCALED_SECONDS = 32.0


def started(stack: ExitStack, ledger: Ledger, lease: float) -> list[ServerProcess]:
    timing = {"LEASE_SECONDS": f"{lease}", "LEASE_RENEW_SECONDS": f"{lease / 3}"}
    servers = [start_on(ledger, **timing) for _ in range(2)]
    for server in servers:
        stack.callback(finish, server)
    for server in servers:
        server.wait_until_ready()
    return servers


async def outlasted(client: httpx.AsyncClient, ledger: Ledger, lease: float, seconds: float) -> None:
    """R8: nodes that sleep for many leases are executed once."""
    with ExitStack() as stack:
        servers = await asyncio.to_thread(started, stack, ledger, lease)
        marks = [str(uuid4()) for _ in range(6)]
        runs = [
            await begin(client, servers[number % 2], "notes", body_of(mark, note=mark, seconds=seconds))
            for number, mark in enumerate(marks)
        ]
        ended = [await asyncio.to_thread(ledger.wait_for_end, run, seconds + 60) for run in runs]
    executed = [ledger.nodes(mark) for mark in marks]
    what = f"R8: 6 nodes of {seconds:.0f} s, lease {lease:.0f} s"
    print(f"{what}: executed {[len(nodes) for nodes in executed]}")
    assert [(run["status"], run["attempt"]) for run in ended] == [("success", 1)] * 6
    assert executed == [["note"]] * 6
    note(Row(what, len(runs), 0, 0))


async def blocked(client: httpx.AsyncClient, ledger: Ledger, lease: float, *, always: bool) -> None:
    """R9: a process whose event loop stands still for three leases stores no second end."""
    with ExitStack() as stack:
        servers = await asyncio.to_thread(started, stack, ledger, lease)
        mark = str(uuid4())
        body = body_of(mark, mark=mark, seconds=3 * lease, asks=always)
        run = await begin(client, servers[0], "block", body)
        ended = await asyncio.to_thread(ledger.wait_for_end, run, 20 * lease + 60)
        await asyncio.sleep(3 * lease)  # whoever still sleeps wakes up
        assert ledger.run(run) == ended
    checkpoints = ledger.rows(
        "select checkpoint -> 'channel_versions' ->> 'steps' as version, metadata ->> 'source' as source"
        " from checkpoints where thread_id = %s",
        str(ended["thread_key"]),
    )
    what = f"R9: lease {lease:.0f} s, blocked {'always' if always else 'once'}"
    print(
        f"{what}: {ended['status']} {ended['error_code'] or ''} after {ended['attempt']} attempts,"
        f" {len(ledger.nodes(mark))} executions"
    )
    assert ledger.effects(mark) == ["block"]
    assert Counter(row["version"] for row in checkpoints if row["version"]).total() <= 1
    if always:
        assert (ended["status"], ended["error_code"]) in {("success", None), ("error", "poison")}
    else:
        assert (ended["status"], ended["attempt"]) in {("success", 1), ("success", 2)}
    note(Row(what, 1, 0, 0))


@pytest.mark.timeout(500)
async def test_at_the_default_lease_a_long_node_is_executed_once_and_a_blocked_process_ends_no_run_twice(
    client: httpx.AsyncClient, postgres_cluster: Cluster
) -> None:
    """All at once, each with processes and a database of its own: they only sleep."""
    with (
        made_ledger(postgres_cluster) as first,
        made_ledger(postgres_cluster) as second,
        made_ledger(postgres_cluster) as third,
    ):
        async with asyncio.TaskGroup() as group:
            group.create_task(outlasted(client, first, LEASE, LONG_SECONDS))
            group.create_task(blocked(client, second, LEASE, always=False))
            group.create_task(blocked(client, third, LEASE, always=True))


async def test_a_node_that_outlasts_its_lease_many_times_is_executed_once(
    client: httpx.AsyncClient, new_ledger: Ledger
) -> None:
    await outlasted(client, new_ledger, SCALED_LEASE, SCALED_SECONDS)


@pytest.mark.parametrize("always", [False, True], ids=["the first process", "each process"])
async def test_a_process_blocked_for_three_leases_stores_no_second_end(
    client: httpx.AsyncClient, new_ledger: Ledger, always: bool
) -> None:
    await blocked(client, new_ledger, SCALED_LEASE, always=always)
