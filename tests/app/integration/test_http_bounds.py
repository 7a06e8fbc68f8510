"""What a client may not exceed: supersteps, wall clock, origins; and which settings stop the start."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from app.support.surface import GRAPHS, caller, invoke, new_thread, ok, problem, serving
from support.server import servers, start

PEPPER = "a pepper of the tests, 32 characters and more"
BOUNDED = {
    "RECURSION_LIMIT_MAX": "30",
    "RUN_TIMEOUT_SECONDS": "2",
    "ALLOWED_ORIGINS": "https://console.example, http://localhost:3000",
}
FOREIGN = "https://elsewhere.example"


@pytest.fixture(scope="module")
def bounded(module_migrated_database: str) -> Iterator[httpx.Client]:
    with serving(module_migrated_database, **BOUNDED) as server, caller(server) as http:
        yield http


def endless(http: httpx.Client, seconds: float = 0.0, **config: Any) -> httpx.Response:
    return invoke(http, "slow", {"seconds": seconds, "loops": True}, config=config)


@pytest.mark.parametrize("limit", [None, 5, 30])
def test_a_graph_without_end_stops_at_its_recursion_limit(bounded: httpx.Client, limit: int | None) -> None:
    """Also at the default, which is above this server's bound."""
    answer = endless(bounded, **({} if limit is None else {"recursion_limit": limit}))
    told = problem(answer, 500, "run_failed")
    assert "recursion limit" in told["detail"]
    thread_id = told["thread_id"]
    steps = len(
        ok(bounded.get("/graphs/slow/history", params={"thread_id": thread_id, "limit": 100}))["history"]
    )
    assert steps <= (limit or 30) + 2


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"recursion_limit": 31}, "config.recursion_limit"),
        ({"recursion_limit": 10**9}, "config.recursion_limit"),
        ({"timeout_seconds": 2.1}, "config.timeout_seconds"),
        ({"timeout_seconds": 0}, "config.timeout_seconds"),
        ({"timeout_seconds": -1}, "config.timeout_seconds"),
        ({"timeout_seconds": "1"}, "config.timeout_seconds"),
        ({"timeout_seconds": True}, "config.timeout_seconds"),
    ],
)
def test_a_client_cannot_ask_for_more(bounded: httpx.Client, config: dict[str, Any], field: str) -> None:
    told = problem(endless(bounded, **config), 422, "invalid_request")
    assert [error["field"] for error in told["errors"]] == [field]


@pytest.mark.parametrize(("wish", "least", "most"), [({"timeout_seconds": 0.7}, 0.6, 1.9), ({}, 1.9, 4.5)])
def test_a_graph_without_end_stops_at_its_wall_clock(
    bounded: httpx.Client, wish: dict[str, Any], least: float, most: float
) -> None:
    began = time.monotonic()
    told = problem(endless(bounded, 0.3, **wish), 504, "run_timeout")
    assert least < time.monotonic() - began < most
    assert f"{wish.get('timeout_seconds', 2):g} s" in told["detail"]


def test_a_wall_clock_runs_on_over_attempts(module_migrated_database: str) -> None:
    """The process dies; the next one does not give the run its time anew."""
    with servers(module_migrated_database, GRAPHS, 2, SURFACE_FOLDER="/nowhere") as (first, second):
        with caller(first) as http, ThreadPoolExecutor(1) as threads, caller(second) as other:
            body = {"input": {"seconds": 30}, "thread_id": new_thread(), "config": {"timeout_seconds": 3}}
            headers = {"Prefer": "respond-async"}
            location = http.post("/graphs/slow/invoke", json=body, headers=headers).headers["location"]
            began = time.monotonic()
            time.sleep(0.5)
            threads.submit(first.send, signal.SIGKILL).result()
            run = ok(other.get(location, params={"wait": "20"}))
            within = time.monotonic() - began
        assert (run["status"], run["error"]["code"]) == ("timeout", "run_timeout")
        assert run["attempt"] >= 1
        assert within < 7


def preflight(http: httpx.Client, origin: str, method: str = "POST") -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    return http.options("/graphs/echo/invoke", headers=headers)


