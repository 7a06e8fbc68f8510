"""Loading: a graph in every form is found; whatever is wrong is one sentence that names the graph."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.pregel import Pregel

from agent_server.core.errors import ConfigurationError, UnknownGraph
from agent_server.graphs.config import GraphsFile
from agent_server.graphs.loading import import_graph, prepare_process
from agent_server.graphs.registry import Registry, load_graphs

GRAPH = '''
"""What this graph does.

More of it.
"""
from dataclasses import dataclass
from typing_extensions import TypedDict
from langgraph.graph import START, StateGraph

@dataclass
class Note:
    text: str

class State(TypedDict):
    x: int
    note: Note

builder = StateGraph(State)
builder.add_node("node", lambda state: {"x": 1, "note": Note("n")})
builder.add_edge(START, "node")
graph = builder.compile()
'''
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _untouched(tmp_path: Path) -> Iterator[None]:
    """Loading changes the process: put back its path, its environment and its modules."""
    path, environment, modules = sys.path[:], dict(os.environ), set(sys.modules)
    yield
    sys.path[:] = path
    os.environ.clear()
    os.environ.update(environment)
    for name in set(sys.modules) - modules:
        file = getattr(sys.modules[name], "__file__", None)
        if name.startswith("lgp_graph_") or (file or "").startswith(str(tmp_path)) or file is None:
            del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a langgraph.json and the files given by name; return its path."""

    def make(graphs: Any, files: dict[str, str] | None = None, **keys: Any) -> Path:
        for name, text in (files or {}).items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text))
        config = tmp_path / "langgraph.json"
        config.write_text(json.dumps({"graphs": graphs, **keys}))
        return config

    return make


def refusal(config: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_graphs(config)
    detail = caught.value.detail
    assert "\n" not in detail
    assert len(detail) <= 1000
    return detail


def one(registry: Registry) -> Any:
    (loaded,) = registry.values()
    return loaded


# Where a graph may be


@pytest.mark.parametrize(
    "path",
    [
        "./lt_plain.py:graph",
        "lt_plain.py:graph",
        "./lt_plain.py:builder",
        "lt_plain:graph",
        "./lt_sub/mod.py:graph",
        "lt_sub.mod:graph",
        "./lt-dashed.py:graph",
        "./9lt.py:graph",
        "./a folder/lt.py:graph",
        "./email/lt_in_taken_package.py:graph",
        "./lt_sub/../lt_plain.py:graph",
    ],
)
def test_a_graph_is_found_by_path_and_by_module(write: Write, path: str) -> None:
    names = [
        "lt_plain.py",
        "lt_sub/mod.py",
        "lt-dashed.py",
        "9lt.py",
        "a folder/lt.py",
        "email/lt_in_taken_package.py",
    ]
    loaded = one(load_graphs(write({"g": path}, dict.fromkeys(names, GRAPH))))
    assert isinstance(loaded.graph, Pregel)
    assert loaded.description == "What this graph does."
    assert loaded.input_schema["type"] == "object"
    assert "node" in loaded.mermaid
    note = (
        sys.modules[type(loaded.graph).__module__]
        and loaded.graph.builder.state_schema.__annotations__["note"]
    )
    assert loaded.serde.loads_typed(loaded.serde.dumps_typed(note("x"))) == note("x")


def test_a_file_outside_the_folder_is_found(write: Write, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "lt_out.py").write_text(GRAPH)
    (tmp_path / "inner").mkdir()
    config = write({"g": f"{tmp_path}/elsewhere/lt_out.py:graph"}).rename(
        tmp_path / "inner" / "langgraph.json"
    )
    assert one(load_graphs(config)).name == "g"


def test_a_module_imported_by_path_has_the_same_name_in_every_process_and_folder(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from agent_server.graphs.registry import load_graphs;"
        "g = load_graphs(Path(sys.argv[1]))['g'].graph; print(g.builder.state_schema.__module__)"
    )
    names: set[str] = set()
    for number, seed in enumerate(("1", "2")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "my-graph.py").write_text(GRAPH)
        (folder / "langgraph.json").write_text('{"graphs": {"g": "./my-graph.py:graph"}}')
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder / "langgraph.json")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        names.add(done.stdout.splitlines()[-1])
    assert len(names) == 1
    assert names.pop().startswith("lgp_graph_my_graph_")


def test_two_graphs_of_one_file_share_its_types(write: Write) -> None:
    config = write({"a": "./lt-two.py:graph", "b": "./lt-two.py:builder"}, {"lt-two.py": GRAPH})
    registry = load_graphs(config)
    assert registry["a"].graph.builder.state_schema is registry["b"].graph.builder.state_schema


