"""What the edge refuses: each odd request is a 422 that names what is wrong, and leaves no row behind."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from app.support.surface import (
    SECRET,
    caller,
    counts,
    everything,
    invoke,
    new_thread,
    ok,
    problem,
    resume,
    serving,
    state,
    stream,
)
from langgraph.checkpoint.base import EXCLUDED_METADATA_KEYS, CheckpointMetadata
from starlette.requests import Request
from support.server import ServerProcess

from agent_server.core.errors import Invalid, RequestTimeout
from agent_server.http import bodies
from agent_server.http.problems import on_server_error
from agent_server.runs.requests import InputBody, parse

INVOKE = "/graphs/echo/invoke"
JSON = {"Content-Type": "application/json"}
BIG = 2**20
ROOMY = 16 * 2**20


@pytest.fixture
def nothing_stored(surface_database: str) -> Iterator[None]:
    """The test leaves every table as it was."""
    before = counts(surface_database)
    yield
    assert counts(surface_database) == before


def body(**more: Any) -> dict[str, Any]:
    return {"input": {}, **more}


def configured(**more: Any) -> dict[str, Any]:
    return body(config=more)


UNKNOWN_FIELDS = [
    ({}, "input"),
    (body(x=1), "x"),
    (body(config={"x": 1}), "config.x"),
    (body(config={"callbacks": []}), "config.callbacks"),
    (body(resume_data=1), "resume_data"),
    (body(checkpoint_id="1"), "checkpoint_id"),
]
WRONG_TYPES = [
    (body(thread_id=1), "thread_id"),
    (body(thread_id=""), "thread_id"),
    (body(thread_id="."), "thread_id"),
    (body(thread_id=".."), "thread_id"),
    (body(thread_id="x" * 256), "thread_id"),
    (body(config=[]), "config"),
    (body(config=None), "config"),
    (configured(recursion_limit="50"), "config.recursion_limit"),
    (configured(recursion_limit=50.0), "config.recursion_limit"),
    (configured(recursion_limit=True), "config.recursion_limit"),
    (configured(recursion_limit=0), "config.recursion_limit"),
    (configured(recursion_limit=-1), "config.recursion_limit"),
    (configured(recursion_limit=201), "config.recursion_limit"),
    (configured(recursion_limit=None), "config.recursion_limit"),
    (configured(tags="a"), "config.tags"),
    (configured(tags=[1]), "config.tags.0"),
    (configured(metadata=[]), "config.metadata"),
    (configured(context=[]), "config.context"),
    (configured(configurable=None), "config.configurable"),
    (body(subgraphs=1), "subgraphs"),
    (body(subgraphs="true"), "subgraphs"),
    (body(on_busy="interrupt"), "on_busy"),
    (body(on_busy=None), "on_busy"),
    (body(on_disconnect="Cancel"), "on_disconnect"),
    (body(stream_mode=[]), "stream_mode"),
    (body(stream_mode=None), "stream_mode"),
    (body(stream_mode="debug"), "stream_mode.0"),
    (body(stream_mode=["values", "tasks"]), "stream_mode.1"),
    (body(stream_mode=["values", 1]), "stream_mode.1"),
    (body(stream_mode={"values": 1}), "stream_mode"),
]
RESERVED = [
    *(
        (configured(metadata={key: "x"}), "config.metadata")
        for key in (
            *("run_id", "thread_id", "step", "source", "parents", "writes", "checkpoint_ns", "lc_agent_name"),
            *("counters_since_delta_snapshot", "delta_writes_versioned", "langgraph_checkpoint_ns", "__x"),
            *("revision_id", "usage_metadata", "ls_provider"),
        )
    ),
    *(
        (configured(configurable={key: "x"}), "config.configurable")
        for key in ("thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map", "__pregel_send", "__x")
    ),
]


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(("content", "field"), [*UNKNOWN_FIELDS, *WRONG_TYPES, *RESERVED])
@pytest.mark.parametrize("route", ["invoke", "stream"])
def test_a_wrong_field_is_named(http: httpx.Client, content: Any, field: str, route: str) -> None:
    told = problem(http.post(f"/graphs/configured/{route}", json=content), 422, "invalid_request")
    assert [error["field"] for error in told["errors"]] == [field]
    assert field in told["detail"]


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"resume_data": 1}, "thread_id"),
        ({"thread_id": "t"}, "resume_data"),
        ({"thread_id": "t", "resume_data": 1, "interrupts": {}}, "resume_data"),
        ({"thread_id": "t", "interrupts": []}, "interrupts"),
        ({"thread_id": "t", "interrupts": None}, "resume_data"),
        ({"thread_id": "t", "resume_data": 1, "on_busy": "enqueue"}, "on_busy"),
        ({"thread_id": "t", "resume_data": 1, "accepted": True}, "accepted"),
        ({"thread_id": None, "resume_data": 1}, "thread_id"),
    ],
)
def test_a_wrong_field_of_a_resume_is_named(http: httpx.Client, content: Any, field: str) -> None:
    told = problem(http.post("/graphs/ask/resume", json=content), 422, "invalid_request")
    assert [error["field"] for error in told["errors"]] == [field]


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"thread_id": "t"}, "values"),
        ({"values": {}}, "thread_id"),
        ({"thread_id": "t", "values": []}, "values"),
        ({"thread_id": "t", "values": {}, "as_node": 1}, "as_node"),
        ({"thread_id": "t", "values": {}, "config": {}}, "config"),
    ],
)
def test_a_wrong_field_of_a_state_is_named(http: httpx.Client, content: Any, field: str) -> None:
    told = problem(http.post("/graphs/echo/state", json=content), 422, "invalid_request")
    assert [error["field"] for error in told["errors"]] == [field]


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(
    ("graph", "content", "word"),
    [
        ("echo", {"input": {"texts": "a"}}, "texts"),
        ("echo", {"input": {"text": 1}}, "input.text"),
        ("echo", {"input": {"items": ["a", 1]}}, "input.items.1"),
        ("echo", {"input": []}, "input"),
        ("echo", {"input": "text"}, "input"),
        ("echo", {"input": False}, "input"),
        ("typed", {"input": {}}, "amount"),
        ("typed", {"input": {"amount": "1"}}, "input.amount"),
        ("typed", {"input": {"amount": -1}}, "input.amount"),
        ("typed", {"input": {"amount": 1, "more": 1}}, "more"),
        ("typed", {"input": {"amount": 1, "note": "odd"}}, "input"),
        ("echo", configured(context={"user": "u"}), "user"),
        ("echo", configured(configurable={"user": "u"}), "user"),
        ("context", configured(context={}), "user"),
        ("context", configured(context={"tone": "rude"}), "user"),
        ("context", configured(context={"user": 1}), "config.context.user"),
        ("context", configured(context={"user": "u", "x": 1}), "x"),
        ("context", configured(configurable={"x": 1}), "x"),
        ("context", configured(configurable={"user": 1}), "config.configurable.user"),
    ],
)
def test_what_does_not_fit_the_graph_is_an_invalid_input(
    http: httpx.Client, graph: str, content: Any, word: str
) -> None:
    told = problem(http.post(f"/graphs/{graph}/invoke", json=content), 422, "invalid_input")
    assert word in told["detail"]
    assert SECRET not in json.dumps(told)


MANY: dict[str, tuple[str, Any]] = {
    "tags": ("config.tags", configured(tags=["a"] * 101)),
    "wrong tags": ("config.tags", configured(tags=[1] * 100_000)),
    "stream modes": ("stream_mode", body(stream_mode=["values"] * 6)),
    "keys of metadata": ("config.metadata", configured(metadata=dict.fromkeys(map(str, range(101)), 1))),
    "keys of configurable": (
        "config.configurable",
        configured(configurable=dict.fromkeys(map(str, range(101)))),
    ),
    "unknown fields": ("", body(**dict.fromkeys(map(str, range(80_000)), 1))),
    "unknown fields of the config": ("config.", configured(**dict.fromkeys(map(str, range(80_000)), 1))),
    "an unknown field of a long name": ("x" * 100, body(**{"x" * 100_000: 1})),
}


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(("field", "content"), MANY.values(), ids=MANY.keys())
def test_too_many_of_anything_is_told_in_few_words(http: httpx.Client, field: str, content: Any) -> None:
    answer = http.post(INVOKE, json=content)
    told = problem(answer, 422, "invalid_request")
    assert all(error["field"].startswith(field) for error in told["errors"])
    assert len(told["errors"]) <= 20
    assert len(answer.content) < 10_000


@pytest.mark.usefixtures("nothing_stored")
def test_too_many_unknown_keys_of_an_input_are_told_in_few_words(http: httpx.Client) -> None:
    answer = invoke(http, "echo", dict.fromkeys(map(str, range(100_000)), 1))
    assert len(problem(answer, 422, "invalid_input")["errors"]) == 20
    assert len(answer.content) < 10_000


@pytest.fixture(scope="module")
def roomy(surface_database: str) -> Iterator[httpx.Client]:
    """A server that takes bodies of 16 MiB."""
    with serving(surface_database, MAX_BODY_BYTES=str(ROOMY)) as server, caller(server) as client:
        yield client


def test_probes_are_answered_while_a_large_body_is_read(roomy: httpx.Client) -> None:
    content = b'{"input": {"anything": [' + b'"a",' * 3_000_000 + b"}"
    with ThreadPoolExecutor() as threads:
        sent = threads.submit(roomy.post, INVOKE, content=content)
        slowest = 0.0
        while not sent.done():
            slowest = max(slowest, roomy.get("/health").elapsed.total_seconds())
    problem(sent.result(), 422, "invalid_request")
    assert slowest < 0.3  # the parser alone takes seconds


RAW = {
    "empty": b"",
    "space": b"  ",
    "a list": b"[]",
    "null": b"null",
    "a string": b'"input"',
    "not JSON": b"{'input': 1}",
    "cut short": b'{"input": {"a": 1}',
    "two documents": b'{"input": {}} {"input": {}}',
    "not UTF-8": b'{"input": {"text": "\xff"}}',
    "UTF-16": '{"input": {}}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + b'{"input": {}}',
    "a repeated key": b'{"input": {}, "input": {"n": 1}}',
    "a repeated key inside": b'{"input": {"n": 1, "n": 2}}',
    "nested deeply": b'{"input": {"anything": ' + b"[" * 10_000 + b"]" * 10_000 + b"}}",
    "nested objects": b'{"input": {"anything": ' + b'{"a":' * 199 + b"1" + b"}" * 199 + b"}}",
    "NaN": b'{"input": {"anything": NaN}}',
    "infinity": b'{"input": {"anything": -Infinity}}',
    "a number too large": b'{"input": {"anything": 1e999}}',
    "an integer too large": b'{"input": {"n": 18446744073709551616}}',
    "an integer of 5,000 digits": b'{"input": {"n": ' + b"9" * 5000 + b"}}",
    "an integer too small": b'{"input": {"n": -9223372036854775809}}',
}


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("content", RAW.values(), ids=RAW.keys())
@pytest.mark.parametrize("route", ["invoke", "stream", "resume", "state"])
def test_what_is_no_acceptable_json_is_refused(http: httpx.Client, route: str, content: bytes) -> None:
    problem(http.post(f"/graphs/echo/{route}", content=content, headers=JSON), 422, "invalid_request")


@pytest.mark.parametrize("key", sorted({*CheckpointMetadata.__annotations__, *EXCLUDED_METADATA_KEYS}))
def test_no_key_that_langgraph_knows_in_metadata_is_a_clients(key: str) -> None:
    with pytest.raises(Invalid, match=key):
        parse(InputBody, configured(metadata={key: 1}))


UNSAFE = {"NUL": "\\u0000", "lone high": "\\ud800", "lone low": "a\\uDFFFb", "wrong order": "\\udc00\\ud800"}
PLACES = [
    ("invoke", '{"input": {"text": "%s"}}'),
    ("invoke", '{"input": {"%s": 1}}'),
    ("invoke", '{"input": {"anything": [[{"a": {"%s": 1}}]]}}'),
    ("invoke", '{"input": {"anything": [1, "%s"]}}'),
    ("invoke", '{"input": {}, "thread_id": "%s"}'),
    ("invoke", '{"input": {}, "on_busy": "%s"}'),
    ("invoke", '{"input": {}, "stream_mode": "%s"}'),
    ("invoke", '{"input": {}, "config": {"tags": ["%s"]}}'),
    ("invoke", '{"input": {}, "config": {"metadata": {"a": "%s"}}}'),
    ("invoke", '{"input": {}, "config": {"metadata": {"%s": "a"}}}'),
    ("invoke", '{"input": {}, "%s": 1}'),
    ("resume", '{"thread_id": "%s", "resume_data": 1}'),
    ("resume", '{"thread_id": "t", "resume_data": "%s"}'),
    ("resume", '{"thread_id": "t", "interrupts": {"%s": 1}}'),
    ("state", '{"thread_id": "%s", "values": {}}'),
    ("state", '{"thread_id": "t", "values": {"text": "%s"}}'),
    ("state", '{"thread_id": "t", "values": {}, "as_node": "%s"}'),
]


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("text", UNSAFE.values(), ids=UNSAFE.keys())
@pytest.mark.parametrize(("route", "content"), PLACES)
def test_text_that_no_database_keeps_is_refused_everywhere(
    http: httpx.Client, route: str, content: str, text: str
) -> None:
    sent = (content % text).encode()
    told = problem(http.post(f"/graphs/echo/{route}", content=sent, headers=JSON), 422, "invalid_request")
    assert "NUL" in told["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/graphs/echo/state?thread_id=a%00b",
        "/graphs/echo/history?thread_id=%00",
        "/graphs/echo/history?thread_id=t&before=%00",
        "/graphs/echo/runs?thread_id=%00",
        "/graphs/echo/runs?status=%00",
        "/threads?graph=%00",
        "/threads?status=%00",
        "/graphs/echo/state",
        "/graphs/echo/state?thread_id=",
        "/graphs/echo/state?thread_id=.",
        "/graphs/echo/state?thread_id=" + "x" * 256,
        "/graphs/echo/history?thread_id=t&limit=0",
        "/graphs/echo/history?thread_id=t&limit=101",
        "/graphs/echo/history?thread_id=t&limit=ten",
        "/graphs/echo/runs?limit=1.5",
        "/graphs/echo/runs?limit=",
        "/graphs/echo/runs?offset=-1",
        "/graphs/echo/runs?offset=2147483648",
        "/threads?limit=101",
        "/graphs/echo/runs?limit=101",
        "/threads?limit=99999999999999999999",
        "/threads?offset=x",
    ],
)
def test_a_wrong_parameter_is_named(http: httpx.Client, path: str) -> None:
    told = problem(http.get(path), 422, "invalid_request")
    assert told["errors"][0]["field"] in path.replace("state", "state?thread_id")


@pytest.mark.parametrize("wait", ["-1", "nan", "inf", "soon"])
def test_a_wrong_wait_is_named(http: httpx.Client, wait: str) -> None:
    run = invoke(http, "echo", {}).headers["location"]
    told = problem(http.get(run, params={"wait": wait}), 422, "invalid_request")
    assert told["errors"][0]["field"] == "wait"


@pytest.mark.parametrize(
    "given", ["x", "1", "1-", "-5", "1-x", "1--1", "1-1-1", "²-1", "9" * 10 + "-1", "1 - 1"]
)
def test_a_wrong_last_event_id_is_refused(http: httpx.Client, given: str) -> None:
    run = invoke(http, "echo", {}).headers["location"]
    answer = http.get(f"{run}/stream", headers={"Last-Event-ID": given.encode()})
    told = problem(answer, 422, "invalid_request")
    assert told["errors"][0]["field"] == "Last-Event-ID"


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_a_wrong_idempotency_key_is_refused(http: httpx.Client, key: str) -> None:
    answer = http.post(INVOKE, json=body(), headers={"Idempotency-Key": key})
    told = problem(answer, 422, "invalid_request")
    assert told["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("key", ["k" * 255, "é ü", "a b", "%00"])
def test_any_other_idempotency_key_is_taken(http: httpx.Client, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    first = ok(http.post(INVOKE, json=body(), headers=headers))
    assert ok(http.post(INVOKE, json=body(), headers=headers)) == first


@pytest.mark.usefixtures("nothing_stored")
def test_a_body_has_one_mib_at_most(http: httpx.Client) -> None:
    head = b'{"input": {"text": "'
    whole = head + b"x" * (BIG - len(head)) + b'"}}'
    problem(http.post(INVOKE, content=whole), 413, "body_too_large")
    problem(http.post(INVOKE, content=iter([whole[:BIG], whole[BIG:]])), 413, "body_too_large")


async def test_a_body_that_does_not_arrive_ends_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    request = Request(
        {"type": "http", "method": "POST", "path": "/", "headers": [], "request_id": "r"}, receive
    )
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.1)
    with pytest.raises(RequestTimeout) as caught:
        await bodies.content_of(request, BIG)
    answer = await on_server_error(request, caught.value)
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")


def just_below(limit: int) -> bytes:
    head, tail = b'{"input": {"text": "', b'"}}'
    return head + b"x" * (limit - len(head) - len(tail)) + tail


def taken(http: httpx.Client, limit: int) -> None:
    told = ok(http.post(INVOKE, content=just_below(limit)))
    assert len(told["result"]["text"]) == limit - len('{"input": {"text": ""}}') + 1
    assert http.delete(f"/threads/{told['thread_id']}").status_code == 204


def test_a_body_just_below_is_taken(http: httpx.Client) -> None:
    taken(http, BIG)


def test_max_body_bytes_is_the_bound(roomy: httpx.Client) -> None:
    taken(roomy, ROOMY)
    problem(roomy.post(INVOKE, content=just_below(ROOMY + 1)), 413, "body_too_large")


JSON_TYPES = [
    *(
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
    ),
    *("application/problem+json", "application/vnd.a-b.c+json"),
]
OTHER_TYPES = [
    *(
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "json",
        "",
    ),
    *("application/jsonp", "application/json; charset=latin-1", "application/json, text/plain", "*/*"),
]


@pytest.mark.parametrize("given", JSON_TYPES)
def test_json_by_any_of_its_names_is_taken(http: httpx.Client, given: str) -> None:
    ok(http.post(INVOKE, content=b'{"input": {}}', headers={"Content-Type": given}))


def test_a_body_that_does_not_say_what_it_is_has_to_be_json(http: httpx.Client) -> None:
    ok(http.post(INVOKE, content=b'{"input": {}}'))
    problem(http.post(INVOKE, content=b"input={}"), 422, "invalid_request")


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("given", OTHER_TYPES)
@pytest.mark.parametrize("route", ["invoke", "stream", "resume", "state"])
def test_what_says_that_it_is_no_json_is_refused(http: httpx.Client, route: str, given: str) -> None:
    answer = http.post(f"/graphs/echo/{route}", content=b'{"input": {}}', headers={"Content-Type": given})
    problem(answer, 415, "unsupported_media_type")


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip", "identity, gzip"])
def test_a_compressed_body_is_not_unpacked(http: httpx.Client, coding: str) -> None:
    bomb = gzip.compress(b'{"input": {"text": "' + b"x" * 10_000_000 + b'"}}')
    answer = http.post(INVOKE, content=bomb, headers={**JSON, "Content-Encoding": coding})
    problem(answer, 415, "unsupported_media_type")


def test_numbers_and_text_come_back_as_they_were(http: httpx.Client) -> None:
    value = [-(2**63), 2**64 - 1, 0.1, 1e300, -0.0, 1.0, True, None, "é\u2028\U0001f600\\u0000", "", {"": {}}]
    thread_id = new_thread()
    told = ok(invoke(http, "echo", {"anything": value}, thread_id=thread_id))["result"]["anything"]
    assert [repr(item) for item in told] == [repr(item) for item in value]
    assert state(http, "echo", thread_id)["values"]["anything"] == value


@pytest.mark.parametrize("size", [0, 300_000])
@pytest.mark.parametrize("brackets", ["[]", '{"a":}'])
def test_two_hundred_levels_come_back_as_they_were(http: httpx.Client, size: int, brackets: str) -> None:
    """Also of a large body, which another parser reads."""
    opening, closing = brackets[:-1], brackets[-1]
    deep = opening * 198 + "1" + closing * 198
    thread_id = new_thread()
    content = f'{{"input": {{"anything": {deep}}}, "thread_id": "{thread_id}", "stream_mode": "values"}}'
    content += " " * size
    told = ok(http.post(INVOKE, content=content.encode(), headers=JSON))
    assert deep in json.dumps(told["result"]["anything"], separators=(",", ":"))
    states = [state(http, "echo", thread_id)]
    states += ok(http.get("/graphs/echo/history", params={"thread_id": thread_id}))["history"][:1]
    events = http.get(f"/graphs/echo/runs/{told['run_id']}/stream").text
    for found in (*(json.dumps(each["values"], separators=(",", ":")) for each in states), events):
        assert deep in found


ODD_IDS = [
    "x" * 255,
    "a/b",
    "/",
    "//a",
    "a?b#c",
    "a b",
    "%2F",
    "ü" * 255,
    "\U0001f600",
    "a\nb",
    "...",
    "'; --",
]


@pytest.mark.parametrize("odd", ODD_IDS)
def test_any_other_text_is_a_thread_id(http: httpx.Client, surface_database: str, odd: str) -> None:
    before = counts(surface_database)
    told = ok(invoke(http, "ask", {}, thread_id=odd))
    assert told["thread_id"] == odd
    assert state(http, "ask", odd)["checkpoint"]["thread_id"] == odd
    ok(resume(http, "ask", odd, resume_data=1))
    path = httpx.URL(http.base_url).copy_with(raw_path=b"/threads/" + percent(odd))
    assert http.delete(path).status_code == 204
    assert counts(surface_database) == before


@pytest.mark.parametrize("path", [b"/threads/", b"/threads/%2E", b"/threads/%2e%2e", b"/threads/a%00b"])
def test_what_is_no_thread_id_is_not_deleted(http: httpx.Client, path: bytes) -> None:
    problem(http.delete(httpx.URL(http.base_url).copy_with(raw_path=path)), 422, "invalid_request")


@pytest.mark.parametrize(
    "name", [b"nothing", b"Echo", b"echo%00", b"%F0%9F%98%80", b"%FF", b"%22", b"__proto__", b"x" * 3000]
)
def test_an_unknown_graph_lists_the_known_ones(http: httpx.Client, name: bytes) -> None:
    known = [graph["name"] for graph in ok(http.get("/graphs"))["graphs"]]
    run = f"/runs/{uuid4()}".encode()
    of_a_run = [("GET", run), ("GET", run + b"/stream"), ("POST", run + b"/cancel")]
    for method, rest in [("POST", b"/invoke"), ("GET", b"/runs"), ("GET", b"/runs/1/stream"), *of_a_run]:
        path = httpx.URL(http.base_url).copy_with(raw_path=b"/graphs/" + name + rest)
        told = problem(
            http.request(method, path, json=body() if method == "POST" else None), 404, "unknown_graph"
        )
        assert told["known"] == sorted(known)


@pytest.mark.parametrize("given", [1, "a", [1, {"b": None}], True, {"a": 1}, False, 0, "", []])
def test_a_graph_of_any_json_takes_any_json(http: httpx.Client, given: Any) -> None:
    assert ok(invoke(http, "anything", given))["result"] == {"given": given}


def test_the_secret_of_a_failed_node_stays_in_the_server(
    http: httpx.Client, surface_server: ServerProcess, surface_database: str
) -> None:
    thread_id = new_thread()
    told = [problem(invoke(http, "secret", {}, thread_id=thread_id), 500, "run_failed")]
    told += [stream(http, "secret", {}, thread_id=thread_id, stream_mode=["values", "updates", "events"])]
    told += [state(http, "secret", thread_id)]
    told += [http.get("/graphs/secret/history", params={"thread_id": thread_id}).json()]
    told += [http.get("/graphs/secret/runs").json()]
    assert SECRET not in json.dumps(told)
    assert SECRET not in everything(surface_database)
    assert "RuntimeError" in surface_server.log()


def test_a_client_that_leaves_within_its_body_is_no_failure(
    http: httpx.Client, surface_server: ServerProcess
) -> None:
    """It has nobody to be answered, and is no error of the server's."""
    mark = f"id-{uuid4()}"

    def half() -> Iterator[bytes]:
        yield b'{"input": '
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        http.post(INVOKE, content=half(), headers={"X-Request-Id": mark})
    while mark not in surface_server.log():
        assert ok(http.get("/health"))
    told = [line for line in surface_server.log().splitlines() if mark in line]
    assert [json.loads(line)["level"] for line in told] == ["info"]


def percent(text: str) -> bytes:
    return "".join(f"%{byte:02X}" for byte in text.encode()).encode()