@pytest.mark.parametrize("origin", ["https://console.example", "http://localhost:3000"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_an_admitted_origin_may_ask_and_read(bounded: httpx.Client, origin: str, method: str) -> None:
    answer = preflight(bounded, origin, method)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
    assert method in answer.headers["access-control-allow-methods"]
    told = bounded.get("/threads", headers={"Origin": origin})
    assert ok(told)["threads"] is not None
    assert told.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in told.headers


@pytest.mark.parametrize(
    "origin",
    [FOREIGN, "null", "https://console.example.evil", "http://console.example", "HTTPS://CONSOLE.EXAMPLE"],
)
def test_another_origin_learns_nothing(bounded: httpx.Client, origin: str) -> None:
    answer = preflight(bounded, origin)
    problem(answer, 405, "method_not_allowed")
    plain = bounded.get("/health", headers={"Origin": origin})
    for told in (answer, plain, bounded.get("/threads", headers={"Origin": origin})):
        assert not [name for name in told.headers if name.startswith("access-control")]


WRONG = {
    "any origin with credentials": (
        {"ALLOWED_ORIGINS": "*", "ALLOW_CREDENTIALS": "true", "AUTH": "keys", "API_KEY_PEPPER": PEPPER},
        "ALLOW_CREDENTIALS",
    ),
    "any origin without keys": ({"ALLOWED_ORIGINS": "*"}, "AUTH"),
    "an origin with a path": ({"ALLOWED_ORIGINS": "https://console.example/"}, "ALLOWED_ORIGINS"),
    "no guard on a public address": ({"HOST": "0.0.0.0"}, "AUTH=none"),
    "a rate that is none": ({"RATE_LIMIT_CALLER": "many"}, "RATE_LIMIT_CALLER"),
    "a rate of nothing": ({"RATE_LIMIT_TENANT": "0/minute"}, "RATE_LIMIT_TENANT"),
    "two rates": ({"RATE_LIMIT_TENANT": "1/second;5/minute"}, "RATE_LIMIT_TENANT"),
    "a rate beyond memory": ({"RATE_LIMIT_TENANT": "1000000/minute"}, "RATE_LIMIT_TENANT"),
    "a Redis that is none": ({"REDIS_URL": "http://user:canary@host"}, "REDIS_URL"),
    "a Redis unverified": ({"REDIS_URL": "rediss://u:canary@h:6379/0?ssl_cert_reqs=none"}, "REDIS_URL"),
    "a CA without TLS": ({"REDIS_URL": "redis://h:1/0", "REDIS_CA_FILE": __file__}, "REDIS_CA_FILE"),
    "a CA that is not there": ({"REDIS_URL": "rediss://h:1/0", "REDIS_CA_FILE": "/nowhere"}, "REDIS_CA_FILE"),
    "a body of nothing": ({"MAX_BODY_BYTES": "0"}, "MAX_BODY_BYTES"),
}


@pytest.mark.parametrize(("settings", "word"), WRONG.values(), ids=WRONG.keys())
def test_what_would_be_unsafe_stops_the_start_with_one_line(settings: dict[str, str], word: str) -> None:
    server = start("postgresql://nobody@127.0.0.1:1/none", GRAPHS, **settings)
    try:
        assert server.child.wait(20) == 1
        lines = server.log().strip().splitlines()
        assert len(lines) == 1
        assert word in lines[0]
        assert "canary" not in lines[0]
    finally:
        server.log_file.unlink()


def test_any_origin_may_be_admitted_to_a_guarded_server(module_migrated_database: str) -> None:
    more = {"ALLOWED_ORIGINS": "*", "AUTH": "keys", "API_KEY_PEPPER": PEPPER}
    with serving(module_migrated_database, **more) as server, caller(server) as http:
        assert preflight(http, FOREIGN).headers["access-control-allow-origin"] == "*"
        answer = http.get("/threads", headers={"Origin": FOREIGN})
        problem(answer, 401, "unauthenticated")
        assert answer.headers["access-control-allow-origin"] == "*"
