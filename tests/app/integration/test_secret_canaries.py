"""Twelve secrets go through success, refusal, failure, a start that fails and a database that goes away, with
LOG_LEVEL=DEBUG, and come out nowhere: not in the log, the metrics, the traces, or an answer.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from app.support.identity import keyholders
from app.support.issuer import AUDIENCE, issuing
from app.support.observed_world import OBSERVED, observed
from app.support.storage_world import settings_for
from app.support.trace_receivers import receiver
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from support.ports import free_port
from support.postgres import private_cluster
from support.server import ServerProcess, finish, start

from agent_server.storage.migrate import migrate
from lgp.embedded import Cluster

CANARIES = {
    "password of the URL": "canary-url-0b7d91",
    "pepper": "canary-pepper-6a20f4-" + "x" * 16,
    "key of OpenAI": "canary-openai-2f9c55",
    "key of Anthropic": "canary-anthropic-8d13e0",
    "password of Redis": "canary-redis-e41b7a",
    "AWS secret": "canary-aws-77c0d2",
    "header of OTLP": "canary-otlp-3c6e18",
    "key of LangSmith": "canary-langsmith-90ab4f",
    "prompt": "canary-prompt-d5f263",
}
MADE = ("password in the file", "API key", "token")
"""Secrets that have to be real ones."""
Channels = dict[str, str]


def environment(folder: Path) -> dict[str, str]:
    """A server that holds all of them, at its most talkative."""
    return {
        "LOG_LEVEL": "DEBUG",
        "DATABASE_AUTH": "file",
        "DATABASE_USER_FILE": str(folder / "username"),
        "DATABASE_PASSWORD_FILE": str(folder / "password"),
        "API_KEY_PEPPER": CANARIES["pepper"],
        "OPENAI_API_KEY": CANARIES["key of OpenAI"],
        "ANTHROPIC_API_KEY": CANARIES["key of Anthropic"],
        "REDIS_URL": f"redis://agent:{CANARIES['password of Redis']}@127.0.0.1:{free_port()}/0",
        "RATE_LIMIT_TENANT": "100000/minute",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": CANARIES["AWS secret"],
        "ATTACHMENTS_BUCKET": "bucket",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{free_port()}",
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{CANARIES['header of OTLP']}",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "LANGCHAIN_TRACING_V2": "true",
        "LANGCHAIN_API_KEY": CANARIES["key of LangSmith"],
    }


class World:
    """A server with everything that it talks to, and all that came of it."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.cluster: Cluster = stack.enter_context(private_cluster())
        parts = conninfo_to_dict(self.cluster.url)
        (folder / "username").write_text(str(parts["user"]))
        (folder / "password").write_text(str(parts["password"]))
        asyncio.run(migrate(settings_for(self.cluster.url)))
        self.issuer = stack.enter_context(issuing())
        self.otlp, self.langsmith, self.provider = (stack.enter_context(receiver()) for _ in range(3))
        self.provider.status = 401
        key = keyholders(self.cluster.url, CANARIES["pepper"], {"ann": "admin"})["ann"]
        made = (str(parts["password"]), key, self.issuer.token())
        self.canaries = CANARIES | dict(zip(MADE, made, strict=True))
        self.environment = environment(folder) | {
            "AUTH": "oidc",
            "OIDC_ISSUER": self.issuer.url,
            "OIDC_AUDIENCE": AUDIENCE,
            "OIDC_JWKS_URL": self.issuer.jwks_url,
            "OPENAI_BASE_URL": f"{self.provider.url}/v1",
            "ANTHROPIC_BASE_URL": self.provider.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.otlp.url,
            "LANGCHAIN_ENDPOINT": self.langsmith.url,
        }
        self.url = make_conninfo(self.cluster.url, password=CANARIES["password of the URL"])
        self.answers: list[str] = []

    def ask(self, server: ServerProcess, method: str, path: str, **more: object) -> None:
        """One request with the API key and one with the token, whatever comes of them."""
        for name in ("API key", "token"):
            told = {"Authorization": f"Bearer {self.canaries[name]}"}
            answer = httpx.request(method, server.url + path, headers=told, timeout=30, **more)  # type: ignore[arg-type]  # a json body
            self.answers.append(f"{answer.status_code} {answer.headers} {answer.text}")

    def run(self, server: ServerProcess, graph: str, thread: str, **more: object) -> None:
        body = {"input": {"prompt": CANARIES["prompt"]}, "thread_id": thread, **more}
        self.ask(server, "POST", f"/graphs/{graph}/invoke", json=body)

    def statuses(self) -> set[int]:
        return {int(answer[:3]) for answer in self.answers}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Channels]]:
    with ExitStack() as stack:
        world = World(stack, tmp_path_factory.mktemp("secrets"))
        with observed(world.url, **world.environment) as server:
            succeed(world, server)
            be_refused(world, server)
            fail(world, server)
            metrics = httpx.get(server.metrics_url).text
            lose_everything(world, server)
            metrics += httpx.get(server.metrics_url, timeout=10).text
            assert server.terminate() == 0
            log = server.log()
        traces = world.otlp.everything + world.langsmith.everything
        yield world, {"log": log, "metrics": metrics, "traces": traces, "answers": "\n".join(world.answers)}


