"""What a process tells of its database: whether it answers, its size, who waits, its certificate's end."""

import asyncio
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from app.support.scrapes import Series, scrape, total, value
from app.support.storage_world import settings_for
from app.support.surface import GRAPHS, caller, invoke, new_thread, ok, serving
from cryptography import x509
from support.ports import free_port
from support.postgres import private_cluster
from support.server import ServerProcess, finish, start
from support.tls_postgres import TlsPostgres, tls_postgres

from agent_server.storage.certificate import certificate_expiry
from agent_server.storage.migrate import migrate


@pytest.fixture(scope="module")
def tls_server() -> Iterator[TlsPostgres]:
    with tls_postgres() as started:
        yield started


def test_sizes_by_part_are_the_whole_database_and_the_oldest_question_has_its_age(
    module_migrated_database: str,
) -> None:
    with serving(module_migrated_database, METRICS_PORT=str(free_port())) as server, caller(server) as http:
        for _ in range(2):
            assert ok(invoke(http, "ask", {}, thread_id=new_thread()))["status"] == "interrupted"
        with psycopg.connect(module_migrated_database) as database:
            database.execute(
                "update agent.threads set updated_at = now() - interval '1 hour' where thread_key ="
                " (select thread_key from agent.threads where status = 'interrupted' limit 1)"
            )
            whole = database.execute("select pg_database_size(current_database())").fetchone()
        told = scrape(server)
        assert 3600 <= (value(told, "langgraph_interrupt_age_seconds") or 0) < 3700
        parts = {dict(labels)["part"] for name, labels in told if name == "langgraph_db_size_bytes"}
        assert parts == {"checkpoints", "events", "runs", "other"}
        assert whole
        assert total(told, "langgraph_db_size_bytes") == pytest.approx(whole[0], rel=0.1)
        assert (value(told, "langgraph_db_size_bytes", part="checkpoints") or 0) > 2**16
        assert value(told, "langgraph_db_certificate_expiry_timestamp_seconds") is None, "no TLS"


def test_whether_the_database_answers_and_attempts_that_fail() -> None:
    with private_cluster() as cluster:
        asyncio.run(migrate(settings_for(cluster.url)))
        server = start(cluster.url, GRAPHS, METRICS_PORT=str(free_port()))
        try:
            server.wait_until_ready()
            assert value(scrape(server), "langgraph_db_up") == 1
            assert value(scrape(server), "langgraph_db_connect_failures_total") == 0
            cluster.stop()
            told = until(server, lambda told: value(told, "langgraph_db_up") == 0)
            assert value(told, "langgraph_interrupt_age_seconds") is not None, "asked for once a minute"
            until(server, lambda told: (value(told, "langgraph_db_connect_failures_total") or 0) > 0)
        finally:
            finish(server)


def until(server: ServerProcess, condition: Callable[[Series], bool], seconds: float = 20) -> Series:
    for _ in range(int(seconds / 0.2)):
        if condition(told := scrape(server)):
            return told
        time.sleep(0.2)
    raise AssertionError(scrape(server))


def test_a_process_that_waits_for_its_database_says_that_it_has_none() -> None:
    waiting = start(
        f"postgresql://nobody@127.0.0.1:{free_port()}/none", GRAPHS, METRICS_PORT=str(free_port())
    )
    try:
        waiting.wait_until_alive()
        assert value(scrape(waiting), "langgraph_db_up") == 0
    finally:
        finish(waiting)


async def test_the_certificate_s_end_is_that_of_the_one_that_is_shown(tls_server: TlsPostgres) -> None:
    shown = tls_server.folder.glob("**/*.pem"), tls_server.folder.glob("**/*.crt")
    leaves = {
        x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
        for files in shown
        for file in files
        if b"BEGIN CERTIFICATE" in file.read_bytes()
    }
    told = await certificate_expiry(tls_server.url())
    assert told in leaves
    unverified = tls_server.url(sslrootcert=str(tls_server.other_ca))
    assert await certificate_expiry(unverified) == told


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql:///x?host=/run/postgresql",
        "postgresql://u@localhost/x?sslmode=disable",
        "postgresql://u@127.0.0.1:9/x",
        "postgresql://u@127.0.0.1:9,127.0.0.2:9/x",
        "",
        "nonsense",
    ],
)
async def test_where_there_is_no_certificate_nothing_is_told(dsn: str) -> None:
    assert await certificate_expiry(dsn) is None


async def test_a_server_without_tls_shows_none(tls_server: TlsPostgres) -> None:
    tls_server.speak_tls(tls=False)
    try:
        assert await certificate_expiry(tls_server.url()) is None
    finally:
        tls_server.speak_tls(tls=True)
