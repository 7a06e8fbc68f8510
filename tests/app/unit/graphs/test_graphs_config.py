"""langgraph.json: every key honoured or refused by name, in one sentence, whatever the file holds."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_server.core.errors import ConfigurationError
from agent_server.graphs import config
from agent_server.graphs.config import REFUSED, GraphsFile, read_graphs_file

GRAPHS = {"graphs": {"a": "./a.py:graph"}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "langgraph.json"


def put(file: Path, content: Any) -> Path:
    file.write_text(json.dumps(content))
    return file


def refusal(file: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_graphs_file(file)
    assert "\n" not in caught.value.detail
    assert str(file) in caught.value.detail
    return caught.value.detail


def test_a_graph_is_a_path_or_says_more(file: Path) -> None:
    more = {"path": "pkg.mod:make", "description": "d", "durability": "exit"}
    read = read_graphs_file(put(file, {"graphs": {"a": "./a.py:graph", "b": more}}))
    assert (read.graphs["a"].path, read.graphs["a"].durability) == ("./a.py:graph", "sync")
    assert read.graphs["b"].model_dump() == more


def test_every_key_of_the_platforms_file_is_honoured(file: Path) -> None:
    read = read_graphs_file(
        put(
            file,
            {
                **GRAPHS,
                "$schema": "https://example.org/schema.json",
                "dependencies": [".", "httpx>=0.20"],
                "env": {"A": "1"},
                "python_version": "3.11",
                "checkpointer": {"serde": {"allowed_msgpack_modules": [["m", "C"]]}},
                "pip_config": "x",
                "pip_config_file": "pip.conf",
                "dockerfile_lines": ["RUN true"],
                "base_image": "b",
                "image_distro": "wolfi",
                "keep_pkg_tools": True,
                "pip_installer": "uv",
            },
        )
    )
    assert read.dependencies == (".", "httpx>=0.20")
    assert read.env == {"A": "1"}
    assert read.checkpointer.serde.allowed_msgpack_modules == (("m", "C"),)


def test_the_modules_table_names_every_key_and_its_fate() -> None:
    table = config.__doc__ or ""
    for name, field in GraphsFile.model_fields.items():
        assert f"`{field.alias or name}`" in table
    assert all(f"`{name}`" in table for name in REFUSED)


@pytest.mark.parametrize("key", REFUSED)
def test_a_key_that_is_not_supported_is_refused_with_what_to_do(file: Path, key: str) -> None:
    detail = refusal(put(file, {**GRAPHS, key: {}}))
    assert f"{key!r}" in detail
    assert REFUSED[key] in detail


@pytest.mark.parametrize(
    ("content", "suggestion"),
    [
        ({**GRAPHS, "dependancies": []}, "dependencies"),
        ({**GRAPHS, "graph": {}}, "graphs"),
        ({**GRAPHS, "schema": ""}, "$schema"),
        ({**GRAPHS, "schema_": ""}, "$schema"),
        ({**GRAPHS, "webhook": {}}, "webhooks"),
        ({"graphs": {"a": {"path": "x:y", "descripton": "d"}}}, "description"),
        ({**GRAPHS, "checkpointer": {"sered": {}}}, "serde"),
        ({**GRAPHS, "checkpointer": {"serde": {"allowed_modules": []}}}, "allowed_msgpack_modules"),
    ],
)
def test_a_misspelt_key_is_named_with_the_one_that_was_meant(
    file: Path, content: dict[str, Any], suggestion: str
) -> None:
    assert f"did you mean {suggestion!r}?" in refusal(put(file, content))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({}, "graphs"),
        ({"graphs": {}}, "graphs"),
        ({"graphs": []}, "graphs"),
        ({"graphs": {"a": 1}}, "graphs.a"),
        ({"graphs": {"a": None}}, "graphs.a"),
        ({"graphs": {"a": {}}}, "graphs.a.path"),
        ({"graphs": {"a": {"path": ["x"]}}}, "graphs.a.path"),
        ({"graphs": {"a": {"path": "x:y", "durability": "fast"}}}, "graphs.a.durability"),
        ({**GRAPHS, "dependencies": "."}, "dependencies"),
        ({**GRAPHS, "dependencies": [1]}, "dependencies.0"),
        ({**GRAPHS, "env": ["A=1"]}, "env"),
        ({**GRAPHS, "env": {"A": 1}}, "A"),
        ({**GRAPHS, "env": {"A": None}}, "A"),
        ({**GRAPHS, "python_version": 3.11}, "python_version"),
        ({**GRAPHS, "python_version": "three"}, "python_version"),
        ({**GRAPHS, "python_version": ">=3.11"}, "python_version"),
        ({**GRAPHS, "python_version": "3.11\n"}, "python_version"),
        ({**GRAPHS, "python_version": "9" * 5000 + ".1"}, "python_version"),
        ({**GRAPHS, "checkpointer": {"ttl": {}}}, "checkpointer.ttl"),
        (
            {**GRAPHS, "checkpointer": {"serde": {"allowed_msgpack_modules": [["m"]]}}},
            "allowed_msgpack_modules.0",
        ),
        ({**GRAPHS, "checkpointer": {"serde": {"allowed_msgpack_modules": True}}}, "allowed_msgpack_modules"),
        ({**GRAPHS, "a\nb": 1}, "a b"),
        ([], "JSON object"),
        ("graphs", "JSON object"),
        (None, "JSON object"),
    ],
)
def test_a_wrong_value_is_named_where_it_stands(file: Path, content: Any, named: str) -> None:
    assert named in refusal(put(file, content))


def test_a_wrong_value_of_the_env_is_not_shown(file: Path) -> None:
    assert "hunter2" not in refusal(put(file, {**GRAPHS, "env": {"A": ["hunter2"]}}))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"graphs": {},}', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"graphs": ' + b"9" * 10_000 + b"}", "not JSON"),
        (b'{"graphs": {"a": "x:y", "a": "z:y"}}', "'a' is there twice"),
        (b'{"graphs": {}, "graphs": {}}', "'graphs' is there twice"),
    ],
)
def test_a_file_that_is_no_json_is_named(file: Path, content: bytes, reason: str) -> None:
    file.write_bytes(content)
    assert reason in refusal(file)


def test_a_file_that_is_not_there_or_a_folder_is_named(file: Path) -> None:
    assert "No such file" in refusal(file)
    file.mkdir()
    assert "directory" in refusal(file)


def test_a_byte_order_mark_is_no_obstacle(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"graphs": {"ä": "x:y"}}, ensure_ascii=False).encode())
    assert list(read_graphs_file(file).graphs) == ["ä"]


KEY = st.sampled_from([*GraphsFile.model_fields, *REFUSED, "$schema", "path", "serde"]) | st.text(max_size=8)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.dictionaries(KEY, ANY_JSON, max_size=4))
def test_no_content_raises_anything_but_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: Any
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_text(json.dumps(content))
    try:
        read_graphs_file(file)
    except ConfigurationError as error:
        assert "\n" not in error.detail  # noqa: PT017  # most contents raise, and some do not
