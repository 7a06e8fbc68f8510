"""Two thousand requests of schemathesis, and connections that never come to the point: the long versions."""

import asyncio
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from app.integration.test_http_access import PEPPER, command
from app.support.conformance import OPERATIONS, Route, Served, conforms, served
from app.support.storage_world import settings_for
from app.support.surface import caller, serving
from chaos_report import SEED
from schemathesis import GenerationMode
from support.postgres import empty_database
from support.server import ServerProcess

from agent_server.storage.migrate import migrate
from lgp.embedded import Cluster

CASES = 48
"""Of each operation, both ways: some 2,000 in all."""
LORIS_SECONDS = 32.0
"""30, and a second for the write that finds out."""


@pytest.fixture(scope="module")
def database(postgres_cluster: Cluster) -> Iterator[str]:
    with empty_database(postgres_cluster) as url:
        asyncio.run(migrate(settings_for(url)))
        yield url


@pytest.fixture(scope="module")
def server(database: str) -> Iterator[ServerProcess]:
    settings = {"AUTH": "keys", "API_KEY_PEPPER": PEPPER, "WAIT_SECONDS": "2"}
    with serving(database, **settings) as started:
        yield started


@pytest.fixture(scope="module")
def key(database: str) -> str:
    made = command(database, "keys", "create", "--tenant", "acme", "--name", "alice", "--role", "admin")
    return made["key"]


@pytest.fixture(scope="module")
def world(server: ServerProcess, key: str) -> Iterator[Served]:
    with caller(server) as http:
        yield served(http, key)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("route", sorted(OPERATIONS))
def test_it_answers_as_it_says_two_thousand_times(world: Served, route: Route, mode: GenerationMode) -> None:
    conforms(world, route, CASES, mode, chance=SEED)


def test_a_byte_a_second_holds_no_connection(server: ServerProcess, key: str) -> None:
    """Of a head, of a body that is wanted, and of one that is not."""
    post = "POST /graphs/echo/invoke HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    began = [
        b"GET /health HTTP/1.1\r\nx: ",
        f"{post}Authorization: Bearer {key}\r\n\r\n".encode(),
        f"{post}\r\n".encode(),
    ]
    where = urlsplit(server.url)
    links = [socket.create_connection((where.hostname, where.port)) for _ in began]
    for link, head in zip(links, began, strict=True):
        link.sendall(head)
    start, closed = time.monotonic(), dict[int, float]()
    while len(closed) < len(links) and time.monotonic() - start < 2 * LORIS_SECONDS:
        for number, link in enumerate(links):
            try:
                link.sendall(b" ")
            except OSError:
                closed.setdefault(number, time.monotonic() - start)
        time.sleep(1)
    for link in links:
        link.close()
    print(f"\na byte a second: closed after {', '.join(f'{closed[n]:.0f} s' for n in sorted(closed))}")
    assert len(closed) == len(links)
    assert max(closed.values()) <= LORIS_SECONDS
