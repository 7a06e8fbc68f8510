"""What clients hand in is held against schemas, and never does a schema make the server do anything else."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent_server.core.errors import InvalidAnswer, InvalidInput
from agent_server.graphs import checks
from agent_server.graphs.checks import Shape, check_answer


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A web server that would give a schema away which admits nothing, and who asked it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"false")

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/schema", asked
        server.shutdown()


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_unusable", set())


def test_no_reference_is_fetched_from_the_network(elsewhere: tuple[str, list[str]]) -> None:
    url, asked = elsewhere
    for schema in ({"$ref": url}, {"$id": url, "$ref": "other"}, {"$schema": url}):
        check_answer("i", 1, schema)
        Shape({"properties": {"a": schema}}, required=True).check("input", {"a": 1})
    assert asked == []


def test_no_reference_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "schema").write_text("false")
    check_answer("i", 1, {"$ref": (tmp_path / "schema").as_uri()})


UNUSABLE: list[Any] = [
    {"$ref": "#"},
    {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    {"$ref": "#/$defs/nowhere"},
    {"$dynamicRef": "#nowhere"},
    {"$ref": "nowhere"},
    {"$ref": 5},
    {"$id": "http://[", "$ref": "x"},
    {"type": "no-type"},
    {"pattern": "("},
]


@pytest.mark.parametrize("schema", UNUSABLE)
def test_an_unusable_schema_holds_nothing_against_an_answer_and_is_told_once(schema: Any) -> None:
    with capture_logs() as told:
        for _ in range(3):
            check_answer("i", "text", schema)
    assert [event["log_level"] for event in told] == ["warning"]


@pytest.mark.parametrize("reference", ["#", "#/$defs/nowhere", "nowhere", "http://127.0.0.1:9/x"])
def test_nor_does_one_of_an_input(reference: str) -> None:
    shape = Shape({"type": "object", "properties": {"a": {"$ref": reference}}}, required=True)
    shape.check("input", {})
    if reference != "#":
        shape.check("input", {"a": 1})
    with pytest.raises(InvalidInput, match="no key 'b'"):
        shape.check("input", {"b": 1})


def test_references_within_a_schema_and_to_the_standards_own_are_followed() -> None:
    own = {"$ref": "#/$defs/number", "$defs": {"number": {"type": "number"}}}
    check_answer("i", 1, own)
    with pytest.raises(InvalidAnswer):
        check_answer("i", "text", own)
    with pytest.raises(InvalidAnswer):
        check_answer("i", {"type": 5}, {"$ref": "https://json-schema.org/draft/2020-12/schema"})


def test_an_input_with_a_million_errors_is_refused_as_fast_as_one_with_a_few() -> None:
    shape = Shape({"properties": {"a": {"type": "array", "items": {"type": "string"}}}}, required=True)
    started = time.monotonic()
    with pytest.raises(InvalidInput, match=r"input\.a\."):
        shape.check("input", {"a": [1] * 10**6})
    assert time.monotonic() - started < 1
