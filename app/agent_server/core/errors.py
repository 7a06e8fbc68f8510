"""The one error tree. `http/problems.py` turns it into answers; nothing else does.

    ServerError
    ├── ConfigurationError          the process does not start; the message is the one line shown
    ├── MalformedRequest            400
    ├── Unauthenticated             401
    ├── Forbidden                   403
    │   ├── ForbiddenOrigin
    │   ├── ForbiddenRole
    │   └── SelfApproval
    ├── NotFound                    404
    │   ├── UnknownGraph
    │   ├── UnknownThread
    │   ├── UnknownRun
    │   └── UnknownAttachment
    │       └── NoContent
    ├── MethodNotAllowed            405
    ├── RequestTimeout              408
    ├── Conflict                    409
    │   ├── ThreadBusy
    │   ├── ThreadOfAnotherGraph
    │   ├── NothingToResume
    │   ├── RunCancelled
    │   ├── RunFinished
    │   └── AttachmentStored
    ├── BodyTooLarge                413
    ├── UnsupportedMediaType        415
    ├── Invalid                     422
    │   ├── InvalidInput
    │   ├── InvalidAnswer
    │   ├── SeveralInterrupts
    │   ├── UnknownInterrupt
    │   └── IdempotencyKeyReused
    ├── HeadersTooLarge             431
    ├── TooMany                     429, with Retry-After
    │   ├── RateLimited
    │   ├── TooManyRuns
    │   └── TooManyStreams
    ├── RunFailed                   500, the graph raised
    │   └── Poison                  its process died again and again
    ├── AttachmentsUnavailable      501, none are kept here
    ├── Unavailable                 503, with Retry-After
    │   ├── DatabaseUnavailable
    │   ├── StorageUnavailable
    │   ├── IssuerUnavailable
    │   ├── Overloaded
    │   └── Draining
    ├── Timeout                     504
    │   ├── RunTimeout
    │   └── StillRunning
    └── LeaseLost                   never leaves the process: another one has taken the run

A message is written for the client: it names the client's own ids and nothing of an inner exception.
"""

from typing import Any, ClassVar


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters, the last of them an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


class ServerError(Exception):
    """Base of all errors of this server; `extra` is merged into the answer's body."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class ConfigurationError(ServerError):
    """The process cannot start as it is configured; whatever the detail quotes, it is one line.

    At most 1,000 characters of it: a user's module may raise with a page of text.
    """

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(shorten(" ".join(detail.split()), 1000), **extra)


class MalformedRequest(ServerError):
    """What came over the connection is no HTTP request."""

    status = 400
    code = "malformed_request"


class Unauthenticated(ServerError):
    """No key or token, or one that is not good: why is not told."""

    status = 401
    code = "unauthenticated"


class Forbidden(ServerError):
    """The request comes from a host or an origin that `AUTH=none` does not admit."""

    status = 403
    code = "forbidden_host"


class ForbiddenOrigin(Forbidden):
    """A browser page of another origin."""

    code = "forbidden_origin"


class ForbiddenRole(Forbidden):
    """The caller's role does not include this, or its token gives it none."""

    code = "forbidden_role"

    def __init__(self, role: str | None, needed: str) -> None:
        who = f"The role {role} may not do this" if role else "The token gives no role here"
        super().__init__(f"{who}: {needed} may.")


class SelfApproval(Forbidden):
    """Who has brought the thread to its question may not answer it."""

    code = "self_approval"


class NotFound(ServerError):
    """Nothing there, or not the caller's."""

    status = 404
    code = "not_found"


class UnknownGraph(NotFound):
    """No graph of that name; the answer lists the known ones."""

    code = "unknown_graph"

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no graph {name!r}. Known graphs: {', '.join(known)}.", known=known)


class UnknownThread(NotFound):
    """No thread of that id for this tenant and graph."""

    code = "unknown_thread"

    def __init__(self, thread_id: str) -> None:
        super().__init__(f"There is no thread {thread_id!r}.")


class UnknownRun(NotFound):
    """No run of that id for this tenant and graph."""

    code = "unknown_run"

    def __init__(self, run_id: str) -> None:
        super().__init__(f"There is no run {run_id!r}.")


class UnknownAttachment(NotFound):
    """No attachment of that id for this tenant."""

    code = "unknown_attachment"

    def __init__(self, attachment_id: str) -> None:
        super().__init__(f"There is no attachment {attachment_id!r}.")


class NoContent(UnknownAttachment):
    """The attachment's content has not been stored."""

    def __init__(self, attachment_id: str) -> None:
        ServerError.__init__(self, f"The content of attachment {attachment_id!r} has not been stored.")


class MethodNotAllowed(ServerError):
    """The path exists, for other methods."""

    status = 405
    code = "method_not_allowed"


class RequestTimeout(ServerError):
    """The head or the body of the request did not arrive in time."""

    status = 408
    code = "request_timeout"


class Conflict(ServerError):
    """The thread or run is in a state that does not allow this."""

    status = 409
    code = "conflict"


