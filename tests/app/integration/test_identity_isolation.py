"""What is one tenant's is not there for another: on every route there is, whatever is smuggled."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest
from app.support.identity import keyholders
from app.support.storage_world import settings_for
from app.support.surface import GRAPHS, caller, invoke, new_thread, ok, resume, serving, state
from psycopg import sql
from starlette.routing import Route

from agent_server.graphs.registry import load_graphs
from agent_server.http.app import create_app
from agent_server.runs.engine import open_engine

PEPPER = "a pepper of the tests, 32 characters and more"
OPEN = {"/health", "/ready"}
NOBODYS = {"/openapi.json", "/graphs"}
"""What is the same for everybody."""


@dataclass
class World:
    """Two tenants on one server, one with something of each kind, the other one curious."""

    database_url: str
    victim: httpx.Client
    curious: httpx.Client
    ids: dict[str, str]
    """The victim's: what a placeholder or a parameter of this name may be."""
    operations: list[tuple[str, str, dict[str, Any]]]
    """Method, path and body's schema of each route, those of nobody left out."""

    def rows(self) -> set[tuple[str, str]]:
        """Every row of every table as text, but for what retention and migrations note down."""
        with psycopg.connect(self.database_url) as connection:
            tables = connection.execute(
                "select table_schema, table_name from information_schema.tables"
                " where table_schema in ('agent', 'public') and table_type = 'BASE TABLE'"
            ).fetchall()
            return {
                (name, row[0])
                for schema, name in tables
                for row in connection.execute(
                    sql.SQL("select t::text from {} t").format(sql.Identifier(schema, name))
                )
            }


@pytest.fixture(scope="module")
def world(module_migrated_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    url = module_migrated_database
    keys = [keyholders(url, PEPPER, {"same": "admin"}, tenant)["same"] for tenant in ("acme", "bolt")]
    told = {"AUTH": "keys", "API_KEY_PEPPER": PEPPER, "RETENTION_SWEEP_SECONDS": "0"}
    told["ATTACHMENTS_DIR"] = str(tmp_path_factory.mktemp("attachments"))
    with serving(url, **told) as server, ExitStack() as stack:
        victim, curious = (stack.enter_context(caller(server, Authorization=f"Bearer {key}")) for key in keys)
        paths = ok(victim.get("/openapi.json"))["paths"]
        operations = [
            (method.upper(), path, _schema(operation))
            for path, methods in paths.items()
            for method, operation in methods.items()
            if path not in OPEN | NOBODYS
        ]
        yield World(url, victim, curious, _belongings(victim), sorted(operations, key=lambda one: one[:2]))


def _schema(operation: dict[str, Any]) -> dict[str, Any]:
    return operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})


def _belongings(victim: httpx.Client) -> dict[str, str]:
    """A waiting thread with its run, interrupt and checkpoint, an attachment, and a used idempotency key."""
    thread_id = new_thread()
    headers = {"Idempotency-Key": "the-victims"}
    body = {"input": {"text": "mine"}, "thread_id": thread_id}
    run = ok(victim.post("/graphs/ask/invoke", json=body, headers=headers))
    attachment = {"thread_id": thread_id, "filename": "a.txt", "content_type": "text/plain", "size": 3}
    made = ok(victim.post("/attachments", json=attachment), 201)
    path = f"/attachments/{made['attachment_id']}/content"
    assert victim.put(path, content=b"abc", headers={"Content-Type": "text/plain"}).status_code == 204
    return {
        "name": "ask",
        "thread_id": thread_id,
        "run_id": run["run_id"],
        "interrupt_id": run["interrupts"][0]["id"],
        "attachment_id": made["attachment_id"],
        "checkpoint_id": state(victim, "ask", thread_id)["checkpoint"]["checkpoint_id"],
    }


def request(world: World, method: str, path: str, schema: dict[str, Any], **more: Any) -> httpx.Response:
    """What the curious tenant asks for with the victim's ids wherever there is room for one."""
    where = re.sub(r"{(\w+)}", lambda found: world.ids[found[1]], path)
    if method == "GET":
        query = {"thread_id": world.ids["thread_id"], "before": world.ids["checkpoint_id"]}
        return world.curious.get(where, params=query, headers={"Last-Event-ID": "1-1"})
    if method == "PUT":
        headers = {"Content-Type": "text/plain"}
        return world.curious.request(method, where, content=b"xyz", headers=headers)
    body = {name: SAMPLES[name](world.ids) for name in schema.get("required", []) if name in SAMPLES}
    if "resume_data" in schema.get("properties", {}):
        body["interrupts"] = {world.ids["interrupt_id"]: "not yours"}
    if "thread_id" in schema.get("properties", {}):
        body["thread_id"] = world.ids["thread_id"]
    return world.curious.request(method, where, json=(body | more) or None)


SAMPLES: dict[str, Any] = {
    "input": lambda _: {"text": "not yours"},
    "thread_id": lambda ids: ids["thread_id"],
    "values": lambda _: {"text": "not yours"},
    "filename": lambda _: "b.txt",
    "content_type": lambda _: "text/plain",
    "size": lambda _: 3,
}


def makes_its_own(method: str, path: str) -> bool:
    """Whether a route begins something under the thread id that a client may choose freely."""
    return method == "POST" and path.endswith(("/invoke", "/stream", "/attachments"))


def lists(method: str, path: str) -> bool:
    return method == "GET" and path in {"/threads", "/graphs/{name}/runs"}


