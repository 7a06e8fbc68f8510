"""K6 for PostgreSQL: with `verify-full`, who is not the database is not talked to, and the line says why."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from app.support.storage_world import settings_for
from app.support.surface import GRAPHS, caller, invoke, ok, serving
from support.server import REPOSITORY, environment
from support.tls_postgres import PASSWORD, TlsPostgres, tls_postgres

from agent_server.core.errors import ConfigurationError
from agent_server.storage.database import connect_first, open_database
from agent_server.storage.migrate import migrate

CASES = ("wrong CA", "wrong host name", "plaintext server", "no CA file")
NETWORK = ("not available", "network", "timeout", "listens", "reach")
"""Words of the sentences that blame what lies between."""


@pytest.fixture(scope="module")
def server() -> Iterator[TlsPostgres]:
    with tls_postgres() as started:
        yield started


@pytest.fixture(params=CASES)
def case(server: TlsPostgres, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A URL that must not work, and what is told of it."""
    plain = request.param == "plaintext server"
    if plain:
        server.speak_tls(tls=False)
    yield {
        "wrong CA": (
            server.url(sslrootcert=str(server.other_ca)),
            f"TLS: its certificate is signed by no CA of sslrootcert={server.other_ca}, or its time is over.",
        ),
        "wrong host name": (
            server.url(host="127.0.0.1"),
            "TLS: its certificate is for another host name.",
        ),
        "plaintext server": (server.url(), "TLS: it speaks none, and sslmode=verify-full asks for it."),
        "no CA file": (
            server.url(sslrootcert="/none/ca.pem"),
            "TLS: the CA file of sslrootcert=/none/ca.pem cannot be read.",
        ),
    }[request.param]
    if plain:
        server.speak_tls(tls=True)


def run(url: str, command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-m", "agent_server", command],
        cwd=REPOSITORY / "app",
        env=environment(url, GRAPHS),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_right_ca_and_name_are_served(server: TlsPostgres) -> None:
    assert run(server.url(), "migrate").returncode == 0
    with serving(server.url()) as process, caller(process) as http:
        ok(invoke(http, "echo", {"text": "a"}))


async def test_every_connection_is_encrypted(server: TlsPostgres) -> None:
    async with open_database(settings_for(server.url())) as database, database.pool.connection() as pooled:
        assert pooled.pgconn.ssl_in_use
    async with await connect_first(server.url()) as single:
        assert single.pgconn.ssl_in_use


async def test_another_is_refused_by_the_pool_and_by_a_connection_of_its_own(case: tuple[str, str]) -> None:
    url, told = case
    for start in (
        open_database(settings_for(url)).__aenter__,
        lambda: connect_first(url),
        lambda: migrate(settings_for(url)),
    ):
        with pytest.raises(ConfigurationError) as caught:
            await start()
        assert caught.value.detail.endswith(f"refuses us: {told}")


def test_a_process_ends_with_one_line_that_says_so_and_does_not_blame_the_network(
    case: tuple[str, str],
) -> None:
    url, told = case
    done = run(url, "audit")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("agent_server: The database at ")
    assert line.endswith(told)
    assert not [word for word in NETWORK if word in line]
    assert PASSWORD not in line


def test_a_server_does_not_wait_for_what_waiting_cannot_cure(server: TlsPostgres) -> None:
    done = run(server.url(sslrootcert=str(server.other_ca)), "serve")
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert "TLS: its certificate is signed by no CA" in line