class ThreadBusy(Conflict):
    """Another run of the thread is running or waits its turn."""

    code = "thread_busy"

    def __init__(self, thread_id: str) -> None:
        super().__init__(f"Thread {thread_id!r} is busy with another run; try again when it has ended.")


class ThreadOfAnotherGraph(Conflict):
    """A thread belongs to the graph that it began with."""

    code = "thread_of_another_graph"

    def __init__(self, thread_id: str) -> None:
        super().__init__(f"Thread {thread_id!r} belongs to another graph.")


class NothingToResume(Conflict):
    """The thread waits for no answer, or has no next step to go on with."""

    code = "nothing_to_resume"

    def __init__(self, thread_id: str) -> None:
        super().__init__(f"Thread {thread_id!r} waits for no answer and has no next step.")


class RunCancelled(Conflict):
    """The run was cancelled before it ended."""

    code = "run_cancelled"


class RunFinished(Conflict):
    """The run has ended; there is nothing to cancel."""

    code = "run_finished"


class AttachmentStored(Conflict):
    """The attachment has another content already."""

    code = "attachment_stored"


class Invalid(ServerError):
    """The request cannot be understood or is refused as it stands."""

    status = 422
    code = "invalid_request"

    def __init__(self, detail: str, **extra: Any) -> None:
        if type(self) is Invalid:
            extra.setdefault("errors", [{"field": "body", "message": detail}])
        super().__init__(detail, **extra)


class BodyTooLarge(ServerError):
    """The body, or the content of an attachment, is larger than it may be."""

    status = 413
    code = "body_too_large"


class UnsupportedMediaType(ServerError):
    """The content is of a type that is not taken."""

    status = 415
    code = "unsupported_media_type"


class HeadersTooLarge(ServerError):
    """The headers exceed what one request may carry."""

    status = 431
    code = "headers_too_large"


class TooMany(ServerError):
    """More than the caller or its tenant may ask for; `retry_after` seconds later there may be room."""

    status = 429
    code = "too_many"

    def __init__(self, detail: str, retry_after: int = 1, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.retry_after = retry_after


class RateLimited(TooMany):
    """Too many requests in too short a time."""

    code = "rate_limited"


class TooManyRuns(TooMany):
    """The tenant has as many pending and running runs as it may."""

    code = "too_many_runs"


class TooManyStreams(TooMany):
    """The tenant has as many open streams in this process as it may."""

    code = "too_many_streams"


class InvalidInput(Invalid):
    """The input does not fit the graph's input schema."""

    code = "invalid_input"


class InvalidAnswer(Invalid):
    """The answer does not fit the interrupt's response schema."""

    code = "invalid_answer"


class SeveralInterrupts(Invalid):
    """Several interrupts wait: the answer must say which it is for."""

    code = "several_interrupts"


class UnknownInterrupt(Invalid):
    """An answer for an interrupt that does not wait."""

    code = "unknown_interrupt"


class IdempotencyKeyReused(Invalid):
    """The key came with another body before."""

    code = "idempotency_key_reused"


class RunFailed(ServerError):
    """The graph raised; the reason is in the server's log under the run's id."""

    code = "run_failed"


class Poison(RunFailed):
    """The process that executed the run died each time."""

    code = "poison"


class AttachmentsUnavailable(ServerError):
    """Neither a bucket nor a folder of attachments is configured."""

    status = 501
    code = "attachments_unavailable"

    def __init__(self) -> None:
        super().__init__(
            "No attachments are kept here: neither ATTACHMENTS_BUCKET nor ATTACHMENTS_DIR is set."
        )


class Unavailable(ServerError):
    """Try again in `retry_after` seconds."""

    status = 503
    code = "unavailable"
    retry_after: ClassVar[int] = 1


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not answer."""

    code = "database_unavailable"
    retry_after = 2


class StorageUnavailable(Unavailable):
    """Where the attachments are kept does not answer, or refuses us."""

    code = "storage_unavailable"
    retry_after = 2


class IssuerUnavailable(Unavailable):
    """The keys of the tokens' issuer cannot be had: no token can be told from another."""

    code = "issuer_unavailable"
    retry_after = 5


class Overloaded(Unavailable):
    """No database connection became free in time."""

    code = "overloaded"


class Draining(Unavailable):
    """This process stops; another one goes on with its runs."""

    code = "draining"


class Timeout(ServerError):
    """Time ran out."""

    status = 504
    code = "timeout"


class RunTimeout(Timeout):
    """The run exceeded its wall clock and was ended."""

    code = "run_timeout"


class StillRunning(Timeout):
    """The wait is over, the run is not; `Location` says where to ask again."""

    code = "still_running"


class LeaseLost(ServerError):
    """Another process has taken the run: nothing more of this one may be written."""

    code = "lease_lost"


def restored(code: str, detail: str, **extra: Any) -> ServerError:
    """Return the error that a run's row tells by its code, to be raised again."""
    pending: list[type[ServerError]] = [RunFailed, ServerError]
    for kind in pending:
        pending += kind.__subclasses__()
        if kind.code == code:
            break
    else:
        kind = RunFailed
    error = kind.__new__(kind)
    ServerError.__init__(error, detail, **extra)
    return error
