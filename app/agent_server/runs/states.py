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
from agent_server.storage.saver import ReadOnlySaver
from agent_server.storage.threads import ThreadStore


class StateReader:
    """Reads the threads of all tenants; a thread is found only for its tenant and its graph."""

    def __init__(self, registry: Registry, database: Database) -> None:
        self._registry = registry
        self._database = database
        self._threads = ThreadStore(database)

    async def state(self, principal: Principal, graph: str, thread_id: str) -> dict[str, Any]:
        """Return the thread's State, as the contract names its parts; raises UnknownThread."""
        bound, config = await self._bound(principal, graph, thread_id)
        return _plain(thread_id, await bound.aget_state(config))

    async def history(
        self, principal: Principal, graph: str, thread_id: str, *, limit: int, before: str | None
    ) -> list[dict[str, Any]]:
        """Return its States, newest first, from `before` that checkpoint; raises UnknownThread."""
        bound, config = await self._bound(principal, graph, thread_id)
        cursor = None
        if before is not None:
            cursor = RunnableConfig(configurable={**config.get("configurable", {}), "checkpoint_id": before})
        states = bound.aget_state_history(config, before=cursor, limit=limit)
        return [_plain(thread_id, snapshot) async for snapshot in states]

    async def _bound(self, principal: Principal, graph: str, thread_id: str) -> tuple[Graph, RunnableConfig]:
        loaded = self._registry.named(graph)
        thread = await self._threads.get(principal, thread_id)
        if thread is None or thread.graph != graph:
            raise UnknownThread(thread_id)
        return reading(loaded, self._database, thread.thread_key)


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
