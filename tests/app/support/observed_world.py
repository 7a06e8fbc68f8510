"""Servers of the graphs in `observed_graphs`, with their metrics."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from support.ports import free_port
from support.server import ServerProcess, servers

OBSERVED = Path(__file__).parent / "observed_graphs" / "langgraph.json"


@contextmanager
def observed(database_url: str, *arguments: str, **more: str) -> Iterator[ServerProcess]:
    """One such server."""
    told = {"METRICS_PORT": str(free_port()), **more}
    with servers(database_url, OBSERVED, 1, *arguments, **told) as started:
        yield started[0]


def lines_of(log: str) -> list[dict[str, Any]]:
    """The events of a log; every line is one."""
    return [json.loads(line) for line in log.splitlines()]


def run(server: ServerProcess, graph: str, prompt: str, thread_id: str, **headers: str) -> httpx.Response:
    """One `invoke`."""
    body = {"input": {"prompt": prompt}, "thread_id": thread_id}
    return httpx.post(f"{server.url}/graphs/{graph}/invoke", json=body, headers=headers, timeout=60)