# What a graph may be

FACTORIES = {
    "plain": "def make(): return builder",
    "compiled": "def make(): return graph",
    "async": "async def make(): return graph",
    "config": "def make(config): return graph if config == {'configurable': {}} else None",
    "async_config": "async def make(config): return builder if 'configurable' in config else None",
    "default": "def make(size=1): return graph if size == 1 else None",
    "variable": "def make(*args, **kwargs): return graph if not args else None",
    "lambda": "make = lambda: graph",
    "partial": "import functools\nmake = functools.partial(lambda a, config: graph, 1)",
    "object": "class Maker:\n    def __call__(self): return graph\nmake = Maker()",
    "loop": "import asyncio\nasync def make():\n    await asyncio.sleep(0)\n    return graph",
}


@pytest.mark.parametrize("form", FACTORIES)
def test_a_factory_of_every_form_is_called(write: Write, form: str) -> None:
    config = write({"g": f"./lt_{form}.py:make"}, {f"lt_{form}.py": GRAPH + FACTORIES[form]})
    assert isinstance(one(load_graphs(config)).graph, Pregel)


async def test_an_async_factory_is_called_where_a_loop_runs_already(write: Write) -> None:
    config = write({"g": "./lt_loop.py:make"}, {"lt_loop.py": GRAPH + FACTORIES["loop"]})
    assert isinstance(one(load_graphs(config)).graph, Pregel)


def test_a_typeddict_of_the_standard_library_is_described(write: Write) -> None:
    text = GRAPH.replace("from typing_extensions import", "from typing import")
    loaded = one(load_graphs(write({"g": "./lt_typing.py:graph"}, {"lt_typing.py": text})))
    assert set(loaded.input_schema["properties"]) == {"x", "note"}
    assert loaded.serde.dumps_typed(sys.modules["lt_typing"].Note("x"))


def test_a_functional_graph_is_a_graph(write: Write) -> None:
    text = """
        from langgraph.func import entrypoint

        @entrypoint()
        def graph(x: int) -> int:
            return x
    """
    assert one(load_graphs(write({"g": "./lt_functional.py:graph"}, {"lt_functional.py": text}))).name == "g"


# What is wrong with a graph


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        (GRAPH, "lt_x.py", "not of the form path:object"),
        (GRAPH, "", "not of the form path:object"),
        (GRAPH, "./lt_x.py:missing", "has no object 'missing'"),
        (GRAPH, "./lt_x.py:", "has no object ''"),
        (GRAPH, ":graph", "neither a .py file nor a module"),
        (GRAPH, "./lt_x:graph", "neither a .py file nor a module"),
        (GRAPH, "./lt_x.txt:graph", "neither a .py file nor a module"),
        (GRAPH, "..lt_x:graph", "neither a .py file nor a module"),
        (GRAPH, "./lt_nowhere.py:graph", "does not exist"),
        (GRAPH, "lt_nowhere:graph", "No module named 'lt_nowhere'"),
        (GRAPH, "../lt_nowhere.py:graph", "does not exist"),
        (GRAPH, "./lt_x.py\u0000.py:graph", "null"),
        (GRAPH, "./:graph", "neither a .py file"),
        (GRAPH, "./.py:graph", "does not exist"),
        (GRAPH, "./lt_x.py:State", "factory failed: ValueError"),
        (GRAPH, "./lt_x.py:__doc__", "is a str, not a graph"),
        (GRAPH, "./lt_x.py:Note", "not a graph"),
        ("def f(:", "./lt_x.py:f", "SyntaxError"),
        ("\u0000", "./lt_x.py:f", "failed"),
        ("import lt_nowhere_at_all", "./lt_x.py:f", "No module named 'lt_nowhere_at_all'"),
        ("1 / 0", "./lt_x.py:f", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit('bye')", "./lt_x.py:f", "SystemExit: bye"),
        ("raise RuntimeError('a\\nb\\n' * 900)", "./lt_x.py:f", "RuntimeError: a b a b"),
        ("class E(Exception):\n    def __str__(self): return 1 / 0\nraise E", "./lt_x.py:f", "failed: E"),
        ("def __getattr__(name): raise OSError('lazy')", "./lt_x.py:f", "OSError: lazy"),
        ("def f(): return None", "./lt_x.py:f", "is a NoneType, not a graph"),
        ("def f(): raise KeyError('k')", "./lt_x.py:f", "factory failed: KeyError: 'k'"),
        ("async def f(): raise KeyError('k')", "./lt_x.py:f", "factory failed: KeyError: 'k'"),
        ("def f(): raise SystemExit(3)", "./lt_x.py:f", "factory failed: SystemExit: 3"),
        ("def f(a, b): pass", "./lt_x.py:f", "factory failed: TypeError"),
        ("def f(*, config): pass", "./lt_x.py:f", "factory failed: TypeError"),
        ("f = type", "./lt_x.py:f", "factory failed: ValueError"),
        (GRAPH + "f = StateGraph(State)", "./lt_x.py:f", "cannot be compiled: ValueError"),
        (GRAPH + "\n@dataclass\nclass X:\n    y: object\nclass Odd: pass\nclass S(TypedDict):\n    odd: Odd\n"
         "b = StateGraph(S)\nb.add_node('n', print)\nb.add_edge(START, 'n')", "./lt_x.py:b", "Odd"),
    ],
)  # fmt: skip
def test_whatever_is_wrong_with_a_graph_is_one_sentence_that_names_it(
    write: Write, text: str, path: str, reason: str
) -> None:
    detail = refusal(write({"shop": path}, {"lt_x.py": text}))
    assert "graph 'shop'" in detail
    assert reason in detail


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "a\n", "-a", "x" * 65, "a\u0000"])
def test_a_name_that_would_not_fit_a_url_is_refused(write: Write, name: str) -> None:
    assert "a name has 1 to 64" in refusal(write({name: "./lt_x.py:graph"}, {"lt_x.py": GRAPH}))


