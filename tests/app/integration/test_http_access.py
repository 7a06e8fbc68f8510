"""Who gets in, and what of others they get to see: nothing."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from app.support.surface import (
    CONSOLE,
    GRAPHS,
    caller,
    invoke,
    new_thread,
    ok,
    problem,
    resume,
    serving,
    state,
)
from psycopg.conninfo import conninfo_to_dict
from support.server import REPOSITORY, ServerProcess, environment

PEPPER = "a pepper of the tests, 32 characters and more"
ASYNC = {"Prefer": "respond-async"}
ELSEWHERE = "https://elsewhere.example"


def command(database_url: str, *arguments: str) -> Any:
    """What `python -m agent_server` with these arguments tells."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "agent_server", *arguments, "--json"],
        cwd=REPOSITORY / "app",
        env=environment(database_url, GRAPHS, API_KEY_PEPPER=PEPPER),
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


@dataclass
class Guarded:
    """A server with AUTH=keys and the keys of two tenants."""

    server: ServerProcess
    database_url: str
    alice: str
    bob: str

    def key(self, tenant: str, *more: str) -> dict[str, Any]:
        return command(self.database_url, "keys", "create", "--tenant", tenant, "--name", "test", *more)


@pytest.fixture(scope="module")
def guarded(module_database: str) -> Iterator[Guarded]:
    command(module_database, "migrate")
    keys = [
        command(module_database, "keys", "create", "--tenant", tenant, "--name", name)["key"]
        for tenant, name in (("acme", "alice"), ("bolt", "bob"))
    ]
    settings = {"AUTH": "keys", "API_KEY_PEPPER": PEPPER, "ALLOWED_ORIGINS": CONSOLE, "LOG_LEVEL": "DEBUG"}
    with serving(module_database, **settings) as server:
        yield Guarded(server, module_database, *keys)


@pytest.fixture(scope="module")
def alice(guarded: Guarded) -> Iterator[httpx.Client]:
    with caller(guarded.server, Authorization=f"Bearer {guarded.alice}") as client:
        yield client


@pytest.fixture(scope="module")
def bob(guarded: Guarded) -> Iterator[httpx.Client]:
    with caller(guarded.server, Authorization=f"bearer {guarded.bob}") as client:
        yield client


def routes(thread_id: str, run_id: str) -> list[tuple[str, str, Any]]:
    """Every route that names what is somebody's."""
    thread = f"thread_id={thread_id}"
    return [
        ("POST", "/graphs/ask/resume", {"thread_id": thread_id, "resume_data": 1}),
        ("GET", f"/graphs/ask/state?{thread}", None),
        ("POST", "/graphs/ask/state", {"thread_id": thread_id, "values": {"text": "x"}}),
        ("GET", f"/graphs/ask/history?{thread}", None),
        ("DELETE", f"/threads/{thread_id}", None),
        ("GET", f"/graphs/ask/runs/{run_id}", None),
        ("GET", f"/graphs/ask/runs/{run_id}?wait=1", None),
        ("GET", f"/graphs/ask/runs/{run_id}/stream", None),
        ("POST", f"/graphs/ask/runs/{run_id}/cancel", None),
    ]


ALL = [
    ("GET", "/openapi.json", None),
    ("GET", "/graphs", None),
    ("POST", "/graphs/ask/invoke", {"input": {}}),
    ("POST", "/graphs/ask/stream", {"input": {}}),
    ("GET", "/graphs/ask/runs", None),
    ("GET", "/threads", None),
    ("GET", "/graphs/nothing/runs", None),
    ("POST", "/graphs/ask/invoke", ["no object"]),
    *routes("t", "00000000-0000-0000-0000-000000000000"),
]


@pytest.mark.parametrize(("method", "path", "body"), ALL)
def test_without_a_key_nothing_is_told(guarded: Guarded, method: str, path: str, body: Any) -> None:
    with caller(guarded.server) as nobody:
        answer = nobody.request(method, path, json=body)
    assert set(problem(answer, 401, "unauthenticated")) == {"detail", "code", "request_id"}
    assert answer.headers["www-authenticate"] == "Bearer"


