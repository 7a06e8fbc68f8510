"""Rate limits and caps: admitted is what is promised, by one process, by several, by none that has Redis."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, asynccontextmanager

import httpx
import pytest
from app.support.storage_world import ALICE, BOB, settings_for
from app.support.surface import GRAPHS, caller, invoke, new_thread, ok, problem, resume, serving
from support.redis import RedisServer, redis_server
from support.server import servers

from agent_server.core.errors import RateLimited
from agent_server.core.principal import Principal
from agent_server.storage.rates import LocalWindows, Rate, Rates, open_rates

CAROL = Principal(tenant=ALICE.tenant, subject="carol")


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture(params=["redis", "alone"])
def redis_url(request: pytest.FixtureRequest, redis: RedisServer) -> str | None:
    redis.ask("flushall")
    return redis.url if request.param == "redis" else None


async def admitted(rates: Rates, who: Principal, count: int) -> int:
    """How many of so many requests."""
    total = 0
    for _ in range(count):
        try:
            await rates.admit(who)
            total += 1
        except RateLimited:
            pass
    return total


@asynccontextmanager
async def rates(url: str | None, **more: object) -> AsyncGenerator[Rates]:
    async with open_rates(settings_for("", redis_url=url, **more)) as opened:
        yield opened


async def test_each_caller_has_its_own_limit(redis_url: str | None) -> None:
    async with rates(redis_url, rate_limit_caller="5/minute") as limited:
        assert await admitted(limited, ALICE, 8) == 5
        assert await admitted(limited, CAROL, 8) == 5
        assert await admitted(limited, BOB, 8) == 5
        assert await admitted(limited, ALICE, 8) == 0


async def test_the_callers_of_a_tenant_share_its_limit(redis_url: str | None) -> None:
    async with rates(redis_url, rate_limit_tenant="7/minute") as limited:
        assert await admitted(limited, ALICE, 5) == 5
        assert await admitted(limited, CAROL, 5) == 2
        assert await admitted(limited, BOB, 5) == 5


async def test_names_never_meet(redis_url: str | None) -> None:
    async with rates(redis_url, rate_limit_caller="1/minute") as limited:
        for tenant, subject in (("a", "b/c"), ("a/b", "c"), ("a", "b"), ("ab", ""), ("\ud800", "x")):
            assert await admitted(limited, Principal(tenant=tenant, subject=subject), 2) == 1


async def test_what_was_refused_does_not_count(redis_url: str | None) -> None:
    """Who goes on asking is admitted as soon as who waits."""
    async with rates(redis_url, rate_limit_caller="3/second") as limited:
        assert await admitted(limited, ALICE, 3) == 3
        end = time.monotonic() + 0.8
        while time.monotonic() < end:
            assert await admitted(limited, ALICE, 1) == 0
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.25)
        assert await admitted(limited, ALICE, 5) == 3


async def test_retry_after_is_right_to_the_second(redis_url: str | None) -> None:
    async with rates(redis_url, rate_limit_caller="2/3second") as limited:
        await limited.admit(ALICE)
        await asyncio.sleep(1.1)
        await limited.admit(ALICE)
        with pytest.raises(RateLimited) as caught:
            await limited.admit(ALICE)
        assert caught.value.retry_after == 2
        await asyncio.sleep(caught.value.retry_after - 1)
        assert await admitted(limited, ALICE, 1) == 0
        await asyncio.sleep(1)
        assert await admitted(limited, ALICE, 2) == 1  # the second of the two is still in the window


async def test_no_period_holds_more_than_the_rate(redis_url: str | None) -> None:
    async with rates(redis_url, rate_limit_caller="20/second") as limited:
        times: list[float] = []
        end = time.monotonic() + 3
        while time.monotonic() < end:
            if await admitted(limited, ALICE, 1):
                times.append(time.monotonic())
            await asyncio.sleep(0.002)
        assert max(sum(1 for other in times if 0 <= other - start < 0.95) for start in times) <= 20
        assert len(times) >= 54


@pytest.mark.parametrize(
    ("text", "parts", "most"), [("10/minute", 4, 2), ("10/minute", 1, 10), ("3/hour", 8, 1)]
)
async def test_a_process_alone_admits_its_part_and_one_at_least(text: str, parts: int, most: int) -> None:
    async with rates(None, rate_limit_caller=text, rate_limit_replicas=parts) as limited:
        assert await admitted(limited, ALICE, 20) == most


async def test_a_process_whose_redis_is_away_admits_its_part() -> None:
    async with rates(
        "redis://127.0.0.1:1/0", rate_limit_caller="12/minute", rate_limit_replicas=4
    ) as limited:
        assert await admitted(limited, ALICE, 20) == 3


def test_windows_that_are_over_are_forgotten() -> None:
    windows, rate = LocalWindows(), Rate.of("5/second")
    for number in range(1000):
        assert windows.wait(f"caller-{number}", rate, now=number * 0.01) == 0
    assert len(windows._windows) <= 102
    for step in range(60):
        windows.wait("caller", rate, now=100 + step)
    assert len(windows._windows) == 1


async def test_thousands_of_callers_cost_a_request_nothing() -> None:
    async with rates(None, rate_limit_caller="600/minute", rate_limit_tenant="100000/minute") as limited:
        for number in range(5000):
            await limited.admit(Principal(tenant="t", subject=f"s{number}"))
        began = time.perf_counter()
        for number in range(2000):
            await limited.admit(Principal(tenant="t", subject=f"s{number}"))
        each = (time.perf_counter() - began) / 2000
        print(f"\nadmitted in {each * 1e6:.0f} us with 5,000 callers")
        assert each < 0.001


@pytest.fixture(scope="module")
def tight(module_migrated_database: str) -> Iterator[httpx.Client]:
    """A server of a tight rate, without Redis."""
    with serving(module_migrated_database, RATE_LIMIT_CALLER="5/4second") as server, caller(server) as http:
        yield http


def test_above_the_rate_is_429_with_the_seconds_to_wait(tight: httpx.Client) -> None:
    answers = [tight.get("/threads") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    problem(answers[-1], 429, "rate_limited")
    problem(invoke(tight, "echo", {}), 429, "rate_limited")
    seconds = int(answers[-1].headers["retry-after"])
    assert 1 <= seconds <= 4
    time.sleep(seconds)
    ok(tight.get("/threads"))


def test_probes_are_never_limited(tight: httpx.Client) -> None:
    for _ in range(30):
        ok(tight.get("/health"))
        ok(tight.get("/ready"))


@pytest.fixture(scope="module")
def capped(module_migrated_database: str) -> Iterator[httpx.Client]:
    """A server of few runs and streams."""
    more = {"TENANT_STREAMS_MAX": "2", "TENANT_RUNS_MAX": "3"}
    with serving(module_migrated_database, **more) as server, caller(server) as http:
        yield http


def begin(http: httpx.Client, seconds: float, thread_id: str, **headers: str) -> httpx.Response:
    body = {"input": {"seconds": seconds}, "thread_id": thread_id}
    return http.post("/graphs/slow/invoke", json=body, headers={"Prefer": "respond-async", **headers})


def ended(http: httpx.Client, *answers: httpx.Response) -> None:
    for answer in answers:
        assert ok(http.get(answer.headers["location"], params={"wait": "20"}))["status"] == "success"


def test_a_tenant_has_so_many_runs_at_once(capped: httpx.Client) -> None:
    threads, waiting = [new_thread() for _ in range(4)], new_thread()
    assert (
        ok(invoke(capped, "ask", {}, thread_id=waiting))["status"] == "interrupted"
    )  # ended: counts no more
    first = [begin(capped, 2, thread, **{"Idempotency-Key": thread}) for thread in threads[:3]]
    assert [answer.status_code for answer in first] == [202] * 3
    refusals = [
        begin(capped, 2, threads[3]),
        capped.post("/graphs/slow/stream", json={"input": {}, "thread_id": threads[3]}),
        begin(capped, 2, threads[0]),  # busy besides
        resume(capped, "ask", waiting, resume_data=1),
        capped.post("/graphs/ask/state", json={"thread_id": waiting, "values": {}}),
    ]
    for refusal in refusals:
        problem(refusal, 429, "too_many_runs")
        assert refusal.headers["retry-after"] == "5"
    assert threads[3] not in {thread["thread_id"] for thread in ok(capped.get("/threads"))["threads"]}
    joined = begin(capped, 2, threads[1], **{"Idempotency-Key": threads[1]})
    assert (joined.status_code, joined.json()["run_id"]) == (202, first[1].json()["run_id"])
    ended(capped, *first)
    last = begin(capped, 0, threads[3])
    assert last.status_code == 202
    ended(capped, last)
    assert ok(resume(capped, "ask", waiting, resume_data=1))["status"] == "success"


def test_a_tenant_has_so_many_streams_and_gets_them_back(capped: httpx.Client) -> None:
    run = begin(capped, 3, new_thread())
    location = f"{run.headers['location']}/stream"
    for _ in range(3):  # given back each time, although the client leaves in the middle
        with ExitStack() as stack:
            for _ in range(2):
                assert stack.enter_context(capped.stream("GET", location)).status_code == 200
            refusal = capped.get(location)
            problem(refusal, 429, "too_many_streams")
            assert refusal.headers["retry-after"] == "5"
            before = ok(capped.get("/graphs/echo/runs"))["total"]
            problem(capped.post("/graphs/echo/stream", json={"input": {}}), 429, "too_many_streams")
            assert ok(capped.get("/graphs/echo/runs"))["total"] == before
        _until_free(capped, location)
    for refused in ("/graphs/slow/runs/x/stream", "/graphs/nothing/runs/x/stream"):
        for _ in range(3):
            assert capped.get(refused).status_code == 404
    ended(capped, run)
    for _ in range(3):
        assert capped.post("/graphs/echo/stream", json={"input": {}}).status_code == 200


def _until_free(http: httpx.Client, location: str) -> None:
    """Two are free again."""
    deadline = time.monotonic() + 5
    while True:
        with http.stream("GET", location) as one, http.stream("GET", location) as two:
            if one.status_code == two.status_code == 200:
                break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.2)  # until the server has seen that these have left


SECONDS, RATE = 8.0, 40


async def test_four_processes_with_one_redis_admit_the_rate_of_one(
    module_migrated_database: str, redis: RedisServer
) -> None:
    redis.ask("flushall")
    more = {"RATE_LIMIT_TENANT": f"{2 * RATE}/2second", "RATE_LIMIT_REPLICAS": "4", "REDIS_URL": redis.url}
    with servers(module_migrated_database, GRAPHS, 4, SURFACE_FOLDER="/nowhere", **more) as processes:
        counted: Counter[int] = Counter()
        async with httpx.AsyncClient(timeout=30) as http:

            async def ask(url: str) -> None:
                counted[(await http.get(f"{url}/threads")).status_code] += 1

            began = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for number in range(int(SECONDS * RATE * 2)):
                    await asyncio.sleep(max(0, began + number / (RATE * 2) - time.monotonic()))
                    group.create_task(ask(processes[number % 4].url))
    nominal = SECONDS * RATE
    off = abs(counted[200] - nominal) / nominal
    print(
        f"\n4 processes: {counted[200]} of {counted.total()} admitted in {SECONDS:g} s, nominal {nominal:g}"
    )
    assert set(counted) == {200, 429}
    assert off <= 0.1
