"""Credentials of EKS Pod Identity: asked for seldom, kept while they last, sent nowhere else, never shown."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from app.support.pod_identity_agent import Agent, pod_identity_agent
from app.support.storage_world import settings_for

from agent_server.core.errors import ConfigurationError, DatabaseUnavailable
from agent_server.storage import aws_credentials as module
from agent_server.storage.aws_credentials import PodIdentity, credentials_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOKEN = "ey.of-the-pod.sig"
ENDLESS = b'{"AccessKeyId": "A", "SecretAccessKey": "secret-that", "Token": "t", "Expiration": "soon"}'


class Clock:
    """A time that a test moves."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    async with pod_identity_agent() as started:
        started.gives("FIRST", NOON + timedelta(hours=6))
        yield started


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "eks-pod-identity-token"
    file.write_text(TOKEN + "\n")
    return file


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source(agent: Agent, token_file: Path, clock: Clock) -> PodIdentity:
    return PodIdentity(agent.uri, token_file, now=clock)


async def test_the_agent_is_asked_once_with_the_pods_token_and_believed(
    agent: Agent, source: PodIdentity
) -> None:
    found = await asyncio.gather(*(source.get() for _ in range(20)))
    assert {credentials.access_key_id for credentials in found} == {"FIRST"}
    assert found[0].secret_access_key == "secret-of-FIRST"
    assert found[0].session_token == "session/of+FIRST=="
    (asked,) = agent.asked
    assert asked["request"] == "GET /v1/credentials HTTP/1.0"
    assert asked["Authorization"] == TOKEN
    assert asked["Host"] == agent.uri.split("/")[2]


async def test_they_are_renewed_shortly_before_they_end_with_the_token_of_then(
    agent: Agent, source: PodIdentity, clock: Clock, token_file: Path
) -> None:
    await source.get()
    clock.forward(hours=5, minutes=49)
    assert (await source.get()).access_key_id == "FIRST"
    assert len(agent.asked) == 1
    await asyncio.to_thread(token_file.write_text, "a-newer-token")
    agent.gives("SECOND", clock.at + timedelta(hours=6))
    clock.forward(minutes=2)
    assert (await source.get()).access_key_id == "SECOND"
    assert agent.asked[1]["Authorization"] == "a-newer-token"


async def test_an_agent_that_is_away_is_no_matter_while_what_it_gave_is_good(
    agent: Agent, source: PodIdentity, clock: Clock
) -> None:
    await source.get()
    agent.status = 500
    clock.forward(hours=5, minutes=55)
    with structlog.testing.capture_logs() as logged:
        for _ in range(5):
            assert (await source.get()).access_key_id == "FIRST"
    assert len(agent.asked) == 2, "it is left alone for a while"
    assert [entry["event"] for entry in logged] == ["AWS credentials were not renewed"]
    clock.forward(minutes=4, seconds=30)
    with pytest.raises(DatabaseUnavailable, match="status 500"):
        await source.get()
    agent.status = 200
    agent.gives("LATER", clock.at + timedelta(hours=6))
    assert (await source.get()).access_key_id == "LATER"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"status": 404}, "status 404"),
        ({"body": b"{}"}, "holds no credentials"),
        ({"body": b"[1]"}, "holds no credentials"),
        ({"body": b"secret-that-is-no-json"}, "holds no credentials"),
        ({"body": ENDLESS}, "holds no credentials"),
        ({"raw": b"SSH-2.0-secret-that\r\n"}, "is not HTTP"),
        ({"raw": b""}, "is not HTTP"),
        ({"delay": 5}, "TimeoutError"),
    ],
)
async def test_a_failing_agent_is_an_unavailable_database_in_one_line_that_quotes_nothing(
    agent: Agent,
    source: PodIdentity,
    answer: dict[str, object],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AGENT_SECONDS", 0.3)
    for name, value in answer.items():
        setattr(agent, name, value)
    with pytest.raises(DatabaseUnavailable, match="Pod Identity agent gave no credentials") as caught:
        await source.get()
    assert told in caught.value.detail
    assert "secret-that" not in caught.value.detail
    assert TOKEN not in caught.value.detail
    assert caught.value.__suppress_context__


async def test_an_agent_or_a_token_that_is_not_there_is_an_unavailable_database(
    agent: Agent, tmp_path: Path
) -> None:
    with pytest.raises(DatabaseUnavailable):
        await PodIdentity("http://127.0.0.1:1/", None).get()
    with pytest.raises(DatabaseUnavailable, match="none-here"):
        await PodIdentity(agent.uri, tmp_path / "none-here").get()
    forged = tmp_path / "forged"
    forged.write_text("token\r\nX-Other: header")
    with pytest.raises(DatabaseUnavailable, match="holds no token"):
        await PodIdentity(agent.uri, forged).get()
    assert agent.asked == []


async def test_no_proxy_of_the_environment_sees_the_token(
    source: PodIdentity, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await source.get()).access_key_id == "FIRST"


@pytest.mark.parametrize(
    "uri",
    [
        "http://169.254.170.23/v1/credentials",
        "http://[fd00:ec2::23]/v1/credentials",
        "http://169.254.170.2/v2/x",
        "http://localhost:5000/x",
        "http://127.9.9.9/",
        "http://[::1]:80/",
    ],
)
def test_the_addresses_that_aws_documents_are_trusted(uri: str) -> None:
    PodIdentity(uri, None)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://169.254.169.254/latest",
        "http://example.org/v1",
        "http://169.254.170.23@example.org/",
        "http://169.254.170.23.example.org/",
        "https://169.254.170.23/v1/credentials",
        "file:///etc/passwd",
        "http://127.0.0.1:port/",
        "http://[broken/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/a\x7fb",
        "http://2130706433/",
    ],
)
def test_a_pods_token_goes_nowhere_else(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        PodIdentity(uri, None)


async def test_static_credentials_come_first() -> None:
    url = "postgresql://app@db.example/agent"
    aws = {
        "database_auth": "iam",
        "aws_region": "eu-west-1",
        "aws_container_credentials_full_uri": "http://127.0.0.1:1/",
    }
    pair = {"aws_access_key_id": "AKID", "aws_secret_access_key": "s"}
    static = await credentials_of(settings_for(url, **aws, **pair, aws_session_token="t")).get()
    assert (static.access_key_id, static.secret_access_key, static.session_token) == ("AKID", "s", "t")
    assert isinstance(credentials_of(settings_for(url, **aws)), PodIdentity)
