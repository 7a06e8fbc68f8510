"""The calls that give events, and what keeps their order over lost connections."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from langgraph_client import _decode as decode
from langgraph_client._errors import ConnectionFailed, TimedOut, Unavailable, UnexpectedAnswer, run_error
from langgraph_client._flow import Open, Read, Reply, Request, Sleep, Watch, given, header, route
from langgraph_client._models import OnBusy, OnDisconnect, RunConfig, StreamEvent, StreamMode
from langgraph_client._problems import accepted, run_of_location
from langgraph_client._retry import Tries
from langgraph_client._runs import start_request
from langgraph_client._session import Session
from langgraph_client._sse import Frame, SSEParser

_ID = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
_ACCEPT = {"Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-store"}


def stream(  # noqa: D417, PLR0913 - one keyword an option of the contract; the session is the client
    session: Session,
    graph_name: str,
    input_data: Any,
    thread_id: str | None = None,
    config: RunConfig | Mapping[str, Any] | None = None,
    *,
    stream_mode: StreamMode | Sequence[StreamMode] | None = None,
    subgraphs: bool = False,
    on_busy: OnBusy = "reject",
    on_disconnect: OnDisconnect = "continue",
    idempotency_key: str | None = None,
) -> Watch:
    """Run a graph and give its events as they happen, each once and in order, from `metadata` to `end`.

    A lost connection is opened again where it broke off, within what `Retry` allows in a row without an
    event. The iteration ends by itself only after the `end` of a run that succeeded or was interrupted;
    every other end is raised. With `on_disconnect="cancel"` a lost connection ends in RunCancelled; leave
    the loop through `contextlib.aclosing` (`closing`) to have the run cancelled at once.

    Args:
        graph_name: one of `graphs()`
        input_data: the graph's input; None goes on from the thread's last checkpoint
        thread_id: the conversation; a new one by default, named by `metadata`
        config: see `RunConfig`
        stream_mode: which events; `"events"` by default
        subgraphs: whether those of subgraphs come too, named `MODE|ns|ns`
        on_busy: as for `invoke`
        on_disconnect: as for `invoke`
        idempotency_key: as for `invoke`

    Raises:
        RunFailed: the graph raised.
        RunTimedOut: the run used up the server's wall clock.
        RunCancelled: somebody cancelled it.
        ApiError: the server refused.
        ConnectionFailed: the stream could not be opened again.
        TimedOut: nor did anything come over it.
    """
    body = {"input": input_data} | given(
        thread_id=thread_id,
        config=config,
        on_busy=on_busy,
        on_disconnect=on_disconnect,
        stream_mode=stream_mode,
        subgraphs=subgraphs,
    )
    request = start_request(session, route("graphs", graph_name, "stream"), body, key=idempotency_key)
    yield from _follow(session, _Log(graph_name, request))


def join_stream(session: Session, graph_name: str, run_id: str, last_event_id: str | None = None) -> Watch:
    """Give the events of a run from its beginning, or those behind `last_event_id`; otherwise as `stream`."""
    log = _Log(graph_name, _stream_of(graph_name, run_id))
    log.run_id = run_id
    log.cursor = last_event_id or ""
    yield from _follow(session, log)


def _stream_of(graph_name: str, run_id: str) -> Request:
    return Request(method="GET", path=route("graphs", graph_name, "runs", run_id, "stream"))


class _Drained(ConnectionFailed):
    """The process behind the connection stops, and another one tells the rest."""


class _Log:
    """What is known of a run's events so far: where it is, what was given, whether it is over."""

    def __init__(self, graph_name: str, first: Request) -> None:
        self.run_id: str | None = None  # until an answer names it, only the first request finds it
        self.cursor = ""
        self.ended = False
        self._graph_name = graph_name
        self._first = first
        self._announced: set[Frame] = set()  # each attempt's metadata and gap, without their ids

    def request(self) -> Request:
        """Return what opens the stream behind the last event; raises ValueError for an id no header takes."""
        request = self._first if self.run_id is None else _stream_of(self._graph_name, self.run_id)
        cursor = header("Last-Event-ID", self.cursor) if self.cursor else {}
        return Request(
            method=request.method,
            path=request.path,
            headers={**request.headers, **_ACCEPT, **cursor},
            body=request.body,
        )

    def take(self, frame: Frame) -> StreamEvent | None:
        """Return the frame as an event, None if it was given before; raises the bad end of a run."""
        data = _parsed(frame)
        if self._is_repeat(frame):
            return None
        self.cursor = frame.id or self.cursor
        if frame.event == "metadata":
            self.run_id = decode.text(decode.object_of(data, "metadata"), "run_id") or self.run_id
        elif frame.event == "error":
            fault = decode.fault_of(data) or decode.RunFault(code="", detail="")
            raise run_error(fault.code, fault.detail, run_id=self.run_id, body=data)
        elif frame.event == "end":
            self.ended = True
            decode.raise_bad_end(decode.object_of(data, "end"))
        return StreamEvent(frame.event, data, self.cursor)

    def _is_repeat(self, frame: Frame) -> bool:
        """Whether it was given before: an announcement by what it says, any other by its place in the log."""
        if frame.event in {"error", "end"}:
            return False
        if frame.event in {"metadata", "gap"}:
            said = replace(frame, id=None)
            known = said in self._announced
            self._announced.add(said)
            return known
        return bool(frame.id) and not _is_behind(frame.id, self.cursor)


def _is_behind(new: str, last: str) -> bool:
    """Whether the id `new` stands behind `last`; of ids not of the contract, every different one does."""
    ids = _ID.fullmatch(new), _ID.fullmatch(last)
    if ids[0] and ids[1]:
        return _position(ids[0]) > _position(ids[1])
    return new != last


def _position(found: re.Match[str]) -> tuple[int, int]:
    return int(found[1]), int(found[2])


def _follow(session: Session, log: _Log) -> Watch:
    tries = session.tries()
    while not log.ended:
        tries.begin()
        parser = SSEParser()
        try:
            yield from _connection(session, log, parser, tries)
        except _Drained as error:
            yield Sleep(tries.moved(error))
        except (ConnectionFailed, TimedOut, Unavailable) as error:
            yield Sleep(tries.pause(error, at_least=parser.retry or 0.0))


def _connection(session: Session, log: _Log, parser: SSEParser, tries: Tries) -> Watch:
    """Give what one connection brings; raises ConnectionFailed when it closes, or drains, before the end."""
    reply: Reply = yield Open(log.request(), session.silence)
    _check(accepted(reply, origin=session.origin))
    log.run_id = run_of_location(reply, origin=session.origin) or log.run_id
    while chunk := (yield Read()):
        tries.alive()
        for frame in parser.feed(chunk):
            if frame.event == "drain":
                message = "the server's process stopped before the run ended"
                raise _Drained(message)
            event = log.take(frame)
            if event is not None:
                tries.progress()
                yield event
            if log.ended:
                return
    message = "the stream closed before the run ended"
    raise ConnectionFailed(message)


def _check(reply: Reply) -> None:
    kind = reply.headers.get("content-type", "")
    if reply.status != HTTPStatus.OK or not kind.startswith("text/event-stream"):
        message = f"the answer with status {reply.status} is no event stream but {kind or 'nothing'}"
        raise UnexpectedAnswer(message)


def _parsed(frame: Frame) -> Any:
    try:
        return json.loads(frame.data)
    except ValueError as error:
        message = f"the data of event {frame.event} is not JSON"
        raise UnexpectedAnswer(message) from error
