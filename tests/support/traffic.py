"""Requests as a service gets them: all routes and graphs, questions and answers, mistakes and failures.

`python tests/support/traffic.py URL MINUTES` makes them for so long, more and fewer by turns, for a server of
the graphs in `tests/support/traffic_graphs`.
"""

import json
import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

HERE = Path(__file__).resolve().parent
CONFIG = HERE / "traffic_graphs" / "langgraph.json"
SAMPLES = HERE.parents[1] / "app" / "graphs" / "samples"
WAVE_SECONDS = 240.0
"""From one busy time to the next."""


class Traffic:
    """What clients of one server do: a method for each kind of request; the seed decides the rest."""

    def __init__(self, url: str, seed: int = 7) -> None:
        self._client = httpx.Client(base_url=url, timeout=60)
        self._random = random.Random(seed)

    def close(self) -> None:
        self._client.close()

    def document(self) -> None:
        name = self._random.choice(["invoice", "receipt", "contract", "scanned_invoice"])
        self._start("document", "invoke", _sample("document", name))

    def approval(self) -> None:
        thread = self._start("document", "invoke", _sample("document", "needs_approval"))
        if self._random.random() < 0.7:
            self._resume("document", thread, _sample("document", "needs_approval.resume"))

    def support(self) -> None:
        self._start("support", "invoke", _sample("support", "question"))

    def escalation(self) -> None:
        thread = self._start("support", "invoke", _sample("support", "escalate"))
        self._resume("support", thread, _sample("support", "escalate.resume"))

    def research(self) -> None:
        name = self._random.choice(["approvals", "data"])
        self._start("research", "stream", _sample("research", name))

    def enrichment(self, *, failing: float = 0.0) -> None:
        given = {
            "name": "Kessler GmbH",
            "seconds": self._random.expovariate(1.5),
            "fails": self._random.random() < failing,
        }
        self._start("enrichment", "invoke", {"input": given})

    def reading(self) -> None:
        thread = self._start("support", "invoke", _sample("support", "question"))
        self._client.get("/graphs/support/state", params={"thread_id": thread})
        self._client.get("/threads")
        self._client.get("/graphs")

    def mistakes(self) -> None:
        self._client.post("/graphs/nobody/invoke", json={"input": {}, "thread_id": uuid4().hex})
        self._client.post("/graphs/document/invoke", json={"input": 1})
        self._client.post("/graphs/document/invoke", content=b"x", headers={"Content-Type": "text/plain"})

    def _start(self, graph: str, verb: str, body: dict[str, Any]) -> str:
        thread = f"{graph}-{uuid4().hex[:8]}"
        with self._client.stream(
            "POST", f"/graphs/{graph}/{verb}", json={**body, "thread_id": thread}
        ) as answer:
            answer.read()
        return thread

    def _resume(self, graph: str, thread: str, body: dict[str, Any]) -> None:
        self._client.post(f"/graphs/{graph}/resume", json={**body, "thread_id": thread})

    def once(self) -> None:
        """Each kind, failures too."""
        for kind in self._kinds():
            kind()
        self.enrichment(failing=1.0)

    def steady(self, seconds: float, busiest: float = 4.0) -> Iterator[Callable[[], None]]:
        """Requests, each when it is due: up to `busiest` a second. The register fails for a while."""
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            failing = 0.5 if 0.60 < passed / seconds < 0.66 else 0.01
            weights = (8, 3, 4, 1, 3, 4, 2, 0.5)
            kind = self._random.choices(self._kinds(), weights)[0]
            yield partial(kind, failing=failing) if kind == self.enrichment else kind
            wave = 0.6 + 0.4 * math.sin(2 * math.pi * passed / WAVE_SECONDS)
            time.sleep(self._random.expovariate(busiest * wave))

    def _kinds(self) -> list[Callable[[], None]]:
        return [
            self.document,
            self.approval,
            self.support,
            self.escalation,
            self.research,
            self.enrichment,
            self.reading,
            self.mistakes,
        ]


def _sample(graph: str, name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / graph / f"{name}.json").read_text())


def main() -> None:
    """Make requests until the time is over."""
    url, minutes = sys.argv[1], float(sys.argv[2])
    traffic = Traffic(url)
    with ThreadPoolExecutor(16) as pool:
        for request in traffic.steady(minutes * 60):
            pool.submit(request)
    traffic.close()


if __name__ == "__main__":
    main()
