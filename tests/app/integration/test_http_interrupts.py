"""Runs that wait for people: asked, answered, refused, answered again, over HTTP."""

from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from app.support.surface import counts, invoke, new_thread, ok, problem, resume, state


@pytest.fixture
def thread() -> str:
    return new_thread()


def ask(http: httpx.Client, graph: str, thread_id: str, **more: Any) -> list[Any]:
    """Start a run that waits; its interrupts."""
    told = ok(invoke(http, graph, {}, thread_id=thread_id, **more))
    assert told["status"] == "interrupted"
    assert state(http, graph, thread_id)["interrupts"] == told["interrupts"]
    return told["interrupts"]


def test_one_interrupt_is_answered(http: httpx.Client, thread: str) -> None:
    [asked] = ask(http, "ask", thread)
    assert asked["value"] == {"question": "?"}
    told = ok(resume(http, "ask", thread, resume_data={"yes": [1]}))
    assert (told["status"], told["interrupts"]) == ("success", [])
    assert told["result"] == {"answers": [{"yes": [1]}]}
    problem(resume(http, "ask", thread, resume_data=1), 409, "nothing_to_resume")


def test_its_id_does_as_well(http: httpx.Client, thread: str) -> None:
    [asked] = ask(http, "ask", thread)
    told = ok(resume(http, "ask", thread, interrupts={asked["id"]: "a"}))
    assert told["result"] == {"answers": ["a"]}


@pytest.mark.parametrize(
    "answer",
    [None, False, 0, "", [], {}, True, {"a" * 32: "b"}, {"f" * 32: {"0" * 32: 1}}, [None], "resume"],
)
def test_every_answer_arrives_as_it_is(http: httpx.Client, thread: str, answer: Any) -> None:
    ask(http, "ask", thread)
    assert ok(resume(http, "ask", thread, resume_data=answer))["result"] == {"answers": [answer]}


def test_an_answer_that_looks_like_an_id_map_of_this_very_interrupt_arrives(
    http: httpx.Client, thread: str
) -> None:
    [asked] = ask(http, "ask", thread)
    answer = {asked["id"]: "inner"}
    assert ok(resume(http, "ask", thread, resume_data=answer))["result"] == {"answers": [answer]}


def test_several_are_answered_by_id_one_after_the_other(
    http: httpx.Client, surface_database: str, thread: str
) -> None:
    left, right = ask(http, "parallel", thread)
    before = counts(surface_database)
    told = problem(resume(http, "parallel", thread, resume_data=1), 422, "several_interrupts")
    assert told["waiting"] == sorted([left["id"], right["id"]])
    problem(resume(http, "parallel", thread, interrupts={}), 422, "unknown_interrupt")
    odd = problem(
        resume(http, "parallel", thread, interrupts={left["id"]: 1, "0" * 32: 2}), 422, "unknown_interrupt"
    )
    assert odd["waiting"] == told["waiting"]
    assert counts(surface_database) == before
    half = ok(resume(http, "parallel", thread, interrupts={right["id"]: 2}))
    assert half["status"] == "interrupted"
    assert half["interrupts"] == [left] == state(http, "parallel", thread)["interrupts"]
    whole = ok(resume(http, "parallel", thread, resume_data=1))
    assert whole["result"] == {"answers": [{"left": 1}, {"right": 2}]}


def test_several_are_answered_at_once(http: httpx.Client, thread: str) -> None:
    left, right = ask(http, "parallel", thread)
    told = ok(resume(http, "parallel", thread, interrupts={left["id"]: None, right["id"]: False}))
    assert told["result"] == {"answers": [{"left": None}, {"right": False}]}


def test_several_in_one_node_are_asked_in_order(http: httpx.Client, thread: str) -> None:
    [first] = ask(http, "sequence", thread)
    assert first["value"] == "first?"
    told = ok(resume(http, "sequence", thread, resume_data=None))
    assert [one["value"] for one in told["interrupts"]] == ["second?"]
    assert state(http, "sequence", thread)["interrupts"] == told["interrupts"]
    done = ok(resume(http, "sequence", thread, interrupts={told["interrupts"][0]["id"]: 2}))
    assert done["result"] == {"answers": [None, 2]}


@pytest.mark.parametrize("by_id", [True, False])
def test_a_subgraph_asks_through_its_parent(http: httpx.Client, thread: str, by_id: bool) -> None:
    [asked] = ask(http, "nested", thread)
    answer: dict[str, Any] = {"interrupts": {asked["id"]: 0}} if by_id else {"resume_data": 0}
    assert ok(resume(http, "nested", thread, **answer))["result"] == {"answers": [0]}


