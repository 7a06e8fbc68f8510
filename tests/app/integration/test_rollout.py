"""Behind the real nginx: processes are replaced and nobody notices; a silent stream stays open."""

import asyncio
import time
from itertools import pairwise
from uuid import uuid4

import httpx
from app.support.durable_world import new_ledger, start_on
from app.support.kill_storm import seed_of_now
from app.support.ledger import Ledger
from app.support.rollout import Rollout
from app.support.runs_client import body_of
from support.nginx import needs_nginx, nginx
from support.server import finish

__all__ = ["new_ledger"]

STEADY_SECONDS = 2.0
MOST = 6
"""Replacements until a run was under way in a process that went; at least one of each process."""
RATE = 10.0
"""Requests per second: two cores have the rest of the tests to do, too."""


@needs_nginx
async def test_two_processes_replaced_behind_nginx_fail_no_request_and_repeat_no_step(
    new_ledger: Ledger,
) -> None:
    async with Rollout.of(new_ledger, seed_of_now(), processes=2) as rollout:
        async with rollout.load(RATE):
            await asyncio.sleep(STEADY_SECONDS)
            for number in range(MOST):
                await rollout.replace(number % 2)
                if number and rollout.handed_over():
                    break
        figures = rollout.figures()
    print(f"D3, once: {figures}")
    assert figures.handed_over
    assert figures.repeated == 0


@needs_nginx
async def test_a_stream_begins_at_once_and_a_silent_one_is_heard_of(new_ledger: Ledger) -> None:
    """Although nginx buffers answers: heartbeats of a second, a graph that says nothing for six."""
    server, mark = start_on(new_ledger, HEARTBEAT_SECONDS="1"), str(uuid4())
    try:
        await asyncio.to_thread(server.wait_until_ready)
        with nginx([server.url]) as balancer:
            async with httpx.AsyncClient(base_url=balancer.url, verify=balancer.tls, timeout=30) as client:
                began, came, content = time.monotonic(), list[float](), b""
                body = body_of(mark, note=mark, seconds=6)
                async with client.stream("POST", "/graphs/notes/stream", json=body) as response:
                    async for part in response.aiter_raw():
                        came.append(time.monotonic() - began)
                        content += part
    finally:
        finish(server)
    pauses = [after - before for before, after in pairwise(came)]
    print(f"D6: first byte after {came[0]:.2f} s, then nothing for {max(pauses):.2f} s at most")
    assert came[0] <= 1
    assert content.count(b": heartbeat") >= 4
    assert max(pauses) <= 2.5
