"""Users and passwords that change while a process lives, on a real PostgreSQL with SCRAM."""

import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from app.support.pod_identity_agent import Agent, pod_identity_agent
from app.support.roles import as_superuser, execute, new_role, without_login
from app.support.storage_world import settings_for
from app.support.surface import GRAPHS
from psycopg.conninfo import make_conninfo
from support.server import REPOSITORY, environment

from agent_server.core.errors import ConfigurationError, DatabaseUnavailable, Overloaded
from agent_server.core.settings import Settings
from agent_server.runs.leases import LeaseKeeper
from agent_server.storage import database as database_module
from agent_server.storage import login as module
from agent_server.storage.database import Database, connect, open_database
from agent_server.storage.login import Login
from agent_server.storage.queries import Query
from lgp.embedded import Cluster

WHO = Query("who", "select current_user::text as who", 5)
CLOSE = "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = {role}"
SECRETS = ("first-password", "second-password", "secret-of-KEY", "session/of+KEY")


@dataclass
class Mounted:
    """A role with a password, and the files that hold both, as they are mounted into a pod."""

    superuser: str
    url: str
    role: str
    folder: Path

    def settings(self, **more: object) -> Settings:
        files = {
            "database_user_file": self.folder / "username",
            "database_password_file": self.folder / "password",
        }
        return settings_for(self.url, database_auth="file", pool_max_size=2, **files, **more)

    def turn(self, password: str) -> None:
        """A new password, in the database and in the file; open connections end."""
        execute(self.superuser, "alter role {} password {password}", self.role, password=password)
        self.write(password)
        self.close_all()

    def write(self, password: str, role: str = "") -> None:
        (self.folder / "username").write_text(role or self.role)
        (self.folder / "password").write_text(password + "\n")

    def close_all(self) -> None:
        execute(self.superuser, CLOSE, role=self.role)


@pytest.fixture
def mounted(postgres_cluster: Cluster, fresh_database: str, tmp_path: Path) -> Mounted:
    superuser, role = as_superuser(postgres_cluster, fresh_database), new_role()
    execute(superuser, "create role {} login password {password}", role, password="first-password")
    made = Mounted(superuser, without_login(fresh_database), role, tmp_path)
    made.write("first-password")
    return made


async def who_in_the_end(database: Database) -> str:
    """The pool waits longer after each failure before it tries to connect again."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return await who(database)
        except (DatabaseUnavailable, Overloaded):
            if time.monotonic() > deadline:
                raise


async def who(database: Database) -> str:
    row = await database.one(WHO, {})
    assert row is not None
    return row["who"]


async def test_a_password_that_changes_needs_no_restart(
    mounted: Mounted, caplog: pytest.LogCaptureFixture
) -> None:
    settings = mounted.settings()
    with caplog.at_level(logging.DEBUG):
        async with open_database(settings) as database:
            assert await who(database) == mounted.role
            mounted.turn("second-password")
            assert await who(database) == mounted.role
    assert not [secret for secret in SECRETS if secret in caplog.text]


async def test_another_user_takes_over_in_the_same_process(mounted: Mounted) -> None:
    """Two roles take turns: the file names the one whose turn it is."""
    other = new_role()
    execute(mounted.superuser, "create role {} login password {password}", other, password="second-password")
    async with open_database(mounted.settings()) as database:
        assert await who(database) == mounted.role
        mounted.write("second-password", other)
        assert await who(database) == mounted.role, "open connections go on"
        mounted.close_all()
        assert await who(database) == other


async def test_the_connection_of_the_leases_follows_too(mounted: Mounted) -> None:
    keeper = LeaseKeeper(None, mounted.settings())  # pyright: ignore[reportArgumentType]  # it pings only
    await keeper.ping()
    mounted.turn("second-password")
    await keeper.ping()
    mounted.write("not yet in the database")
    await keeper.ping()  # on the connection that it has
    await keeper._disconnect()  # pyright: ignore[reportPrivateUsage]


async def test_a_connection_of_its_own_logs_in_by_the_files(mounted: Mounted) -> None:
    settings = mounted.settings()
    login = Login(settings)
    for password in ("second-password", "third-password"):
        mounted.turn(password)
        connection = await connect(settings.direct_dsn, statement_timeout=5, login=login)
        assert connection.info.user == mounted.role
        await connection.close()


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("username", None, "DATABASE_USER_FILE: .*/username cannot be read: No such file"),
        ("password", None, "DATABASE_PASSWORD_FILE: .*/password cannot be read: No such file"),
        ("password", b"\n", "DATABASE_PASSWORD_FILE: .*/password holds no text"),
        ("password", b"first\0second", "DATABASE_PASSWORD_FILE: .*/password holds no text"),
        ("password", b"\xff\xfe", "DATABASE_PASSWORD_FILE: .*/password holds no text"),
    ],
)
async def test_a_file_that_is_not_right_at_the_start_is_told_at_once(
    mounted: Mounted, file: str, content: bytes | None, told: str
) -> None:
    path = mounted.folder / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    began = time.monotonic()
    with pytest.raises(ConfigurationError, match=told):
        async with open_database(mounted.settings()):
            pass
    assert time.monotonic() - began < 1


async def test_a_file_that_goes_later_is_an_outage_and_no_overload(
    mounted: Mounted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "CHECKOUT_SECONDS", 0.5)
    async with open_database(mounted.settings()) as database:
        (mounted.folder / "password").unlink()
        mounted.close_all()
        with pytest.raises(DatabaseUnavailable) as caught:
            await who(database)
        assert str(mounted.folder) not in caught.value.detail
        mounted.turn("second-password")
        assert await who_in_the_end(database) == mounted.role


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "audit"])
@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            {"DATABASE_AUTH": "file", "DATABASE_USER_FILE": "/none/username"},
            "DATABASE_USER_FILE: /none/username cannot be read: No such file or directory.",
        ),
        (
            {
                "DATABASE_AUTH": "iam",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/v1/credentials",
            },
            "The EKS Pod Identity agent gave no credentials: ",
        ),
        (
            {"DATABASE_AUTH": "iam", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.org/"},
            "AWS_CONTAINER_CREDENTIALS_FULL_URI must be http:// to a loopback address or one of ",
        ),
    ],
    ids=["file", "agent", "address"],
)
def test_every_command_says_in_one_line_that_there_is_nothing_to_log_in_with(
    command: str, told: dict[str, str], line: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "agent_server", command],
        cwd=REPOSITORY / "app",
        env=environment(
            "postgresql://app@db.invalid/agent",
            GRAPHS,
            AWS_REGION="eu-west-1",
            DATABASE_WAIT_SECONDS="1",
            **told,
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    (said,) = [each for each in done.stderr.splitlines() if not each.startswith("{")]
    assert said.startswith(f"agent_server: {line}")


# A token is a password that RDS checks; here the role's password is one that was made before.


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    async with pod_identity_agent() as started:
        started.gives("KEY", datetime.now(UTC) + timedelta(hours=1))
        yield started


def iam_settings(mounted: Mounted, agent: Agent, **more: object) -> Settings:
    """Unchecked: the tests' database is behind a socket, and that of a token never is."""
    url = make_conninfo(mounted.url, user=mounted.role)
    unchecked = settings_for(url, pool_max_size=2)
    return unchecked.model_copy(
        update={
            "database_auth": "iam",
            "aws_region": "eu-west-1",
            "aws_container_credentials_full_uri": agent.uri,
            **more,
        }
    )


