"""Requests at a fixed rate through the real nginx while the processes behind it are replaced one by one.

Arrivals are an open loop: a slow answer delays no later request. What is judged is the database's ledger.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

import httpx
from app.support.durable_world import start_on
from app.support.ledger import Ledger
from support.nginx import Nginx, nginx
from support.server import ServerProcess, finish

import langgraph_client as api

STEPS = {"brisk": ["one", "two", "three"], "quick": ["one"]}
MIX = ("read", "quick", "read", "quick", "brisk", "read", "quick", "quick", "read", "stream")
"""What ten requests are: states read, runs of a short step or of three longer ones, and a streamed one."""
SHORT_SECONDS = (0.01, 0.05, 0.1, 0.2)
LONG_SECONDS = (0.6, 1.2, 2.4, 4.8)
TIMES = {"DRAIN_SECONDS": "8", "SHUTDOWN_SECONDS": "12", "LEASE_SECONDS": "15", "LEASE_RENEW_SECONDS": "5"}
PRE_STOP_SECONDS = 1.0
"""Scaled: as long as a request that was on its way to a process takes to arrive there."""
LATE_SECONDS = 5.0
SETTLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Due:
    """When a request was to be sent, and how long its run's own nodes take."""

    at: float
    asked: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One `invoke`, as its client saw it; `seconds` count from when it was due."""

    due: Due
    seconds: float
    status: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a rollout has shown."""

    seed: int
    replaced: int
    requests: int
    runs: int
    streams: int
    handed_over: int
    repeated: int
    p95: float
    p99: float
    p99_steady: float
    added_p99: float
    longest_stop: float

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.replaced} processes replaced, {self.requests} requests,"
            f" {self.runs} runs, {self.streams} of them streamed, {self.handed_over} handed over;"
            f" 0 failed, 0 lost, 0 effects twice, {self.repeated} steps repeated;"
            f" of invoke p95 {self.p95:.2f} s, p99 {self.p99:.2f} s (steady {self.p99_steady:.2f} s),"
            f" beyond the run's own time p99 {self.added_p99:.2f} s; longest stop {self.longest_stop:.1f} s"
        )


