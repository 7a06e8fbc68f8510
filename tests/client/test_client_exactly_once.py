"""However often and wherever connections break, each event of a log is given once, in order."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from client_world import World, answer, refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from langgraph_client import ConnectionFailed, Retry, TimedOut
from langgraph_client._flow import Open, Read, Request
from langgraph_client._streams import stream

LOCATED = answer(200, content_type="text/event-stream", location="/graphs/g/runs/run-1")
FAILURES = [ConnectionFailed("cut"), TimedOut("silence"), refusal(503, "draining"), refusal(502, "")]


@dataclass(frozen=True)
class Loss:
    """One connection: refused before it opened, or cut behind so many bytes, cleanly or not."""

    at: int
    clean: bool
    refused: Any
    size: int


@dataclass
class Unreliable(World):
    """A server with one log, whose connections break as drawn; the last one holds."""

    log: list[tuple[str, bytes]] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    heeds_last_event_id: bool = True
    reading: Iterator[Any] = field(default_factory=lambda: iter(()))

    def perform(self, effect: Any) -> Any:
        if isinstance(effect, Read):
            return next(self.reading)
        if not isinstance(effect, Open):
            return super().perform(effect)
        self.sent.append(effect.request)
        loss = self.losses.pop(0) if self.losses else None
        if loss and loss.refused:
            return loss.refused
        self.reading = self.connection(effect.request, loss)
        return LOCATED

    def connection(self, request: Request, loss: Loss | None) -> Iterator[Any]:
        last = request.headers.get("Last-Event-ID", "")
        ids = [name for name, _ in self.log]
        start = ids.index(last) + 1 if last and self.heeds_last_event_id else 0
        raw = b"".join(frame for _, frame in self.log[start:])
        raw, size = (raw[: loss.at], loss.size) if loss else (raw, 7)
        for at in range(0, len(raw), size):
            yield raw[at : at + size]
        yield b"" if loss and loss.clean else ConnectionFailed("cut")


def a_log(attempts: list[int]) -> list[tuple[str, bytes]]:
    """Return a log in which process after process died, each having left so many events."""
    log: list[tuple[str, bytes]] = []

    def add(attempt: int, seq: int, event: str, data: Any) -> None:
        name = f"{attempt}-{seq}"
        log.append((name, f"event: {event}\r\ndata: {json.dumps(data)}\r\nid: {name}\r\n\r\n".encode()))

    for attempt, count in enumerate(attempts, 1):
        if attempt > 1:
            add(attempt, 0, "gap", {"after": log[-1][0], "attempt": attempt})
        add(attempt, 1, "metadata", {"run_id": "run-1", "thread_id": "t", "attempt": attempt})
        for seq in range(2, 2 + count):
            add(attempt, seq, "updates", {"né": seq})
    add(
        len(attempts), 99, "end", {"run_id": "run-1", "thread_id": "t", "status": "success", "interrupts": []}
    )
    return log


LOSSES = st.builds(
    Loss,
    at=st.integers(0, 900),
    clean=st.booleans(),
    refused=st.none() | st.sampled_from(FAILURES),
    size=st.integers(1, 200),
)


@settings(max_examples=300, deadline=None)
@given(
    attempts=st.lists(st.integers(0, 4), min_size=1, max_size=3),
    losses=st.lists(LOSSES, max_size=7),
    heeds=st.booleans(),
)
def test_each_event_once_and_in_order(*, attempts: list[int], losses: list[Loss], heeds: bool) -> None:
    log = a_log(attempts)
    world = Unreliable([], Retry(), log=log, losses=losses, heeds_last_event_id=heeds)
    world.run(stream, "g", {})
    assert [event.id for event in world.events] == [name for name, _ in log]
    opened = [request for request in world.sent if request.method == "POST"]
    assert len({request.headers["Idempotency-Key"] for request in opened}) == 1
