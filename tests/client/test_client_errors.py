"""The error tree: every code of the contract, what is unknown, and that no secret is ever shown."""

import copy
import pickle
import traceback
from typing import Any

import httpx
import pytest
from client_world import answer
from hypothesis import given
from hypothesis import strategies as st

import langgraph_client as lgc
from langgraph_client import _errors, _problems

SECRET = "lgp_s3cr3t-s3cr3t"

CODES = [
    (401, "unauthenticated", lgc.Unauthenticated),
    (403, "forbidden_host", lgc.Forbidden),
    (403, "forbidden_origin", lgc.Forbidden),
    (404, "unknown_graph", lgc.NotFound),
    (404, "unknown_thread", lgc.NotFound),
    (404, "unknown_run", lgc.NotFound),
    (404, "not_found", lgc.NotFound),
    (405, "method_not_allowed", lgc.ApiError),
    (409, "thread_busy", lgc.ThreadBusy),
    (409, "thread_of_another_graph", lgc.ThreadOfAnotherGraph),
    (409, "nothing_to_resume", lgc.NothingToResume),
    (409, "run_cancelled", lgc.RunCancelled),
    (409, "run_finished", lgc.RunFinished),
    (413, "body_too_large", lgc.BadRequest),
    (422, "invalid_request", lgc.BadRequest),
    (422, "invalid_input", lgc.BadRequest),
    (422, "invalid_answer", lgc.BadRequest),
    (422, "several_interrupts", lgc.BadRequest),
    (422, "unknown_interrupt", lgc.BadRequest),
    (422, "idempotency_key_reused", lgc.BadRequest),
    (500, "run_failed", lgc.RunFailed),
    (500, "poison", lgc.RunFailed),
    (500, "internal_error", lgc.ApiError),
    (503, "database_unavailable", lgc.Unavailable),
    (503, "overloaded", lgc.Unavailable),
    (503, "draining", lgc.Unavailable),
    (504, "run_timeout", lgc.RunTimedOut),
    (504, "still_running", lgc.ApiError),
]
UNKNOWN = [
    (400, lgc.BadRequest),
    (409, lgc.Conflict),
    (418, lgc.ApiError),
    (429, lgc.Unavailable),
    (500, lgc.ApiError),
    (502, lgc.Unavailable),
    (504, lgc.Unavailable),
    (599, lgc.ApiError),
]


def error_of(status: int, body: Any = None, **headers: str) -> lgc.ApiError:
    with pytest.raises(lgc.ApiError) as caught:
        _problems.accepted(answer(status, body, **headers), origin="http://host:80")
    return caught.value


@pytest.mark.parametrize(("status", "code", "kind"), CODES)
def test_every_code_of_the_contract_has_its_class(status: int, code: str, kind: type[lgc.ApiError]) -> None:
    body = {"detail": "why", "code": code, "request_id": "req-1", "run_id": "run-1"}
    error = error_of(status, body)
    assert type(error) is kind
    assert (error.status, error.code, error.detail) == (status, code, "why")
    assert (error.request_id, error.run_id, error.body) == ("req-1", "run-1", body)
    assert str(error) == f"{status} {code}: why (request req-1)"


@pytest.mark.parametrize(("status", "kind"), UNKNOWN)
def test_an_unknown_code_falls_back_to_its_status(status: int, kind: type[lgc.ApiError]) -> None:
    assert type(error_of(status, {"code": "of_tomorrow", "detail": "?"})) is kind
    assert type(error_of(status)) is kind


@pytest.mark.parametrize("body", [None, [], "text", 7, {"detail": [{"loc": []}]}, {"code": None}])
def test_any_body_of_a_refusal_is_bearable(body: Any) -> None:
    error = error_of(404, body, x_request_id="req-9")
    assert (type(error), error.request_id) == (lgc.NotFound, "req-9")


