"""Who may do what, on every route that there is; and keys, in every process at once."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, get_args

import httpx
import psycopg
import pytest
from app.support.identity import keyholders
from app.support.surface import GRAPHS, caller, invoke, new_thread, ok, problem, resume
from psycopg import sql
from support.server import ServerProcess, servers

from agent_server.core.keys import hmac_of
from agent_server.core.principal import ROLES, Role
from agent_server.http.guard import Route

PEPPER = "a pepper of the tests, 32 characters and more"
PROBES = {("GET", "/health"), ("GET", "/ready")}
BODIES: dict[str, Any] = {
    "/graphs/{name}/invoke": {"input": {}},
    "/graphs/{name}/stream": {"input": {}},
    "/graphs/{name}/resume": {"thread_id": "nobodys", "resume_data": 1},
    "/graphs/{name}/state": {"thread_id": "nobodys", "values": {}},
}


@pytest.fixture(scope="module")
def keys(module_migrated_database: str) -> dict[Role, str]:
    return keyholders(module_migrated_database, PEPPER, {role: role for role in ROLES})


@pytest.fixture(scope="module")
def both(
    module_migrated_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[ServerProcess]]:
    told = {
        "AUTH": "keys",
        "API_KEY_PEPPER": PEPPER,
        "SURFACE_FOLDER": str(tmp_path_factory.mktemp("surface")),
    }
    told["ATTACHMENTS_DIR"] = str(tmp_path_factory.mktemp("attachments"))
    with servers(module_migrated_database, GRAPHS, 2, **told) as started:
        yield started


@pytest.fixture(scope="module")
def by_role(both: list[ServerProcess], keys: dict[Role, str]) -> Iterator[dict[Role, httpx.Client]]:
    with ExitStack() as stack:
        yield {
            role: stack.enter_context(caller(both[0], Authorization=f"Bearer {key}"))
            for role, key in keys.items()
        }


@pytest.fixture(scope="module")
def routes(by_role: dict[Role, httpx.Client]) -> list[tuple[str, str]]:
    """Every method and path that the server describes, but for the probes."""
    paths = ok(by_role["viewer"].get("/openapi.json"))["paths"]
    found = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert found >= PROBES
    assert len(found) >= 16
    return sorted(found - PROBES)


def may(role: Role, method: str, path: str) -> bool:
    """The contract's table of roles, in words of its own."""
    if role == "admin" or method == "GET":
        return True
    if role == "operator":
        return path.endswith(("/invoke", "/stream", "/cancel", "/attachments", "/content"))
    return role == "approver" and path.endswith("/resume")


def ask(http: httpx.Client, method: str, path: str) -> httpx.Response:
    where = re.sub(r"{(\w+)}", lambda found: "ask" if found[1] == "name" else "nobodys", path)
    if path in BODIES and method == "POST":
        return http.request(method, where, json=BODIES[path])
    return http.request(method, where, params={"thread_id": "nobodys"} if method == "GET" else None)


def test_without_credentials_every_route_is_closed(
    both: list[ServerProcess], routes: list[tuple[str, str]]
) -> None:
    with caller(both[0]) as nobody:
        for method, path in routes:
            problem(ask(nobody, method, path), 401, "unauthenticated")
        for _, path in PROBES:
            ok(nobody.get(path))


def test_each_role_may_what_the_contract_says_and_nothing_else(
    by_role: dict[Role, httpx.Client], routes: list[tuple[str, str]]
) -> None:
    for role, http in by_role.items():
        for method, path in routes:
            answer = ask(http, method, path)
            if may(role, method, path):
                assert answer.status_code < 500, (role, method, path, answer.text)
                assert answer.status_code not in {401, 403}, (role, method, path, answer.text)
            else:
                told = problem(answer, 403, "forbidden_role")
                assert told["detail"].startswith(f"The role {role} may not do this: ")
                assert told["detail"].endswith("admin may.")


def test_a_role_is_asked_for_before_anything_is_told(by_role: dict[Role, httpx.Client]) -> None:
    viewer = by_role["viewer"]
    for name in ("ask", "nothing"):
        problem(viewer.post(f"/graphs/{name}/invoke", content=b"no JSON"), 403, "forbidden_role")
    problem(viewer.delete("/threads/nobodys"), 403, "forbidden_role")


def test_no_route_can_be_declared_without_what_it_needs() -> None:
    with pytest.raises(TypeError, match="'needs'"):
        Route(method="GET", path="/", endpoint=None)  # type: ignore[call-arg]


def test_a_run_goes_from_hand_to_hand(by_role: dict[Role, httpx.Client]) -> None:
    thread_id = new_thread()
    ok(invoke(by_role["operator"], "ask", {}, thread_id=thread_id))
    problem(resume(by_role["operator"], "ask", thread_id, resume_data=1), 403, "forbidden_role")
    question = ok(by_role["viewer"].get("/graphs/ask/state", params={"thread_id": thread_id}))["interrupts"]
    assert len(question) == 1
    assert ok(resume(by_role["approver"], "ask", thread_id, resume_data=1))["status"] == "success"
    assert by_role["admin"].delete(f"/threads/{thread_id}").status_code == 204


def until(seconds: float, both: list[ServerProcess], key: str, status: int) -> float:
    """How long it takes until every process answers so."""
    began = time.monotonic()
    with ExitStack() as stack:
        clients = [stack.enter_context(caller(one, Authorization=f"Bearer {key}")) for one in both]
        while any(ask(one, "POST", "/graphs/{name}/resume").status_code != status for one in clients):
            assert time.monotonic() - began < seconds, f"still not {status}"
            time.sleep(0.05)
    return time.monotonic() - began


def test_revoked_expired_and_changed_keys_are_so_in_every_process_within_five_seconds(
    both: list[ServerProcess], module_migrated_database: str
) -> None:
    roles: dict[str, Role] = {"revoked": "admin", "expired": "admin", "changed": "admin"}
    made = keyholders(module_migrated_database, PEPPER, roles)
    for key in made.values():
        until(2, both, key, 404)  # each process has seen it, and remembers
    with psycopg.connect(module_migrated_database) as connection:
        for name, change in (
            ("revoked", sql.SQL("revoked_at = now()")),
            ("expired", sql.SQL("expires_at = now()")),
            ("changed", sql.SQL("role = 'viewer'")),
        ):
            hmac = hmac_of(made[name], PEPPER.encode())
            connection.execute(
                sql.SQL("update agent.api_keys set {} where hmac = %s").format(change), (hmac,)
            )
    began = time.monotonic()
    for name, status in (("revoked", 401), ("expired", 401), ("changed", 403)):
        until(5.5 - (time.monotonic() - began), both, made[name], status)


def test_no_table_holds_a_key(module_migrated_database: str, keys: dict[Role, str]) -> None:
    with psycopg.connect(module_migrated_database) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_schema in ('agent', 'public') and table_type = 'BASE TABLE'"
        ).fetchall()
        rows = [
            row[0]
            for table in tables
            for row in connection.execute(
                sql.SQL("select t::text from {} t").format(sql.Identifier(*table))
            ).fetchall()
        ]
    text = "\n".join(rows)
    assert "api_keys" in {name for _, name in tables}
    for key in keys.values():
        assert key[:8] in text
        assert key[8:24] not in text
        assert key.encode().hex()[24:48] not in text


def test_the_database_knows_the_roles_that_there_are(module_migrated_database: str) -> None:
    assert get_args(Role) == ROLES
    with (
        psycopg.connect(module_migrated_database) as connection,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        connection.execute("update agent.api_keys set role = 'king'")
