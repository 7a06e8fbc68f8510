"""docs/contract.md §3, held against a real server: routes, keys of answers, headers, events."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from app.support.surface import events_of, invoke, new_thread, ok, problem, resume, stream

CONTRACT = (Path(__file__).parents[3] / "docs" / "contract.md").read_text()
RUN_ANSWER = {"thread_id", "run_id", "status", "interrupts", "result"}
RUN = {
    *("run_id", "thread_id", "graph", "status", "attempt", "created_at", "started_at", "finished_at"),
    *("created_by", "result", "interrupts", "error"),
}
STATE = {
    *("thread_id", "values", "next", "interrupts", "checkpoint", "parent_checkpoint", "created_at"),
    "metadata",
}
THREAD = {"thread_id", "graph", "status", "created_at", "updated_at"}
INTERRUPT = {"id", "value", "response_schema"}
CHECKPOINT = {"thread_id", "checkpoint_ns", "checkpoint_id"}


def promised_routes() -> set[tuple[str, str]]:
    table = CONTRACT.split("## 3. HTTP")[1].split("### Bodies")[0]
    cells = re.findall(r"`(GET|POST|PUT|DELETE) (/[^`?]*)", table)
    return {(method, path) for method, path in cells}


def promised_fields() -> dict[str, set[str]]:
    """By route, the fields of its body."""
    table = CONTRACT.split("### Bodies")[1].split("Headers:")[0]
    fields: dict[str, set[str]] = {name: set() for name in ("invoke", "stream", "resume", "state")}
    for names, where in re.findall(r"^\| (`.+?) \| (.+?) \|", table, re.MULTILINE):
        for route, found in fields.items():
            if route in where.split(";")[0] or where.startswith("all"):
                found.update(re.findall(r"`(\w+)`", names))
    return fields


def utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    assert moment.utcoffset() == timedelta(0), text
    return moment


def same_keys(found: dict[str, Any], promised: set[str]) -> None:
    assert set(found) == promised


def test_the_routes_are_those_of_the_table_and_no_others(http: httpx.Client) -> None:
    described = ok(http.get("/openapi.json"))["paths"]
    routes = {(method.upper(), path) for path, methods in described.items() for method in methods}
    assert routes == promised_routes()
    assert len(routes) == 21
    for page in ("/docs", "/redoc", "/docs/oauth2-redirect"):
        problem(http.get(page), 404, "not_found")


def test_the_description_of_the_api_names_its_parameters_and_refers_to_nothing_missing(
    http: httpx.Client,
) -> None:
    described = http.get("/openapi.json")
    named_schemas = set(re.findall(r'"#/components/schemas/(\w+)"', described.text))
    assert named_schemas <= set(described.json()["components"]["schemas"])
    assert described.text.count('"$ref"') == described.text.count('"#/components/schemas/')
    for path, methods in described.json()["paths"].items():
        for operation in methods.values():
            named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))


@pytest.mark.parametrize("route", ["invoke", "stream", "resume", "state"])
def test_the_bodies_have_the_fields_of_the_table_and_no_others(http: httpx.Client, route: str) -> None:
    operation = ok(http.get("/openapi.json"))["paths"][f"/graphs/{{name}}/{route}"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == promised_fields()[route]
    assert schema["additionalProperties"] is False


def test_the_probes(http: httpx.Client) -> None:
    health = ok(http.get("/health"))
    same_keys(health, {"status", "version"})
    ready = ok(http.get("/ready"))
    assert ready == {"status": "ready", "version": health["version"], "database": "connected"}


def test_the_graphs(http: httpx.Client) -> None:
    answer = ok(http.get("/graphs"))
    same_keys(answer, {"graphs"})
    for graph in answer["graphs"]:
        same_keys(
            graph, {"name", "description", "input_schema", "output_schema", "context_schema", "mermaid"}
        )
    echo = next(graph for graph in answer["graphs"] if graph["name"] == "echo")
    assert echo["context_schema"] is None
    assert set(echo["input_schema"]["properties"]) == {"text", "n", "items", "anything"}
    assert "first" in echo["mermaid"]


def test_a_run_answer_and_the_run_at_its_location(http: httpx.Client) -> None:
    answer = invoke(http, "echo", {"text": "a"})
    told = ok(answer)
    same_keys(told, RUN_ANSWER)
    UUID(told["thread_id"])
    assert told["result"] == {"text": "a!", "items": ["first", "second"]}
    assert answer.headers["location"] == f"/graphs/echo/runs/{told['run_id']}"
    found = http.get(answer.headers["location"])
    run = ok(found)
    same_keys(run, RUN)
    assert found.headers["location"] == answer.headers["location"]
    assert utc(run["created_at"]) <= utc(run["started_at"]) <= utc(run["finished_at"])
    assert {name: run[name] for name in ("status", "attempt", "created_by", "error", "result")} == {
        "status": "success",
        "attempt": 1,
        "created_by": "local",
        "error": None,
        "result": told["result"],
    }


def test_every_field_of_a_body_is_taken(http: httpx.Client) -> None:
    thread_id = new_thread()
    body = {
        "thread_id": thread_id,
        "config": {
            "recursion_limit": 7,
            "tags": ["a"],
            "metadata": {"client": "me", "nested": {"id": 1}},
            "context": {"user": "u"},
        },
        "on_busy": "enqueue",
        "on_disconnect": "continue",
        "stream_mode": ["values"],
        "subgraphs": True,
    }
    assert ok(invoke(http, "context", {}, **body))["result"] == {"seen": ["u", "kind"]}
    state = ok(http.get("/graphs/context/state", params={"thread_id": thread_id}))
    assert state["metadata"]["client"] == "me"
    body["config"] = {"configurable": {"user": "u"}}
    assert ok(invoke(http, "configured", {}, **body | {"thread_id": new_thread()}))["result"]["seen"] == {
        "user": "u",
        "checkpoint_id": None,
    }


def test_a_run_that_waits(http: httpx.Client) -> None:
    thread_id = new_thread()
    told = ok(invoke(http, "strictly", {}, thread_id=thread_id))
    same_keys(told, RUN_ANSWER)
    assert told["status"] == "interrupted"
    same_keys(told["interrupts"][0], INTERRUPT)
    answered = resume(
        http, "strictly", thread_id, resume_data={"ok": True}, on_disconnect="cancel", stream_mode="values"
    )
    assert ok(answered)["result"] == {"answers": [{"ok": True}]}
    same_keys(answered.json(), RUN_ANSWER)


def test_states_and_history(http: httpx.Client) -> None:
    thread_id = new_thread()
    ok(invoke(http, "ask", {}, thread_id=thread_id))
    state = ok(http.get("/graphs/ask/state", params={"thread_id": thread_id}))
    same_keys(state, STATE)
    same_keys(state["checkpoint"], CHECKPOINT)
    same_keys(state["parent_checkpoint"], CHECKPOINT)
    same_keys(state["interrupts"][0], INTERRUPT)
    assert state["thread_id"] == state["checkpoint"]["thread_id"] == thread_id
    assert state["next"] == ["node"]
    utc(state["created_at"])
    written = http.post("/graphs/ask/state", json={"thread_id": thread_id, "values": {"text": "b"}})
    same_keys(ok(written), STATE)
    assert ok(http.get(written.headers["location"]))["status"] == "success"
    history = ok(http.get("/graphs/ask/history", params={"thread_id": thread_id}))
    same_keys(history, {"history"})
    for past in history["history"]:
        same_keys(past, STATE)
    assert history["history"][0]["checkpoint"] == written.json()["checkpoint"]
    assert history["history"][-1]["parent_checkpoint"] is None


def test_lists(http: httpx.Client) -> None:
    thread_id = new_thread()
    ok(invoke(http, "echo", {}, thread_id=thread_id))
    threads = ok(http.get("/threads", params={"limit": 1}))
    same_keys(threads, {"threads", "total"})
    same_keys(threads["threads"][0], THREAD)
    assert threads["threads"][0]["thread_id"] == thread_id
    assert threads["threads"][0]["status"] == "idle"
    assert utc(threads["threads"][0]["created_at"]) <= utc(threads["threads"][0]["updated_at"])
    runs = ok(http.get("/graphs/echo/runs", params={"thread_id": thread_id}))
    same_keys(runs, {"runs", "total"})
    same_keys(runs["runs"][0], RUN)
    deleted = http.delete(f"/threads/{thread_id}")
    assert (deleted.status_code, deleted.content) == (204, b"")


def test_a_background_run_and_its_cancellation(http: httpx.Client) -> None:
    answer = http.post(
        "/graphs/slow/invoke", json={"input": {"seconds": 60}}, headers={"Prefer": "respond-async"}
    )
    run = ok(answer, 202)
    same_keys(run, RUN)
    assert run["status"] == "running"
    assert answer.headers["location"] == f"/graphs/slow/runs/{run['run_id']}"
    waited = ok(http.get(answer.headers["location"], params={"wait": "0.2"}))
    assert waited["status"] == "running"
    cancelled = http.post(f"{answer.headers['location']}/cancel")
    same_keys(ok(cancelled), RUN)
    assert cancelled.json()["status"] == "cancelled"
    same_keys(cancelled.json()["error"], {"code", "detail"})
    assert problem(http.post(f"{answer.headers['location']}/cancel"), 409, "run_finished")["run_id"]
    assert http.get(answer.headers["location"]).json()["error"]["code"] == "run_cancelled"


def test_the_events_of_a_stream(http: httpx.Client) -> None:
    body = {"input": {"messages": [{"role": "user", "content": "hi"}]}, "thread_id": new_thread()}
    answer = http.post(
        "/graphs/chat/stream",
        json={**body, "stream_mode": ["values", "updates", "messages", "custom", "events"]},
    )
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    events = events_of(answer.content)
    names = [name for name, _, _ in events]
    assert set(names) == {"metadata", "values", "updates", "messages", "custom", "events", "end"}
    assert (names[0], names[-1]) == ("metadata", "end")
    same_keys(events[0][1], {"run_id", "thread_id", "attempt"})
    same_keys(events[-1][1], {"run_id", "thread_id", "status", "interrupts"})
    assert events[0][1]["thread_id"] == events[-1][1]["thread_id"] == body["thread_id"]
    message, metadata = next(data for name, data, _ in events if name == "messages")
    assert message["content"] == "one "
    assert metadata["langgraph_node"] == "speak"
    assert answer.headers["location"] == f"/graphs/chat/runs/{events[0][1]['run_id']}"
    again = http.get(f"{answer.headers['location']}/stream", headers={"Last-Event-ID": "-1"})
    assert again.content == answer.content


def test_a_failed_stream_says_error_and_then_end(http: httpx.Client) -> None:
    *_, error, end = stream(http, "secret", {})
    assert error[0] == "error"
    same_keys(error[1], {"code", "detail"})
    assert error[1]["code"] == "run_failed"
    assert (end[0], end[1]["status"]) == ("end", "error")


def test_what_only_stream_asks_for_by_default(http: httpx.Client) -> None:
    assert {name for name, _, _ in stream(http, "echo", {})} == {"metadata", "events", "end"}
    location = invoke(http, "echo", {}).headers["location"]
    told = events_of(http.get(f"{location}/stream").content)
    assert [name for name, _, _ in told] == ["metadata", "updates", "updates", "end"]


def test_a_repeat_with_the_same_key_joins_the_run(http: httpx.Client) -> None:
    headers = {"Idempotency-Key": new_thread()}
    first = http.post("/graphs/echo/invoke", json={"input": {"n": 1}}, headers=headers)
    again = http.post("/graphs/echo/invoke", json={"input": {"n": 1}}, headers=headers)
    assert ok(first) == ok(again)
    other = http.post("/graphs/echo/invoke", json={"input": {"n": 2}}, headers=headers)
    assert problem(other, 422, "idempotency_key_reused")["run_id"] == first.json()["run_id"]


@pytest.mark.parametrize("path", ["/health", "/graphs", "/nothing", "/graphs/nothing/state"])
def test_every_answer_has_a_request_id(http: httpx.Client, path: str) -> None:
    assert http.get(path, headers={"X-Request-Id": "my-id.1"}).headers["x-request-id"] == "my-id.1"
    for odd in ("a b", "x" * 129, "é", "<script>"):
        given = http.get(path, headers={"X-Request-Id": odd.encode()}).headers["x-request-id"]
        assert re.fullmatch("[0-9a-f]{32}", given)


def test_errors_of_routing(http: httpx.Client) -> None:
    problem(http.get("/nothing"), 404, "not_found")
    problem(http.get("/graphs/"), 404, "not_found")
    refused = http.put("/threads")
    problem(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "GET"
    assert problem(http.get("/graphs/echoo/runs"), 404, "unknown_graph")["known"] == sorted(
        graph["name"] for graph in http.get("/graphs").json()["graphs"]
    )


def test_errors_about_threads_and_runs(http: httpx.Client) -> None:
    nobody = new_thread()
    problem(http.get("/graphs/echo/state", params={"thread_id": nobody}), 404, "unknown_thread")
    problem(http.delete(f"/threads/{nobody}"), 404, "unknown_thread")
    problem(resume(http, "echo", nobody, resume_data=1), 404, "unknown_thread")
    for run_id in (UUID(int=0), "nonsense"):
        problem(http.get(f"/graphs/echo/runs/{run_id}"), 404, "unknown_run")
        problem(http.get(f"/graphs/echo/runs/{run_id}/stream"), 404, "unknown_run")
        problem(http.post(f"/graphs/echo/runs/{run_id}/cancel"), 404, "unknown_run")
    problem(invoke(http, "echo", None), 409, "nothing_to_resume")
    thread_id = ok(invoke(http, "echo", {}))["thread_id"]
    problem(invoke(http, "echo", None, thread_id=thread_id), 409, "nothing_to_resume")
    problem(resume(http, "echo", thread_id, resume_data=1), 409, "nothing_to_resume")
    problem(invoke(http, "chat", {"messages": []}, thread_id=thread_id), 409, "thread_of_another_graph")


def test_a_busy_thread(http: httpx.Client) -> None:
    thread_id = new_thread()
    background = {"Prefer": "respond-async"}
    body = {"input": {"seconds": 30}, "thread_id": thread_id}
    location = http.post("/graphs/slow/invoke", json=body, headers=background).headers["location"]
    problem(invoke(http, "slow", {}, thread_id=thread_id), 409, "thread_busy")
    problem(http.delete(f"/threads/{thread_id}"), 409, "thread_busy")
    queued = http.post("/graphs/slow/invoke", json={**body, "on_busy": "enqueue"}, headers=background)
    assert ok(queued, 202)["status"] == "pending"
    assert ok(http.post(f"{queued.headers['location']}/cancel"))["status"] == "cancelled"
    assert ok(http.post(f"{location}/cancel"))["status"] == "cancelled"


def test_a_graph_without_end_fails(http: httpx.Client) -> None:
    answer = invoke(http, "slow", {"loops": True}, config={"recursion_limit": 3})
    told = problem(answer, 500, "run_failed")
    assert "recursion limit" in told["detail"]
    assert answer.headers["location"].endswith(told["run_id"])