def test_a_module_that_failed_once_is_not_taken_half_made(write: Write) -> None:
    config = write({"g": "./lt-torn.py:graph"}, {"lt-torn.py": "graph = 1\nraise ValueError"})
    assert "ValueError" in refusal(config)
    assert "ValueError" in refusal(config)


# The environment


def test_the_env_map_is_set_and_the_environment_wins(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LT_THERE", "outer")
    text = GRAPH + "import os\nassert (os.environ['LT_THERE'], os.environ['LT_NEW']) == ('outer', 'new')\n"
    env = {"LT_THERE": "inner", "LT_NEW": "new"}
    load_graphs(write({"g": "./lt_env.py:graph"}, {"lt_env.py": text}, env=env))


def test_the_env_file_is_set_and_the_environment_wins(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LT_THERE", "outer")
    lines = "# comment\nexport LT_NEW='a b'\nLT_THERE=inner\nLT_BARE\nLT_EMPTY=\n"
    load_graphs(write({"g": "./lt_env.py:graph"}, {"lt_env.py": GRAPH, "my.env": lines}, env="my.env"))
    assert (os.environ["LT_NEW"], os.environ["LT_THERE"], os.environ["LT_EMPTY"]) == ("a b", "outer", "")
    assert "LT_BARE" not in os.environ


def test_an_env_file_that_cannot_be_read_is_named(write: Write, tmp_path: Path) -> None:
    assert "'no.env' does not exist" in refusal(write({"g": "x:y"}, env="no.env"))
    assert "'.' does not exist" in refusal(write({"g": "x:y"}, env="."))
    (tmp_path / "b.env").write_bytes(b"A=\xff\n")
    assert "'b.env' cannot be read" in refusal(write({"g": "x:y"}, env="b.env"))


@pytest.mark.parametrize("name", ["", "A=B", "A\u0000", "\ud800"])
def test_a_variable_that_cannot_be_set_is_named_and_its_value_not_shown(write: Write, name: str) -> None:
    assert "hunter2" not in refusal(write({"g": "x:y"}, env={name: "hunter2"}))


def test_a_value_that_cannot_be_set_is_named(write: Write) -> None:
    detail = refusal(write({"g": "x:y"}, env={"LT_NUL": "hunter2\u0000"}))
    assert "'LT_NUL'" in detail
    assert "hunter2" not in detail


# The dependencies


def test_dependency_folders_join_the_import_path(write: Write, tmp_path: Path) -> None:
    files = {"lib/lt_lib.py": "VALUE = 1", "lt_dep.py": "from lt_lib import VALUE\n" + GRAPH}
    load_graphs(write({"g": "./lt_dep.py:graph"}, files, dependencies=["./lib", "."]))
    assert sys.path.count(str((tmp_path / "lib").resolve())) == 1


def test_loading_twice_adds_no_folder_twice(write: Write) -> None:
    config = write({"g": "./lt_twice.py:graph"}, {"lt_twice.py": GRAPH}, dependencies=["."])
    load_graphs(config)
    before = sys.path[:]
    load_graphs(config)
    assert sys.path == before


@pytest.mark.parametrize(
    "entry", ["langgraph", "langgraph>=1", "LangGraph[x] ~=1.0", "nothing; python_version<'3'"]
)
def test_a_requirement_that_is_met_passes(entry: str, tmp_path: Path) -> None:
    prepare_process(GraphsFile.model_validate({"graphs": {"a": "x:y"}, "dependencies": [entry]}), tmp_path)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("no-such-distribution>=1", "'no-such-distribution>=1' is not installed"),
        ("langgraph>=900", "'langgraph>=900' is not met"),
        ("./missing", "is not a folder"),
        ("./langgraph.json", "is not a folder"),
        ("/abs/folder", "neither a folder (./…) nor a requirement"),
        ("", "neither a folder"),
        ("my package", "neither a folder"),
        ("langgraph; nonsense == '1'", "neither a folder"),
    ],
)
def test_a_dependency_that_is_not_there_is_named(write: Write, entry: str, reason: str) -> None:
    assert reason in refusal(write({"g": "x:y"}, dependencies=[entry]))


