"""The benchmark counts what it must and nothing else. Needs no database: `python -m pytest tests/bench`."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.bench.bars import bars
from tests.bench.client import Connection, post
from tests.bench.databases import Expected, Stored
from tests.bench.figures import Book, Trial, percentile
from tests.bench.jobs import ERROR_LIMIT, Job, Outcome, Task, closed_loop, expected_items
from tests.bench.load import Events, Load
from tests.bench.plan import FULL, names, plan, turned


def invoke(**changes: int) -> Job:
    return Job(action="invoke", graph="g1", concurrency=2, **changes)  # pyright: ignore[reportArgumentType]


def trial(round_: int, system: str, rate: int, cell: str = "g1@10") -> Trial:
    outcome = Outcome(window=1, latencies=[1.0] * rate)
    return Trial(round=round_, cell=cell, system=system, outcome=outcome, server_cpu=0, postgres_cpu=0)


async def answer(body: bytes, status: str = "200 OK", requests: int = 1000) -> AsyncIterator[int]:
    """Serve one fixed answer, closing each connection after `requests`; yields the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(requests):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


answering = asynccontextmanager(answer)


def test_a_failed_request_is_no_work() -> None:
    async def call(task: Task) -> dict[str, float]:
        if task.number % 2:
            raise ConnectionResetError
        return {}

    outcome = asyncio.run(closed_loop(invoke(count=10), call))
    assert (outcome.completed, outcome.errors, len(outcome.latencies)) == (5, 5, 5)
    assert outcome.first_error.startswith("ConnectionResetError")


def test_a_cell_that_only_fails_is_given_up() -> None:
    async def call(_: Task) -> dict[str, float]:
        raise ConnectionResetError

    outcome = asyncio.run(closed_loop(invoke(count=100_000), call))
    assert outcome.errors <= ERROR_LIMIT + 2
    assert outcome.rate == 0


def test_the_warm_up_is_done_and_not_timed() -> None:
    async def call(_: Task) -> dict[str, float]:
        await asyncio.sleep(0.01)
        return {}

    job = Job(action="invoke", graph="g1", concurrency=1, seconds=0.1, warmup=0.1)
    outcome = asyncio.run(closed_loop(job, call))
    assert outcome.completed > len(outcome.latencies) > 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"result": {"items": [1, 2]}, "thread_id": "x", "status": "success"}', "200 OK"),
        (b'{"detail": "busy"}', "409 Conflict"),
        (b"{}", "200 OK"),
        (b"not json", "200 OK"),
    ],
)
def test_any_other_answer_than_the_right_one_is_an_error(body: bytes, status: str) -> None:
    async def attempt() -> Outcome:
        async with answering(body, status) as port:
            return await Load().run(invoke(count=4, port=port))

    outcome = asyncio.run(attempt())
    assert (outcome.completed, outcome.errors) == (0, 4)


def test_a_closed_connection_is_opened_again() -> None:
    async def attempt() -> list[tuple[int, bytes]]:
        async with answering(b"yes", requests=1) as port:
            connection = Connection(port)
            answers: list[tuple[int, bytes]] = []
            for _ in range(2):
                answers.append(await connection.fetch(post("/", b"{}")))
                await asyncio.sleep(0.05)
            return answers

    assert asyncio.run(attempt()) == [(200, b"yes"), (200, b"yes")]


def test_frames_are_read_however_they_are_cut() -> None:
    stream = b': beat\n\nevent: custom\ndata: {"token": 0}\nid: 1-1\n\nevent: end\ndata: {}\n\n'
    events = Events()
    for position in range(len(stream)):
        events.take(stream[position : position + 1])
    assert events.frames == [("custom", b'{"token": 0}'), ("end", b"{}")]
    assert events.named("custom") == [{"token": 0}]


def test_each_request_has_an_answer_of_its_own() -> None:
    job = Job(action="invoke", graph="g5", concurrency=1)
    assert expected_items(job, Task(0, "t", 7)) == [7, 8, 9, 10, 11, 12]


def test_what_the_database_lacks_is_named() -> None:
    expected = Expected().after(invoke(count=1), 10)
    assert Stored(threads=10, checkpoints=30, runs=10).faults(expected) == []
    assert Stored(threads=9, checkpoints=27, runs=None).faults(expected) == [
        "9 threads stored, 10 answered",
        "27 checkpoints stored, 30 answered",
    ]


def test_ratios_are_taken_within_a_round() -> None:
    rates = {"floor": (100, 10), "ours": (80, 9), "listing": (50, 3)}
    book = Book([trial(number, name, pair[number]) for name, pair in rates.items() for number in (0, 1)])
    assert str(book.ratio("g1@10", "ours", "floor")) == "0.85 (0.80 to 0.90)"
    assert all(bar.reached for bar in bars(book))


def test_a_fault_or_a_slow_median_misses_a_bar() -> None:
    book = Book([trial(0, "floor", 100), trial(0, "ours", 60)], faults=["ours: 1 threads stored, 2 answered"])
    assert [bar.reached for bar in bars(book)] == [False, False]


def test_percentiles_are_nearest_rank() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, percent) for percent in (50, 95, 99, 100)] == [50, 95, 99, 100]
    assert math.isnan(percentile([], 50))


def test_every_system_goes_first_in_turn() -> None:
    assert [turned(("a", "b", "c"), number)[0] for number in range(4)] == ["a", "b", "c", "a"]


def test_a_plan_keeps_what_is_named() -> None:
    chosen = plan(FULL, ["g5@10"], ["floor", "ours"])
    assert [(cell.name, cell.systems) for cell in chosen.cells] == [("g5@10", ("floor", "ours"))]
    assert not chosen.memory
    assert {"g1@50", "stream@1", "memory", "start"} <= set(names(FULL))
