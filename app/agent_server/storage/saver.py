"""The saver of one run: LangGraph's own tables, written only while the run's token is live.

Each write is one statement that first takes a share lock on the run's row and inserts nothing unless
the row still carries this attempt. A process that wakes up after its lease was taken over can
therefore execute a node, but never store what came of it (ADR 0001).

It differs from AsyncPostgresSaver in three more ways. It holds no lock: the stock saver serialises all
queries of a process, even on a pool. What JSONB refuses or changes goes into the blobs, where it comes
back as it was: a text with a NUL, a float that is infinite or large, an Enum that is a str or an int, too.
(A lone surrogate becomes a question mark there: LangGraph's encoder knows none.) And it never creates
tables.
"""

# pyright: reportPrivateUsage=false
# The stock saver, too, tells a delta snapshot by its private class.

import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, TypeVar
from uuid import UUID

import orjson
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.types import ERROR, _DeltaSnapshot
from psycopg import AsyncCursor
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from agent_server.core.errors import LeaseLost
from agent_server.core.metrics import CHECKPOINT_BYTES, QUERY_SECONDS, UNKNOWN
from agent_server.storage.database import Database, patiently, within
from agent_server.storage.queries import load

T = TypeVar("T")

READ_SECONDS = 30
"""The longest one read of checkpoints takes."""

LARGEST_PLAIN = 1e15
"""A larger float is written with an exponent, which JSONB turns into the digits of an integer."""

READ = "saver.read"
"""What the metrics call LangGraph's own reads of checkpoints."""

_SQL = load("saver")
_HANDLED = "__error_source_node__"
"""LangGraph's mark of a failure that a node's error handler takes up; private there."""
_NOT_FOR_JSONB = re.compile("[\x00\ud800-\udfff]")


@dataclass(slots=True)
class Fence:
    """The token that a run's writes carry. Shared by all copies that LangGraph makes of a saver."""

    run_id: UUID
    attempt: int
    thread_is_new: bool = False
    """No checkpoint exists yet, so the first look for one may be skipped."""
    graph: str = UNKNOWN
    """Whose checkpoints these are."""


class ReadOnlySaver(AsyncPostgresSaver):
    """Reads checkpoints, one query at a time on the shared pool; writes nothing."""

    def __init__(self, database: Database, serde: SerializerProtocol) -> None:
        super().__init__(database.pool, serde=serde)
        self.database = database

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncGenerator[AsyncCursor[DictRow]]:
        if pipeline:
            self._refuse()
        async with (
            self.database.pool.connection() as connection,
            connection.cursor(binary=True, row_factory=dict_row) as cursor,
        ):
            with QUERY_SECONDS.labels(READ).time():  # LangGraph's own statements, which have no names
                yield cursor

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names, or the newest; None where there is none."""
        return await self.database.retried(partial(_bounded, super().aget_tuple, config))

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002  # LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncGenerator[CheckpointTuple]:
        """Yield the checkpoints, newest first; they are read before the first is handed out."""
        search = super().alist

        async def attempt() -> list[CheckpointTuple]:
            async with within(READ_SECONDS):
                return [item async for item in search(config, filter=filter, before=before, limit=limit)]

        for item in await self.database.retried(attempt):
            yield item

    async def setup(self) -> None:
        """Refuse: tables are made by the `migrate` command."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        msg = "this saver writes nothing"
        raise NotImplementedError(msg)


async def _bounded(read: Callable[[RunnableConfig], Awaitable[T]], config: RunnableConfig) -> T:
    async with within(READ_SECONDS):
        return await read(config)