@pytest.mark.parametrize("wanted", ["3.99", "4.0", "3.99.1"])
def test_a_newer_python_than_this_is_refused(write: Write, wanted: str) -> None:
    assert f"asks for Python {wanted}" in refusal(write({"g": "x:y"}, python_version=wanted))


@pytest.mark.parametrize("wanted", ["3.9", "3.11", "3.11.2"])
def test_a_python_that_is_old_enough_is_taken(wanted: str, tmp_path: Path) -> None:
    prepare_process(GraphsFile.model_validate({"graphs": {"a": "x:y"}, "python_version": wanted}), tmp_path)


# The registry


def test_the_registry_knows_its_graphs_and_names_them_for_an_unknown_one(write: Write) -> None:
    registry = load_graphs(
        write(
            {
                "b": {"path": "./lt_reg.py:graph", "description": "Told.", "durability": "exit"},
                "a": "./lt_reg.py:builder",
            },
            {"lt_reg.py": GRAPH},
        )
    )
    assert sorted(registry) == ["a", "b"]
    assert (registry["b"].description, registry["b"].durability) == ("Told.", "exit")
    assert (registry["a"].description, registry["a"].durability) == ("What this graph does.", "sync")
    with pytest.raises(UnknownGraph) as caught:
        registry.named("c")
    assert registry.get("c") is None
    assert caught.value.extra == {"known": ["a", "b"]}
    assert "c" not in registry


def test_listed_modules_reach_every_graphs_serializer(write: Write) -> None:
    text = (
        "class Kept(dict): pass\nfrom dataclasses import dataclass\n@dataclass\nclass Free:\n    x: int\n"
        + GRAPH
    )
    config = write(
        {"g": "./lt_listed.py:graph"},
        {"lt_listed.py": text},
        checkpointer={"serde": {"allowed_msgpack_modules": [["lt_listed", "Free"]]}},
    )
    loaded = one(load_graphs(config))
    free = sys.modules["lt_listed"].Free(1)
    assert loaded.serde.loads_typed(loaded.serde.dumps_typed(free)) == free


def test_a_loaded_graph_does_not_change(write: Write) -> None:
    loaded = one(load_graphs(write({"g": "./lt_frozen.py:graph"}, {"lt_frozen.py": GRAPH})))
    with pytest.raises(AttributeError):
        loaded.name = "x"


def test_a_bad_graph_among_good_ones_stops_the_start(write: Write) -> None:
    config = write(
        {"good": "./lt_good.py:graph", "bad": "./lt_bad.py:graph"}, {"lt_good.py": GRAPH, "lt_bad.py": "1/0"}
    )
    assert "graph 'bad'" in refusal(config)


def test_a_graph_is_imported_compiled_with_its_modules_first_line(write: Write) -> None:
    config = write({"g": "x:y"}, {"lt_one.py": GRAPH})
    graph, line = import_graph("g", "./lt_one.py:builder", config.parent)
    assert isinstance(graph, Pregel)
    assert line == "What this graph does."


def test_importing_the_registry_brings_no_provider_and_no_web_server_along() -> None:
    heavy = {
        "anthropic",
        "fastapi",
        "langchain",
        "langchain_openai",
        "numpy",
        "openai",
        "pandas",
        "transformers",
    }
    code = f"import sys, agent_server.graphs.registry; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
