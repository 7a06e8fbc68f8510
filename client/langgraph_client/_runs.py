"""The calls about runs. Their signatures and promises are those of both clients."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from langgraph_client import _decode as decode
from langgraph_client._errors import ApiError, RunFinished
from langgraph_client._flow import Call, Request, Sleep, encoded, given, header, route
from langgraph_client._models import (
    OnBusy,
    OnDisconnect,
    Page,
    Run,
    RunConfig,
    RunResult,
    RunStatus,
    StreamMode,
)
from langgraph_client._retry import Deadline
from langgraph_client._session import Session, exchange

LONGEST_WAIT = 60.0
"""Seconds of one `?wait=`: short enough for every proxy, far below what the server admits."""
GRACE = 15.0
"""Seconds beyond its wait that an answer may take before its connection is taken for dead."""


class Missing(Enum):
    """The type of `MISSING`, for None is an answer like any other."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        """Return its name."""
        return self.value


MISSING = Missing.MISSING
"""Nothing was given."""


def invoke(  # noqa: D417, PLR0913 - one keyword an option of the contract; the session is the client
    session: Session,
    graph_name: str,
    input_data: Any,
    thread_id: str | None = None,
    config: RunConfig | Mapping[str, Any] | None = None,
    *,
    on_busy: OnBusy = "reject",
    on_disconnect: OnDisconnect = "continue",
    stream_mode: StreamMode | Sequence[StreamMode] | None = None,
    subgraphs: bool = False,
    idempotency_key: str | None = None,
    background: bool = False,
    timeout: float | None = None,
) -> Call[RunResult]:
    """Run a graph and return how it ended: `success`, or `interrupted` when it waits for `resume`.

    Args:
        graph_name: one of `graphs()`
        input_data: the graph's input; None goes on from the thread's last checkpoint
        thread_id: the conversation, 1 to 255 characters; a new one by default
        config: see `RunConfig`
        on_busy: whether a thread that is busy is `ThreadBusy`, or waited for with `"enqueue"`
        on_disconnect: whether the run goes on when the connection is lost, or is cancelled; with `"cancel"`
            a repeat after a loss finds the run cancelled and raises `RunCancelled`
        stream_mode: what `join_stream` will find in the run's log
        subgraphs: whether the log holds the events of subgraphs too
        idempotency_key: 1 to 255 characters; the same key and body join the same run for 24 hours.
            By default a new key a call, so that repeats within the call are safe
        background: return at once, with the status as it is then; see `join` and `join_stream`
        timeout: seconds for the whole call, repeats included; the client's own by default

    Raises:
        RunFailed: the graph raised.
        RunTimedOut: the run used up the server's wall clock.
        RunCancelled: somebody cancelled it.
        TimedOut: `timeout` passed first; the run goes on, unless `on_disconnect` is `"cancel"`.
        ApiError: the server refused; see the tree in `langgraph_client`.
        ConnectionFailed: no answer, after every try that `Retry` allows.
    """
    body = {"input": input_data} | given(
        thread_id=thread_id,
        config=config,
        on_busy=on_busy,
        on_disconnect=on_disconnect,
        stream_mode=stream_mode,
        subgraphs=subgraphs,
    )
    path = route("graphs", graph_name, "invoke")
    request = start_request(session, path, body, key=idempotency_key, background=background)
    return (yield from _to_its_end(session, request, graph_name, session.deadline(timeout)))


def resume(  # noqa: PLR0913 - one keyword an option of the contract
    session: Session,
    graph_name: str,
    thread_id: str,
    resume_data: Any = MISSING,
    *,
    interrupts: Mapping[str, Any] | None = None,
    config: RunConfig | Mapping[str, Any] | None = None,
    on_disconnect: OnDisconnect = "continue",
    stream_mode: StreamMode | Sequence[StreamMode] | None = None,
    subgraphs: bool = False,
    idempotency_key: str | None = None,
    background: bool = False,
    timeout: float | None = None,
) -> Call[RunResult]:
    """Answer the interrupt a thread waits for, and return how the run that follows ended.

    Either `resume_data`, the answer to the one interrupt (None is an answer), or `interrupts`, answers by
    interrupt id, must be given; otherwise TypeError. To watch the run, start it with `background=True`
    and go on with `join_stream`. The other options and errors are those of `invoke`.

    Raises:
        NothingToResume: the thread waits for nothing; so for all but the first of several answers.
    """
    if (resume_data is MISSING) == (interrupts is None):
        message = "resume takes either resume_data or interrupts"
        raise TypeError(message)
    answer = {"resume_data": resume_data} if interrupts is None else {"interrupts": interrupts}
    body = {"thread_id": thread_id, **answer} | given(
        config=config, on_disconnect=on_disconnect, stream_mode=stream_mode, subgraphs=subgraphs
    )
    path = route("graphs", graph_name, "resume")
    request = start_request(session, path, body, key=idempotency_key, background=background)
    return (yield from _to_its_end(session, request, graph_name, session.deadline(timeout)))


def join(session: Session, graph_name: str, run_id: str, *, timeout: float | None = None) -> Call[RunResult]:
    """Wait for the end of a run, and return or raise what `invoke` would have.

    `timeout` is in seconds, the client's own by default and `math.inf` for no end; after it TimedOut.
    """
    return (yield from _join(session, graph_name, run_id, session.deadline(timeout, run_id=run_id)))


def get_run(session: Session, graph_name: str, run_id: str, *, wait: float = 0) -> Call[Run]:
    """Return a run, in whatever status, after waiting for its end for `wait` whole seconds, at most 60."""
    reply = yield from exchange(session, _get(graph_name, run_id, wait))
    return decode.run(decode.body_of(reply))


def runs(  # noqa: PLR0913 - one keyword a filter of the contract
    session: Session,
    graph_name: str,
    *,
    thread_id: str | None = None,
    status: RunStatus | None = None,
    limit: int = 20,
    offset: int = 0,
) -> Call[Page[Run]]:
    """Return the runs of a graph, newest first."""
    params = given(thread_id=thread_id, status=status, limit=str(limit), offset=str(offset))
    request = Request(method="GET", path=route("graphs", graph_name, "runs"), params=params)
    reply = yield from exchange(session, request)
    return decode.page(decode.body_of(reply), "runs", decode.run)


def cancel(session: Session, graph_name: str, run_id: str) -> Call[Run]:
    """Stop a run and return it; its status is not final yet if it took more than 10 s to stop.

    Raises:
        RunFinished: it had ended before.
    """
    tries = session.tries()
    request = Request(method="POST", path=route("graphs", graph_name, "runs", run_id, "cancel"))
    try:
        reply = yield from exchange(session, request, tries=tries)
    except RunFinished:
        if not tries.lost:
            raise
        return (yield from get_run(session, graph_name, run_id))  # ended by the try whose answer was lost
    return decode.run(decode.body_of(reply))


def start_request(
    session: Session, path: str, body: Mapping[str, Any], *, key: str | None, background: bool = False
) -> Request:
    """Return the POST that starts a run; its key makes a repeat join the run instead of starting another."""
    headers = header("Idempotency-Key", session.new_key() if key is None else key)
    headers |= {"Content-Type": "application/json"} | ({"Prefer": "respond-async"} if background else {})
    return Request(method="POST", path=path, headers=headers, body=encoded(body))


def _to_its_end(session: Session, request: Request, graph_name: str, deadline: Deadline) -> Call[RunResult]:
    """Send the request; when the server ends its wait before the run ends, wait on."""
    try:
        reply = yield from exchange(session, request, deadline=deadline)
    except ApiError as error:
        if error.code != "still_running" or error.run_id is None:
            raise
        deadline.run_id = error.run_id
        return (yield from _join(session, graph_name, error.run_id, deadline))
    return decode.run_result(decode.body_of(reply))


def _join(session: Session, graph_name: str, run_id: str, deadline: Deadline) -> Call[RunResult]:
    while True:
        reply = yield from exchange(session, _get(graph_name, run_id, deadline.left()), deadline=deadline)
        result = decode.settled(decode.body_of(reply))
        if result is not None:
            return result
        yield Sleep(min(session.retry.first_pause, deadline.left()))


def _get(graph_name: str, run_id: str, wait: float) -> Request:
    seconds = int(min(wait, LONGEST_WAIT))
    params = {"wait": str(seconds)} if seconds else {}
    path = route("graphs", graph_name, "runs", run_id)
    return Request(method="GET", path=path, params=params, patience=seconds + GRACE)