def test_no_bad_key_is_told_from_another(guarded: Guarded) -> None:
    gone = guarded.key("acme")
    command(guarded.database_url, "keys", "revoke", gone["key_id"])
    expired = guarded.key("acme", "--expires-days", "0.0000116")["key"]
    time.sleep(1.2)
    good = guarded.alice
    swapped = good[:-1] + ("a" if good[-1] != "a" else "b")
    given = [None, "", "Bearer", f"Basic {good}", good, f"Bearer {good} {good}", f"Bearer {swapped}"]
    given += [
        f"Bearer {key}" for key in (gone["key"], expired, good[:-1], good + "a", "lgp_", "x" * 9000, "é")
    ]
    answers: set[str] = set()
    for authorization in given:
        headers = {} if authorization is None else {"Authorization": authorization.encode()}
        with caller(guarded.server) as nobody:
            answer = nobody.get("/threads", headers={"X-Request-Id": "same", **headers})
        assert answer.status_code == 401, authorization
        answers.add(answer.text)
    assert len(answers) == 1


def test_a_key_ends_within_five_seconds_of_its_revocation(guarded: Guarded) -> None:
    made = guarded.key("acme")
    with caller(guarded.server, Authorization=f"Bearer {made['key']}") as client:
        ok(client.get("/threads"))
        command(guarded.database_url, "keys", "revoke", made["key_id"])
        deadline = time.monotonic() + 5.5
        while client.get("/threads").status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_probes_need_no_key(guarded: Guarded) -> None:
    with caller(guarded.server, Host="anything.example", Origin=ELSEWHERE) as nobody:
        ok(nobody.get("/health"))
        ok(nobody.get("/ready"))


def test_what_is_anothers_is_not_there(alice: httpx.Client, bob: httpx.Client) -> None:
    thread_id = new_thread()
    run_id = ok(invoke(alice, "ask", {}, thread_id=thread_id))["run_id"]
    before = state(alice, "ask", thread_id)
    for method, path, body in routes(thread_id, run_id):
        answer = bob.request(method, path, json=body)
        assert answer.status_code == 404, (method, path, answer.text)
        unknown = bob.request(method, path.replace(thread_id, "nobody"), json=body)
        assert unknown.json()["code"] == answer.json()["code"]
    assert state(alice, "ask", thread_id) == before
    assert ok(resume(alice, "ask", thread_id, resume_data=1))["status"] == "success"


def test_a_running_run_cannot_be_cancelled_or_watched_by_others(
    alice: httpx.Client, bob: httpx.Client
) -> None:
    body = {"input": {"seconds": 60}, "thread_id": new_thread()}
    location = alice.post("/graphs/slow/invoke", json=body, headers=ASYNC).headers["location"]
    problem(bob.post(f"{location}/cancel"), 404, "unknown_run")
    problem(bob.get(f"{location}/stream"), 404, "unknown_run")
    assert ok(alice.get(location))["status"] == "running"
    assert ok(alice.post(f"{location}/cancel"))["status"] == "cancelled"


def test_the_same_thread_id_is_a_thread_of_ones_own(alice: httpx.Client, bob: httpx.Client) -> None:
    thread_id = new_thread()
    ok(invoke(alice, "echo", {"text": "mine"}, thread_id=thread_id))
    told = ok(invoke(bob, "echo", {"n": 1}, thread_id=thread_id))
    assert told["result"] == {"text": "!", "n": 1, "items": ["first", "second"]}
    other = new_thread()
    ok(invoke(alice, "echo", {}, thread_id=other))
    assert ok(invoke(bob, "ask", {}, thread_id=other))["status"] == "interrupted"
    assert bob.delete(f"/threads/{thread_id}").status_code == 204
    assert state(alice, "echo", thread_id)["values"]["text"] == "mine!"


def test_lists_show_ones_own(alice: httpx.Client, bob: httpx.Client) -> None:
    thread_id = new_thread()
    run = ok(invoke(alice, "sequence", {}, thread_id=thread_id))
    theirs = ok(bob.get("/threads", params={"limit": 100}))
    assert thread_id not in [thread["thread_id"] for thread in theirs["threads"]]
    assert theirs["total"] == len(theirs["threads"])
    assert ok(bob.get("/graphs/sequence/runs")) == {"runs": [], "total": 0}
    assert ok(bob.get("/graphs/sequence/runs", params={"thread_id": thread_id}))["total"] == 0
    [mine] = ok(alice.get("/graphs/sequence/runs"))["runs"]
    assert (mine["run_id"], mine["created_by"]) == (run["run_id"], "key:alice")


