"""R8, R9: a long node is executed once, and one that blocks its process cannot end a run twice."""

import asyncio
from collections import Counter
from contextlib import ExitStack
from uuid import uuid4

import httpx
import pytest
from app.support.durable_world import start_on
from app.support.ledger import Ledger
from app.support.runs_client import begin, body_of
from support.server import ServerProcess, finish

LEASES = [pytest.param(15.0, 240.0, id="lease of 15 s, node of 4 min"), pytest.param(1.0, 40.0, id="scaled")]
BLOCKED = [pytest.param(15.0, id="lease of 15 s"), pytest.param(2.0, id="scaled")]


def started(stack: ExitStack, ledger: Ledger, lease: float) -> list[ServerProcess]:
    timing = {"LEASE_SECONDS": f"{lease}", "LEASE_RENEW_SECONDS": f"{lease / 3}"}
    servers = [start_on(ledger, **timing) for _ in range(2)]
    for server in servers:
        stack.callback(finish, server)
    for server in servers:
        server.wait_until_ready()
    return servers


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("lease", "seconds"), LEASES)
async def test_a_node_that_outlasts_its_lease_many_times_is_executed_once(
    client: httpx.AsyncClient, new_ledger: Ledger, lease: float, seconds: float
) -> None:
    with ExitStack() as stack:
        servers = started(stack, new_ledger, lease)
        marks = [str(uuid4()) for _ in range(6)]
        runs = [
            await begin(client, servers[number % 2], "notes", body_of(mark, note=mark, seconds=seconds))
            for number, mark in enumerate(marks)
        ]
        ended = [await asyncio.to_thread(new_ledger.wait_for_end, run, seconds + 60) for run in runs]
    executed = [new_ledger.nodes(mark) for mark in marks]
    print(
        f"R8: 6 nodes of {seconds:.0f} s, lease {lease:.0f} s: executed {[len(nodes) for nodes in executed]}"
    )
    assert [(run["status"], run["attempt"]) for run in ended] == [("success", 1)] * 6
    assert executed == [["note"]] * 6


@pytest.mark.timeout(400)
@pytest.mark.parametrize("lease", BLOCKED)
@pytest.mark.parametrize("always", [False, True], ids=["the first process", "each process"])
async def test_a_process_blocked_for_three_leases_stores_no_second_end(
    client: httpx.AsyncClient, new_ledger: Ledger, lease: float, always: bool
) -> None:
    with ExitStack() as stack:
        servers = started(stack, new_ledger, lease)
        mark = str(uuid4())
        body = body_of(mark, mark=mark, seconds=3 * lease, asks=always)
        run = await begin(client, servers[0], "block", body)
        ended = await asyncio.to_thread(new_ledger.wait_for_end, run, 20 * lease + 60)
        await asyncio.sleep(3 * lease)  # whoever still sleeps wakes up
        assert new_ledger.run(run) == ended
    checkpoints = new_ledger.rows(
        "select checkpoint -> 'channel_versions' ->> 'steps' as version, metadata ->> 'source' as source"
        " from checkpoints where thread_id = %s",
        str(ended["thread_key"]),
    )
    executed = len(new_ledger.nodes(mark))
    print(
        f"R9: lease {lease:.0f} s, blocked {'always' if always else 'once'}: {ended['status']}"
        f" {ended['error_code'] or ''} after {ended['attempt']} attempts, {executed} executions"
    )
    assert new_ledger.effects(mark) == ["block"]
    assert Counter(row["version"] for row in checkpoints if row["version"]).total() <= 1
    if always:
        assert (ended["status"], ended["error_code"]) in {("success", None), ("error", "poison")}
    else:
        assert (ended["status"], ended["attempt"]) in {("success", 1), ("success", 2)}
