"""Servers to be killed: one is always being started while another one is used."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from app.support.durable_world import start_on
from app.support.ledger import Ledger
from support.server import ServerProcess, finish


class Victims:
    """Hands out ready servers that nobody else uses."""

    def __init__(self, ledger: Ledger, **more: str) -> None:
        self._ledger = ledger
        self._more = more
        self._started: list[ServerProcess] = []
        self._next = self._start()

    def take(self, *, last: bool = False) -> ServerProcess:
        """A ready server; the next one begins to start, unless this is the last."""
        taken = self._next
        taken.wait_until_ready()
        if not last:
            self._next = self._start()
        return taken

    def _start(self) -> ServerProcess:
        server = start_on(self._ledger, **self._more)
        self._started.append(server)
        return server

    @classmethod
    @contextmanager
    def over(cls, ledger: Ledger, **more: str) -> Iterator[Self]:
        """As long as the block lasts; afterwards all are gone."""
        victims = cls(ledger, **more)
        try:
            yield victims
        finally:
            for server in victims._started:
                if server.child.poll() is None:
                    server.kill()
                finish(server)