def test_idempotency_keys_are_ones_own(alice: httpx.Client, bob: httpx.Client) -> None:
    headers = {"Idempotency-Key": "shared"}
    told = [
        ok(client.post("/graphs/echo/invoke", json={"input": {"n": number}}, headers=headers))["result"]["n"]
        for client, number in ((alice, 1), (bob, 2), (alice, 1))
    ]
    assert told == [1, 2, 1]


def test_the_store_of_a_node_is_its_tenants_own(alice: httpx.Client, bob: httpx.Client) -> None:
    assert ok(invoke(alice, "store", {"seen": "a"}))["result"]["seen"] == ["a"]
    assert ok(invoke(bob, "store", {"seen": "b"}))["result"]["seen"] == ["b"]
    assert ok(invoke(alice, "store", {"seen": "c"}))["result"]["seen"] == ["a", "c"]


def test_the_audit_names_the_key_that_answered(guarded: Guarded, alice: httpx.Client) -> None:
    thread_id = new_thread()
    ok(invoke(alice, "ask", {}, thread_id=thread_id))
    ok(resume(alice, "ask", thread_id, resume_data=None))
    entries = command(guarded.database_url, "audit", "--tenant", "acme")["entries"]
    [entry] = [entry for entry in entries if entry["target"] == thread_id]
    assert (entry["subject"], entry["action"]) == ("key:alice", "interrupt.answer")


def test_browsers_are_admitted_from_the_named_origins(guarded: Guarded) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    with caller(guarded.server) as browser:
        mine = browser.options("/graphs/echo/invoke", headers={"Origin": CONSOLE, **asks})
        assert mine.status_code == 200
        assert mine.headers["access-control-allow-origin"] == CONSOLE
        assert "authorization" in mine.headers["access-control-allow-headers"].lower()
        theirs = browser.options("/graphs/echo/invoke", headers={"Origin": ELSEWHERE, **asks})
        assert theirs.status_code == 405
        assert "access-control-allow-origin" not in theirs.headers
        headers = {"Origin": CONSOLE, "Authorization": f"Bearer {guarded.alice}"}
        answer = browser.post("/graphs/echo/invoke", json={"input": {}}, headers=headers)
        assert answer.headers["access-control-allow-origin"] == CONSOLE
        assert "location" in answer.headers["access-control-expose-headers"].lower()
        refused = browser.get("/threads", headers={"Origin": CONSOLE})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, CONSOLE)


def test_nothing_secret_is_logged(guarded: Guarded, alice: httpx.Client) -> None:
    ok(alice.get("/threads"))
    alice.get("/threads", params={"status": guarded.alice})
    log = guarded.server.log()
    password = str(conninfo_to_dict(guarded.database_url)["password"])
    assert '"request"' in log
    for secret in (PEPPER, guarded.alice, guarded.bob, password, guarded.alice[12:]):
        assert secret not in log


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "127.0.0.1.elsewhere.example", "localhost.", "[::2]", "0", ""]
)
def test_without_keys_only_this_machine_is_answered(http: httpx.Client, host: str) -> None:
    for path in ("/openapi.json", "/graphs", "/threads", "/graphs/echo/runs"):
        problem(http.get(path, headers={"Host": host}), 403, "forbidden_host")
    ok(http.get("/health", headers={"Host": host}))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8000", "LOCALHOST", "[::1]:8000", "[::1]"])
def test_by_any_of_its_names(http: httpx.Client, host: str) -> None:
    ok(http.get("/threads", headers={"Host": host}))


@pytest.mark.parametrize(
    "origin", [ELSEWHERE, "null", "http://localhost:1", "https://console.example.evil", ""]
)
def test_without_keys_no_other_page_is_answered(http: httpx.Client, origin: str) -> None:
    problem(http.get("/threads", headers={"Origin": origin}), 403, "forbidden_origin")
    answer = http.post("/graphs/echo/invoke", json={"input": {}}, headers={"Origin": origin})
    problem(answer, 403, "forbidden_origin")


def test_without_keys_its_own_pages_and_the_named_origins_are(http: httpx.Client) -> None:
    own = f"http://{http.base_url.host}:{http.base_url.port}"
    for origin in (own, CONSOLE):
        ok(http.get("/threads", headers={"Origin": origin}))
