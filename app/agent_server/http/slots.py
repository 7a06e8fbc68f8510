"""How many streams a tenant may have open in this process."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from agent_server.core.errors import TooManyStreams
from agent_server.core.principal import Principal

RETRY_SECONDS = 5
"""When a tenant of too many streams is to ask again."""


class StreamSlots:
    """Open streams by tenant; `most` of each, 0 for no bound."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def taken(self, principal: Principal) -> Generator[None]:
        """Hold one as long as the block lasts; raises TooManyStreams when the tenant has all of its own."""
        if self._most and self._open[principal.tenant] >= self._most:
            msg = f"This tenant has {self._most} open streams in this process, as many as it may."
            raise TooManyStreams(msg, retry_after=RETRY_SECONDS)
        self._open[principal.tenant] += 1
        try:
            yield
        finally:
            self._open[principal.tenant] -= 1
            if not self._open[principal.tenant]:
                del self._open[principal.tenant]
