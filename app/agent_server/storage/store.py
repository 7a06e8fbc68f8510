"""LangGraph's long-term store, one for each tenant.

The first label of every stored namespace is the tenant's. It is put there on the way in and taken away on
the way out, in the one place that all of LangGraph's methods lead to, so no operation runs without it.
"""

# pyright: reportUnknownMemberType=false
# The library's own annotations leave the type of its task open.

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, cast
from urllib.parse import quote

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    validate_op_namespace,
)
from langgraph.store.postgres.aio import AsyncPostgresStore

from agent_server.storage.database import Database, patiently, within

BATCH_SECONDS = 30
"""The longest one batch of operations takes."""

Namespace = tuple[str, ...]


class TenantStore(BaseStore):
    """What a graph's nodes get: only what is the tenant's, under the names that the nodes chose.

    The methods without `a` are for nodes in worker threads; in the event loop they raise InvalidStateError.

    Raises:
        Overloaded, DatabaseUnavailable: by every method, as `Database.all`.
    """

    supports_ttl = True

    def __init__(self, shared: "SharedStore", tenant: str) -> None:
        super().__init__()
        self._shared = shared
        self._root = _root(tenant)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Execute the operations in the tenant's part of the store."""
        results = await self._shared.abatch([self._inner(op) for op in ops])
        return [self._outer(result) for result in results]

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """The same for a worker thread, which waits."""
        loop = self._shared.loop
        with suppress(RuntimeError):  # no running loop: a worker thread, as it should be
            if asyncio.get_running_loop() is loop:
                msg = "use the store's async methods in the event loop: `await store.aget(…)`"
                raise asyncio.InvalidStateError(msg)
        return asyncio.run_coroutine_threadsafe(self.abatch(ops), loop).result()

    def _inner(self, op: Op) -> Op:
        validate_op_namespace(op)
        if isinstance(op, (GetOp, PutOp)):
            return op._replace(namespace=(self._root, *op.namespace))
        if isinstance(op, SearchOp):
            return op._replace(namespace_prefix=(self._root, *op.namespace_prefix))
        return op._replace(
            match_conditions=self._conditions(op.match_conditions or ()),
            max_depth=None if op.max_depth is None else op.max_depth + 1,
        )

    def _conditions(self, conditions: Sequence[MatchCondition]) -> tuple[MatchCondition, ...]:
        inner = [MatchCondition("prefix", (self._root,))]
        for condition in conditions:
            if condition.match_type == "prefix":
                inner.append(MatchCondition("prefix", (self._root, *condition.path)))
            else:  # as many labels must follow the tenant's, lest a wildcard takes the tenant's for one
                inner.append(MatchCondition("prefix", (self._root, *("*" for _ in condition.path))))
                inner.append(condition)
        return tuple(inner)

    def _outer(self, result: Result) -> Result:
        if isinstance(result, Item):
            return _stripped(result)
        if isinstance(result, list):
            parts = cast("list[SearchItem | Namespace]", result)
            return cast("Result", [_stripped(p) if isinstance(p, Item) else p[1:] for p in parts])
        return result


class SharedStore(AsyncPostgresStore):
    """The one store of a process, on its pool; made by `open_store`. Not for graphs: it holds all tenants."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.pool, ttl={"omit_expired": True})
        self.database = database

    def for_tenant(self, tenant: str) -> TenantStore:
        """Return the tenant's part; costs nothing, keep none."""
        return TenantStore(self, tenant)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Execute the operations; outlasts a restart of the database."""
        batch = list(ops)
        execute = super().abatch

        async def attempt() -> list[Result]:
            async with within(BATCH_SECONDS):
                return await execute(batch)

        return await patiently(partial(self.database.retried, attempt))

    async def setup(self) -> None:
        """Refuse: tables are made by the `migrate` command."""
        msg = "this store makes no tables"
        raise NotImplementedError(msg)

    async def aclose(self) -> None:
        """End the task that the library starts with each store."""
        task = cast("asyncio.Task[None] | None", self._task)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])


@asynccontextmanager
async def open_store(database: Database) -> AsyncGenerator[SharedStore]:
    """The process's store for as long as the block lasts, which must be within the pool's life."""
    store = SharedStore(database)
    try:
        yield store
    finally:
        await store.aclose()


def _root(tenant: str) -> str:
    """One label that no other tenant has; a label holds no full stop."""
    return "tenant:" + quote(tenant, safe="").replace(".", "%2E")


def _stripped(item: Item) -> Item:
    common: dict[str, Any] = {
        "namespace": item.namespace[1:],
        "key": item.key,
        "value": item.value,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }
    return SearchItem(**common, score=item.score) if isinstance(item, SearchItem) else Item(**common)
