"""Redis counts requests and nothing else: killed, stalled, emptied or a stranger, every run succeeds."""

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
import trustme
from app.support.storage_world import ALICE, settings_for
from app.support.surface import caller, invoke, new_thread, ok, resume, serving, state, stream
from structlog.testing import capture_logs
from support.ports import free_port
from support.redis import RedisServer, redis_server
from support.server import ServerProcess

from agent_server.storage.rates import open_rates
from langgraph_components.pure.data_policies import cache_access

GENEROUS = {"RATE_LIMIT_CALLER": "100000/minute", "RATE_LIMIT_TENANT": "100000/minute"}
AWAY = "redis is away"
EXTRA_SECONDS = 0.25
"""What a stalled Redis may cost one request."""


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@contextmanager
def limited(database_url: str, redis_url: str, **more: str) -> Iterator[tuple[ServerProcess, httpx.Client]]:
    with (
        serving(database_url, **{**GENEROUS, "REDIS_URL": redis_url, **more}) as server,
        caller(server) as http,
    ):
        yield server, http


def told(server: ServerProcess, event: str) -> int:
    """How many lines of the log tell this."""
    return sum(event in json.loads(line)["event"] for line in server.log().splitlines())


def everything_works(http: httpx.Client) -> None:
    """Invoke, interrupt, resume, state and a stream."""
    thread_id = new_thread()
    assert ok(invoke(http, "ask", {}, thread_id=thread_id))["status"] == "interrupted"
    assert ok(resume(http, "ask", thread_id, resume_data="yes"))["status"] == "success"
    assert state(http, "ask", thread_id)["next"] == []
    assert stream(http, "echo", {"text": "a"})[-1][0] == "end"
    ok(http.get("/ready"))


def test_redis_is_used(surface_database: str, redis: RedisServer) -> None:
    with limited(surface_database, redis.url) as (server, http):
        everything_works(http)
        keys = redis.ask("keys", "*").splitlines()
        assert len(keys) == 2  # one of the caller, one of its tenant
        assert all(key.startswith("langgraph:rate/") for key in keys)
        assert "local" not in str(keys)  # nor a name of either
        assert told(server, AWAY) == 0


def test_a_killed_redis_costs_no_run_and_one_line_of_the_log(surface_database: str) -> None:
    with redis_server() as redis, limited(surface_database, redis.url) as (server, http):
        everything_works(http)
        redis.kill()
        for _ in range(5):
            everything_works(http)
        assert told(server, AWAY) == 1
        redis.start()
        back = time.monotonic()
        while not told(server, "redis is back"):
            everything_works(http)
            assert time.monotonic() - back < 5
        assert told(server, AWAY) == 1
        assert redis.ask("dbsize") == "2"


def test_a_stalled_redis_costs_no_request_more_than_a_quarter_of_a_second(surface_database: str) -> None:
    with redis_server() as redis, limited(surface_database, redis.url) as (server, http):
        everything_works(http)
        usual = max(_seconds(http) for _ in range(20))
        redis.send(signal.SIGSTOP)
        stalled = sorted(_seconds(http) for _ in range(40))
        with ThreadPoolExecutor(10) as threads:
            stalled += threads.map(lambda _: _seconds(http), range(100))
        end = time.monotonic() + 5  # beyond two tries
        while time.monotonic() < end:
            stalled.append(_seconds(http))
        redis.send(signal.SIGCONT)
        back = time.monotonic()
        while not told(server, "redis is back"):
            ok(http.get("/threads"))
            assert time.monotonic() - back < 5
        within = time.monotonic() - back
        slowest = max(stalled)
        print(
            f"\nstalled: at most {slowest * 1000:.0f} ms (usual {usual * 1000:.0f}), back in {within:.1f} s"
        )
        assert slowest <= usual + EXTRA_SECONDS
        assert told(server, AWAY) == 1


def test_a_flush_in_the_middle_of_fifty_runs_loses_none(surface_database: str, redis: RedisServer) -> None:
    mark = new_thread()
    with limited(surface_database, redis.url) as (server, http), ThreadPoolExecutor(50) as threads:
        runs = [
            threads.submit(invoke, http, "slow", {"seconds": 1.0}, thread_id=f"{mark}-{number}")
            for number in range(50)
        ]
        for _ in range(5):
            time.sleep(0.2)
            redis.ask("flushall")
        assert [ok(run.result())["status"] for run in runs] == ["success"] * 50
        assert told(server, AWAY) == 0
    with psycopg.connect(surface_database) as connection:
        row = connection.execute(
            "select count(*) from agent.runs r join agent.threads t using (thread_key)"
            " where t.thread_id like %s and r.status = 'success'",
            (f"{mark}-%",),
        ).fetchone()
    assert row == (50,)


