"""What every flow of one client shares, and the exchange of one request for its answer."""

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from langgraph_client._errors import ConnectionFailed, LangGraphError, TimedOut, Unavailable
from langgraph_client._flow import Call, Reply, Request, Send, Sleep
from langgraph_client._problems import accepted
from langgraph_client._retry import Deadline, Retry, Tries, untouched


def _uuid() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The settings of a client; time and chance are here so that a test can own them."""

    origin: str
    """`scheme://host:port` of the project's address, as `origin_of` gives it."""
    timeout: float = 300.0
    """Seconds a call may take, waits and repeats included."""
    silence: float = 60.0
    """Seconds without a byte after which a stream is taken for dead."""
    retry: Retry = field(default_factory=Retry)
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    new_key: Callable[[], str] = _uuid

    def tries(self) -> Tries:
        """Return a fresh count of failures."""
        return Tries(self.retry, clock=self.clock, jitter=self.jitter)

    def deadline(self, seconds: float | None = None, *, run_id: str | None = None) -> Deadline:
        """Return the end of a call that begins now; the client's own time-out when it names none."""
        return Deadline(self.timeout if seconds is None else seconds, clock=self.clock, run_id=run_id)


def exchange(
    session: Session,
    request: Request,
    *,
    deadline: Deadline | None = None,
    tries: Tries | None = None,
    also: int | None = None,
) -> Call[Reply]:
    """Send until there is an answer; raises what its status means, or the last failure.

    With `also`, a status that is no success is an answer, too.
    After a failure it is repeated while tries and time are left, unless that could carry it out twice.
    """
    deadline = deadline or session.deadline()
    tries = tries or session.tries()
    while True:
        tries.begin()
        try:
            reply: Reply = yield Send(request, min(request.patience, deadline.left()))
            return reply if reply.status == also else accepted(reply, origin=session.origin)
        except (ConnectionFailed, TimedOut, Unavailable) as error:
            yield Sleep(_pause(request, error, deadline=deadline, tries=tries))


def _pause(request: Request, error: LangGraphError, *, deadline: Deadline, tries: Tries) -> float:
    """Return the seconds to wait before a repeat; raises when there is to be none."""
    if isinstance(error, TimedOut) and not deadline.allows(0):
        raise deadline.passed() from error
    if not (request.repeatable or untouched(error)):
        raise error
    pause = tries.pause(error)
    if not deadline.allows(pause):
        raise error
    return pause
