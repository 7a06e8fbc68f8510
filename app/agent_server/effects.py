"""The idempotency key that a node hands to whatever has a side effect.

A run's outcome is stored exactly once; a node's side effect may happen again when a process dies
between the effect and the checkpoint that records it. It becomes exactly once when the receiver
refuses a key it has seen:

    from agent_server.effects import idempotency_key

    async def pay(state: State) -> State:
        await bank.transfer(state["amount"], idempotency_key=idempotency_key("pay"))
"""

from langgraph.runtime import get_runtime


def idempotency_key(effect: str = "") -> str:
    """Return a key that is the same each time this step of this thread executes.

    `effect` tells several effects of one node apart. The key is built from the thread and LangGraph's
    task id, so it survives crashes, takeovers by another process and the resume of an interrupt in the
    same node; a later visit to the node (a loop, a new run) has another one. It holds for a StateGraph
    under `sync` durability, the server's default, and not for `@entrypoint` functions.

    Raises:
        RuntimeError: outside a node, or in a graph that runs without a checkpointer.
    """
    info = get_runtime().execution_info
    if info is None or info.thread_id is None:
        msg = "idempotency_key() works only inside a node of a graph with a checkpointer"
        raise RuntimeError(msg)
    return ":".join(part for part in (info.thread_id, info.task_id, effect) if part)
