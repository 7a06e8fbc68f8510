"""A world without sockets, clocks or chance: performs flows from a script, in virtual time."""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from langgraph_client import Retry, StreamEvent
from langgraph_client._flow import Done, Open, Reply, Request, Send, Sleep, advance
from langgraph_client._session import Session


@dataclass
class World:
    """Answers each request with the next entry of its script: an answer or an error.

    An entry `(seconds, answer)` takes that long. After an Open, byte strings and errors are what is read.
    """

    script: list[Any]
    retry: Retry = field(default_factory=Retry)
    timeout: float = 300.0
    now: float = 1000.0
    sent: list[Request] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    events: list[StreamEvent] = field(default_factory=list)

    def session(self) -> Session:
        return Session(
            origin="http://host:80",
            timeout=self.timeout,
            retry=self.retry,
            clock=lambda: self.now,
            jitter=lambda: 0.0,
            new_key=lambda: "key-1",
        )

    def run(self, flow: Callable[..., Generator[Any, Any, Any]], *args: Any, **kwargs: Any) -> Any:
        """Perform a flow to its end; return or raise what it did."""
        running = flow(self.session(), *args, **kwargs)
        step = advance(running)
        while not isinstance(step, Done):
            step = advance(running, self.perform(step))
        return step.value

    def perform(self, effect: Any) -> Any:
        if isinstance(effect, StreamEvent):
            self.events.append(effect)
            return None
        if isinstance(effect, Sleep):
            self.slept.append(effect.seconds)
            self.now += effect.seconds
            return None
        if isinstance(effect, Send | Open):
            self.sent.append(effect.request)
            self.timeouts.append(effect.timeout)
        answer = self.script.pop(0)
        if isinstance(answer, tuple):
            seconds, answer = answer
            self.now += seconds
        return answer


def answer(status: int, body: Any = None, **headers: str) -> Reply:
    """Return an answer with a JSON body."""
    return Reply(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=b"" if body is None else json.dumps(body).encode(),
    )


def refusal(status: int, code: str, **headers: str) -> Reply:
    """Return a problem as the contract has it."""
    return answer(status, {"detail": code, "code": code, "request_id": "r"}, **headers)


def a_run(status: str = "success", **fields: Any) -> dict[str, Any]:
    """Return a Run."""
    times = {"created_at": "2026-01-01T00:00:00Z", "started_at": None, "finished_at": None}
    names = {"run_id": "run-1", "thread_id": "t", "graph": "g", "attempt": 1, "created_by": None}
    return {**names, **times, "status": status, "result": {"a": 1}, "interrupts": [], "error": None, **fields}