def test_the_access_list_of_the_infrastructure_admits_what_is_sent(surface_database: str) -> None:
    with redis_server() as redis:
        rules = cache_access("langgraph:").split()
        redis.ask("acl", "setuser", "app", *rules, ">secret-of-redis")
        redis.ask("acl", "setuser", "default", "off")
        url = f"redis://app:secret-of-redis@127.0.0.1:{redis.port}/0"
        with limited(surface_database, url, RATE_LIMIT_CALLER="5/minute") as (server, http):
            codes = [http.get("/threads").status_code for _ in range(7)]
            assert codes == [200] * 5 + [429] * 2
            assert told(server, AWAY) == 0


async def away(url: str, ca: Path | None = None) -> int:
    """How many lines of the log say that Redis is away, after some requests; each is admitted."""
    settings = settings_for("", redis_url=url, redis_ca_file=ca, rate_limit_caller="100/minute")
    with capture_logs() as lines:
        async with open_rates(settings) as rates:
            for _ in range(3):
                await rates.admit(ALICE)
    assert "canary" not in str(lines)
    return sum(AWAY in line["event"] for line in lines)


@pytest.mark.parametrize(
    "kind", ["wrong password", "no such user", "nothing listens", "no such host", "may not"]
)
async def test_a_redis_that_refuses_us_is_one_that_is_away(kind: str) -> None:
    with redis_server("--requirepass", "right") as redis:
        cli = ("-a", "right", "--no-auth-warning")
        redis.ask(*cli, "acl", "setuser", "poor", "on", ">pw", "~other:*", "-@all", "+ping")
        url = {
            "wrong password": f"redis://:canary-wrong@127.0.0.1:{redis.port}/0",
            "no such user": f"redis://canary-user:x@127.0.0.1:{redis.port}/0",
            "nothing listens": f"redis://:canary@127.0.0.1:{free_port()}/0",
            "no such host": "redis://:canary@redis.invalid:6379/0",
            "may not": f"redis://poor:pw@127.0.0.1:{redis.port}/0",
        }[kind]
        assert await away(url) == 1


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisServer, Path]]:
    """A Redis with TLS whose certificate is for `localhost`; in the folder are its CA and another one."""
    folder = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    trustme.CA().cert_pem.write_to_path(str(folder / "other.pem"))
    issued = ca.issue_cert("localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    pem = str(folder / "server.pem")
    files = ("--tls-cert-file", pem, "--tls-key-file", pem, "--tls-ca-cert-file", str(folder / "ca.pem"))
    with redis_server("--tls-auth-clients", "no", *files, tls=True) as server:
        yield server, folder


STRANGERS = {
    "another host than the certificate's": ("rediss://127.0.0.1", "ca.pem"),
    "another authority": ("rediss://localhost", "other.pem"),
    "an authority that nobody knows": ("rediss://localhost", None),
    "in the clear": ("redis://localhost", None),
}


async def test_redis_with_the_right_certificate_is_used(tls: tuple[RedisServer, Path]) -> None:
    redis, folder = tls
    assert await away(f"rediss://localhost:{redis.port}/0", folder / "ca.pem") == 0


@pytest.mark.parametrize(("start", "ca"), STRANGERS.values(), ids=STRANGERS.keys())
async def test_a_stranger_is_not_taken_for_redis(
    tls: tuple[RedisServer, Path], start: str, ca: str | None
) -> None:
    redis, folder = tls
    assert await away(f"{start}:{redis.port}/0", folder / ca if ca else None) == 1


async def test_a_redis_in_the_clear_is_not_spoken_to_where_tls_is_asked_for(redis: RedisServer) -> None:
    assert await away(redis.url.replace("redis://", "rediss://")) == 1


def _seconds(http: httpx.Client) -> float:
    began = time.monotonic()
    ok(http.get("/threads", params={"limit": 1}))
    return time.monotonic() - began
