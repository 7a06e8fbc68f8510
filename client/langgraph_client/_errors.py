"""Everything this package raises about a call, besides `ValueError` and `TypeError` for a wrong argument.

    LangGraphError
    ├── ConnectionFailed          no answer: refused, cut, unresolvable; after the last try
    ├── TimedOut                  the call's own time is over; the run may go on
    ├── UnexpectedAnswer          an answer that the contract does not know
    └── ApiError                  the server refused, or the run ended badly
        ├── BadRequest            400, 413, 415, 422
        ├── Unauthenticated       401
        ├── Forbidden             403
        ├── NotFound              404
        ├── Conflict              409
        │   ├── ThreadBusy            thread_busy
        │   ├── ThreadOfAnotherGraph  thread_of_another_graph
        │   ├── NothingToResume       nothing_to_resume
        │   ├── RunCancelled          run_cancelled
        │   └── RunFinished           run_finished
        ├── RunFailed             500 run_failed, poison
        ├── RunTimedOut           504 run_timeout
        └── Unavailable           503 draining, overloaded, database_unavailable; a proxy's 429, 502, 504
            └── TooMany               429 rate_limited, too_many_runs, too_many_streams

A code this version does not know falls back to the class of its status. No message and no `repr` holds
the API key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What an answer, or an event of a stream, said about its failure."""

    status: int
    """HTTP status; for a run that failed after its answer began, the one it would have had."""
    code: str
    """The contract's code; empty when something before the server answered."""
    detail: str
    request_id: str | None = None
    """The id to look for in the server's log."""
    run_id: str | None = None
    """The run it is about, where one exists."""
    retry_after: float | None = None
    """Seconds the server asks to be left alone."""
    body: Any = field(default=None, repr=False)
    """The whole answer: parsed JSON, or at most 2,000 characters of text."""


class LangGraphError(Exception):
    """Base of everything a call raises."""


class ConnectionFailed(LangGraphError):
    """The server could not be reached, or hung up before the answer was whole."""

    unsent: bool
    """True when the request surely never reached the server."""

    def __init__(self, message: str, unsent: bool = False) -> None:  # noqa: FBT001, FBT002 - pickling repeats args
        """Say which request failed and how."""
        super().__init__(message, unsent)
        self.unsent = unsent

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])


class TimedOut(LangGraphError):
    """The call's time-out passed first; the run, if there is one, may go on."""

    run_id: str | None
    """The run waited for, where it is known: hand it to `join`."""

    def __init__(self, message: str, run_id: str | None = None) -> None:
        """Say what was waited for and how long."""
        super().__init__(message, run_id)
        self.run_id = run_id

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])


class UnexpectedAnswer(LangGraphError):
    """The answer is none of the contract's: a proxy's page, or another version of the server."""


class ApiError(LangGraphError):
    """The server refused the call, or the run it is about ended badly."""

    def __init__(self, problem: Problem) -> None:
        """Copy what the answer said."""
        super().__init__(problem)
        self.status = problem.status
        self.code = problem.code
        self.detail = problem.detail
        self.request_id = problem.request_id
        self.run_id = problem.run_id
        self.retry_after = problem.retry_after
        self.body = problem.body

    def __str__(self) -> str:
        """Return status, code and detail, and the request id when there is one."""
        head = f"{self.status} {self.code}".rstrip()
        tail = f" (request {self.request_id})" if self.request_id else ""
        return f"{head}: {self.detail}{tail}"


class BadRequest(ApiError):
    """What was sent is malformed, too large, or not what the graph takes; `body["errors"]` names fields."""


class Unauthenticated(ApiError):
    """The API key is missing, unknown, expired or revoked."""


class Forbidden(ApiError):
    """The server admits neither this host name nor this origin."""


class NotFound(ApiError):
    """No such graph, thread or run for this key; for a graph, `body["known"]` lists those there are."""


class Conflict(ApiError):
    """The thread or the run is in no state for this."""


class ThreadBusy(Conflict):
    """Another run holds the thread; `on_busy="enqueue"` waits for it."""


class ThreadOfAnotherGraph(Conflict):
    """The thread belongs to another graph."""


class NothingToResume(Conflict):
    """The thread waits for no answer, or has no next step."""


class RunCancelled(Conflict):
    """The run was cancelled."""


class RunFinished(Conflict):
    """The run to cancel had already ended."""


class RunFailed(ApiError):
    """The graph raised, or its process died with it too often (`code == "poison"`)."""


class RunTimedOut(ApiError):
    """The run used up the server's wall clock for a run."""


class Unavailable(ApiError):
    """The server, or a proxy before it, cannot take the request now; after the last try."""


class TooMany(Unavailable):
    """More than this caller or its tenant may ask for, after the last try: `retry_after` seconds help."""


_BY_CODE: Mapping[str, type[ApiError]] = {
    "rate_limited": TooMany,
    "too_many_runs": TooMany,
    "too_many_streams": TooMany,
    "thread_busy": ThreadBusy,
    "thread_of_another_graph": ThreadOfAnotherGraph,
    "nothing_to_resume": NothingToResume,
    "run_cancelled": RunCancelled,
    "run_finished": RunFinished,
    "run_failed": RunFailed,
    "poison": RunFailed,
    "run_timeout": RunTimedOut,
    "still_running": ApiError,
}

_BY_STATUS: Mapping[int, type[ApiError]] = {
    HTTPStatus.BAD_REQUEST: BadRequest,
    HTTPStatus.UNAUTHORIZED: Unauthenticated,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: BadRequest,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: BadRequest,
    HTTPStatus.UNPROCESSABLE_ENTITY: BadRequest,
    HTTPStatus.TOO_MANY_REQUESTS: Unavailable,
    HTTPStatus.BAD_GATEWAY: Unavailable,
    HTTPStatus.SERVICE_UNAVAILABLE: Unavailable,
    HTTPStatus.GATEWAY_TIMEOUT: Unavailable,
}

_RUN_STATUS: Mapping[type[ApiError], HTTPStatus] = {
    RunFailed: HTTPStatus.INTERNAL_SERVER_ERROR,
    RunTimedOut: HTTPStatus.GATEWAY_TIMEOUT,
    RunCancelled: HTTPStatus.CONFLICT,
}


def api_error(problem: Problem) -> ApiError:
    """Return the error of an answer: by its code, else by its status."""
    fallback = _BY_STATUS.get(problem.status, ApiError)
    return _BY_CODE.get(problem.code, fallback)(problem)


def run_error(code: str, detail: str, *, run_id: str | None, body: object = None) -> ApiError:
    """Return the error of a run that ended badly, whichever way its end became known."""
    kind = _BY_CODE.get(code, RunFailed)
    kind = kind if kind in _RUN_STATUS else RunFailed
    return kind(Problem(status=_RUN_STATUS[kind], code=code, detail=detail, run_id=run_id, body=body))
