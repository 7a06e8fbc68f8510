"""R13: a stream is a log. Whoever reconnects, to whichever process, misses nothing and sees nothing twice."""

import asyncio
import random
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from app.support.durable_world import client, ledger, pair, start_on
from app.support.kill_storm import seed_of_now
from app.support.ledger import Ledger
from app.support.runs_client import Stream, begin, body_of, follow, open_stream, read_stream, until
from support.server import ServerProcess, finish

__all__ = ["client", "ledger", "pair"]

Pair = list[ServerProcess]
CUSTOM = {"stream_mode": ["custom", "updates"]}
DROPS = 30


@pytest.fixture
def victim(ledger: Ledger) -> Iterator[ServerProcess]:
    server = start_on(ledger)
    server.wait_until_ready()
    yield server
    finish(server)


def numbers(stream: Stream) -> list[int]:
    return [data["word"] for data in stream.named("custom")]


async def test_a_stream_dropped_at_thirty_random_events_is_whole_from_the_other_process(
    client: httpx.AsyncClient, pair: Pair
) -> None:
    seed = seed_of_now()
    chance, thread = random.Random(seed), str(uuid4())
    body = body_of(thread, mark=thread, words=300, seconds=0.01, options=CUSTOM)
    stream = await open_stream(client, pair[0], "talk", body, limit=3)
    whole, location, drops = list(stream.frames), stream.location, 1
    while not stream.ended:
        limit = chance.randint(1, 12) if drops < DROPS else None
        stream = await follow(client, pair[drops % 2], location, last_id(whole), limit)
        whole += stream.frames
        drops += 1
    again = await follow(client, pair[1], location)
    print(f"R13: seed {seed}, {drops - 1} drops, {len(whole)} events")
    assert drops > DROPS
    assert [frame.id for frame in whole[:-1]] == [f"1-{number + 1}" for number in range(len(whole) - 1)]
    assert whole == again.frames
    assert numbers(again) == list(range(300))


def last_id(frames: list) -> str:
    return next((frame.id for frame in reversed(frames) if frame.id), "0")


@pytest.mark.parametrize("given", ["0", "-1"])
async def test_last_event_ids_of_zero_and_minus_one_begin_at_the_start(
    client: httpx.AsyncClient, pair: Pair, given: str
) -> None:
    thread = str(uuid4())
    first = await open_stream(client, pair[0], "talk", body_of(thread, mark=thread, words=3, options=CUSTOM))
    assert first.ended
    assert (await follow(client, pair[1], first.location, given)).frames == first.frames


async def test_twenty_readers_that_join_while_a_run_ends_all_get_its_end_once(
    client: httpx.AsyncClient, pair: Pair
) -> None:
    for _ in range(5):
        thread = str(uuid4())
        run = await begin(
            client, pair[0], "talk", body_of(thread, mark=thread, words=8, seconds=0.01, options=CUSTOM)
        )
        location = f"/graphs/talk/runs/{run}"

        async def join(number: int, location: str = location) -> Stream:
            await asyncio.sleep(number * 0.01)
            return await follow(client, pair[number % 2], location)

        streams = await asyncio.gather(*map(join, range(20)))
        assert all(stream.frames == streams[0].frames for stream in streams)
        assert [frame.event for frame in streams[0].frames].count("end") == 1
        assert streams[0].ended


async def test_after_a_sigkill_a_gap_names_the_last_durable_event_and_the_next_attempt_follows(
    client: httpx.AsyncClient, ledger: Ledger, pair: Pair, victim: ServerProcess
) -> None:
    thread = str(uuid4())
    ledger.close_gate(thread, "never")
    body = body_of(thread, mark=thread, words=40, seconds=0.02, options=CUSTOM)
    reading = Stream()

    async def read() -> None:
        async with client.stream("POST", f"{victim.url}/graphs/talk/stream", json=body) as response:
            await read_stream(response, reading)

    task = asyncio.create_task(read())
    await until(lambda: len(reading.frames) > 20, "no events")
    victim.kill()
    await task
    assert not reading.clean
    rest = await follow(client, pair[0], reading.location, reading.last_id)
    run_id = reading.location.rsplit("/", 1)[1]
    durable = ledger.one(
        "select max(last_seq) from agent.run_events where run_id = %s and attempt = 1", run_id
    )

    seen = int(reading.last_id.removeprefix("1-"))
    kept = [frame for frame in rest.frames if frame.id and frame.id.startswith("1-")]
    assert [frame.id for frame in kept] == [f"1-{number}" for number in range(seen + 1, durable + 1)]
    after = rest.frames[len(kept) :]
    assert (after[0].event, after[0].id) == ("gap", "2-1")
    assert after[0].data == {"after": f"1-{durable}", "attempt": 2}
    assert (after[1].event, after[1].data["attempt"]) == ("metadata", 2)
    assert [frame.id for frame in after[:-1]] == [f"2-{number + 1}" for number in range(len(after) - 1)]
    assert [frame.data["word"] for frame in after if frame.event == "custom"] == list(range(40))
    assert rest.frames[-1].data["status"] == "success"

    whole = await follow(client, pair[1], reading.location)
    assert whole.frames[: len(reading.frames)][:durable] == reading.frames[:durable]
    assert whole.frames[durable:] == after
