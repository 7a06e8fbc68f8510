"""The long storms. Each prints the figures that docs/promises.md quotes."""

import asyncio
import random
import signal
import time

import pytest
from app.support.durable_world import made_ledger
from app.support.kill_storm import ROOM, Figures, Storm
from app.support.ledger import Ledger
from app.support.victims import Victims
from chaos_report import SEED, Row, note
from support.postgres import private_cluster

KILLS = 50
STORM_SECONDS = 180.0
OUTAGES_SECONDS = 120.0
TAKEOVER_SECONDS = 7.0
"""The tests' lease of two seconds, and five."""


def judged(what: str, figures: Figures) -> None:
    """`Storm.figures` has found nothing lost and nothing twice, or it would have failed."""
    print(f"{what}: {figures}")
    note(Row(what, figures.runs, 0, 0, figures.takeover_p95))


@pytest.mark.timeout(600)
async def test_fifty_kills_lose_no_run_and_no_step_and_repeat_no_effect(new_ledger: Ledger) -> None:
    with Victims.over(new_ledger, **ROOM) as victims:
        storm = Storm(new_ledger, victims, SEED)
        async with storm.load():
            for _ in range(KILLS):
                await storm.strike(signal.SIGKILL)
        figures = storm.figures()
    judged("R1, 50 kills", figures)
    assert figures.taken_over >= KILLS / 2
    assert figures.takeover_p95 <= TAKEOVER_SECONDS


@pytest.mark.timeout(600)
async def test_three_processes_killed_and_stopped_at_random_for_minutes_lose_nothing(
    new_ledger: Ledger,
) -> None:
    with Victims.over(new_ledger, **ROOM) as victims:
        storm = Storm(new_ledger, victims, SEED)
        began, stops = time.monotonic(), 0
        async with storm.load(servers=3):
            while time.monotonic() - began < STORM_SECONDS:
                number = storm.random.choice((signal.SIGKILL, signal.SIGTERM))
                stops += number == signal.SIGTERM
                await storm.strike(number)
        figures = storm.figures()
    judged(f"kills and stops of 3 processes for {STORM_SECONDS:.0f} s, {stops} SIGTERM", figures)
    assert figures.takeover_p95 <= TAKEOVER_SECONDS


@pytest.mark.timeout(600)
async def test_a_database_restarted_every_few_seconds_loses_nothing() -> None:
    chance = random.Random(SEED)
    with (
        private_cluster() as cluster,
        made_ledger(cluster) as ledger,
        Victims.over(ledger, **ROOM) as victims,
    ):
        storm = Storm(ledger, victims, SEED)
        began, restarts = time.monotonic(), 0
        async with storm.load():
            while time.monotonic() - began < OUTAGES_SECONDS:
                await asyncio.sleep(chance.uniform(2, 6))
                await asyncio.to_thread(cluster.stop)
                await asyncio.sleep(chance.choice((0.0, 0.5, 1.0, 3.0)))
                await asyncio.to_thread(cluster.start)
                restarts += 1
        figures = storm.figures()
    judged(f"{restarts} restarts of PostgreSQL in {OUTAGES_SECONDS:.0f} s", figures)
