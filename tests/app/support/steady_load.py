"""So many requests a second, whatever becomes of those before: reads, and writes with a key of their own."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
from app.support.runs_client import new_client

RATE = 20.0
"""Requests a second: half of them read."""


@dataclass(frozen=True, slots=True)
class Answer:
    what: str
    status: int
    """0: none came."""
    seconds: float
    text: str


@dataclass
class SteadyLoad:
    """What came of the requests; nothing is asked twice."""

    url: str
    threads: list[str] = field(default_factory=list[str])
    """One for each write."""
    answers: list[Answer] = field(default_factory=list[Answer])

    @property
    def failed(self) -> list[Answer]:
        return [answer for answer in self.answers if not 200 <= answer.status < 300]

    @property
    def worst(self) -> float:
        return max(answer.seconds for answer in self.answers)

    @property
    def kinds(self) -> Counter[str]:
        return Counter(answer.what for answer in self.answers)

    def __str__(self) -> str:
        return f"{dict(self.kinds)}, {len(self.failed)} failed, worst {self.worst:.2f} s"

    async def write(self, client: httpx.AsyncClient) -> None:
        thread = f"load-{uuid4()}"
        self.threads.append(thread)
        body = {"input": {"text": "a"}, "thread_id": thread}
        path, key = f"{self.url}/graphs/echo/invoke", {"Idempotency-Key": thread}
        await self._note("write", client.post(path, json=body, headers=key))

    async def read(self, client: httpx.AsyncClient, thread: str) -> None:
        asked = {"thread_id": thread}
        await self._note("read", client.get(f"{self.url}/graphs/echo/state", params=asked))

    async def _note(self, what: str, asking: Awaitable[httpx.Response]) -> None:
        began, status, text = time.monotonic(), 0, ""
        try:
            answer = await asking
            status, text = answer.status_code, answer.text
        except httpx.TransportError as error:
            text = repr(error)
        self.answers.append(Answer(what, status, time.monotonic() - began, text))


@asynccontextmanager
async def steady_load(url: str, *, rate: float = RATE) -> AsyncGenerator[SteadyLoad]:
    """Requests as long as the block lasts; all of them are answered when it ends."""
    load, over = SteadyLoad(url), asyncio.Event()

    async def arrive(client: httpx.AsyncClient, group: asyncio.TaskGroup) -> None:
        began, number = time.monotonic(), 0
        while not over.is_set():
            if number % 2:
                group.create_task(load.read(client, known))
            else:
                group.create_task(load.write(client))
            number += 1
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))

    async with new_client() as client:
        await load.write(client)
        known = load.threads[0]
        async with asyncio.TaskGroup() as group:
            group.create_task(arrive(client, group))
            try:
                yield load
            finally:
                over.set()
