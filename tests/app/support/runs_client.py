"""Requests of the durability tests, and a reader of streams that notes each frame's id."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

import httpx
from support.server import ServerProcess

SECONDS = 60.0


def new_client() -> httpx.AsyncClient:
    """A client with patience and as many connections as wanted."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.AsyncClient(timeout=SECONDS, limits=limits)


def body_of(
    thread_id: str | None = None, /, *, options: dict[str, Any] | None = None, **graph_input: Any
) -> dict[str, Any]:
    """A body of `invoke`; `options` are its other fields."""
    return {"input": graph_input, "thread_id": thread_id or str(uuid4()), **(options or {})}


async def post(
    client: httpx.AsyncClient, server: ServerProcess, path: str, body: dict[str, Any], **headers: str
) -> httpx.Response:
    """POST to `/graphs/{path}`; `headers` in snake case."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post(f"{server.url}/graphs/{path}", json=body, headers=named)


async def begin(
    client: httpx.AsyncClient, server: ServerProcess, graph: str, body: dict[str, Any], **headers: str
) -> str:
    """Begin a run without waiting for it; its id."""
    answer = await post(client, server, f"{graph}/invoke", body, prefer="respond-async", **headers)
    assert answer.status_code == 202, answer.text
    return answer.json()["run_id"]


async def state(
    client: httpx.AsyncClient, server: ServerProcess, graph: str, thread_id: str
) -> dict[str, Any]:
    """The State of a thread."""
    answer = await client.get(f"{server.url}/graphs/{graph}/state", params={"thread_id": thread_id})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def joined(
    client: httpx.AsyncClient, server: ServerProcess, graph: str, run_id: str, seconds: float = SECONDS
) -> dict[str, Any]:
    """The Run, once it has ended or the time is over."""
    answer = await client.get(f"{server.url}/graphs/{graph}/runs/{run_id}", params={"wait": seconds})
    assert answer.status_code == 200, answer.text
    return answer.json()


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream."""

    event: str
    data: Any
    id: str | None

    @classmethod
    def read(cls, lines: list[str]) -> Self | None:
        """None for a comment."""
        fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
        if not fields:
            return None
        return cls(fields["event"], json.loads(fields["data"]), fields.get("id"))


@dataclass
class Stream:
    """What came of one connection."""

    frames: list[Frame] = field(default_factory=list[Frame])
    location: str = ""
    clean: bool = True
    """Whether the body ended as HTTP says that a body ends."""

    @property
    def last_id(self) -> str:
        return next((frame.id for frame in reversed(self.frames) if frame.id), "0")

    @property
    def ended(self) -> bool:
        return bool(self.frames) and self.frames[-1].event == "end"

    def named(self, event: str) -> list[Any]:
        return [frame.data for frame in self.frames if frame.event == event]


async def frames_of(response: httpx.Response) -> AsyncIterator[Frame]:
    """The frames of an open stream."""
    lines: list[str] = []
    async for line in response.aiter_lines():
        if line:
            lines.append(line)
            continue
        frame = Frame.read(lines)
        lines = []
        if frame is not None:
            yield frame


async def read_stream(response: httpx.Response, stream: Stream, limit: int | None = None) -> Stream:
    """Read to the end or until `limit` frames have come."""
    assert response.status_code == 200, await response.aread()
    stream.location = response.headers["location"]
    try:
        async for frame in frames_of(response):
            stream.frames.append(frame)
            if limit is not None and len(stream.frames) >= limit:
                break
    except httpx.TransportError:
        stream.clean = False
    return stream


async def open_stream(
    client: httpx.AsyncClient,
    server: ServerProcess,
    graph: str,
    body: dict[str, Any],
    limit: int | None = None,
) -> Stream:
    """Begin a run and read its stream."""
    async with client.stream("POST", f"{server.url}/graphs/{graph}/stream", json=body) as response:
        return await read_stream(response, Stream(), limit)


async def follow(
    client: httpx.AsyncClient,
    server: ServerProcess,
    location: str,
    last_id: str = "0",
    limit: int | None = None,
) -> Stream:
    """Read a run's stream from its Location, after `last_id`."""
    headers = {"Last-Event-ID": last_id}
    async with client.stream("GET", f"{server.url}{location}/stream", headers=headers) as response:
        return await read_stream(response, Stream(), limit)


async def until(condition: Any, problem: str, seconds: float = 10.0) -> None:
    """The same as `Ledger.until`, while other tasks of the test go on."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        assert loop.time() < deadline, problem
        await asyncio.sleep(0.02)