def test_of_anothers_ids_nothing_is_found_and_no_row_is_changed(world: World) -> None:
    assert len(world.operations) >= 17
    before = world.rows()
    assert len(before) > 10
    for method, path, schema in world.operations:
        if makes_its_own(method, path):
            continue
        answer = request(world, method, path, schema)
        if lists(method, path):
            told = ok(answer)
            assert (told.pop("total"), *told.values()) == (0, []), path
        else:
            assert answer.status_code == 404, (method, path, answer.text)
            assert not any(mine in answer.text for mine in ("mine", world.ids["checkpoint_id"]))
    assert world.rows() == before


def test_a_thread_of_the_same_id_is_made_apart(world: World) -> None:
    before = world.rows()
    for method, path, schema in world.operations:
        if makes_its_own(method, path):
            answer = request(
                world, method, path, schema, **({} if "attach" in path else {"on_busy": "enqueue"})
            )
            assert answer.status_code < 300, (path, answer.text)
            assert "mine" not in answer.text
    after = world.rows()
    assert before <= after
    for table, row in after - before:
        if table in {"threads", "runs", "idempotency_keys", "attachments"}:
            assert ",bolt," in row, (table, row)
    assert world.curious.delete(f"/threads/{world.ids['thread_id']}").status_code == 204
    assert before <= world.rows()


SMUGGLED: list[dict[str, Any]] = [
    *(
        {"config": {"configurable": {name: f"{{{of}}}"}}}
        for name, of in (
            ("thread_id", "thread_id"),
            ("checkpoint_id", "checkpoint_id"),
            ("checkpoint_ns", "thread_id"),
            ("checkpoint_map", "thread_id"),
            ("run_id", "run_id"),
            ("tenant", "name"),
            ("__pregel_checkpointer", "name"),
        )
    ),
    *(
        {"config": {"metadata": {name: f"{{{of}}}"}}}
        for name, of in (
            ("run_id", "run_id"),
            ("thread_id", "thread_id"),
            ("checkpoint_id", "checkpoint_id"),
            ("langgraph_auth_user", "name"),
        )
    ),
    {"config": {"thread_id": "{thread_id}"}},
    {"config": {"context": {"tenant": "acme"}}},
    {"checkpoint": {"thread_id": "{thread_id}", "checkpoint_id": "{checkpoint_id}"}},
    {"checkpoint_id": "{checkpoint_id}"},
    {"run_id": "{run_id}"},
    {"tenant": "acme"},
    {"principal": "acme"},
    {"thread_key": "{thread_id}"},
]


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: filled(item, ids) for name, item in value.items()}
    return value.format(**ids)


@pytest.mark.parametrize("smuggled", SMUGGLED, ids=str)
def test_what_is_smuggled_into_a_body_is_refused(world: World, smuggled: dict[str, Any]) -> None:
    before = world.rows()
    own = {"thread_id": new_thread(), **filled(smuggled, world.ids)}
    for path, body in (
        ("invoke", {"input": {}}),
        ("stream", {"input": {}}),
        ("resume", {"resume_data": 1}),
        ("state", {"values": {}}),
    ):
        answer = world.curious.post(f"/graphs/ask/{path}", json={**body, **own})
        assert answer.status_code == 422, (path, answer.text)
    assert world.rows() == before


def test_anothers_idempotency_key_joins_nothing(world: World) -> None:
    headers = {"Idempotency-Key": "the-victims"}
    body = {"input": {"text": "mine"}, "thread_id": world.ids["thread_id"]}
    before = world.rows()
    run = ok(world.curious.post("/graphs/ask/invoke", json=body, headers=headers))
    assert run["run_id"] != world.ids["run_id"]
    assert before <= world.rows()


def test_anothers_interrupt_is_none_of_ones_own_thread(world: World) -> None:
    thread_id = new_thread()
    ok(invoke(world.curious, "ask", {}, thread_id=thread_id))
    before = world.rows()
    answer = resume(world.curious, "ask", thread_id, interrupts={world.ids["interrupt_id"]: 1})
    assert answer.json()["code"] == "unknown_interrupt"
    assert world.rows() == before


def test_anothers_checkpoint_is_no_place_in_ones_own_history(world: World) -> None:
    thread_id = new_thread()
    ok(invoke(world.curious, "ask", {}, thread_id=thread_id))
    query = {"thread_id": thread_id, "before": world.ids["checkpoint_id"]}
    told = world.curious.get("/graphs/ask/history", params=query)
    assert "mine" not in told.text
    assert world.ids["thread_id"] not in told.text


def test_the_victim_has_noticed_nothing(world: World) -> None:
    assert state(world.victim, "ask", world.ids["thread_id"])["values"] == {"text": "mine", "answers": []}
    content = world.victim.get(f"/attachments/{world.ids['attachment_id']}/content")
    assert content.content == b"abc"
    done = ok(resume(world.victim, "ask", world.ids["thread_id"], resume_data="yes"))
    assert done["result"]["answers"] == ["yes"]


def every_route(router: Any) -> Iterator[Route]:
    for route in router.routes:
        if isinstance(route, Route):
            yield route
        else:
            yield from every_route(route.original_router)


async def test_there_is_no_route_but_the_described_ones_and_each_is_guarded(
    module_migrated_database: str,
) -> None:
    settings = settings_for(module_migrated_database, auth="keys", api_key_pepper=PEPPER)
    async with open_engine(settings, load_graphs(GRAPHS), worker=False) as engine:
        app: Any = create_app(engine)
        while not hasattr(app, "openapi"):
            app = app._app
        routes = list(every_route(app))
        described = {(method.upper(), path) for path, of in app.openapi()["paths"].items() for method in of}
    served = {
        (method, re.sub(r":\w+}", "}", route.path)) for route in routes for method in route.methods or ()
    }
    assert served == described
    guarded = {route.path for route in routes if route.endpoint.__module__ == "agent_server.http.guard"}
    assert {route.path for route in routes} - guarded == OPEN