class FencedSaver(ReadOnlySaver):
    """Reads and writes the checkpoints of one run; outlasts a restart of the database.

    Raises:
        LeaseLost: on a write after another process has taken the run, or after the run has ended.
    """

    def __init__(self, database: Database, serde: SerializerProtocol, fence: Fence) -> None:
        super().__init__(database, serde)
        self.fence = fence

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names, or the newest; None where there is none."""
        if self.fence.thread_is_new:
            self.fence.thread_is_new = False
            return None
        return await patiently(partial(super().aget_tuple, config))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint and the channels that it changed."""
        configurable = config.get("configurable", {})
        thread_id, ns = configurable["thread_id"], configurable["checkpoint_ns"]
        inline, in_blobs = _split(checkpoint["channel_values"])
        blobs = [
            (channel, str(version), *self.serde.dumps_typed(in_blobs[channel]))
            for channel, version in new_versions.items()
            if channel in in_blobs
        ]
        stored = _json({**checkpoint, "channel_values": inline})
        await self._write(
            "put",
            thread_id=thread_id,
            ns=ns,
            checkpoint_id=checkpoint["id"],
            parent_id=configurable.get("checkpoint_id"),
            checkpoint=Jsonb(stored, dumps=bytes),
            metadata=Jsonb(get_serializable_checkpoint_metadata(config, metadata), dumps=_json),
            **_columns(("channels", "versions", "types", "blobs"), blobs),
        )
        size = len(stored) + sum(len(content) for *_, content in blobs)
        CHECKPOINT_BYTES.labels(self.fence.graph).observe(size)
        return {
            "configurable": {"thread_id": thread_id, "checkpoint_ns": ns, "checkpoint_id": checkpoint["id"]}
        }

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task wrote, before the step that it belongs to has ended."""
        configurable = config.get("configurable", {})
        rows = [
            (WRITES_IDX_MAP.get(channel, idx), channel, *self.serde.dumps_typed(value))
            for idx, (channel, value) in enumerate(_discreet(writes))
        ]
        await self._write(
            "put_writes",
            thread_id=configurable["thread_id"],
            ns=configurable["checkpoint_ns"],
            checkpoint_id=configurable["checkpoint_id"],
            task_id=task_id,
            task_path=task_path,
            replace=all(channel in WRITES_IDX_MAP for channel, _ in writes),
            **_columns(("idxs", "channels", "types", "blobs"), rows),
        )

    async def _write(self, query: str, **params: Any) -> None:
        fence = self.fence
        fence.thread_is_new = False
        token = {"run_id": fence.run_id, "attempt": fence.attempt}
        row = await patiently(partial(self.database.one, _SQL[query], {**params, **token}))
        if row is None:
            msg = f"run {fence.run_id} is no longer held by attempt {fence.attempt}"
            raise LeaseLost(msg)


async def run_of_latest_checkpoint(database: Database, thread_key: UUID) -> UUID | None:
    """Return the run that stored the thread's newest checkpoint; None without one."""
    row = await database.one(_SQL["run_of_latest"], {"thread_id": str(thread_key)})
    return UUID(row["run_id"]) if row and row["run_id"] else None


def _discreet(writes: Sequence[tuple[str, Any]]) -> Sequence[tuple[str, Any]]:
    """Keep only the type of what a node raised: its message may hold what no row should, and nobody reads it.

    A node with an error handler excepted: after a crash the handler is handed the error as it was stored.
    """
    if any(channel == _HANDLED for channel, _ in writes):
        return writes
    return [(channel, type(value).__name__ if channel == ERROR else value) for channel, value in writes]


def _split(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide channel values into those that stay in the checkpoint's JSONB and those for the blobs."""
    inline: dict[str, Any] = {}
    blobs: dict[str, Any] = {}
    for channel, value in values.items():
        if isinstance(value, _DeltaSnapshot):
            blobs[channel], inline[channel] = value, True  # the marker that the stock saver leaves
        elif _fits_jsonb(value):
            inline[channel] = value
        else:
            blobs[channel] = value
    return inline, blobs


def _fits_jsonb(value: Any) -> bool:
    """Whether JSONB gives back just this value: an Enum would lose its class, a large float its type."""
    if type(value) is str:
        return _NOT_FOR_JSONB.search(value) is None
    if type(value) is float:
        return abs(value) < LARGEST_PLAIN and str(value) != "-0.0"
    return value is None or type(value) is int or type(value) is bool


def _json(value: Any) -> bytes:
    """Encode fast; as the standard library does what orjson refuses, such as integers beyond 64 bits."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    if not rows:
        return {name: [] for name in names}
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