def succeed(world: World, server: ServerProcess) -> None:
    world.run(server, "talk", "t-1")
    world.ask(server, "POST", "/graphs/talk/stream", json={"input": {}, "thread_id": "t-2"})
    world.ask(server, "GET", "/threads")
    attachment = {"thread_id": "t-1", "filename": "a.txt", "content_type": "text/plain", "size": 3}
    world.ask(server, "POST", "/attachments", json=attachment)
    # the one answer that may hold the prompt: what the graph made of it, for who sent it
    world.answers = [answer.replace(CANARIES["prompt"], "") for answer in world.answers]


def be_refused(world: World, server: ServerProcess) -> None:
    prompt = CANARIES["prompt"]
    world.run(server, "nothing", "t-1")
    world.ask(server, "POST", "/graphs/talk/invoke", json={"input": {"unknown": prompt}})
    world.ask(
        server, "POST", "/graphs/talk/invoke", json={"input": {"seconds": {"x": prompt}}, "on_busy": prompt}
    )
    world.ask(server, "POST", "/graphs/talk/invoke", content=f'{{"input": {prompt}')
    world.ask(server, "POST", "/graphs/talk/resume", json={"thread_id": "t-1", "resume_data": prompt})
    world.issuer.mood = "failing"
    for token in (world.canaries["token"] + "x", world.canaries["API key"][:-1] + "x", "Bearer"):
        answer = httpx.get(f"{server.url}/graphs", headers={"Authorization": f"Bearer {token}"})
        world.answers.append(f"{answer.status_code} {answer.headers} {answer.text}")
    world.issuer.mood = "well"


def fail(world: World, server: ServerProcess) -> None:
    """The provider refuses the keys, as real ones do."""
    for graph in ("openai", "anthropic", "typed"):
        world.run(server, graph, f"t-{graph}")


def lose_everything(world: World, server: ServerProcess) -> None:
    """First the receivers of traces, then PostgreSQL, under a run."""
    world.otlp.status, world.langsmith.status = 503, 401
    world.ask(server, "POST", "/graphs/wait/stream", json={"input": {}, "thread_id": "t-3"})
    world.run(server, "talk", "t-4")
    world.answers[-2:] = [answer.replace(CANARIES["prompt"], "") for answer in world.answers[-2:]]
    time.sleep(1)
    world.cluster.stop()
    world.run(server, "talk", "t-5")
    answer = httpx.get(f"{server.url}/ready", timeout=10)
    world.answers.append(f"{answer.status_code} {answer.text}")


def test_the_world_was_as_bad_as_it_should_be(told: tuple[World, Channels]) -> None:
    world, channels = told
    assert {200, 201, 401, 404, 409, 422, 500, 503} <= world.statuses()
    assert world.provider.requests, "the keys have gone where they belong"
    assert CANARIES["key of OpenAI"] in str([received.headers for received in world.provider.requests])
    assert "invoke_agent talk" in channels["traces"]
    assert "Parrot" in world.langsmith.everything
    assert '"level":"debug"' in channels["log"]
    assert "langgraph_requests_total" in channels["metrics"]
    assert "redis is away" in channels["log"]


@pytest.mark.parametrize("channel", ["log", "metrics", "traces", "answers"])
@pytest.mark.parametrize("name", [*CANARIES, *MADE])
def test_no_secret_comes_out(told: tuple[World, Channels], name: str, channel: str) -> None:
    world, channels = told
    secret = world.canaries[name]
    assert places(channels[channel], secret) == []


def places(text: str, secret: str) -> list[str]:
    """Where a text holds a secret, or the part of a token that signs it."""
    needles = {secret, secret.rpartition(".")[2]}
    return [line[:2000] for line in text.splitlines() if any(needle in line for needle in needles)]


WRONG_STARTS = {
    "a wrong password": {},
    "a port": {"PORT": "http"},
    "a taken place": {"HOST": "203.0.113.1"},
    "a malformed database": {"DATABASE_URL": "postgresql://u:" + CANARIES["password of the URL"] + "@[h/d"},
    "a malformed Redis": {"REDIS_URL": "redi://u:" + CANARIES["password of Redis"] + "@h:x/0"},
    "a short pepper": {"API_KEY_PEPPER": "canary-pepper"},
    "a bad graph": {"LANGGRAPH_CONFIG": "/nonexistent/langgraph.json"},
    "an issuer that is none": {"OIDC_ISSUER": "http://u:" + CANARIES["AWS secret"] + "@example.org"},
}


@pytest.mark.parametrize("wrong", WRONG_STARTS.values(), ids=WRONG_STARTS.keys())
def test_a_start_that_fails_shows_no_secret(
    tmp_path: Path, migrated_database: str, wrong: dict[str, str]
) -> None:
    password = "canary-file-41e8b3"
    (tmp_path / "username").write_text(str(conninfo_to_dict(migrated_database)["user"]))
    (tmp_path / "password").write_text(password)
    url = make_conninfo(migrated_database, password=CANARIES["password of the URL"])
    told = {**environment(tmp_path), "AUTH": "keys", "DATABASE_WAIT_SECONDS": "1"} | wrong
    if "OIDC_ISSUER" in wrong:
        told |= {"AUTH": "oidc", "OIDC_AUDIENCE": AUDIENCE}
    refused = start(told.pop("DATABASE_URL", url), OBSERVED, **told)
    try:
        assert refused.child.wait(60) == 1, refused.log()
        said = refused.log()
    finally:
        finish(refused)
    for secret in (*CANARIES.values(), password, "canary-"):
        assert places(said, secret) == []
