"""Runs at a steady rate while the processes that execute them are killed; what is judged is the database."""

import asyncio
import os
import random
import signal
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import orjson
from app.support.ledger import Ledger
from app.support.runs_client import new_client
from app.support.victims import Victims
from support.server import ServerProcess

STEPS = ["a", "b", "c", "d", "e", "f"]
STEP_SECONDS = 0.15
ROOM = {"WORKER_CONCURRENCY": "40", "MAX_CRASHES": "1000", "POOL_MAX_SIZE": "10"}
"""A run may be hit by any number of kills: poison is another test's matter."""
SETTLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What a storm has shown, for docs/promises.md."""

    seed: int
    kills: int
    runs: int
    resumed: int
    taken_over: int
    steps: int
    repeated: int
    takeover_p50: float
    takeover_p95: float

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.kills} kills, {self.runs} runs ended, {self.resumed} of them as"
            f" resumes; {self.taken_over} taken over; {self.steps} steps, {self.repeated} of them repeats,"
            f" 0 missing, 0 effects twice; takeover {self.takeover_p50:.1f} s, p95 {self.takeover_p95:.1f} s"
        )


@dataclass
class Storm:
    """The servers, the load on them, and what was hit."""

    ledger: Ledger
    victims: Victims
    seed: int
    rate: float = 4.0
    """Runs begun per second."""
    live: list[ServerProcess] = field(default_factory=list[ServerProcess])
    marks: list[str] = field(default_factory=list[str])
    hits: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    """When, by the database's clock, and which pid."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    async def strike(self, number: signal.Signals) -> None:
        """Signal a random server once its replacement is ready, so that somebody always answers."""
        replacement = await asyncio.to_thread(self.victims.take)
        await asyncio.sleep(self.random.uniform(0.1, 1.0))
        server = self.random.choice(self.live)
        now = self.ledger.one("select extract(epoch from clock_timestamp())::float8")
        if number == signal.SIGKILL:
            self.hits.append((now, server.pid))
        server.send(number)
        self.live[self.live.index(server)] = replacement
        code = await asyncio.to_thread(server.child.wait, 30)
        assert code == (0 if number == signal.SIGTERM else -number), server.log()[-2000:]

    @asynccontextmanager
    async def load(self, servers: int = 2) -> AsyncIterator[None]:
        """Begin runs as long as the block lasts; afterwards all of them have been followed to their end."""
        self.live = [await asyncio.to_thread(self.victims.take) for _ in range(servers)]
        over = asyncio.Event()
        async with new_client() as client, asyncio.timeout(1200), asyncio.TaskGroup() as group:
            group.create_task(self._arrivals(client, group, over))
            yield
            over.set()
        await asyncio.to_thread(
            self.ledger.until, lambda: self.ledger.unended() == 0, "runs are left", SETTLE_SECONDS
        )

    async def _arrivals(
        self, client: httpx.AsyncClient, group: asyncio.TaskGroup, over: asyncio.Event
    ) -> None:
        while not over.is_set():
            group.create_task(self._job(client, str(uuid4()), asks=len(self.marks) % 3 == 0))
            await asyncio.sleep(1 / self.rate)

    async def _job(self, client: httpx.AsyncClient, mark: str, *, asks: bool) -> None:
        self.marks.append(mark)
        given = {"mark": mark, "seconds": STEP_SECONDS, "asks": asks}
        run = await self._accepted(client, "invoke", {"thread_id": mark, "input": given})
        ended = await self._ended(client, run)
        if asks:
            assert ended["status"] == "interrupted", ended
            run = await self._accepted(client, "resume", {"thread_id": mark, "resume_data": "on"})
            ended = await self._ended(client, run)
        assert ended["status"] == "success", ended

    async def _accepted(self, client: httpx.AsyncClient, verb: str, body: dict[str, Any]) -> str:
        """Ask until a server has accepted; the key makes it one run however often it was asked."""
        headers = {"Prefer": "respond-async", "Idempotency-Key": f"{verb} {body['thread_id']}"}
        return (await self._surely(client, "POST", f"/graphs/six/{verb}", {202}, json=body, headers=headers))[
            "run_id"
        ]

    async def _ended(self, client: httpx.AsyncClient, run: str) -> dict[str, Any]:
        while True:
            found = await self._surely(client, "GET", f"/graphs/six/runs/{run}?wait=20", {200})
            if found["finished_at"]:
                return found

    async def _surely(
        self, client: httpx.AsyncClient, method: str, path: str, statuses: set[int], **more: Any
    ) -> Any:
        while True:
            server = self.random.choice(self.live)
            try:
                answer = await client.request(method, f"{server.url}{path}", **more)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code in statuses:
                return answer.json()
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.1)

    def figures(self) -> Figures:
        """Check what the database holds, and count."""
        runs = self.ledger.rows("select status, kind, attempt, result from agent.runs")
        assert Counter(run["status"] for run in runs).keys() <= {"success", "interrupted"}
        resumed = sum(run["kind"] == "resume" for run in runs)
        assert len(runs) == len(self.marks) + resumed
        done = [orjson.loads(run["result"])["steps"] for run in runs if run["status"] == "success"]
        assert done == [STEPS] * len(self.marks)
        assert resumed == len(self.marks[::3])
        steps = self.ledger.rows(
            "select mark, node, key, pid, extract(epoch from at)::float8 as at from ledger.steps"
        )
        effects = Counter(
            (row["mark"], row["node"]) for row in self.ledger.rows("select * from ledger.effects")
        )
        assert effects == {(mark, node): 1 for mark in self.marks for node in STEPS}
        times = self._takeovers(steps)
        return Figures(
            seed=self.seed,
            kills=len(self.hits),
            runs=len(runs),
            resumed=resumed,
            taken_over=sum(run["attempt"] > 1 for run in runs),
            steps=len(steps),
            repeated=len(steps) - len(effects),
            takeover_p50=statistics.median(times) if times else 0.0,
            takeover_p95=sorted(times)[int(len(times) * 0.95)] if times else 0.0,
        )

    def _takeovers(self, steps: list[dict[str, Any]]) -> list[float]:
        """Seconds from a kill to the next step of each run that was hit between two of its steps."""
        by_mark: dict[str, list[tuple[float, int]]] = {}
        for row in steps:
            by_mark.setdefault(row["mark"], []).append((row["at"], row["pid"]))
        found: list[float] = []
        for at, pid in self.hits:
            for executed in by_mark.values():
                before = [step for step in executed if step[0] <= at]
                after = [step[0] for step in executed if step[0] > at]
                if before and after and max(before)[1] == pid and max(before)[0] > at - 2 * STEP_SECONDS:
                    found.append(min(after) - at)
        return found


def seed_of_now() -> int:
    """A seed that is printed; `SEED` in the environment has a storm again, as far as two cores allow."""
    return int(os.environ.get("SEED") or time.time()) % 100_000