@pytest.mark.parametrize("answer", [None, "yes", {}, {"ok": "yes"}, [True]])
def test_an_answer_that_does_not_fit_leaves_the_question_open(
    http: httpx.Client, surface_database: str, thread: str, answer: Any
) -> None:
    [asked] = ask(http, "strictly", thread)
    assert asked["response_schema"]["required"] == ["ok"]
    before = counts(surface_database)
    for form in ({"resume_data": answer}, {"interrupts": {asked["id"]: answer}}):
        told = problem(resume(http, "strictly", thread, **form), 422, "invalid_answer")
        assert told["errors"][0]["field"].startswith("answer")
    assert counts(surface_database) == before
    assert audited(surface_database, thread) == []
    assert state(http, "strictly", thread)["interrupts"] == [asked]
    assert ok(resume(http, "strictly", thread, resume_data={"ok": False}))["status"] == "success"


def test_a_refused_answer_does_not_use_up_its_idempotency_key(http: httpx.Client, thread: str) -> None:
    ask(http, "strictly", thread)
    headers = {"Idempotency-Key": thread}
    body = {"thread_id": thread, "resume_data": 1}
    for _ in range(2):
        problem(http.post("/graphs/strictly/resume", json=body, headers=headers), 422, "invalid_answer")
    body["resume_data"] = {"ok": True}
    first = ok(http.post("/graphs/strictly/resume", json=body, headers=headers))
    assert ok(http.post("/graphs/strictly/resume", json=body, headers=headers)) == first


def test_a_resume_in_the_background_is_refused_as_well(http: httpx.Client, thread: str) -> None:
    ask(http, "strictly", thread)
    headers = {"Prefer": "respond-async"}
    body: dict[str, Any] = {"thread_id": thread, "resume_data": 1}
    problem(http.post("/graphs/strictly/resume", json=body, headers=headers), 422, "invalid_answer")
    body["resume_data"] = {"ok": True}
    accepted = http.post("/graphs/strictly/resume", json=body, headers=headers)
    ok(accepted, 202)
    run = ok(http.get(accepted.headers["location"], params={"wait": 30}))
    assert run["result"] == {"answers": [{"ok": True}]}


def test_new_input_instead_of_an_answer_begins_anew(http: httpx.Client, thread: str) -> None:
    ask(http, "ask", thread)
    told = ok(invoke(http, "ask", {"text": "other?"}, thread_id=thread))
    assert [one["value"] for one in told["interrupts"]] == [{"question": "other?"}]


def test_a_breakpoint_goes_on_without_input(http: httpx.Client, thread: str) -> None:
    told = ok(invoke(http, "stepped", {"text": "a"}, thread_id=thread))
    assert (told["status"], told["interrupts"], told["result"]["items"]) == ("interrupted", [], ["first"])
    assert state(http, "stepped", thread)["next"] == ["second"]
    problem(resume(http, "stepped", thread, resume_data=1), 409, "nothing_to_resume")
    done = ok(invoke(http, "stepped", None, thread_id=thread))
    assert (done["status"], done["result"]["text"]) == ("success", "a!")
    problem(invoke(http, "stepped", None, thread_id=thread), 409, "nothing_to_resume")


def test_without_input_a_failed_node_is_tried_again(http: httpx.Client, thread: str) -> None:
    name = str(uuid4())
    problem(invoke(http, "flaky", {"name": name}, thread_id=thread), 500, "run_failed")
    assert state(http, "flaky", thread)["next"] == ["fail_once"]
    done = ok(invoke(http, "flaky", None, thread_id=thread))
    assert done["result"]["steps"] == ["prepared", "done"]


def test_without_input_a_waiting_node_asks_again(http: httpx.Client, thread: str) -> None:
    asked = ask(http, "ask", thread)
    again = ok(invoke(http, "ask", None, thread_id=thread))
    assert again["status"] == "interrupted"
    assert again["interrupts"] == asked
    assert ok(resume(http, "ask", thread, resume_data=1))["status"] == "success"


def test_the_audit_has_who_answered_what(http: httpx.Client, surface_database: str, thread: str) -> None:
    left, right = ask(http, "parallel", thread)
    answers = {left["id"]: {"ok": 1}, right["id"]: None}
    run_id = ok(resume(http, "parallel", thread, interrupts=answers))["run_id"]
    [entry] = audited(surface_database, thread)
    assert entry == ("local", "local", {"graph": "parallel", "run_id": run_id, "answers": answers})
    assert http.delete(f"/threads/{thread}").status_code == 204
    assert audited(surface_database, thread) == [entry]


def audited(database_url: str, thread_id: str) -> list[Any]:
    """Tenant, subject and detail of each audit entry about the thread."""
    with psycopg.connect(database_url) as connection:
        statement = "select tenant, subject, detail from agent.audit_log where target = %s"
        return connection.execute(statement, (thread_id,)).fetchall()
