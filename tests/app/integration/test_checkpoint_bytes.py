"""S6: bytes in the checkpoint tables never become code; a run that meets them ends, and says why."""

import json
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import ormsgpack
import psycopg
import pytest
from app.support.surface import invoke, new_thread, ok, problem
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from agent_server.core.metrics import CHECKPOINTS_REFUSED
from agent_server.graphs.strict import StrictSerializer, Unreadable

SINGLE, POSITIONAL, KEYWORDS, METHOD, PYDANTIC_1, PYDANTIC_2, _, DELTA = range(8)
"""LangGraph's extension types of msgpack."""


class _Reduced:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (self.command,)


def ext(code: int, *parts: Any) -> ormsgpack.Ext:
    return ormsgpack.Ext(code, ormsgpack.packb(list(parts), default=lambda value: value))


def packed(value: Any) -> tuple[str, bytes]:
    return "msgpack", ormsgpack.packb(value, default=lambda inner: inner)


def payloads(canary: Path) -> dict[str, tuple[str, bytes]]:
    """Encodings that make the file when they are believed; the first is that of the advisory."""
    touch = f"touch {canary}"
    module = os.system.__module__
    lc = {"lc": 2, "type": "constructor", "id": [module, "system"], "args": [touch]}
    return {
        "single": packed(ext(SINGLE, "os", "system", touch)),
        "single, by its own module": packed(ext(SINGLE, module, "system", touch)),
        "positional": packed(ext(POSITIONAL, "subprocess", "call", [["touch", str(canary)]])),
        "keywords": packed(ext(KEYWORDS, "subprocess", "call", {"args": ["touch", str(canary)]})),
        "method": packed(ext(METHOD, "builtins", "__loader__", str(canary), "load_module")),
        "method of a type that is admitted": packed(ext(METHOD, "pathlib", "Path", str(canary), "touch")),
        "pydantic 1": packed(ext(PYDANTIC_1, "subprocess", "call", {"args": ["touch", str(canary)]}, "")),
        "pydantic 2": packed(ext(PYDANTIC_2, "subprocess", "call", {"args": ["touch", str(canary)]}, "")),
        "deep inside": packed([{"a": [ext(SINGLE, "os", "system", touch)]}]),
        "in a snapshot": packed(ormsgpack.Ext(DELTA, packed(ext(SINGLE, "os", "system", touch))[1])),
        "in what is admitted": packed(
            ext(SINGLE, "builtins", "set", [ormsgpack.Ext(SINGLE, packed(["os", "system", touch])[1])])
        ),
        "pickle": ("pickle", pickle.dumps(_Reduced(touch))),
        "json": ("json", json.dumps(lc).encode()),
        "json of LangChain": ("json", json.dumps({**lc, "lc": 1, "kwargs": {}}).encode()),
        "damaged": ("msgpack", b"\xc1\xff\x00"),
        "none at all": ("no such encoding", b"x"),
    }


NAMES = list(payloads(Path("canary")))


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "canary"
    assert not (tmp_path / "canary").exists(), "code was executed"


def test_the_payloads_are_live(tmp_path: Path) -> None:
    """A serializer that believes them makes the file: else none of what follows would prove a thing."""
    made: list[str] = []
    for name in ("single", "positional", "keywords", "deep inside", "in a snapshot", "pickle"):
        canary = tmp_path / name.replace(" ", "-")
        trusting = JsonPlusSerializer(pickle_fallback=True, allowed_msgpack_modules=True)
        trusting.loads_typed(payloads(canary)[name])
        made += [name] if canary.exists() else []
    assert made == ["single", "positional", "keywords", "deep inside", "in a snapshot", "pickle"]


@pytest.mark.parametrize("name", NAMES)
def test_the_serializer_refuses_counts_and_executes_nothing(name: str, canary: Path) -> None:
    before = CHECKPOINTS_REFUSED._value.get()
    with pytest.raises(Unreadable):
        StrictSerializer().loads_typed(payloads(canary)[name])
    assert CHECKPOINTS_REFUSED._value.get() == before + 1


