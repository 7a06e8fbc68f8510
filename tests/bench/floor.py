"""The floor: bare `graph.ainvoke`, a saver per run on one pool, durability `sync`; no HTTP, run row or lease.

A process of its own that takes its jobs on standard input: `DATABASE_URL=… python -m tests.bench.floor`.
"""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.types import Command
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from tests.bench.graphs.trivial import BUILDERS, TOKENS
from tests.bench.jobs import Job, Outcome, Task, closed_loop, expected_items, require, serve_jobs

POOL_MIN, POOL_MAX = 5, 20
"""Connections, the same for every system."""


@asynccontextmanager
async def open_pool(url: str) -> AsyncIterator[Any]:
    """The pool as the saver's documentation wants it."""
    kwargs = {"autocommit": True, "row_factory": dict_row, "prepare_threshold": 0}
    async with AsyncConnectionPool(
        url, min_size=POOL_MIN, max_size=POOL_MAX, open=False, kwargs=kwargs
    ) as pool:
        await AsyncPostgresSaver(pool).setup()  # pyright: ignore[reportArgumentType]  # rows are dicts by kwargs
        yield pool


class BareGraphs:
    """Compiled once; each run gets a copy with a saver of its own."""

    def __init__(self, pool: Any) -> None:
        """Compile them all."""
        self._pool = pool
        self._compiled = {name: builder.compile() for name, builder in BUILDERS.items()}

    def fresh(self, name: str) -> Any:
        """The graph for one run."""
        return self._compiled[name].copy({"checkpointer": AsyncPostgresSaver(self._pool)})

    async def invoke(self, name: str, value: Any, thread_id: str) -> dict[str, Any]:
        """Run it to its end or its interrupt."""
        config = {"configurable": {"thread_id": thread_id}}
        return await self.fresh(name).ainvoke(value, config, durability="sync")


class Floor:
    """Does jobs on bare graphs."""

    def __init__(self, graphs: BareGraphs) -> None:
        """On these graphs."""
        self._graphs = graphs

    async def run(self, job: Job) -> Outcome:
        """Do one."""
        actions: dict[str, Callable[[Job, Task], Any]] = {
            "invoke": self._invoke,
            "stream": self._stream,
            "approve": self._approve,
        }
        act = actions[job.action]
        return await closed_loop(job, lambda task: act(job, task))

    async def _invoke(self, job: Job, task: Task) -> dict[str, float]:
        result = await self._graphs.invoke(job.graph, {"items": [task.number]}, task.thread_id)
        require(result, {"items": expected_items(job, task)}, "result")
        return {}

    async def _approve(self, job: Job, task: Task) -> dict[str, float]:
        waiting = await self._graphs.invoke(job.graph, {"items": [task.number]}, task.thread_id)
        require(len(waiting.get("__interrupt__", ())), 1, "interrupts")
        result = await self._graphs.invoke(job.graph, Command(resume=task.number + 1), task.thread_id)
        require(result, {"items": expected_items(job, task)}, "result")
        return {}

    async def _stream(self, job: Job, task: Task) -> dict[str, float]:
        began, first = time.perf_counter(), 0.0
        config = {"configurable": {"thread_id": task.thread_id}}
        seen: list[int] = []
        stream = self._graphs.fresh(job.graph).astream(
            {"items": [task.number]}, config, stream_mode="custom", durability="sync"
        )
        async for chunk in stream:
            first = first or time.perf_counter()
            seen.append(chunk["token"])
        require(seen, list(range(TOKENS)), "tokens")
        token = (first - began) * 1000
        return {"first_event": token, "first_token": token, "events": len(seen)}


async def main() -> None:
    """Serve jobs."""
    async with open_pool(os.environ["DATABASE_URL"]) as pool:
        await serve_jobs(Floor(BareGraphs(pool)))


if __name__ == "__main__":
    uvloop.run(main())