def test_the_tree_is_the_one_that_is_drawn() -> None:
    drawn = _errors.__doc__ or ""
    for kind in vars(_errors).values():
        if isinstance(kind, type) and issubclass(kind, Exception):
            assert f"{kind.__name__} " in drawn or f"{kind.__name__}\n" in drawn
            assert issubclass(kind, lgc.LangGraphError)
            assert kind.__name__ in lgc.__all__


@pytest.mark.parametrize(
    "error",
    [
        lgc.ThreadBusy(lgc.Problem(status=409, code="thread_busy", detail="d", body={"a": 1})),
        lgc.TimedOut("late", "run-1"),
        lgc.ConnectionFailed("cut", unsent=True),
    ],
)
def test_errors_survive_being_copied_and_pickled(error: lgc.LangGraphError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))


@given(st.text(max_size=60))
def test_any_location_is_bearable(location: str) -> None:
    _problems.run_of_location(answer(200, location=location), origin="http://host:80")


@pytest.mark.parametrize(
    ("location", "run_id"),
    [
        ("/graphs/g/runs/r-1", "r-1"),
        ("/prefix/graphs/g%2Fh/runs/r%201/stream", "r 1"),
        ("http://host/graphs/g/runs/r-1", "r-1"),
        ("HTTP://HOST:80/graphs/g/runs/r-1", "r-1"),
        ("https://host/graphs/g/runs/r-1", None),
        ("http://host:81/graphs/g/runs/r-1", None),
        ("//host/graphs/g/runs/r-1", None),
        ("http://host@evil/graphs/g/runs/r-1", None),
        ("/graphs/g/runs/", None),
        ("", None),
    ],
)
def test_a_location_names_a_run_of_the_same_origin(location: str, run_id: str | None) -> None:
    assert _problems.run_of_location(answer(200, location=location), origin="http://host:80") == run_id


# ---------------------------------------------------------------------- secrets


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + str(error) + repr(vars(error))


FAILING = [
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("late"),
    httpx.LocalProtocolError(f"Illegal header value b'Bearer {SECRET}'"),
    httpx.RemoteProtocolError("garbage"),
    httpx.DecodingError("garbage"),
]


@pytest.mark.parametrize("failure", FAILING)
def test_no_message_holds_the_key(failure: httpx.RequestError) -> None:
    def answering(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == f"Bearer {SECRET}"
        raise failure

    retry = lgc.Retry(tries=1)
    transport = httpx.MockTransport(answering)
    with lgc.SyncLangGraphClient("http://host", SECRET, transport=transport, retry=retry) as client:
        with pytest.raises((lgc.ConnectionFailed, lgc.TimedOut)) as caught:
            client.graphs()
        assert SECRET not in repr(client)
    assert SECRET not in repr(caught.value) + str(caught.value)
    if not isinstance(failure, httpx.LocalProtocolError):  # whose own message is the cause's business
        assert SECRET not in shown(caught.value)


@pytest.mark.parametrize("client", [lgc.LangGraphClient, lgc.SyncLangGraphClient])
@pytest.mark.parametrize("key", [SECRET + "\nX: y", SECRET + " z", SECRET + "\0", SECRET + "é"])
def test_a_key_no_header_can_carry_is_refused_unshown(client: Any, key: str) -> None:
    with pytest.raises(ValueError, match="api_key holds a character") as caught:
        client("http://host", key)
    assert "s3cr3t" not in shown(caught.value)


@pytest.mark.parametrize("client", [lgc.LangGraphClient, lgc.SyncLangGraphClient])
@pytest.mark.parametrize(
    "url",
    [
        "host",
        "ftp://host",
        "http://",
        "http://me:s3cr3t@host",
        "http://host/?key=s3cr3t",
        "http://host/#s3cr3t",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_unshown(client: Any, url: str) -> None:
    with pytest.raises(ValueError, match="project_url") as caught:
        client(url)
    assert "s3cr3t" not in str(caught.value)
