"""The calls about threads and the server itself. Their signatures and promises are those of both clients."""

from collections.abc import Mapping
from typing import Any

from langgraph_client import _decode as decode
from langgraph_client._errors import NotFound
from langgraph_client._flow import Call, Reply, Request, Send, encoded, given, route
from langgraph_client._models import Graph, Health, Page, State, Thread, ThreadStatus
from langgraph_client._problems import accepted
from langgraph_client._session import Session, exchange

PROBE_SECONDS = 10.0
"""How long a probe waits for its answer."""


def get_state(session: Session, graph_name: str, thread_id: str) -> Call[State]:
    """Return the state of a thread at its latest checkpoint; NotFound without such a thread."""
    path = route("graphs", graph_name, "state")
    reply = yield from exchange(session, Request(method="GET", path=path, params={"thread_id": thread_id}))
    return decode.state(decode.body_of(reply))


def update_state(
    session: Session,
    graph_name: str,
    thread_id: str,
    values: Mapping[str, Any] | None,
    as_node: str | None = None,
) -> Call[State]:
    """Write values into a thread's state, as if `as_node` had returned them, and return the state after it.

    An update carries no idempotency key: it is repeated only if it surely was not carried out. After
    ConnectionFailed or TimedOut, look at `get_state`.
    """
    body = {"thread_id": thread_id, "values": values} | given(as_node=as_node)
    headers = {"Content-Type": "application/json"}
    path = route("graphs", graph_name, "state")
    request = Request(method="POST", path=path, headers=headers, body=encoded(body), repeatable=False)
    reply = yield from exchange(session, request)
    return decode.state(decode.body_of(reply))


def history(
    session: Session, graph_name: str, thread_id: str, *, limit: int = 10, before: str | None = None
) -> Call[list[State]]:
    """Return the states a thread went through, newest first; `before` is a checkpoint id."""
    params = given(thread_id=thread_id, limit=str(limit), before=before)
    request = Request(method="GET", path=route("graphs", graph_name, "history"), params=params)
    reply = yield from exchange(session, request)
    return list(decode.many(decode.body_of(reply), "history", decode.state))


def threads(
    session: Session,
    *,
    limit: int = 20,
    offset: int = 0,
    graph: str | None = None,
    status: ThreadStatus | None = None,
) -> Call[Page[Thread]]:
    """Return the key's own threads, of one graph or in one status if asked."""
    params = given(limit=str(limit), offset=str(offset), graph=graph, status=status)
    reply = yield from exchange(session, Request(method="GET", path="/threads", params=params))
    return decode.page(decode.body_of(reply), "threads", decode.thread)


def delete_thread(session: Session, thread_id: str) -> Call[None]:
    """Delete a thread with its runs, events and checkpoints; NotFound when there was none."""
    tries = session.tries()
    try:
        yield from exchange(session, Request(method="DELETE", path=route("threads", thread_id)), tries=tries)
    except NotFound:
        if not tries.lost:
            raise
        # gone by the try whose answer was lost


def graphs(session: Session) -> Call[list[Graph]]:
    """Return the graphs the server offers, with the schemas of their input, output and configuration."""
    reply = yield from exchange(session, Request(method="GET", path="/graphs"))
    return list(decode.many(decode.body_of(reply), "graphs", decode.graph))


def health(session: Session) -> Call[Health]:
    """Return whether the process lives. One try, 10 s."""
    return (yield from _probe(session, "/health"))


def ready(session: Session) -> Call[Health]:
    """Return whether the server takes requests; otherwise Unavailable says why not. One try, 10 s."""
    return (yield from _probe(session, "/ready"))


def _probe(session: Session, path: str) -> Call[Health]:
    request = Request(method="GET", path=path)
    reply: Reply = yield Send(request, min(PROBE_SECONDS, session.timeout))
    return decode.health(decode.body_of(accepted(reply, origin=session.origin)))
