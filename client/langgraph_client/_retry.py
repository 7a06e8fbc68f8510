"""How often and how patiently a request is repeated."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from langgraph_client._errors import ConnectionFailed, LangGraphError, TimedOut, TooMany, Unavailable

HELD_SECONDS = 5.0
"""A connection over which something still comes after this long has not failed at once: that is progress."""

_REFUSED_UNTOUCHED = frozenset({"draining", "overloaded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When to give up. `Retry(tries=1)` never repeats anything.

    The defaults outlast the loss of one server process behind a load balancer: about 20 s.
    """

    tries: int = 8
    """Times in a row a request may fail before its last error is raised, 1 or more; progress starts over."""
    first_pause: float = 0.25
    """Seconds before the second try; doubled for each one after, and shortened by up to half at random."""
    longest_pause: float = 8.0
    """Seconds a pause grows to."""
    longest_retry_after: float = 60.0
    """Seconds of a server's `Retry-After` that are obeyed; when it asks for more, the error is raised."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        pauses = (self.first_pause, self.longest_pause, self.longest_retry_after)
        if self.tries < 1 or not all(0 <= pause < math.inf for pause in pauses):
            message = "Retry takes at least one try, and pauses of 0 s or more"
            raise ValueError(message)


class Tries:
    """The failures of one call so far."""

    lost: bool = False
    """Whether a failed try may have been carried out all the same."""

    def __init__(self, retry: Retry, *, clock: Callable[[], float], jitter: Callable[[], float]) -> None:
        """Start with none; `clock` in seconds, `jitter` from 0 to 1."""
        self._retry = retry
        self._clock = clock
        self._jitter = jitter
        self._failures = 0
        self._began = clock()

    def begin(self) -> None:
        """Call it before each try."""
        self._began = self._clock()

    def progress(self) -> None:
        """Forget the failures: the run was heard of."""
        self._failures = 0

    def alive(self) -> None:
        """Call it when something came: progress, if this try has held for `HELD_SECONDS`."""
        if self._clock() - self._began >= HELD_SECONDS:
            self.progress()

    def pause(self, error: LangGraphError, at_least: float = 0.0) -> float:
        """Count a failure, return the seconds until the next try; raises the error when it was the last."""
        if isinstance(error, Unavailable):
            self.alive()
            at_least = max(at_least, error.retry_after or 0.0)
        self._failures += 1
        self.lost = self.lost or not untouched(error)
        if self._failures >= self._retry.tries or at_least > self._retry.longest_retry_after:
            raise error
        return at_least + self._backoff()

    def moved(self, error: LangGraphError) -> float:
        """Do the same for a server that sends its clients elsewhere: none the first time in a row."""
        is_first = self._failures == 0
        pause = self.pause(error)
        return 0.0 if is_first else pause

    def _backoff(self) -> float:
        grown = self._retry.first_pause * 2.0 ** min(self._failures - 1, 32)
        return min(grown, self._retry.longest_pause) * (1 - self._jitter() / 2)


class Deadline:
    """When a call must be over."""

    def __init__(self, seconds: float, *, clock: Callable[[], float], run_id: str | None = None) -> None:
        """Count from now; `seconds` may be infinite."""
        self.run_id = run_id
        self._seconds = seconds
        self._clock = clock
        self._at = clock() + seconds

    def left(self) -> float:
        """Return the seconds left, more than 0; raises TimedOut when there are none."""
        left = self._at - self._clock()
        if left <= 0:
            raise self.passed()
        return left

    def allows(self, pause: float) -> bool:
        """Whether there will be time left after a pause of so many seconds."""
        return self._clock() + pause < self._at

    def passed(self) -> TimedOut:
        """Return the error of its passing."""
        what = f"run {self.run_id} has not ended" if self.run_id else "no answer"
        return TimedOut(f"{what} within {self._seconds:g} s", self.run_id)


def untouched(error: LangGraphError) -> bool:
    """Whether the failed request surely was not carried out, so that any request may be repeated."""
    if isinstance(error, ConnectionFailed):
        return error.unsent
    refused = isinstance(error, Unavailable) and error.code in _REFUSED_UNTOUCHED
    return refused or isinstance(error, TooMany)
