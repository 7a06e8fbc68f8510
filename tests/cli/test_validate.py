"""`lgp validate`: each thing that would fail, in one line, by the key that is to be changed."""

import json
from pathlib import Path
from typing import Any

import pytest

from lgp.main import main

GOOD = """\
\"\"\"Adds one.\"\"\"
from typing import TypedDict
from langgraph.graph import START, StateGraph
class State(TypedDict):
    n: int
graph = StateGraph(State).add_node("add", lambda state: {"n": state["n"] + 1}).add_edge(START, "add")
"""
UNKNOWN_TYPE = """\
from typing import TypedDict
from langgraph.graph import START, StateGraph
class Own:
    pass
class State(TypedDict):
    own: Own
graph = StateGraph(State).add_node("a", lambda state: {}).add_edge(START, "a")
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGP_HOME", str(tmp_path / "state"))


def write(folder: Path, files: dict[str, str], **keys: Any) -> str:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "langgraph.json").write_text(json.dumps(keys))
    return str(folder)


def test_each_wrong_graph_has_a_line_and_the_good_ones_are_described(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = {
        "good.py": GOOD,
        "raises.py": "import nowhere_to_be_found\n",
        "no.py": "graph = 1\n",
        "own.py": UNKNOWN_TYPE,
    }
    graphs = {name: f"./{name}.py:graph" for name in ("good", "raises", "no", "own", "missing")}
    project = write(tmp_path / "p", files, graphs=graphs)
    assert main(["validate", project, "--json"]) == 1
    told = json.loads(capfd.readouterr().out)
    assert told["valid"] is False
    assert [graph["name"] for graph in told["graphs"]] == ["good"]
    said = {finding["where"]: finding["message"] for finding in told["findings"]}
    assert set(said) == {"graphs.raises", "graphs.no", "graphs.own", "graphs.missing"}
    assert "No module named 'nowhere_to_be_found'" in said["graphs.raises"]
    assert "the object is a int, not a graph" in said["graphs.no"]
    assert "which a checkpoint cannot carry" in said["graphs.own"]
    assert said["graphs.missing"] == "there is no file ./missing.py"
    assert main(["validate", project, "--no-load"]) == 1
    assert capfd.readouterr().err == "error graphs.missing: there is no file ./missing.py\n"


def test_what_concerns_the_whole_file_is_the_servers_own_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    project = write(tmp_path / "p", {"good.py": GOOD}, graphs={"good": "./good.py:graph"}, stores={})
    assert main(["validate", project, "--json"]) == 1
    (finding,) = json.loads(capfd.readouterr().out)["findings"]
    assert finding["where"] == "langgraph.json"
    assert "did you mean 'store'?" in finding["message"]


def test_a_valid_project_is_exit_0_with_its_warnings_and_nothing_is_loaded_where_that_is_not_wished(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = {"bad.py": "1/0\n"}
    project = write(tmp_path / "p", files, graphs={"bad": "./bad.py:graph"}, dependencies=["."])
    assert main(["validate", project, "--no-load"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("valid ")
    assert err.startswith("warning dependencies[0]: ")


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_file_that_is_no_object_is_exit_2(
    tmp_path: Path, content: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "langgraph.json").write_text(content)
    assert main(["validate", str(tmp_path)]) == 2
    assert "langgraph.json" in capfd.readouterr().err
