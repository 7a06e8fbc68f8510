"""R1, R2: whatever is killed, every accepted run ends, no step is missing, and no effect happens twice."""

import asyncio
import signal

from app.support.durable_world import ledger
from app.support.kill_storm import ROOM, Storm, seed_of_now
from app.support.ledger import Ledger
from app.support.victims import Victims

__all__ = ["ledger"]

KILLS = 10
LEASE_SECONDS = 2.0
TAKEOVER_SECONDS = 5.0


async def test_ten_kills_lose_no_run_and_no_step_and_repeat_no_effect(ledger: Ledger) -> None:
    with Victims.over(ledger, **ROOM) as victims:
        storm = Storm(ledger, victims, seed_of_now())
        async with storm.load():
            await asyncio.sleep(1)
            for _ in range(KILLS):
                await storm.strike(signal.SIGKILL)
        figures = storm.figures()
    print(f"R1, R2: {figures}")
    assert figures.taken_over > 0
    assert figures.takeover_p95 <= LEASE_SECONDS + TAKEOVER_SECONDS
