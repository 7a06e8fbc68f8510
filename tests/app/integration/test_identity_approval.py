"""FORBID_SELF_APPROVAL: who has brought a thread to its question is not the one who answers it."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
from app.support.identity import keyholders
from app.support.surface import caller, invoke, new_thread, ok, problem, resume, serving, state
from support.server import ServerProcess

PEPPER = "a pepper of the tests, 32 characters and more"
NAMES = ("alice", "bob", "carol")


@pytest.fixture(scope="module")
def people(module_migrated_database: str) -> dict[str, str]:
    return keyholders(module_migrated_database, PEPPER, dict.fromkeys(NAMES, "admin"))


@pytest.fixture(scope="module")
def server(module_migrated_database: str) -> Iterator[ServerProcess]:
    settings = {"AUTH": "keys", "API_KEY_PEPPER": PEPPER, "FORBID_SELF_APPROVAL": "true"}
    with serving(module_migrated_database, **settings) as started:
        yield started


def of(name: str) -> Any:
    @pytest.fixture(scope="module", name=name)
    def client(server: ServerProcess, people: dict[str, str]) -> Iterator[httpx.Client]:
        with caller(server, Authorization=f"Bearer {people[name]}") as made:
            yield made

    return client


alice, bob, carol = map(of, NAMES)


def asked(client: httpx.Client, graph: str = "ask") -> str:
    """A thread that waits for an answer to what this client has started."""
    thread_id = new_thread()
    assert ok(invoke(client, graph, {"text": "pay?"}, thread_id=thread_id))["status"] == "interrupted"
    return thread_id


def write(client: httpx.Client, thread_id: str, **more: Any) -> httpx.Response:
    body = {"thread_id": thread_id, "values": {"answers": ["yes"]}, **more}
    return client.post("/graphs/ask/state", json=body)


def audited(database_url: str, thread_id: str) -> list[tuple[Any, ...]]:
    query = "select action, subject, detail ->> 'kind' from agent.audit_log where target = %s order by entry"
    with psycopg.connect(database_url) as connection:
        return connection.execute(query, (thread_id,)).fetchall()


def test_who_started_may_not_answer_and_another_may(alice: httpx.Client, bob: httpx.Client) -> None:
    thread_id = asked(alice)
    before = state(alice, "ask", thread_id)
    for _ in range(2):
        problem(resume(alice, "ask", thread_id, resume_data="yes"), 403, "self_approval")
    assert state(alice, "ask", thread_id) == before
    assert ok(resume(bob, "ask", thread_id, resume_data="yes"))["result"]["answers"] == ["yes"]


def test_a_refused_answer_is_on_record_and_leaves_no_run(
    alice: httpx.Client, bob: httpx.Client, module_migrated_database: str
) -> None:
    thread_id = asked(alice)
    resume(alice, "ask", thread_id, resume_data="yes")
    assert len(ok(alice.get("/graphs/ask/runs", params={"thread_id": thread_id}))["runs"]) == 1
    ok(resume(bob, "ask", thread_id, resume_data="yes"))
    assert audited(module_migrated_database, thread_id) == [
        ("interrupt.refused", "key:alice", "resume"),
        ("interrupt.answer", "key:bob", None),
    ]


def test_no_wrong_answer_is_on_record_as_self_approval(
    alice: httpx.Client, module_migrated_database: str
) -> None:
    thread_id = asked(alice, "strictly")
    problem(resume(alice, "strictly", thread_id, resume_data="no object"), 422, "invalid_answer")
    assert audited(module_migrated_database, thread_id) == []


def test_who_answers_one_question_may_answer_the_next(alice: httpx.Client, bob: httpx.Client) -> None:
    thread_id = asked(alice, "sequence")
    assert ok(resume(bob, "sequence", thread_id, resume_data=1))["status"] == "interrupted"
    problem(resume(alice, "sequence", thread_id, resume_data=2), 403, "self_approval")
    assert ok(resume(bob, "sequence", thread_id, resume_data=2))["status"] == "success"


def test_asking_again_in_anothers_name_frees_nobody(
    alice: httpx.Client, bob: httpx.Client, carol: httpx.Client
) -> None:
    thread_id = asked(alice)
    assert ok(invoke(bob, "ask", None, thread_id=thread_id))["status"] == "interrupted"
    for client in (alice, bob):
        problem(resume(client, "ask", thread_id, resume_data="yes"), 403, "self_approval")
    assert ok(resume(carol, "ask", thread_id, resume_data="yes"))["status"] == "success"


def test_who_has_written_to_the_state_may_not_answer(
    alice: httpx.Client, bob: httpx.Client, carol: httpx.Client
) -> None:
    thread_id = asked(alice)
    ok(write(bob, thread_id, as_node="__start__"))
    ok(invoke(carol, "ask", None, thread_id=thread_id))
    for client in (alice, bob, carol):
        assert resume(client, "ask", thread_id, resume_data="yes").status_code == 403


def test_who_started_may_not_step_over_the_question_by_writing_to_the_state(
    alice: httpx.Client, bob: httpx.Client, module_migrated_database: str
) -> None:
    thread_id = asked(alice)
    before = state(alice, "ask", thread_id)
    problem(write(alice, thread_id, as_node="node"), 403, "self_approval")
    assert state(alice, "ask", thread_id) == before
    assert audited(module_migrated_database, thread_id) == [("interrupt.refused", "key:alice", "state")]
    assert ok(write(bob, thread_id, as_node="node"))["values"]["answers"] == ["yes"]


def test_what_was_started_before_the_thread_last_ended_does_not_count(
    alice: httpx.Client, bob: httpx.Client
) -> None:
    thread_id = asked(alice)
    ok(resume(bob, "ask", thread_id, resume_data="yes"))
    ok(invoke(bob, "ask", {"text": "again?"}, thread_id=thread_id))
    problem(resume(bob, "ask", thread_id, resume_data="yes"), 403, "self_approval")
    assert ok(resume(alice, "ask", thread_id, resume_data="yes"))["status"] == "success"


def test_a_run_that_never_began_makes_nobody_a_starter(
    alice: httpx.Client, bob: httpx.Client, module_migrated_database: str
) -> None:
    thread_id = asked(alice)
    with psycopg.connect(module_migrated_database) as connection:  # as a cancelled one of the queue is kept
        connection.execute(
            "insert into agent.runs (run_id, thread_key, tenant, graph, kind, status, payload, created_by,"
            " request_id, finished_at) select gen_random_uuid(), thread_key, tenant, graph, 'input',"
            " 'cancelled', '{}', 'key:bob', 'r', now() from agent.threads where thread_id = %s",
            (thread_id,),
        )
    ok(resume(bob, "ask", thread_id, resume_data="yes"))


def test_an_answer_that_a_dead_process_had_not_yet_judged_is_judged_by_the_next(
    alice: httpx.Client, bob: httpx.Client, module_migrated_database: str
) -> None:
    thread_id = asked(alice)
    with psycopg.connect(module_migrated_database) as connection:  # as it is left by one killed in between
        row = connection.execute(
            "insert into agent.runs (run_id, thread_key, tenant, graph, kind, status, payload, created_by,"
            " request_id, attempt, started_at, lease_expires_at) select gen_random_uuid(), thread_key,"
            " tenant, graph, 'resume', 'running', %s, 'key:alice', 'r', 1, now(), now() from agent.threads"
            " where thread_id = %s returning run_id",
            (json.dumps({"thread_id": thread_id, "resume_data": "yes"}), thread_id),
        ).fetchone()
    assert row is not None
    run = ok(alice.get(f"/graphs/ask/runs/{row[0]}", params={"wait": 30}))
    assert (run["status"], run["error"]["code"]) == ("error", "self_approval")
    assert ok(resume(bob, "ask", thread_id, resume_data="yes"))["status"] == "success"
    done = [entry for entry in audited(module_migrated_database, thread_id) if entry[0] == "interrupt.answer"]
    assert done == [("interrupt.answer", "key:bob", None)]


def test_another_key_of_the_same_name_is_the_same_subject(
    alice: httpx.Client, server: ServerProcess, module_migrated_database: str
) -> None:
    thread_id = asked(alice)
    again = keyholders(module_migrated_database, PEPPER, {"alice": "admin"})["alice"]
    with caller(server, Authorization=f"Bearer {again}") as client:
        problem(resume(client, "ask", thread_id, resume_data="yes"), 403, "self_approval")


def test_when_nobody_knows_any_more_who_started_nobody_answers(
    alice: httpx.Client, bob: httpx.Client, module_migrated_database: str
) -> None:
    thread_id = asked(alice)
    with psycopg.connect(module_migrated_database) as connection:
        connection.execute(
            "delete from agent.runs where thread_key = (select thread_key from agent.threads"
            " where thread_id = %s)",
            (thread_id,),
        )
    problem(resume(bob, "ask", thread_id, resume_data="yes"), 403, "self_approval")


def test_several_answers_at_once_are_refused_to_who_started_and_one_of_another_counts(
    alice: httpx.Client, bob: httpx.Client, module_migrated_database: str
) -> None:
    thread_id = asked(alice)
    with ThreadPoolExecutor(8) as pool:
        turns = [alice, bob] * 8
        answers = list(pool.map(lambda who: (who, resume(who, "ask", thread_id, resume_data=1)), turns))
    assert {answer.status_code for who, answer in answers if who is alice} <= {403, 409}
    assert [answer.status_code for who, answer in answers if who is bob].count(200) <= 1
    if not any(answer.status_code == 200 for _, answer in answers):
        ok(resume(bob, "ask", thread_id, resume_data=1))
    done = [entry for entry in audited(module_migrated_database, thread_id) if entry[0] == "interrupt.answer"]
    assert done == [("interrupt.answer", "key:bob", None)]
