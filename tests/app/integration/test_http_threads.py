"""Threads, their states, their history, their runs and their end, over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx
import pytest
from app.support.surface import counts, invoke, new_thread, ok, problem, resume, state

from agent_server.http.responses import thread_json
from agent_server.storage.threads import ThreadRecord

ASYNC = {"Prefer": "respond-async"}


def update(http: httpx.Client, graph: str, thread_id: str, values: Any, **more: Any) -> httpx.Response:
    return http.post(f"/graphs/{graph}/state", json={"thread_id": thread_id, "values": values, **more})


def history(http: httpx.Client, graph: str, thread_id: str, **params: Any) -> Any:
    return ok(http.get(f"/graphs/{graph}/history", params={"thread_id": thread_id, **params}))["history"]


def runs(http: httpx.Client, graph: str, **params: Any) -> Any:
    return ok(http.get(f"/graphs/{graph}/runs", params=params))


@pytest.fixture
def thread(http: httpx.Client) -> str:
    """A thread of `echo` with one run."""
    return ok(invoke(http, "echo", {"text": "a"}, thread_id=new_thread()))["thread_id"]


def test_a_thread_keeps_what_its_runs_wrote(http: httpx.Client, thread: str) -> None:
    ok(invoke(http, "echo", {"items": ["mine"]}, thread_id=thread))
    found = state(http, "echo", thread)
    assert found["values"] == {"text": "a!!", "items": ["first", "second", "mine", "first", "second"]}
    assert found["next"] == []


def test_history_is_newest_first_and_read_in_pages(http: httpx.Client, thread: str) -> None:
    whole = history(http, "echo", thread)
    assert [past["metadata"]["step"] for past in whole] == [2, 1, 0, -1]
    assert [past["next"] for past in whole] == [[], ["second"], ["first"], ["__start__"]]
    assert whole[0] == state(http, "echo", thread)
    for newer, older in pairwise(whole):
        assert newer["parent_checkpoint"] == older["checkpoint"]
    first = history(http, "echo", thread, limit=3)
    rest = history(http, "echo", thread, before=first[-1]["checkpoint"]["checkpoint_id"])
    assert first + rest == whole
    assert history(http, "echo", thread, before="0") == []


def test_history_has_ten_entries_unless_asked(http: httpx.Client, thread: str) -> None:
    for _ in range(2):
        ok(invoke(http, "echo", {}, thread_id=thread))
    assert len(history(http, "echo", thread)) == 10
    assert len(history(http, "echo", thread, limit=100)) == 12


def test_a_state_is_written_as_a_node_would(http: httpx.Client, thread: str) -> None:
    told = ok(update(http, "echo", thread, {"items": ["more"], "n": 5}, as_node="first"))
    assert told["values"] == {"text": "a!", "n": 5, "items": ["first", "second", "more"]}
    assert told["next"] == ["second"]
    assert told["metadata"]["source"] == "update"
    assert told == state(http, "echo", thread)
    went_on = ok(invoke(http, "echo", None, thread_id=thread))
    assert went_on["result"]["items"] == ["first", "second", "more", "second"]


def test_without_a_node_it_is_the_last_one(http: httpx.Client, thread: str) -> None:
    assert ok(update(http, "echo", thread, {"n": 1}))["next"] == []
    assert ok(update(http, "echo", thread, None))["values"]["n"] == 1


@pytest.mark.parametrize("as_node", ["third", "", "__input__", "__copy__", "First"])
def test_an_unknown_node_is_refused(
    http: httpx.Client, surface_database: str, thread: str, as_node: str
) -> None:
    before = counts(surface_database)
    problem(update(http, "echo", thread, {}, as_node=as_node), 422, "invalid_input")
    assert counts(surface_database) == before


@pytest.mark.parametrize("key", ["other", "__start__", "branch:to:second", "__pregel_tasks"])
def test_an_unknown_key_is_refused(http: httpx.Client, surface_database: str, thread: str, key: str) -> None:
    before = counts(surface_database)
    told = problem(update(http, "echo", thread, {key: 1}), 422, "invalid_input")
    assert told["errors"][0]["field"] == f"values.{key}"
    assert counts(surface_database) == before


def test_an_ambiguous_update_is_refused_without_a_trace(http: httpx.Client, surface_database: str) -> None:
    thread_id = ok(invoke(http, "parallel", {}, thread_id=new_thread()))["thread_id"]
    waiting = {one["id"]: 1 for one in state(http, "parallel", thread_id)["interrupts"]}
    ok(resume(http, "parallel", thread_id, interrupts=waiting))
    before = counts(surface_database)
    problem(update(http, "parallel", thread_id, {"text": "x"}), 422, "invalid_input")
    assert counts(surface_database) == before


def test_a_value_that_a_reducer_cannot_take_is_refused_and_changes_nothing(
    http: httpx.Client, thread: str
) -> None:
    before = state(http, "echo", thread), runs(http, "echo")["total"]
    problem(update(http, "echo", thread, {"items": 7}), 422, "invalid_input")
    assert (state(http, "echo", thread), runs(http, "echo")["total"]) == before
    ok(update(http, "echo", thread, {"items": ["taken"]}))


def test_an_update_of_a_waiting_thread_asks_again(http: httpx.Client) -> None:
    thread_id = ok(invoke(http, "ask", {"text": "old?"}, thread_id=new_thread()))["thread_id"]
    told = ok(update(http, "ask", thread_id, {"text": "new?"}))
    assert told["next"] == ["node"]
    problem(resume(http, "ask", thread_id, resume_data=1), 409, "nothing_to_resume")
    asked = ok(invoke(http, "ask", None, thread_id=thread_id))
    assert asked["interrupts"][0]["value"] == {"question": "new?"}
    assert ok(resume(http, "ask", thread_id, resume_data="yes"))["result"]["answers"] == ["yes"]


def test_an_update_as_the_waiting_node_answers_for_it(http: httpx.Client) -> None:
    thread_id = ok(invoke(http, "ask", {}, thread_id=new_thread()))["thread_id"]
    told = ok(update(http, "ask", thread_id, {"answers": ["by hand"]}, as_node="node"))
    assert (told["values"]["answers"], told["next"], told["interrupts"]) == (["by hand"], [], [])


def test_an_update_of_a_busy_or_unknown_thread_is_refused(http: httpx.Client, thread: str) -> None:
    nobody = new_thread()
    problem(update(http, "echo", nobody, {}), 404, "unknown_thread")
    problem(http.get("/graphs/echo/state", params={"thread_id": nobody}), 404, "unknown_thread")
    problem(http.get("/graphs/echo/history", params={"thread_id": nobody}), 404, "unknown_thread")
    body = {"input": {"seconds": 30}, "thread_id": nobody}
    location = http.post("/graphs/slow/invoke", json=body, headers=ASYNC).headers["location"]
    problem(update(http, "slow", nobody, {"said": "x"}), 409, "thread_busy")
    ok(http.post(f"{location}/cancel"))


def test_a_thread_belongs_to_one_graph(http: httpx.Client, thread: str) -> None:
    problem(invoke(http, "stepped", {}, thread_id=thread), 409, "thread_of_another_graph")
    for method, path in (("GET", "state"), ("GET", "history")):
        answer = http.request(method, f"/graphs/stepped/{path}", params={"thread_id": thread})
        problem(answer, 404, "unknown_thread")
    problem(update(http, "stepped", thread, {}), 404, "unknown_thread")
    problem(resume(http, "stepped", thread, resume_data=1), 404, "unknown_thread")
    assert runs(http, "stepped", thread_id=thread) == {"runs": [], "total": 0}
    run = runs(http, "echo", thread_id=thread)["runs"][0]
    problem(http.get(f"/graphs/stepped/runs/{run['run_id']}"), 404, "unknown_run")


def test_runs_are_listed_newest_first_in_pages_and_by_status(http: httpx.Client, thread: str) -> None:
    for number in range(4):
        ok(invoke(http, "echo", {"n": number}, thread_id=thread))
    whole = runs(http, "echo", thread_id=thread)
    assert whole["total"] == 5
    assert [run["result"].get("n") for run in whole["runs"]] == [3, 2, 1, 0, None]
    pages = [runs(http, "echo", thread_id=thread, limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [run for page in pages for run in page["runs"]] == whole["runs"]
    assert {page["total"] for page in pages} == {5}
    assert runs(http, "echo", thread_id=thread, status="success") == whole
    assert runs(http, "echo", thread_id=thread, status="error") == {"runs": [], "total": 0}
    assert runs(http, "echo", thread_id=new_thread()) == {"runs": [], "total": 0}


def test_threads_are_listed_newest_first_in_pages_by_graph_and_status(http: httpx.Client) -> None:
    made = [ok(invoke(http, "sequence", {}, thread_id=new_thread()))["thread_id"] for _ in range(3)]

    def listed(**params: Any) -> Any:
        return ok(http.get("/threads", params={"graph": "sequence", **params}))

    found = listed(limit=3)
    assert [thread["thread_id"] for thread in found["threads"]] == made[::-1]
    assert {thread["status"] for thread in found["threads"]} == {"interrupted"}
    assert listed(limit=1, offset=1)["threads"] == found["threads"][1:2]
    assert listed(status="idle", limit=100)["total"] + listed(status="interrupted")["total"] == found["total"]
    for thread_id in made:
        assert http.delete(f"/threads/{thread_id}").status_code == 204
    assert listed()["total"] == found["total"] - 3


def test_the_status_of_a_thread_follows_its_last_run(http: httpx.Client) -> None:
    def status(thread_id: str) -> str:
        threads = ok(http.get("/threads", params={"limit": 100}))["threads"]
        return next(thread["status"] for thread in threads if thread["thread_id"] == thread_id)

    waiting = ok(invoke(http, "ask", {}))["thread_id"]
    assert status(waiting) == "interrupted"
    ok(resume(http, "ask", waiting, resume_data=1))
    assert status(waiting) == "idle"
    failed = invoke(http, "secret", {}).json()["thread_id"]
    assert status(failed) == "error"
    body = {"input": {"seconds": 30}, "thread_id": new_thread()}
    location = http.post("/graphs/slow/invoke", json=body, headers=ASYNC).headers["location"]
    assert status(body["thread_id"]) == "busy"
    ok(http.post(f"{location}/cancel"))
    assert status(body["thread_id"]) == "idle"


@pytest.mark.parametrize("graph", ["ask", "nested", "chat", "echo", "secret"])
def test_a_deleted_thread_leaves_no_row(http: httpx.Client, surface_database: str, graph: str) -> None:
    before = counts(surface_database)
    given = {"messages": ["hi"]} if graph == "chat" else {}
    thread_id = new_thread()
    headers = {"Idempotency-Key": thread_id}
    answer = http.post(
        f"/graphs/{graph}/invoke", json={"input": given, "thread_id": thread_id}, headers=headers
    )
    run = answer.headers["location"]
    http.post(f"/graphs/{graph}/stream", json={"input": given, "thread_id": thread_id})
    assert counts(surface_database) != before
    assert http.delete(f"/threads/{thread_id}").status_code == 204
    assert counts(surface_database) == before
    problem(http.delete(f"/threads/{thread_id}"), 404, "unknown_thread")
    problem(http.get(run), 404, "unknown_run")
    problem(http.get(f"{run}/stream"), 404, "unknown_run")


def test_deletions_and_runs_at_once_leave_a_whole_thread_or_none(
    http: httpx.Client, surface_database: str
) -> None:
    thread_id = new_thread()
    before = counts(surface_database)

    def run(_: int) -> int:
        return invoke(http, "echo", {"text": "a"}, thread_id=thread_id).status_code

    def delete(_: int) -> int:
        return http.delete(f"/threads/{thread_id}").status_code

    with ThreadPoolExecutor(8) as pool:
        deleted = [pool.submit(delete, number) for number in range(40)]
        ran = [pool.submit(run, number) for number in range(40)]
        deleted += [pool.submit(delete, number) for number in range(40)]
        assert {one.result() for one in ran} <= {200, 409}
        assert {one.result() for one in deleted} <= {204, 404, 409}
    http.delete(f"/threads/{thread_id}")
    assert counts(surface_database) == before


def test_times_are_told_in_utc_whatever_the_databases_time_zone_is() -> None:
    moment = datetime(2026, 3, 1, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    told = thread_json(ThreadRecord(UUID(int=0), "t", "g", "idle", None, moment, moment, 0.0))
    assert (told["created_at"], told["updated_at"]) == ("2026-02-28T21:00:00+00:00",) * 2
