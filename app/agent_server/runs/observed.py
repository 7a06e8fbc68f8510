"""One execution, for those who look after the process: counted, traced, and named in all that is logged."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module

import structlog

from agent_server.core.metrics import ACTIVE_THREADS, EXECUTION_SECONDS, EXECUTIONS, LEASE_LOSSES, TAKEOVERS
from agent_server.core.tracing import run_span, spans
from agent_server.runs.execution import LOST, Execution
from agent_server.storage.runs import Claim


async def observed(execution: Execution, work: Callable[[Execution], Awaitable[None]]) -> None:
    """Do the work of an execution; what comes of it is counted at its end."""
    claim, began = execution.claim, time.perf_counter()
    if claim.after_crash:
        TAKEOVERS.inc()
    names = {"run_id": str(claim.run_id), "thread_id": claim.thread_id, "graph": claim.graph}
    with (
        structlog.contextvars.bound_contextvars(request_id=claim.request_id, **names),
        ACTIVE_THREADS.track_inprogress(),
        run_span(claim.traceparent, claim.graph, _attributes(claim)) as found,
        _traced_graph(),
    ):
        try:
            await work(execution)
        finally:
            if found is not None:
                found["langgraph.status"] = execution.ended_as
            _count(execution, time.perf_counter() - began)


def _count(execution: Execution, seconds: float) -> None:
    graph, ended_as = execution.claim.graph, execution.ended_as
    if ended_as == LOST:
        LEASE_LOSSES.inc()
    if execution.claim.kind != "state":  # an update of the state executes no graph
        EXECUTIONS.labels(graph, ended_as).inc()
        EXECUTION_SECONDS.labels(graph).observe(seconds)


def _attributes(claim: Claim) -> dict[str, str | int]:
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": claim.graph,
        "gen_ai.conversation.id": claim.thread_id,
        "langgraph.run_id": str(claim.run_id),
        "langgraph.attempt": claim.attempt,
        "langgraph.request_id": claim.request_id,
    }


def _traced_graph() -> AbstractContextManager[None]:
    making = spans()
    if making is None:
        return nullcontext()
    return import_module("agent_server.graphs.tracing").traced_graph(making)
