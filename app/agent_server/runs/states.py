"""What a thread holds: its state now, and how it came to be."""

from typing import Any
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from langgraph.types import StateSnapshot

from agent_server.core.errors import UnknownThread
from agent_server.core.principal import Principal
from agent_server.graphs.execution import plain_interrupt
from agent_server.graphs.pregel import Graph
from agent_server.graphs.registry import LoadedGraph, Registry
from agent_server.storage.database import Database
from agent_server.storage.replica import SettledReads
from agent_server.storage.saver import ReadOnlySaver
from agent_server.storage.threads import ThreadRecord, ThreadStore


class StateReader:
    """Reads the threads of all tenants; a thread is found only for its tenant and its graph."""

    def __init__(self, registry: Registry, database: Database, reads: SettledReads) -> None:
        self._registry = registry
        self._threads = ThreadStore(database)
        self._reads = reads

    async def state(self, principal: Principal, graph: str, thread_id: str) -> dict[str, Any]:
        """Return the thread's State, as the contract names its parts; raises UnknownThread."""
        loaded, thread = await self._found(principal, graph, thread_id)

        async def read(database: Database) -> StateSnapshot:
            bound, config = reading(loaded, database, thread.thread_key)
            return await bound.aget_state(config)

        return _plain(thread_id, await self._reads.of(thread, read))

    async def history(
        self, principal: Principal, graph: str, thread_id: str, *, limit: int, before: str | None
    ) -> list[dict[str, Any]]:
        """Return its States, newest first, from `before` that checkpoint; raises UnknownThread."""
        loaded, thread = await self._found(principal, graph, thread_id)

        async def read(database: Database) -> list[StateSnapshot]:
            bound, config = reading(loaded, database, thread.thread_key)
            cursor = None
            if before is not None:
                named = {**config.get("configurable", {}), "checkpoint_id": before}
                cursor = RunnableConfig(configurable=named)
            return [state async for state in bound.aget_state_history(config, before=cursor, limit=limit)]

        return [_plain(thread_id, snapshot) for snapshot in await self._reads.of(thread, read)]

    async def _found(
        self, principal: Principal, graph: str, thread_id: str
    ) -> tuple[LoadedGraph, ThreadRecord]:
        """Ask the primary, always: whose thread it is must not come from a copy."""
        loaded = self._registry.named(graph)
        thread = await self._threads.get(principal, thread_id)
        if thread is None or thread.graph != graph:
            raise UnknownThread(thread_id)
        return loaded, thread


def reading(loaded: LoadedGraph, database: Database, thread_key: UUID) -> tuple[Graph, RunnableConfig]:
    """Return a graph that can only read, and the config that names a thread's newest checkpoint."""
    config = RunnableConfig(configurable={"thread_id": str(thread_key), "checkpoint_ns": ""})
    return loaded.bound(ReadOnlySaver(database, loaded.serde)), config


def _plain(thread_id: str, snapshot: StateSnapshot) -> dict[str, Any]:
    return {
        "thread_id": thread_id,
        "values": snapshot.values,
        "next": list(snapshot.next),
        "interrupts": [plain_interrupt(interrupt) for interrupt in snapshot.interrupts],
        "checkpoint": _checkpoint(thread_id, snapshot.config) if snapshot.created_at else None,
        "parent_checkpoint": _checkpoint(thread_id, snapshot.parent_config),
        "created_at": snapshot.created_at,
        "metadata": snapshot.metadata,
    }


def _checkpoint(thread_id: str, config: RunnableConfig | None) -> dict[str, Any] | None:
    """Name a checkpoint under the client's thread id."""
    if config is None:
        return None
    configurable = config.get("configurable", {})
    return {
        "thread_id": thread_id,
        "checkpoint_ns": configurable.get("checkpoint_ns", ""),
        "checkpoint_id": configurable.get("checkpoint_id"),
    }