@dataclass
class Rollout:
    """Processes behind a balancer, and the load on them."""

    ledger: Ledger
    balancer: Nginx
    servers: list[ServerProcess]
    seed: int
    start: Callable[[], ServerProcess]
    patient: bool = False
    """Whether `invoke`, too, is sent by the client library, which repeats what was refused."""
    graphs: dict[str, str] = field(default_factory=dict[str, str])
    """Of each run, by its mark."""
    known: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Graph and mark of runs that have ended."""
    streamed: set[str] = field(default_factory=set[str])
    read: int = 0
    answers: list[Answer] = field(default_factory=list[Answer])
    stops: list[float] = field(default_factory=list[float])
    rolling_from: float = 0.0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    @classmethod
    @asynccontextmanager
    async def of(
        cls, ledger: Ledger, seed: int, *, processes: int = 3, patient: bool = False
    ) -> AsyncGenerator[Self]:
        """So many ready processes behind nginx, as long as the block lasts."""
        with ExitStack() as stack:

            def started() -> ServerProcess:
                server = start_on(ledger, WORKER_CONCURRENCY="100", **TIMES)
                stack.callback(finish, server)
                return server

            servers = [started() for _ in range(processes)]
            for server in servers:
                await asyncio.to_thread(server.wait_until_ready)
            urls = [server.url for server in servers]
            balancer = await asyncio.to_thread(stack.enter_context, nginx(urls))
            yield cls(ledger, balancer, servers, seed, started, patient)

    @asynccontextmanager
    async def load(self, rate: float) -> AsyncGenerator[None]:
        """So many requests a second for the block; afterwards all of them have been answered."""
        over = asyncio.Event()
        # nginx closes idle connections when it is told of new servers, as any client may see at any time:
        # that is what retries are for, and not what is looked at here.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        transport = httpx.AsyncHTTPTransport(verify=self.balancer.tls, limits=limits)
        async with (
            httpx.AsyncClient(
                base_url=self.balancer.url, verify=self.balancer.tls, limits=limits, timeout=60
            ) as plain,
            api.LangGraphClient(self.balancer.url, transport=transport) as client,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(self._arrivals(rate, over, group, plain, client))
            yield
            over.set()
        await asyncio.to_thread(
            self.ledger.until, lambda: not self.ledger.unended(), "runs are left", SETTLE_SECONDS
        )

    async def _arrivals(
        self,
        rate: float,
        over: asyncio.Event,
        group: asyncio.TaskGroup,
        plain: httpx.AsyncClient,
        client: api.LangGraphClient,
    ) -> None:
        began, sent = time.monotonic(), 0
        while not over.is_set():
            due = began + sent / rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
            kind, sent = MIX[sent % len(MIX)], sent + 1
            if kind == "read":
                group.create_task(self._read(plain, client))
                continue
            graph = "quick" if kind == "quick" else "brisk"
            mark, asked = str(uuid4()), self.random.choice(SHORT_SECONDS if kind == "quick" else LONG_SECONDS)
            self.graphs[mark] = graph
            given = {"mark": mark, "seconds": asked / len(STEPS[graph])}
            if kind == "stream":
                group.create_task(self._stream(client, given))
            else:
                group.create_task(self._invoke(plain, client, graph, given, Due(due, asked)))

    async def _read(self, plain: httpx.AsyncClient, client: api.LangGraphClient) -> None:
        if not self.known:
            return
        graph, mark = self.random.choice(self.known)
        if self.patient:
            values = (await client.get_state(graph, mark)).values
        else:
            answer = await plain.get(f"/graphs/{graph}/state", params={"thread_id": mark})
            assert answer.status_code == 200, answer.text
            values = answer.json()["values"]
        assert values["steps"] == STEPS[graph]
        self.read += 1

    async def _invoke(
        self,
        plain: httpx.AsyncClient,
        client: api.LangGraphClient,
        graph: str,
        given: dict[str, Any],
        due: "Due",
    ) -> None:
        if self.patient:
            await client.invoke(graph, given, given["mark"])
            status = 200
        else:
            body = {"input": given, "thread_id": given["mark"]}
            status = (await plain.post(f"/graphs/{graph}/invoke", json=body)).status_code
        self.answers.append(Answer(due, time.monotonic() - due.at, status))
        if status == 200:
            self.known.append((graph, given["mark"]))

    async def _stream(self, client: api.LangGraphClient, given: dict[str, Any]) -> None:
        events = [event async for event in client.stream("brisk", given, given["mark"], stream_mode="custom")]
        assert events[-1].event == "end"
        ids = [tuple(map(int, event.id.split("-"))) for event in events[:-1]]
        assert ids == sorted(set(ids))
        pieces = Counter(
            (event.data["node"], event.data["piece"]) for event in events if event.mode == "custom"
        )
        assert len(pieces) == 5 * len(STEPS["brisk"])
        self.streamed.add(given["mark"])

    async def replace(self, number: int, *, late: float = 0.0, removed: bool = True) -> None:
        """Take a process out of the balancer, `late` seconds after it was told to go; stop, start, put in."""
        self.rolling_from = self.rolling_from or time.monotonic()
        old = self.servers[number]
        others = [server.url for server in self.servers if server is not old]
        if removed:
            await asyncio.sleep(late)
            await asyncio.to_thread(self.balancer.use, others)
            await asyncio.sleep(PRE_STOP_SECONDS)
        began = time.monotonic()
        code = await asyncio.to_thread(old.terminate, 30)
        assert code == 0, old.log()[-3000:]
        self.stops.append(time.monotonic() - began)
        new = self.start()
        await asyncio.to_thread(new.wait_until_ready)
        self.servers[number] = new
        await asyncio.to_thread(self.balancer.use, [server.url for server in self.servers])

    def handed_over(self) -> int:
        """Runs that another process has gone on with."""
        return self.ledger.one("select count(*) from agent.runs where attempt > 1")

    def figures(self) -> Figures:
        """Check what the database holds, and count."""
        assert Counter(answer.status for answer in self.answers) == {200: len(self.answers)}
        assert len(self.answers) + len(self.streamed) == len(self.graphs)
        runs = self.ledger.rows("select status, attempt, crashes from agent.runs")
        assert Counter(run["status"] for run in runs) == {"success": len(self.graphs)}
        assert not sum(run["crashes"] for run in runs)
        effects = Counter(
            (row["mark"], row["node"]) for row in self.ledger.rows("select mark, node from ledger.effects")
        )
        assert effects == {(mark, step): 1 for mark, graph in self.graphs.items() for step in STEPS[graph]}
        steps: int = self.ledger.one("select count(*) from ledger.steps")
        rolling = [answer for answer in self.answers if answer.due.at >= self.rolling_from]
        steady = [answer.seconds for answer in self.answers if answer.due.at < self.rolling_from]
        seconds = [answer.seconds for answer in rolling]
        return Figures(
            seed=self.seed,
            replaced=len(self.stops),
            requests=len(runs) + self.read,
            runs=len(runs),
            streams=len(self.streamed),
            handed_over=sum(run["attempt"] > 1 for run in runs),
            repeated=steps - len(effects),
            p95=percentile(seconds, 0.95),
            p99=percentile(seconds, 0.99),
            p99_steady=percentile(steady, 0.99),
            added_p99=percentile([answer.seconds - answer.due.asked for answer in rolling], 0.99),
            longest_stop=max(self.stops),
        )


def percentile(values: list[float], part: float) -> float:
    """The value that this part of them does not exceed; 0 for none."""
    return 0.0 if not values else sorted(values)[min(int(len(values) * part), len(values) - 1)]
