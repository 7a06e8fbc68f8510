"""How long a stop takes: until nobody is left, or the time is over, or it is told twice."""

import asyncio
import math

import pytest

from agent_server.runs.drain import Drain


async def test_before_it_begins_there_is_all_the_time_of_the_world() -> None:
    drain = Drain(20)
    assert (drain.begun, drain.over, drain.left) == (False, False, math.inf)


async def test_it_begins_once_and_has_an_end() -> None:
    drain = Drain(0.05)
    assert (drain.begin(), drain.begin()) == (True, False)
    assert (drain.begun, drain.over) == (True, False)
    assert 0 < drain.left <= 0.05
    await asyncio.sleep(0.06)
    assert (drain.over, drain.left) == (True, 0)


@pytest.mark.parametrize("begun", [False, True], ids=["before it has begun", "while it lasts"])
async def test_told_twice_it_is_over_and_is_still_carried_out(begun: bool) -> None:
    drain = Drain(20)
    if begun:
        drain.begin()
    drain.cut_short()
    assert drain.over
    assert drain.begin() is not begun
    assert (drain.begun, drain.over) == (True, True)


async def test_it_is_settled_when_the_last_one_has_left() -> None:
    drain = Drain(20)
    await drain.settled()
    with drain.holding():
        with drain.holding():
            pass
        waiting = asyncio.create_task(drain.settled())
        await asyncio.sleep(0)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 1)
