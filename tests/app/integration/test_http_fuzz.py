"""Requests of every odd kind: each gets an answer of the contract, and none of them is `internal_error`."""

import json
from typing import Any

import httpx
from app.support.surface import ok
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GRAPHS = [
    "echo",
    "typed",
    "ask",
    "parallel",
    "strictly",
    "nested",
    "stepped",
    "anything",
    "context",
    "configured",
    "chat",
]
THREADS = ["fuzz-1", "fuzz-2", "fuzz/3", "ü"]
KEYS = [
    *("input", "thread_id", "config", "resume_data", "interrupts", "values", "as_node", "on_busy"),
    *("on_disconnect", "stream_mode", "subgraphs", "recursion_limit", "tags", "metadata", "context"),
    *(
        "configurable",
        "text",
        "n",
        "items",
        "amount",
        "note",
        "messages",
        "answers",
        "user",
        "role",
        "content",
    ),
    *("type", "tool_calls", "id", "additional_kwargs", "lc", "kwargs", "__interrupt__"),
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(
        [*KEYS, *THREADS, "updates", "events", "human", "ai", "first", "second", "node", "a" * 32]
    )
)
ANY = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
MODES = st.sampled_from(["values", "updates", "messages", "custom", "events"])
CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "recursion_limit": st.integers(1, 201),
        "tags": st.lists(st.text(max_size=4), max_size=2),
        "metadata": st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), ANY, max_size=2),
    },
)
INPUT = (
    st.just({})
    | st.none()
    | st.fixed_dictionaries({}, optional={"text": LEAVES, "n": LEAVES, "items": ANY, "anything": ANY})
    | st.fixed_dictionaries({"amount": LEAVES}, optional={"note": LEAVES})
    | st.fixed_dictionaries({"messages": ANY | st.lists(ANY, max_size=3)})
    | ANY
)
COMMON = {
    "config": CONFIG,
    "stream_mode": MODES | st.lists(MODES, min_size=1, max_size=3),
    "subgraphs": st.booleans(),
    "on_disconnect": st.sampled_from(["continue", "cancel"]),
}
ODD = dict.fromkeys([*COMMON, "on_busy"], ANY)
NODES = st.sampled_from(["first", "second", "node", "left", "take", "__start__", "__end__"])


def bodies(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Bodies of which two in three have the right form."""
    right = st.fixed_dictionaries(required, optional={**COMMON, **optional})
    return right | right | st.fixed_dictionaries(required, optional={**optional, **ODD})


BODIES = {
    "invoke": bodies({"input": INPUT}, {"thread_id": st.sampled_from(THREADS)}),
    "stream": bodies({"input": INPUT, "thread_id": st.sampled_from(THREADS) | LEAVES}, {}),
    "resume": bodies({"thread_id": st.sampled_from(THREADS), "resume_data": ANY}, {})
    | bodies({"thread_id": st.sampled_from(THREADS), "interrupts": ANY}, {}),
    "state": st.fixed_dictionaries(
        {"thread_id": st.sampled_from(THREADS), "values": INPUT | st.none()},
        optional={"as_node": NODES | LEAVES},
    ),
}
QUERY = st.dictionaries(
    st.sampled_from(["thread_id", "limit", "offset", "before", "graph", "status", "wait"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    | st.sampled_from([*THREADS, "1", "5", "0", "-1", "success", "idle"]),
    max_size=3,
)
HEADERS = st.dictionaries(
    st.sampled_from(["Last-Event-ID", "Idempotency-Key", "Prefer", "X-Request-Id", "Content-Type", "Range"]),
    st.text(
        st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=["Cc"]), min_size=1, max_size=8
    )
    | st.sampled_from(["1-1", "0", "respond-async", "application/json"]),
    max_size=2,
)
READS = st.sampled_from(
    ["state", "history", "runs", "runs/x", "runs/x/stream", "runs/00000000-0000-0000-0000-000000000000"]
)
BOUNDED = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def answered(answer: httpx.Response) -> None:
    """The answer is one that the contract knows."""
    assert answer.status_code in {200, 202, 204, 404, 405, 409, 415, 422, 500}, answer.text
    if answer.status_code >= 400:
        told = answer.json()
        assert {"code", "detail", "request_id"} <= set(told)
        assert told["code"] not in {"internal_error", "lease_lost", "conflict", "unavailable", "timeout"}
        assert answer.status_code != 500 or told["code"] == "run_failed"


@BOUNDED
@given(st.data())
def test_any_body_gets_an_answer_of_the_contract(http: httpx.Client, data: st.DataObject) -> None:
    route = data.draw(st.sampled_from(sorted(BODIES)))
    graph = data.draw(st.sampled_from(GRAPHS))
    body: Any = data.draw(BODIES[route])
    if isinstance(body.get("thread_id"), str):
        body["thread_id"] += graph  # so that graphs get at threads of their own
    headers = {name: value.encode("latin-1") for name, value in data.draw(HEADERS).items()}
    answered(http.post(f"/graphs/{graph}/{route}", content=json.dumps(body).encode(), headers=headers))


@BOUNDED
@given(st.binary(max_size=64) | st.text(max_size=32).map(str.encode), st.sampled_from(sorted(BODIES)))
def test_any_bytes_get_an_answer_of_the_contract(http: httpx.Client, content: bytes, route: str) -> None:
    answered(http.post(f"/graphs/echo/{route}", content=content))


@BOUNDED
@given(READS, st.sampled_from(GRAPHS), QUERY, HEADERS)
def test_any_query_gets_an_answer_of_the_contract(
    http: httpx.Client, read: str, graph: str, query: dict[str, str], headers: dict[str, str]
) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    answered(http.get(f"/graphs/{graph}/{read}", params=query, headers=encoded))
    answered(http.get("/threads", params=query, headers=encoded))


@BOUNDED
@given(
    st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD", "PATCH", "OPTIONS"]),
    st.lists(
        st.sampled_from(
            [b"graphs", b"echo", b"runs", b"threads", b"invoke", b"..", b".", b"%2F", b"%00", b"%FF", b"%0A"]
        )
        | st.binary(max_size=3).map(lambda raw: b"".join(b"%%%02X" % byte for byte in raw)),
        max_size=5,
    ),
)
def test_any_path_gets_an_answer_of_the_contract(http: httpx.Client, method: str, parts: list[bytes]) -> None:
    path = httpx.URL(http.base_url).copy_with(raw_path=b"/" + b"/".join(parts))
    answer = http.request(method, path)
    if method == "HEAD":
        assert answer.status_code < 500
    else:
        answered(answer)


def test_the_server_is_well_afterwards(http: httpx.Client) -> None:
    ok(http.get("/ready"))