async def test_each_new_connection_logs_in_with_a_new_token(
    mounted: Mounted, agent: Agent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[Any] = []

    def token(credentials: Any, target: Any, at: datetime) -> str:
        made.append((credentials.access_key_id, target.user, target.port, target.region))
        return "first-password" if len(made) < 3 else "second-password"

    monkeypatch.setattr(module, "rds_token", token)
    with caplog.at_level(logging.DEBUG):
        async with open_database(iam_settings(mounted, agent, pool_max_size=1)) as database:
            assert await who(database) == mounted.role
            mounted.turn("second-password")
            assert await who(database) == mounted.role
    assert set(made) == {("KEY", mounted.role, 5432, "eu-west-1")}
    assert len(agent.asked) == 1, "the credentials are kept, the tokens are not"
    assert not [secret for secret in SECRETS if secret in caplog.text]


async def test_an_agent_that_fails_at_the_start_is_told_at_once(mounted: Mounted, agent: Agent) -> None:
    agent.status = 400
    with pytest.raises(DatabaseUnavailable, match="Pod Identity agent gave no credentials: it answered"):
        async with open_database(iam_settings(mounted, agent)):
            pass


async def test_an_agent_that_fails_later_is_an_outage_and_no_overload(
    mounted: Mounted, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "CHECKOUT_SECONDS", 0.5)
    monkeypatch.setattr(module, "rds_token", lambda *_: "first-password")
    agent.gives("KEY", datetime.now(UTC) + timedelta(seconds=61))  # good for a second
    async with open_database(iam_settings(mounted, agent)) as database:
        assert await who(database) == mounted.role
        agent.gives("KEY", datetime.now(UTC))
        agent.status = 500
        time.sleep(1.1)  # noqa: ASYNC251  # the credentials' second
        mounted.close_all()
        with pytest.raises(DatabaseUnavailable) as caught:
            await who(database)
        assert "agent" not in caught.value.detail
        agent.status = 200
        agent.gives("KEY", datetime.now(UTC) + timedelta(hours=1))
        assert await who(database) == mounted.role


async def test_a_wrong_token_stops_the_start_and_is_shown_nowhere(
    mounted: Mounted, agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    """The real token, which no PostgreSQL but RDS's lets in."""
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigurationError) as caught:
        async with open_database(iam_settings(mounted, agent)):
            pass
    for text in (caplog.text, caught.value.detail):
        assert "X-Amz-Signature" not in text
        assert not [secret for secret in SECRETS if secret in text]
