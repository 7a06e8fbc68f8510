"""The load generator: takes jobs on standard input, does them over HTTP, checks every answer.

A process of its own, so that its work never shows in the measured system's: `python -m tests.bench.load`.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import uvloop
from tests.bench.client import Connection, post
from tests.bench.graphs.trivial import TOKENS
from tests.bench.jobs import (
    Job,
    Outcome,
    Task,
    WrongAnswerError,
    closed_loop,
    expected_items,
    require,
    serve_jobs,
)

Act = Callable[[Job, Task, Connection], Awaitable[dict[str, float]]]
"""Does one task of a job on a connection."""


class Load:
    """Does jobs over HTTP."""

    async def run(self, job: Job) -> Outcome:
        """Do one, on connections of its own."""
        connections = [Connection(job.port) for _ in range(job.concurrency)]
        actions: dict[str, Act] = {
            "invoke": _invoke,
            "stream": _stream,
            "approve": _approve,
        }
        act = actions[job.action]

        async def call(task: Task) -> dict[str, float]:
            connection = connections[task.caller]
            try:
                return await act(job, task, connection)
            except BaseException:
                connection.close()  # whatever is still to come on it belongs to no request
                raise

        try:
            return await closed_loop(job, call)
        finally:
            for connection in connections:
                connection.close()


async def _ask(job: Job, verb: str, body: dict[str, Any], connection: Connection) -> dict[str, Any]:
    request = post(f"/graphs/{job.graph}/{verb}", orjson.dumps(body))
    status, answer = await connection.fetch(request)
    if status != 200:  # the only success there is
        message = f"HTTP {status}: {answer[:300]!r}"
        raise WrongAnswerError(message)
    content: dict[str, Any] = orjson.loads(answer)
    require(content.get("thread_id"), body["thread_id"], "thread_id")
    return content


def _require_success(job: Job, task: Task, answer: dict[str, Any]) -> None:
    require(answer.get("result"), {"items": expected_items(job, task)}, "result")
    if job.contract == "ours":
        require(answer.get("status"), "success", "status")


def _require_waiting(job: Job, answer: dict[str, Any]) -> None:
    if job.contract == "ours":
        require(answer.get("status"), "interrupted", "status")
        require(len(answer.get("interrupts", ())), 1, "interrupts")
    else:
        require(len(answer["result"].get("__interrupt__", ())), 1, "interrupts")


async def _invoke(job: Job, task: Task, connection: Connection) -> dict[str, float]:
    body = {"input": {"items": [task.number]}, "thread_id": task.thread_id}
    _require_success(job, task, await _ask(job, "invoke", body, connection))
    return {}


async def _approve(job: Job, task: Task, connection: Connection) -> dict[str, float]:
    begin = {"input": {"items": [task.number]}, "thread_id": task.thread_id}
    _require_waiting(job, await _ask(job, "invoke", begin, connection))
    answer = {"thread_id": task.thread_id, "resume_data": task.number + 1}
    _require_success(job, task, await _ask(job, "resume", answer, connection))
    return {}


async def _stream(job: Job, task: Task, connection: Connection) -> dict[str, float]:
    body: dict[str, Any] = {"input": {"items": [task.number]}, "thread_id": task.thread_id}
    if job.contract == "ours":
        body["stream_mode"] = "custom"
    events = Events()
    require(
        await connection.exchange(post(f"/graphs/{job.graph}/stream", orjson.dumps(body)), events.take),
        200,
        "status",
    )
    return (_our_stream if job.contract == "ours" else _listing_stream)(task, events)


class Events:
    """The frames of one stream, and when the first ones came."""

    def __init__(self) -> None:
        """The clock starts here."""
        self._began = time.perf_counter()
        self._rest = b""
        self.frames: list[tuple[str, bytes]] = []
        self.first: dict[str, float] = {}
        """Milliseconds to the first event of each name; of any, under the empty name."""

    def take(self, piece: bytes) -> None:
        """Take a piece of the body."""
        now = (time.perf_counter() - self._began) * 1000
        *whole, self._rest = (self._rest + piece).split(b"\n\n")
        for frame in whole:
            name, data = _read(frame)
            if name or data:
                self.frames.append((name, data))
                self.first.setdefault(name, now)
                self.first.setdefault("", now)

    def named(self, name: str) -> list[Any]:
        """The data of all events of a name."""
        return [orjson.loads(data) for found, data in self.frames if found == name]


def _read(frame: bytes) -> tuple[str, bytes]:
    name, data = "", b""
    for line in frame.split(b"\n"):
        if line.startswith(b"event: "):
            name = line[7:].decode()
        elif line.startswith(b"data: "):
            data = line[6:]
    return name, data


def _our_stream(task: Task, events: Events) -> dict[str, float]:
    tokens = [data["token"] for data in events.named("custom")]
    require(tokens, list(range(TOKENS)), "tokens")
    ends = [(end["status"], end["thread_id"]) for end in events.named("end")]
    require(ends, [("success", task.thread_id)], "ends")
    return {"first_event": events.first[""], "first_token": events.first["custom"], "events": len(tokens)}


def _listing_stream(_: Task, events: Events) -> dict[str, float]:
    """The listing's stream has no custom events, so none of the tokens: only its first event has a time."""
    frames = events.named("")
    require(frames[-1], {"event": "done"}, "last event")
    return {"first_event": events.first[""]}


if __name__ == "__main__":
    uvloop.run(serve_jobs(Load()))
