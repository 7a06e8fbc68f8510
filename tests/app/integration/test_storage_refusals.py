"""What PostgreSQL refuses stops a start with one sentence; what time may cure does not."""

import time
from collections.abc import Iterator

import psycopg
import pytest
from app.support.roles import as_role, as_superuser, execute, new_role
from app.support.storage_world import settings_for
from psycopg.conninfo import make_conninfo
from support.postgres import private_cluster

from agent_server.core.errors import ConfigurationError, DatabaseUnavailable
from agent_server.storage.connect_errors import unreachable
from agent_server.storage.database import connect, connect_first, open_database
from agent_server.storage.migrate import migrate
from lgp.embedded import Cluster

PASSWORD = "secret-of-the-role"


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """Of which a file that admits can be changed."""
    with private_cluster() as cluster:
        yield cluster


def refusals(url: str) -> dict[str, str]:
    return {
        make_conninfo(url, password=PASSWORD): "it refuses the password of lgp, or knows no such role.",
        make_conninfo(
            url, user="nobody here"
        ): "it refuses the password of nobody here, or knows no such role.",
        make_conninfo(url, password=""): "it asks for a password, and there is none.",
        make_conninfo(url, dbname="nowhere"): "it has no database nowhere.",
    }


async def test_each_refusal_is_told_in_a_sentence_of_its_own_and_at_once(own_cluster: Cluster) -> None:
    began = time.monotonic()
    for url, sentence in refusals(own_cluster.url).items():
        for start in (
            open_database(settings_for(url)).__aenter__,
            lambda url=url: migrate(settings_for(url)),
        ):
            with pytest.raises(ConfigurationError) as caught:
                await start()
            assert caught.value.detail.startswith("The database at /")
            assert caught.value.detail.endswith(f" port 5432 refuses us: {sentence}")
            assert PASSWORD not in caught.value.detail
    assert time.monotonic() - began < 5


async def test_what_a_role_may_not_do_is_told(own_cluster: Cluster) -> None:
    superuser, role = as_superuser(own_cluster, own_cluster.url), new_role()
    execute(superuser, "create role {} nologin password {password}", role, password=PASSWORD)
    url = as_role(own_cluster.url, role, PASSWORD)
    with pytest.raises(ConfigurationError, match=f"the role {role} may not log in"):
        await connect_first(url)
    execute(superuser, "alter role {} login", role)
    execute(superuser, "revoke connect on database lgp from public")
    with pytest.raises(ConfigurationError, match=f"the role {role} may not connect to the database lgp"):
        await connect_first(url)


async def test_a_file_that_admits_nobody_is_told(own_cluster: Cluster) -> None:
    rules = own_cluster.layout.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all postgres scram-sha-256\n")
    superuser = as_superuser(own_cluster, own_cluster.url)
    execute(superuser, "select pg_reload_conf()")
    try:
        with pytest.raises(ConfigurationError, match=r"its pg_hba\.conf does not admit lgp from here"):
            await connect_first(own_cluster.url)
    finally:
        rules.write_text(before)
        execute(superuser, "select pg_reload_conf()")


async def test_a_server_that_takes_no_more_connections_is_not_a_refusal(own_cluster: Cluster) -> None:
    superuser, role = as_superuser(own_cluster, own_cluster.url), new_role()
    execute(superuser, "create role {} login connection limit 0 password {password}", role, password=PASSWORD)
    execute(superuser, "grant connect on database lgp to {}", role)
    with pytest.raises(DatabaseUnavailable, match="it takes no more connections"):
        await connect_first(as_role(own_cluster.url, role, PASSWORD))


async def test_a_process_that_has_started_takes_a_refusal_for_an_outage(own_cluster: Cluster) -> None:
    """While a password is being changed, say: it goes on, and asks again."""
    for url in refusals(own_cluster.url):
        with pytest.raises(DatabaseUnavailable):
            await connect(url, statement_timeout=5)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("connection timeout expired", "it does not answer in time"),
        ("failed to resolve host 'h': [Errno -2] Name or service not known", "its name does not resolve"),
        ("FATAL:  the database system is starting up", "it is starting or stopping"),
        ("FATAL:  sorry, too many clients already", "it takes no more connections"),
    ],
)
def test_what_time_may_cure_is_told_as_such(said: str, reason: str) -> None:
    error = unreachable(psycopg.OperationalError(said), "postgresql://u:secret@h/d")
    assert isinstance(error, DatabaseUnavailable)
    assert error.detail == f"The database at h port 5432 is not available: {reason}."


def test_a_text_that_nobody_foresaw_is_not_shown() -> None:
    error = unreachable(psycopg.OperationalError("Zugriff verweigert: secret"), "host=h password=secret")
    assert isinstance(error, DatabaseUnavailable)
    assert error.detail == "The database at h port 5432 is not available."
