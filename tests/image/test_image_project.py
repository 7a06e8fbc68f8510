"""The image of a project of one's own, with a dependency from a private index that asks for a login."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from containers import Engines
from image_world import Lgp, Serve
from package_index import build_wheel, package_index

pytestmark = pytest.mark.timeout(1800)  # a first build downloads all packages

CANARY = "canary-of-the-index"
GRAPH = '''\
"""Greets as the company does."""

from typing import TypedDict

import companygreetings
from langgraph.graph import START, StateGraph

from greeter.words import polite


class State(TypedDict):
    name: str
    said: str


def greet(state: State) -> dict[str, str]:
    return {"said": polite(companygreetings.greet(state["name"]))}


graph = StateGraph(State).add_node("greet", greet).add_edge(START, "greet")
'''
PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "greeter"
version = "0.1"
dependencies = ["companygreetings>=1", "langgraph>=1"]
[tool.hatch.build.targets.wheel]
packages = ["src/greeter"]
"""


@dataclass
class World:
    folder: Path
    asked: list[str]
    """What the private index was asked, with its login."""

    def write(self, files: dict[str, str]) -> None:
        for path, text in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    code = "def greet(name: str) -> str:\n    return f'Welcome to the company, {name}'\n"
    wheel = build_wheel(folder / "sources", "companygreetings", code, folder / "wheels")
    with package_index(wheel, "companygreetings", "reader", CANARY) as (port, asked):
        world = World(folder / "project", asked)
        keys = {
            "graphs": {"greeter": "./src/greeter/graph.py:graph"},
            "dependencies": ["."],
            "python_version": "3.11",
            "env": "production.env",
            "pip_config_file": "private.conf",
            "dockerfile_lines": ["ENV COMPANY=yes"],
        }
        index = f"http://reader:{CANARY}@127.0.0.1:{port}/simple/"
        world.write(
            {
                "langgraph.json": json.dumps(keys),
                "private.conf": f"[global]\nextra-index-url = {index}\n",
                "production.env": f"COMPANY_TOKEN={CANARY}\n",
                "pyproject.toml": PROJECT,
                "src/greeter/__init__.py": "",
                "src/greeter/words.py": "def polite(text: str) -> str:\n    return text + '!'\n",
                "src/greeter/graph.py": GRAPH,
            }
        )
        yield world


@pytest.fixture(scope="module")
def image(lgp: Lgp, world: World) -> str:
    built = lgp.build(str(world.folder), "--tag", "greeter:latest", "--check")
    assert built["environment"] == ["COMPANY_TOKEN"]
    return str(built["image"])


def test_its_graph_runs_with_the_private_package(image: str, serve: Serve, world: World) -> None:
    assert any(path.startswith("/files/companygreetings-1.2.3") for path in world.asked)
    with serve(image) as server:
        answer = server.http.post("/graphs/greeter/invoke", json={"input": {"name": "Ada"}})
        assert answer.status_code == 200, answer.text
        assert answer.json()["result"]["said"] == "Welcome to the company, Ada!"
        assert server.http.get("/graphs").json()["graphs"][0]["name"] == "greeter"
        assert server.stop()[0] == 0


def test_no_login_is_in_any_layer_in_the_history_or_in_the_configuration(
    engines: Engines, image: str, tmp_path: Path
) -> None:
    archive = tmp_path / "image.tar"
    engines.run("podman", "save", "--format", "docker-archive", "--output", str(archive), image)
    with tarfile.open(archive) as opened:
        names = [member.name for member in opened if member.isfile()]
        assert any(name.endswith(".json") for name in names)
        for name in names:
            content = opened.extractfile(name)
            assert content is not None
            assert CANARY.encode() not in content.read(), name


def test_the_servers_packages_are_those_of_its_lock_whatever_a_project_brings(
    engines: Engines, image: str, bundled: str
) -> None:
    script = (
        "import importlib.metadata as m; "
        "found = m.distributions(path=['/opt/venv/lib/python3.11/site-packages']); "
        "print(sorted((d.metadata['Name'], d.version) for d in found))"
    )
    command = ("podman", "run", "--rm", "--network", "none")
    assert engines.run(*command, image, "python", "-c", script) == engines.run(
        *command, bundled, "python", "-c", script
    )
    own = (
        "import os; names = os.listdir('/opt/project/lib/python3.11/site-packages'); "
        "print(sorted(name for name in names if name.endswith('dist-info')))"
    )
    assert engines.run(*command, image, "python", "-c", own).strip() == (
        "['companygreetings-1.2.3.dist-info', 'greeter-0.1.dist-info']"
    )


def test_both_names_are_of_the_one_image_and_its_lines_are_in_it(engines: Engines, image: str) -> None:
    one, other = (
        engines.run("podman", "image", "inspect", "--format", "{{.Id}}", name)
        for name in (image, "greeter:latest")
    )
    assert one == other
    assert "COMPANY=yes" in engines.run("podman", "image", "inspect", "--format", "{{.Config.Env}}", image)


def test_unchanged_code_is_the_same_image_with_either_engine_and_one_byte_is_another(
    lgp: Lgp, image: str, world: World
) -> None:
    command = (str(world.folder), "--tag", "greeter", "--check")
    for engine in ("buildah", "podman"):
        again = lgp.build(*command, engine=engine)
        assert (again["image"], again["built"]) == (image, False)
    words = world.folder / "src" / "greeter" / "words.py"
    words.write_text(words.read_text().replace("'!'", "'?'"))
    changed = lgp.build(*command, engine="podman")
    assert changed["built"] is True
    assert changed["image"] != image


def test_a_graph_that_cannot_be_loaded_fails_the_build_that_checks(lgp: Lgp, world: World) -> None:
    broken = world.folder.parent / "broken"
    broken.mkdir()
    (broken / "agent.py").write_text("graph = 1\n")
    (broken / "langgraph.json").write_text(json.dumps({"graphs": {"agent": "./agent.py:graph"}}))
    with pytest.raises(AssertionError, match="the object is a int, not a graph"):
        lgp.build(str(broken), "--check")


def test_a_dependency_that_would_replace_one_of_the_servers_fails_the_build(lgp: Lgp, world: World) -> None:
    greedy = world.folder.parent / "greedy"
    greedy.mkdir()
    (greedy / "agent.py").write_text("graph = 1\n")
    (greedy / "setup.py").write_text(
        "from setuptools import setup\nsetup(name='greedy', install_requires=['pydantic<2'])\n"
    )
    (greedy / "langgraph.json").write_text(
        json.dumps({"graphs": {"agent": "./agent.py:graph"}, "dependencies": ["."]})
    )
    with pytest.raises(AssertionError, match=r"(?s)pydantic.*build failed with"):
        lgp.build(str(greedy))
