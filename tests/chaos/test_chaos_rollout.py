"""D3, D4: three processes behind the real nginx are replaced again and again, and no client notices."""

import asyncio

import pytest
from app.support.ledger import Ledger
from app.support.rollout import LATE_SECONDS, Rollout
from chaos_report import SEED, Row, note
from support.nginx import needs_nginx

PROCESSES = 3
ROUNDS = 5
RATE = 30.0
STEADY_SECONDS = 10.0
SLOWER = 3.0
"""How much slower the slowest hundredth of the answers may be than with nothing going on."""


async def rolled(
    ledger: Ledger, *, rate: float, rounds: int = 1, late: float = 0.0, removed: bool = True
) -> None:
    async with Rollout.of(ledger, SEED, processes=PROCESSES, patient=not removed) as rollout:
        async with rollout.load(rate):
            await asyncio.sleep(STEADY_SECONDS)
            for number in range(PROCESSES * rounds):
                await rollout.replace(number % PROCESSES, late=late, removed=removed)
        figures = rollout.figures()
    what = "late deregistration" if late else "" if removed else "no deregistration"
    note(Row(f"{figures.replaced} replaced {what}".strip(), figures.requests, 0, 0, figures.p95))
    print(f"D3 {what}, {rate:g} requests/s: {figures}")
    assert figures.handed_over
    assert figures.p99 <= SLOWER * figures.p99_steady


@needs_nginx
@pytest.mark.timeout(600)
async def test_three_processes_replaced_five_times_over_fail_no_request(new_ledger: Ledger) -> None:
    await rolled(new_ledger, rate=RATE, rounds=ROUNDS)


@needs_nginx
@pytest.mark.timeout(300)
async def test_a_balancer_that_learns_of_it_late_fails_no_request(new_ledger: Ledger) -> None:
    """Until it knows, the process serves: its end is decided, but SIGTERM comes later."""
    await rolled(new_ledger, rate=RATE / 2, late=LATE_SECONDS)


@needs_nginx
@pytest.mark.timeout(300)
async def test_without_any_deregistration_the_client_library_gets_every_result(new_ledger: Ledger) -> None:
    """The worst order: the balancer still sends requests to a process that stops, and to one that has."""
    await rolled(new_ledger, rate=RATE / 2, removed=False)
