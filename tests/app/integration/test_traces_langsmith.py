"""LangSmith's tracing by its own variables: names, times and tokens; what was said only if that is wanted."""

from collections.abc import Iterator

import pytest
from app.support.observed_world import observed, run
from app.support.trace_receivers import Receiver, receiver

CANARY = "canary-prompt-52be"
KEY = "lsv2_pt_canary_9c1d"


@pytest.fixture
def langsmith() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def traced(langsmith: Receiver, **more: str) -> dict[str, str]:
    return {
        "LANGCHAIN_TRACING_V2": "true",
        "LANGCHAIN_ENDPOINT": langsmith.url,
        "LANGCHAIN_API_KEY": KEY,
        "LANGCHAIN_PROJECT": "claims",
        **more,
    }


def test_runs_are_traced_without_what_was_said(migrated_database: str, langsmith: Receiver) -> None:
    with observed(migrated_database, **traced(langsmith)) as server:
        assert run(server, "talk", CANARY, "t-1").status_code == 200
        assert run(server, "fail", CANARY, "t-2").status_code == 500
        assert server.terminate() == 0
        log = server.log()
    sent = langsmith.everything
    assert langsmith.requests[0].headers["x-api-key"] == KEY
    assert all(name in sent for name in ("claims", "think", "look_up", "Parrot", "break_down"))
    assert '"total_tokens":12' in sent.replace(" ", "")
    assert CANARY not in sent
    assert KEY not in sent + log


def test_what_was_said_is_sent_when_it_is_wanted(migrated_database: str, langsmith: Receiver) -> None:
    with observed(migrated_database, **traced(langsmith, TRACE_CONTENT="true")) as server:
        assert run(server, "talk", CANARY, "t-1").status_code == 200
        assert server.terminate() == 0
    assert CANARY in langsmith.everything


def test_metadata_of_a_client_is_content(migrated_database: str, langsmith: Receiver) -> None:
    import httpx  # noqa: PLC0415

    ours = ("revision_id", "usage_metadata", "ls_provider", "lc_x", "langgraph_x", "run_id", "thread_id")
    with observed(migrated_database, **traced(langsmith)) as server:

        def status(name: str) -> int:
            body = {"input": {"prompt": "x"}, "thread_id": "t-1", "config": {"metadata": {name: CANARY}}}
            return httpx.post(f"{server.url}/graphs/talk/invoke", json=body, timeout=30).status_code

        assert {status(name) for name in ours} == {422}  # what is told of every run is not a client's to say
        names = (
            "note",
            "thread_id_of_mine",
            "run_id_of_mine",
            "checkpoint_of_mine",
            "usage_metadata_of_mine",
        )
        assert {status(name) for name in names} == {200}
        assert server.terminate() == 0
    assert "think" in langsmith.everything
    assert CANARY not in langsmith.everything


def test_a_langsmith_that_is_away_costs_no_run(migrated_database: str, langsmith: Receiver) -> None:
    away = traced(langsmith) | {"LANGCHAIN_ENDPOINT": "http://127.0.0.1:9"}
    with observed(migrated_database, **away) as server:
        assert run(server, "talk", CANARY, "t-1").status_code == 200
        assert server.terminate() == 0
        assert KEY not in server.log()
        assert CANARY not in server.log()
