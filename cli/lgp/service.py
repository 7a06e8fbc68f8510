"""The server child and what is shown of it, from its first start to its end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lgp.banner import announce
from lgp.errors import ServerDied
from lgp.logs import Follower
from lgp.output import note
from lgp.progress import step
from lgp.server_process import Address, Server
from lgp.signals import Signals
from lgp.state import Record, State
from lgp.watching import Watch, unwatched

PAUSE = 0.1
"""Seconds between two looks at the server's log."""


REVIVE_SECONDS = 1.0
"""How often it is made sure that PostgreSQL lives."""

Revive = Callable[[], bool]
"""Starts a database of ours that has died; True if it had."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What of it people and programs see."""

    log: bool
    machine: bool


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """What is to be served, and from what."""

    address: Address
    environment: dict[str, str]
    record: Record
    shown: Shown
    revive: Revive
    watch: Watch | None


class Service:
    """Keeps one server running until a stop is asked for."""

    def __init__(self, plan: ServicePlan, state: State, signals: Signals) -> None:
        """Nothing runs yet."""
        self._plan = plan
        self._state = state
        self._signals = signals
        self._config = Path(plan.record.config)
        self._log = Follower(state.server_log, silent=not plan.shown.log)
        self._server: Server | None = None
        self._announced = False
        self._revive_at = 0.0

    def run(self) -> None:
        """Serve; ServerDied when the server ends by itself, unless a change of the files may mend it."""
        watch = self._plan.watch or unwatched
        with watch(self._config, self._signals.nudge) as changes:
            try:
                self._start()
                while not self._signals.asked_to_stop:
                    self._signals.wait(PAUSE)
                    self._look_after(changes())
            finally:
                self._end(for_good=True)
                self._state.forget()

    def _look_after(self, changed: list[Path]) -> None:
        self._log.show()
        if changed:
            note(f"{changed[0].name} changed")
            self._end()
            self._start()
        elif self._server is not None and self._server.exit_code is not None:
            self._mourn(ServerDied(self._server.obituary()))
        if time.monotonic() > self._revive_at:
            self._revive_at = time.monotonic() + REVIVE_SECONDS
            if self._plan.revive():
                note("PostgreSQL had died; it runs again")

    def _start(self) -> None:
        """Start the server and wait until it is ready, or dead, or no longer wanted."""
        self._log.from_now()
        self._server = Server.start(self._plan.environment, self._config.parent, self._state.server_log)
        self._state.write(replace(self._plan.record, server=self._server.record))
        try:
            with step("server") as told:
                if self._server.wait_until_ready(self._plan.address, self._signals):
                    told("ready")
        except ServerDied as error:
            self._mourn(error)
        else:
            self._announce()

    def _announce(self) -> None:
        if not self._announced and not self._signals.asked_to_stop:
            announce(self._plan.record, machine=self._plan.shown.machine)
            self._announced = True

    def _mourn(self, error: ServerDied) -> None:
        """Raise it, or when files are watched tell it and wait for the next change."""
        self._end()
        if self._plan.watch is None:
            raise error
        note(f"{error}; waiting for a change")

    def _end(self, *, for_good: bool = False) -> None:
        server, self._server = self._server, None
        if server is not None and server.exit_code is None:
            with step("server") as told:
                self._state.write(replace(self._plan.record, server=server.record, stopping=for_good))
                server.end(self._signals)
                told("stopped")
        self._log.show()