class Thread:
    """A thread of the graph `stepped` that has rows in all three tables, and what happens to them."""

    def __init__(self, http: httpx.Client, url: str) -> None:
        self.http, self.url, self.id = http, url, new_thread()
        ok(invoke(http, "stepped", {"text": "a"}, thread_id=self.id))
        self.key = self.rows("select thread_key::text from agent.threads where thread_id = %s", self.id)[0][0]

    def rows(self, statement: str, *params: Any) -> list[Any]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement, params)  # pyright: ignore[reportArgumentType]  # the test's own
            return cursor.fetchall() if cursor.description else []

    def poison_blobs(self, payload: tuple[str, bytes]) -> Callable[[], object]:
        where = "where thread_id = %s and channel = 'items'"
        ((kind, blob),) = self.rows(
            f"select type, blob from checkpoint_blobs {where} order by version desc limit 1", self.key
        )
        poison = f"update checkpoint_blobs set type = %s, blob = %s {where}"
        self.rows(poison, *payload, self.key)
        return lambda: self.rows(poison, kind, blob, self.key)

    def poison_writes(self, payload: tuple[str, bytes]) -> Callable[[], object]:
        self.rows(
            "insert into checkpoint_writes (thread_id, checkpoint_id, task_id, idx, channel, type, blob)"
            " select thread_id, checkpoint_id, '00000000-0000-0000-0000-000000000000', 0, 'items', %s, %s"
            " from checkpoints where thread_id = %s",
            *payload,
            self.key,
        )
        remove = "delete from checkpoint_writes where thread_id = %s and task_id like '0000%%'"
        return lambda: self.rows(remove, self.key)

    def poison_metadata(self, envelope: dict[str, Any]) -> Callable[[], object]:
        added = json.dumps({"evil": envelope})
        self.rows(
            "update checkpoints set metadata = metadata || %s::jsonb,"
            " checkpoint = jsonb_set(checkpoint, '{channel_values,text}', %s::jsonb) where thread_id = %s",
            added,
            json.dumps(envelope),
            self.key,
        )
        repair = (
            "update checkpoints set metadata = metadata - 'evil', checkpoint ="
            " jsonb_set(checkpoint, '{channel_values,text}', '\"a\"') where thread_id = %s"
        )
        return lambda: self.rows(repair, self.key)

    def ask(self, path: str) -> httpx.Response:
        return self.http.get(f"/graphs/stepped/{path}", params={"thread_id": self.id})

    def go_on(self) -> httpx.Response:
        return invoke(self.http, "stepped", None, thread_id=self.id)


@pytest.mark.parametrize("table", ["blobs", "writes"])
@pytest.mark.parametrize("name", ["single", "method of a type that is admitted", "pickle", "json", "damaged"])
def test_over_http_it_is_refused_in_a_sentence_and_the_thread_is_usable_once_repaired(
    http: httpx.Client, surface_database: str, canary: Path, table: str, name: str
) -> None:
    thread = Thread(http, surface_database)
    repair = getattr(thread, f"poison_{table}")(payloads(canary)[name])
    for answer in (thread.ask("state"), thread.ask("history"), thread.go_on()):
        told = problem(answer, 500, "run_failed")
        assert told["detail"].startswith("A stored checkpoint of this thread is not read: "), told
        assert str(canary) not in told["detail"]
    repair()
    assert ok(thread.ask("state"))["next"] == ["second"]
    assert ok(thread.go_on())["status"] == "success"


def test_what_jsonb_holds_is_data_whatever_it_looks_like(
    http: httpx.Client, surface_database: str, canary: Path
) -> None:
    thread = Thread(http, surface_database)
    touch = f"touch {canary}"
    envelope: dict[str, Any] = {
        "lc": 2,
        "type": "constructor",
        "id": ["os", "system"],
        "args": [touch],
        "kwargs": {},
    }
    repair = thread.poison_metadata(envelope)
    told = ok(thread.ask("state"))
    assert told["metadata"]["evil"] == envelope
    assert told["values"]["text"] == envelope
    ok(thread.ask("history"))
    thread.go_on()
    repair()
    assert thread.ask("state").status_code == 200
