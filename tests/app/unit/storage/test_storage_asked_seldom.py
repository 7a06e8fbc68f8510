"""A reading is made when somebody asks, at most so often, and never twice at once."""

import asyncio

from agent_server.storage.readings import Reading


class Counted:
    """Something that is read, and how often it was."""

    def __init__(self, *answers: int | None) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.may = asyncio.Event()
        self.may.set()

    async def read(self) -> int | None:
        self.asked += 1
        await self.may.wait()
        return self.answers[min(self.asked, len(self.answers)) - 1]


async def taken(reading: Reading[int]) -> int | None:
    if (task := reading.begin()) is not None:
        await task
    return reading.value()


async def test_what_is_fresh_is_told_without_asking_again() -> None:
    counted = Counted(1, 2)
    reading = Reading(counted.read, fresh_seconds=60)
    assert [await taken(reading) for _ in range(3)] == [1, 1, 1]
    assert counted.asked == 1


async def test_two_who_ask_at_once_wait_for_the_same_answer() -> None:
    counted = Counted(1)
    counted.may.clear()
    reading = Reading(counted.read, fresh_seconds=60)
    first, second = reading.begin(), reading.begin()
    counted.may.set()
    assert first is second
    assert await taken(reading) == 1
    assert counted.asked == 1


async def test_nothing_found_is_nothing_told_and_tried_again_after_the_rest() -> None:
    impatient, patient = Counted(None, 2), Counted(None, 2)
    again, later = Reading(impatient.read, 60), Reading(patient.read, 60, rest_seconds=60)
    assert [await taken(again), await taken(again)] == [None, 2]
    assert [await taken(later), await taken(later)] == [None, None]
    assert patient.asked == 1
