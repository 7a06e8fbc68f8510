import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypedDict

import pytest
from langgraph.config import get_store
from langgraph.graph import START, StateGraph
from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchItem,
    SearchOp,
)

from agent_server.storage.database import Database
from agent_server.storage.store import SharedStore, open_store

TENANTS = ["a", "a.b", "a%2Eb", "a b", "*", "tenant:a", "Ä/é", "A"]
"""Names of which one could be taken for another, or for a pattern."""


@pytest.fixture
async def shared(database: Database) -> AsyncIterator[SharedStore]:
    async with open_store(database) as store:
        yield store


async def test_what_a_tenant_stores_no_other_tenant_meets(shared: SharedStore) -> None:
    for tenant in TENANTS:
        store = shared.for_tenant(tenant)
        await store.aput(("users", "1"), "name", {"of": tenant})
        await store.aput((tenant.replace(".", "-"),), "own", {"of": tenant})
    for tenant in TENANTS:
        store = shared.for_tenant(tenant)
        item = await store.aget(("users", "1"), "name")
        assert item is not None
        assert (item.namespace, item.key, item.value) == (("users", "1"), "name", {"of": tenant})
        found = await store.asearch(("users",))
        assert [(each.namespace, each.value) for each in found] == [(("users", "1"), {"of": tenant})]
        assert isinstance(found[0], SearchItem)
        everything = await store.asearch(())
        assert [each.value for each in everything] == [{"of": tenant}] * 2
        assert set(await store.alist_namespaces()) == {("users", "1"), (tenant.replace(".", "-"),)}


async def test_a_deletion_stays_with_its_tenant(shared: SharedStore) -> None:
    one, two = shared.for_tenant("one"), shared.for_tenant("two")
    for store in (one, two):
        await store.aput(("n",), "k", {"v": 1})
    await one.adelete(("n",), "k")
    assert await one.aget(("n",), "k") is None
    assert await two.aget(("n",), "k") is not None


async def test_namespaces_are_listed_as_the_tenant_named_them(shared: SharedStore) -> None:
    store, other = shared.for_tenant("a"), shared.for_tenant("b")
    for namespace in (("x",), ("x", "y"), ("x", "y", "z"), ("w", "y")):
        await store.aput(namespace, "k", {})
        await other.aput((*namespace, "others"), "k", {})
    assert await store.alist_namespaces(prefix=("x",)) == [("x",), ("x", "y"), ("x", "y", "z")]
    assert await store.alist_namespaces(prefix=("*", "y")) == [("w", "y"), ("x", "y"), ("x", "y", "z")]
    assert await store.alist_namespaces(suffix=("y",)) == [("w", "y"), ("x", "y")]
    assert await store.alist_namespaces(suffix=("*", "y")) == [("w", "y"), ("x", "y")]
    assert await store.alist_namespaces(suffix=("*", "x")) == []
    assert await store.alist_namespaces(prefix=("x",), suffix=("z",)) == [("x", "y", "z")]
    assert await store.alist_namespaces(max_depth=1) == [("w",), ("x",)]
    assert await store.alist_namespaces(limit=1, offset=1) == [("x",)]


async def test_no_operation_reaches_beyond_the_tenant(shared: SharedStore) -> None:
    mine, other = shared.for_tenant("a"), shared.for_tenant("b")
    await other.aput(("n",), "k", {"v": 1})
    anything: list[Any] = [
        GetOp(("tenant:b", "n"), "k"),
        SearchOp(()),
        SearchOp(("tenant:b",)),
        ListNamespacesOp(),
        ListNamespacesOp((MatchCondition("prefix", ("tenant:b",)),)),
        ListNamespacesOp((MatchCondition("suffix", ("n",)),)),
        ListNamespacesOp((MatchCondition("suffix", ("*", "*")),)),
        ListNamespacesOp((MatchCondition("prefix", ()),)),
        ListNamespacesOp(max_depth=1),
    ]
    assert [bool(answer) for answer in await mine.abatch(anything)] == [False] * len(anything)
    for namespace in (("a.b", "n"), ("", "n"), ("n\x00",)):
        for op in (GetOp(namespace, "k"), PutOp(namespace, "k", {}), SearchOp(namespace)):
            with pytest.raises(InvalidNamespaceError):
                await mine.abatch([op])


async def test_a_worker_thread_uses_the_plain_methods(shared: SharedStore) -> None:
    store = shared.for_tenant("a")

    def work() -> list[Any]:
        store.put(("n",), "k", {"v": 1})
        item = store.get(("n",), "k")
        store.put(("n",), "gone", {})
        store.delete(("n",), "gone")
        return [item and item.value, [each.key for each in store.search(("n",))], store.list_namespaces()]

    assert await asyncio.to_thread(work) == [{"v": 1}, ["k"], [("n",)]]
    with pytest.raises(asyncio.InvalidStateError):
        store.get(("n",), "k")


class Visits(TypedDict, total=False):
    visits: list[str]


async def test_nodes_of_both_kinds_get_their_tenants_store(shared: SharedStore) -> None:
    def plain(state: Visits) -> Visits:
        get_store().put(("visits",), "plain", {"v": 1})
        return {}

    async def asynchronous(state: Visits) -> Visits:
        return {"visits": [item.key for item in await get_store().asearch(("visits",))]}

    builder = StateGraph(Visits)
    builder.add_node("plain", plain)
    builder.add_node("asynchronous", asynchronous)
    builder.add_edge(START, "plain")
    builder.add_edge("plain", "asynchronous")
    graph: Any = builder.compile()
    for tenant in ("a", "b"):
        own = graph.copy({"store": shared.for_tenant(tenant)})
        assert await own.ainvoke({"visits": []}) == {"visits": ["plain"]}


async def test_an_expired_item_is_gone_before_anybody_sweeps(shared: SharedStore) -> None:
    store = shared.for_tenant("a")
    await store.aput(("n",), "short", {}, ttl=0.001)
    await store.aput(("n",), "long", {}, ttl=10)
    await asyncio.sleep(0.1)
    assert await store.aget(("n",), "short", refresh_ttl=False) is None
    assert [item.key for item in await store.asearch(("n",))] == ["long"]


async def test_the_librarys_task_ends_with_the_store(database: Database) -> None:
    before = asyncio.all_tasks()
    async with open_store(database) as store:
        assert len(asyncio.all_tasks()) == len(before) + 1
        await store.for_tenant("a").aput(("n",), "k", {})
        with pytest.raises(NotImplementedError):
            await store.setup()
    assert {task for task in asyncio.all_tasks() - before if "AsyncConnectionPool" not in repr(task)} == set()
