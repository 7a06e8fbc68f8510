"""What a user of the package sees: two clients with one surface, addresses, imports, types."""

import ast
import asyncio
import importlib.resources
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from client_world import a_run

import langgraph_client as lgc
from langgraph_client import LangGraphClient, SyncLangGraphClient

PACKAGE = Path(lgc.__file__).parent
CALLS = {
    "cancel",
    "delete_thread",
    "get_run",
    "get_state",
    "graphs",
    "health",
    "history",
    "invoke",
    "join",
    "join_stream",
    "ready",
    "resume",
    "runs",
    "stream",
    "threads",
    "update_state",
}


def public(client: type) -> set[str]:
    return {name for name in vars(client) if not name.startswith("_")}


def test_both_clients_have_the_same_calls() -> None:
    assert public(LangGraphClient) - {"aclose"} == CALLS == public(SyncLangGraphClient) - {"close"}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_both_clients_say_the_same(name: str) -> None:
    ours, theirs = getattr(LangGraphClient, name), getattr(SyncLangGraphClient, name)
    assert inspect.signature(ours).parameters == inspect.signature(theirs).parameters
    assert "session" not in inspect.signature(ours).parameters
    assert ours.__doc__ == theirs.__doc__
    assert ours.__doc__
    assert ours.__name__ == theirs.__name__ == name
    if name not in {"stream", "join_stream"}:
        assert inspect.iscoroutinefunction(ours)
        assert inspect.signature(ours).return_annotation == inspect.signature(theirs).return_annotation


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("invoke", ["graph_name", "input_data", "thread_id", "config"]),
        ("stream", ["graph_name", "input_data", "thread_id", "config"]),
        ("get_state", ["graph_name", "thread_id"]),
        ("update_state", ["graph_name", "thread_id", "values", "as_node"]),
        ("resume", ["graph_name", "thread_id", "resume_data"]),
    ],
)
def test_the_first_arguments_are_those_of_the_listing(name: str, first: list[str]) -> None:
    assert list(inspect.signature(getattr(LangGraphClient, name)).parameters)[1 : 1 + len(first)] == first


def test_an_unknown_option_is_refused() -> None:
    with SyncLangGraphClient("http://host") as client, pytest.raises(TypeError, match="on_bussy"):
        client.invoke("g", {}, on_bussy="reject")  # type: ignore[call-arg] - wrong on purpose


def test_the_clients_share_every_line_of_the_protocol() -> None:
    for name in ("_aio.py", "_blocking.py"):
        source = (PACKAGE / name).read_text()
        assert not {"json", "status_code", "Retry-After", "Last-Event-ID", "/graphs"} & set(source.split('"'))
        assert len(source.splitlines()) < 220


def test_all_is_complete_and_sorted() -> None:
    assert sorted(lgc.__all__) == lgc.__all__
    assert all(getattr(lgc, name) for name in lgc.__all__)


def test_it_says_that_it_is_typed() -> None:
    assert importlib.resources.files("langgraph_client").joinpath("py.typed").is_file()


def test_it_needs_httpx_and_nothing_else() -> None:
    code = (
        "import sys; import httpx; before = set(sys.modules); import langgraph_client;"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(PACKAGE.parent)},
    )
    assert set(done.stdout.split()) - sys.stdlib_module_names == {"langgraph_client"}


def test_no_module_imports_anything_else_later() -> None:
    imported: set[str] = set()
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
    assert imported - sys.stdlib_module_names == {"httpx", "langgraph_client"}


# ---------------------------------------------------------------------- addresses


def asked(call: Callable[[Any], Any], url: str = "https://host", key: str | None = None) -> httpx.Request:
    """Return the one request a call makes, which must be the same for both clients."""
    seen: list[httpx.Request] = []

    def answering(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=a_run())

    transport = httpx.MockTransport(answering)
    with SyncLangGraphClient(url, key, transport=transport) as client:
        call(client)

    async def again() -> None:
        async with LangGraphClient(url, key, transport=transport) as client:
            await call(client)

    asyncio.run(again())
    first, second = seen
    assert (first.method, first.url, first.content) == (second.method, second.url, second.content)
    assert first.headers.get("authorization") == second.headers.get("authorization")
    return first


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://host", "https://host/graphs/g/runs/r"),
        ("https://host/", "https://host/graphs/g/runs/r"),
        ("http://host:8000/agents/v1/", "http://host:8000/agents/v1/graphs/g/runs/r"),
    ],
)
def test_a_project_may_live_behind_a_prefix(url: str, expected: str) -> None:
    assert str(asked(lambda client: client.get_run("g", "r"), url).url) == expected


@pytest.mark.parametrize("name", ["a/b", "a?b", "a#b", "a b", "é", "%2e", "..a", "a;b", "a\\b"])
def test_a_name_is_one_segment_of_the_path(name: str) -> None:
    url = asked(lambda client: client.get_run(name, "r")).url
    assert url.path == f"/graphs/{name}/runs/r"
    assert url.raw_path.count(b"/") == 4
    assert not url.query
    assert not url.fragment


@pytest.mark.parametrize("name", ["", ".", ".."])
@pytest.mark.parametrize("call", ["invoke", "get_run", "delete_thread"])
def test_a_name_that_would_lead_elsewhere_is_refused(name: str, call: str) -> None:
    arguments = {"invoke": (name, {}), "get_run": ("g", name), "delete_thread": (name,)}[call]
    with SyncLangGraphClient("http://host") as client, pytest.raises(ValueError, match="part of a path"):
        getattr(client, call)(*arguments)


@pytest.mark.parametrize("key", ["", "a\nb", "é"])
def test_a_key_that_no_header_can_carry_is_refused(key: str) -> None:
    with SyncLangGraphClient("http://host") as client:
        with pytest.raises(ValueError, match="Idempotency-Key must be printable"):
            client.invoke("g", {}, idempotency_key=key)
        with pytest.raises(ValueError, match="Last-Event-ID must be printable"):
            next(client.join_stream("g", "r", "1\n2"))


@pytest.mark.parametrize("data", [float("nan"), {1, 2}, "\ud800", object()])
def test_what_json_cannot_say_is_refused_before_it_is_sent(data: Any) -> None:
    with SyncLangGraphClient("http://host") as client, pytest.raises((TypeError, ValueError)):
        client.invoke("g", data)


@pytest.mark.parametrize(
    "settings", [{"timeout": 0}, {"timeout": -1}, {"silence": 0}, {"timeout": float("nan")}]
)
@pytest.mark.parametrize("client", [LangGraphClient, SyncLangGraphClient])
def test_time_outs_must_be_above_zero(client: Any, settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="more than 0 s"):
        client("http://host", **settings)


def test_defaults_are_those_of_the_listing() -> None:
    request = asked(lambda client: client.invoke("g", {}), key="lgp_x")
    assert request.headers["authorization"] == "Bearer lgp_x"
    assert request.headers["user-agent"].startswith("lgp-client/")
    assert 299 < request.extensions["timeout"]["read"] <= 300
    assert request.extensions["timeout"]["connect"] == 10


def test_a_client_may_be_left_and_then_refuses() -> None:
    with SyncLangGraphClient("http://host") as client:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        client.graphs()
