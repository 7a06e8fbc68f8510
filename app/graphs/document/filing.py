"""Files a document: the one side effect of the graph, done exactly once."""

from typing import Any

from langgraph.store.base import BaseStore

from agent_server.effects import idempotency_key

NAMESPACE = ("filings",)
"""Where filed and rejected documents are kept in the store."""

NO_STORE = "Not filed: the graph runs without a store. The server always gives it one."


async def file_record(store: BaseStore, record: dict[str, Any]) -> str:
    """Write a record and return its filing id.

    The id is this step's idempotency key: when the process dies after the write and the step is repeated,
    the repeat overwrites the same record. It can be called once in a node.

    Raises:
        RuntimeError: outside a node, or in a graph that runs without a checkpointer.
    """
    filing_id = idempotency_key("file")
    await store.aput(NAMESPACE, filing_id, record, index=False)
    return filing_id
