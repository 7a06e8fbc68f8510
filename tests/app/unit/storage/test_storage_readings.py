"""What is read now and then is told without gaps, and not when it is old."""

import pytest

from agent_server.storage import readings
from agent_server.storage.readings import Reading


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(readings, "time", clock)
    return clock


async def told(reading: Reading[int]) -> int | None:
    """As a scrape does it: read if need be, then tell."""
    if (task := reading.begin()) is not None:
        await task
    return reading.value()


async def test_whoever_asks_just_when_it_ceases_to_be_fresh_is_told_it(clock: Clock) -> None:
    numbers = iter(range(1, 10))

    async def read() -> int:
        return next(numbers)

    reading = Reading(read, fresh_seconds=5)
    assert await told(reading) == 1
    clock.now += 4.999
    assert reading.begin() is None
    clock.now += 0.002  # while the answer is written
    assert reading.value() == 1
    assert await told(reading) == 2


async def test_what_is_old_is_not_told_when_nothing_new_is_found(clock: Clock) -> None:
    found: list[int | None] = [1, None, None]

    async def read() -> int | None:
        return found.pop(0)

    reading = Reading(read, fresh_seconds=5)
    assert await told(reading) == 1
    clock.now += 5
    assert await told(reading) is None
    clock.now += 5
    assert await told(reading) is None


async def test_an_old_value_is_not_told_while_a_new_one_is_awaited(clock: Clock) -> None:
    async def read() -> int:
        return 1

    reading = Reading(read, fresh_seconds=5)
    await told(reading)
    clock.now += 5 + 2
    assert reading.value() is None
