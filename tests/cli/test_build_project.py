"""`lgp build` before any engine: what is refused, what gets into the context, its Dockerfile and its hash."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lgp.building.checks import LOCK, check_project, environment_names
from lgp.building.context import APP, own_platform, project_files, served_file, stage, tag_of
from lgp.building.dockerfile import render
from lgp.building.findings import errors_among
from lgp.building.image import Wish, base_arguments, names_of, prepared, write_context
from lgp.building.locked import constraints, pins
from lgp.building.pip_settings import pip_settings
from lgp.building.project import Project, read_project
from lgp.building.recipe import PIP_OPTIONS, Recipe, read_recipe
from lgp.errors import UsageProblem
from lgp.paths import BUNDLED_CONFIG

DIGEST = f"sha256:{'a' * 64}"
GRAPH = {"graphs": {"agent": "./agent.py:graph"}}
Make = Callable[..., Project]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(files: dict[str, str] | None = None, at: str = "project", **keys: Any) -> Project:
        written = {
            "agent.py": "graph = 1\n",
            "langgraph.json": json.dumps({**GRAPH, **keys}),
            **(files or {}),
        }
        for path, text in written.items():
            file = tmp_path / at / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return read_project(tmp_path / at / "langgraph.json")

    return made


def errors(project: Project) -> dict[str, str]:
    return {finding.where: finding.message for finding in errors_among(check_project(project))}


def dockerfile(project: Project, *, check: bool = False) -> str:
    recipe, _ = read_recipe(project)
    return render((APP / "Dockerfile").read_text(), project, recipe, check=check)


def tag(project: Project, **wish: Any) -> str:
    with prepared(project, Wish(**wish)) as ready:
        return ready.tag


def test_a_plain_project_has_no_errors(make: Make) -> None:
    assert (
        errors(make({"pyproject.toml": "[project]\nname = 'a'\n"}, dependencies=[".", "httpx>=0.20"])) == {}
    )


@pytest.mark.parametrize(
    ("keys", "where", "words"),
    [
        ({"graphs": {"a": "./none.py:graph"}}, "graphs.a", "there is no file ./none.py"),
        ({"graphs": {"a": "./agent.py"}}, "graphs.a", "not of the form path:object"),
        (
            {"graphs": {"a": {"path": "../other/x.py:g"}}},
            "graphs.a",
            "outside the folders that get into the image",
        ),
        ({"dependencies": ["./none"]}, "dependencies[0]", "there is no folder ./none"),
        (
            {"dependencies": [".", "not a requirement"]},
            "dependencies[1]",
            "neither a folder (./…) nor a requirement",
        ),
        ({"dependencies": ["git+https://example.org/a"]}, "dependencies[0]", "there is no git in the build"),
        (
            {"dependencies": ["a @ git+https://example.org/a"]},
            "dependencies[0]",
            "there is no git in the build",
        ),
        ({"dependencies": [1]}, "dependencies[0]", "must be text"),
        ({"env": ".env.none"}, "env", "there is no file .env.none"),
        ({"env": {"OPENAI_API_KEY": "sk-12345678"}}, "env.OPENAI_API_KEY", "would be in the image"),
        ({"env": {"STORE": "https://me:pw@example.org"}}, "env.STORE", "would be in the image"),
        ({"python_version": "3.9"}, "python_version", "name one by digest"),
        ({"base_image": "python:3.11-slim"}, "base_image", "no reference by digest"),
        ({"base_image": f"langchain/langgraph-api@{DIGEST}"}, "base_image", "the image of another server"),
        ({"image_distro": "wolfi"}, "image_distro", "Debian bookworm"),
        ({"pip_installer": "uv"}, "pip_installer", "leave the key out"),
        ({"pip_config": {"proxy": "x"}}, "pip_config.proxy", "not an option that a build takes"),
        ({"pip_config_file": "none.conf"}, "pip_config_file", "there is no file"),
        ({"pip_config": {"pre": True}, "pip_config_file": "agent.py"}, "pip_config_file", "give one of them"),
        ({"keep_pkg_tools": ["poetry"]}, "keep_pkg_tools", "true, or a list of pip, setuptools, wheel"),
        ({"keep_pkg_tools": "yes"}, "keep_pkg_tools", "true, or a list"),
        ({"dockerfile_lines": ["USER root"]}, "dockerfile_lines", "USER is not honoured"),
        (
            {"dockerfile_lines": ["RUN a \\", "  && b", "copy x y"]},
            "dockerfile_lines",
            "COPY is not honoured",
        ),
        ({"dockerfile_lines": ["RUN <<EOF"]}, "dockerfile_lines", "here-document"),
    ],
)
def test_what_would_fail_is_told_by_its_key(make: Make, keys: dict[str, Any], where: str, words: str) -> None:
    project = make({"../other/x.py": ""}, **keys)
    assert words in errors(project)[where]
    with pytest.raises(UsageProblem, match=where.replace("[", r"\[").replace("]", r"\]")):
        tag(project)


@pytest.mark.parametrize(
    "keys",
    [
        {"env": {"MAX_TOKENS": "128000", "TOKEN_LIMIT": "12345678", "API_KEY": ""}},
        {"python_version": "3.12"},
        {"python_version": "3.14", "base_image": f"mirror.example:5000/python@{DIGEST}"},
        {"image_distro": "bookworm", "pip_installer": "auto", "keep_pkg_tools": ["pip"]},
        {"dockerfile_lines": ["# libraries", "RUN apt-get update \\", "  && apt-get install x", "ENV A=1"]},
        {"pip_config": {"extra_index_url": ["https://a.example/simple"], "trusted-host": "a.example"}},
        {
            "dependencies": [
                "httpx>=0.20 ; python_version < '3'",
                "left-pad @ https://example.org/l-1-py3-none-any.whl",
            ]
        },
    ],
)
def test_what_is_honoured_is_no_error(make: Make, keys: dict[str, Any]) -> None:
    assert errors(make(**keys)) == {}


def test_all_that_is_wrong_is_told_at_once(make: Make) -> None:
    project = make(graphs={"a": "./x.py:g", "b": "./y.py:g"}, dependencies=["./none"], env="none")
    assert list(errors(project)) == ["graphs.a", "graphs.b", "dependencies[0]", "env"]


@pytest.mark.parametrize(
    ("files", "dependencies", "where"),
    [
        ({}, ["langgraph<1"], "dependencies"),
        (
            {"pyproject.toml": "[project]\nname = 'a'\ndependencies = ['pydantic<2']\n"},
            ["."],
            "dependencies: project",
        ),
        (
            {"lib/requirements.txt": "# lower\nfastapi==0.1  # old\n-r more.txt\n"},
            ["./lib"],
            "dependencies: lib",
        ),
    ],
)
def test_a_requirement_that_the_servers_lock_forbids_is_told_with_the_servers_version(
    make: Make, files: dict[str, str], dependencies: list[str], where: str
) -> None:
    assert "cannot be met: the server's own" in errors(make(files, dependencies=dependencies))[where]


def test_a_folder_that_wants_another_python_is_told(make: Make) -> None:
    project = make(
        {"pyproject.toml": "[project]\nname = 'a'\nrequires-python = '>=3.12'\n"}, dependencies=["."]
    )
    assert "wants Python >=3.12, the image has 3.11" in errors(project)["dependencies[0]"]
    assert errors(make(dependencies=["."], python_version="3.13")) == {}


def test_a_folder_of_which_nothing_is_installed_and_a_login_in_the_file_are_warnings(make: Make) -> None:
    project = make(dependencies=["."], pip_config={"index_url": "https://u:p@a.example/simple"})
    assert [(found.level, found.where) for found in check_project(project)] == [
        ("warning", "dependencies[0]"),
        ("warning", "pip_config"),
    ]


def test_the_constraints_are_the_pins_of_the_lock_each_with_its_marker_and_no_hash() -> None:
    text = constraints(LOCK.read_text())
    assert "sha256" not in text
    assert len(text.splitlines()) == sum(
        "==" in line and line[0] not in " #" for line in LOCK.read_text().splitlines()
    )
    assert pins(LOCK.read_text(), "3.11")["langgraph"]
    two = "a==1 ; python_version < '3.12' \\\n    --hash=sha256:0\na==2 ; python_version >= '3.12' \\\n"
    assert (pins(two, "3.11"), pins(two, "3.12")) == ({"a": "1"}, {"a": "2"})


def test_pips_configuration_is_that_of_the_files_then_of_the_project_then_the_roots(
    make: Make, tmp_path: Path
) -> None:
    first, second = tmp_path / "1.conf", tmp_path / "2.conf"
    first.write_text("[global]\nindex-url = https://one.example/simple\ntimeout = 5\n[install]\npre = true\n")
    second.write_text("[global]\nindex-url = https://two.example/simple\n")
    project = make(
        pip_config={"extra_index_url": ["https://a.example/s", "https://b.example/s"], "timeout": 9}
    )
    recipe, _ = read_recipe(project)
    assert pip_settings(recipe, [first, second], ca=True).splitlines() == [
        "[global]",
        "cert = /run/secrets/ca",
        "extra-index-url = https://a.example/s",
        "    https://b.example/s",
        "index-url = https://two.example/simple",
        "timeout = 9",
        "[install]",
        "pre = true",
    ]
    first.write_text("index-url = x")
    with pytest.raises(UsageProblem, match="no configuration of pip"):
        pip_settings(Recipe(), [first], ca=False)
    assert "cert" not in PIP_OPTIONS, "a path of this machine"


def test_no_login_and_no_secret_file_gets_into_the_context(make: Make, tmp_path: Path) -> None:
    canary = "hunter2canary"
    project = make(
        {
            "my.env": f"MY_KEY={canary}\nOTHER=1\n",
            ".env": canary,
            "my-pip.conf": f"[global]\nindex-url = https://me:{canary}@a.example/simple\n",
            ".git/config": canary,
            ".netrc": canary,
        },
        env="my.env",
        pip_config_file="my-pip.conf",
    )
    with prepared(project, Wish()) as ready:
        files = [path for path in ready.context.rglob("*") if path.is_file()]
        assert not [path for path in files if canary in path.read_text(errors="replace")]
        secret = ready.secrets["pip"]
        assert canary in secret.read_text()
        assert secret.stat().st_mode & 0o077 == 0
        assert "https://a.example/simple" in (ready.context / "indexes.txt").read_text()
        assert "env" not in json.loads((ready.context / "project" / "langgraph.json").read_text())
    assert not secret.exists()
    assert environment_names(project) == ["MY_KEY", "OTHER"]


def test_the_images_file_keeps_what_a_server_reads_and_no_key_of_the_build(make: Make) -> None:
    kept = {"python_version": "3.11", "env": {"A": "1"}, "dependencies": ["."], "checkpointer": {"serde": {}}}
    build = {
        "pip_config": {"index_url": "https://u:p@a.example"},
        "dockerfile_lines": [],
        "keep_pkg_tools": True,
    }
    assert json.loads(served_file(make(**kept, **build))) == {**GRAPH, **kept}


def test_only_the_stage_of_the_project_differs_from_the_servers_dockerfile(make: Make) -> None:
    server = (APP / "Dockerfile").read_text()
    text = dockerfile(make())
    before, after = "FROM builder AS project\n", "\nFROM base AS runtime\n"
    assert text.partition(before)[0] == server.partition(before)[0]
    end = f"{after}{server.partition(after)[2]}WORKDIR /app\nENV LANGGRAPH_CONFIG=/app/langgraph.json\n"
    assert text.endswith(end)
    assert "COPY project /app" in text
    assert "pip --python /opt/project" not in text, "nothing is to be installed"


def test_what_is_installed_is_a_list_for_pip_beside_the_servers_constraints(
    make: Make, tmp_path: Path
) -> None:
    files = {
        "pyproject.toml": "[project]\nname = 'a'\n",
        "lib/requirements.txt": "x\n",
        "old/setup.py": "",
        "plain/m.py": "",
    }
    project = make(
        files, dependencies=["cowsay>=6", ".", "./lib", "./old", "./plain"], keep_pkg_tools=["wheel"]
    )
    write_context(project, Wish(), tmp_path / "out")
    assert (tmp_path / "out" / "project.txt").read_text().splitlines() == [
        *(
            "cowsay>=6",
            "wheel",
            "--editable /app",
            "--requirement /app/lib/requirements.txt",
            "--editable /app/old",
        ),
    ]
    text = (tmp_path / "out" / "Dockerfile").read_text()
    assert "--constraint /build/constraints.txt --requirement /build/project.txt" in text
    assert "--mount=type=secret,id=pip" in text.partition("FROM builder AS project")[2]
    with pytest.raises(UsageProblem, match="is not empty"):
        write_context(project, Wish(), tmp_path / "out")


def test_lines_of_ones_own_come_on_top_of_the_base_and_checking_comes_last(make: Make) -> None:
    text = dockerfile(make(dockerfile_lines=["RUN apt-get update", "ENV A=1"]), check=True)
    base = text.partition(" AS base\n")[2].partition("FROM ")[0]
    assert "RUN apt-get update\nENV A=1\n" in base
    assert text.rstrip().endswith("python -m agent_server graphs")
    assert "agent_server graphs" not in dockerfile(make())


def test_folders_beside_the_file_keep_their_place_in_the_image(make: Make, tmp_path: Path) -> None:
    project = make(
        {
            "../shared/lib.py": "",
            "../shared/pyproject.toml": "[project]\nname = 's'\n",
            "../unrelated/x.py": "",
        },
        at="home/agent",
        dependencies=["../shared"],
    )
    write_context(project, Wish(), tmp_path / "out")
    files = {
        path.relative_to(tmp_path / "out" / "project").as_posix()
        for path in (tmp_path / "out" / "project").rglob("*.*")
    }
    assert files == {"agent/agent.py", "agent/langgraph.json", "shared/lib.py", "shared/pyproject.toml"}
    assert (tmp_path / "out" / "project.txt").read_text() == "--editable /app/shared\n"
    text = (tmp_path / "out" / "Dockerfile").read_text()
    assert text.endswith("WORKDIR /app/agent\nENV LANGGRAPH_CONFIG=/app/agent/langgraph.json\n")


def test_what_dockerignore_leaves_out_is_left_out_and_told_where_a_graph_needs_it(make: Make) -> None:
    files = {
        ".dockerignore": "notes\n*.log\n",
        "notes/a.md": "",
        "b.log": "",
        "src/c.py": "",
        ".venv/x.py": "",
    }
    project = make(files)
    names = [path.relative_to(project.root).as_posix() for path in project_files(project)]
    assert names == ["agent.py", "src/c.py"]
    with pytest.raises(UsageProblem, match=r"graphs\.agent: \./agent\.py is left out"):
        tag(make({".dockerignore": "agent.py\n"}))


def test_a_link_out_of_the_project_is_refused_and_one_inside_is_kept(make: Make, tmp_path: Path) -> None:
    project = make()
    (project.folder / "inside.py").symlink_to("agent.py")
    write_context(project, Wish(), tmp_path / "out")
    assert (tmp_path / "out" / "project" / "inside.py").readlink() == Path("agent.py")
    (project.folder / "outside").symlink_to("/etc/hostname")
    with pytest.raises(UsageProblem, match="outside: is a link that leads out"):
        tag(project)


def test_the_tag_is_the_same_wherever_and_whenever_the_same_is_built(make: Make, tmp_path: Path) -> None:
    files = {"a/one.py": "1", "b/two.py": "2", "run.sh": "#!/bin/sh\n"}
    project = make(files)
    first = tag(project)
    shutil.copytree(project.folder, tmp_path / "elsewhere" / "other-name")
    moved = read_project(tmp_path / "elsewhere" / "other-name" / "langgraph.json")
    for path in moved.folder.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700 if path.is_dir() else 0o600)
    (moved.folder / "__pycache__").mkdir()
    (moved.folder / "__pycache__" / "a.pyc").write_text("x")
    (moved.folder / "empty").mkdir()
    assert tag(moved) == first
    assert len(first) == 64


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "agent.py").write_text("graph = 2\n"),
        lambda folder: (folder / "new.txt").write_text(""),
        lambda folder: (folder / "agent.py").chmod(0o755),
        lambda folder: (folder / "langgraph.json").write_text(json.dumps({**GRAPH, "env": {"A": "1"}})),
        lambda folder: (folder / "langgraph.json").write_text(
            json.dumps({**GRAPH, "dockerfile_lines": ["ENV A=1"]})
        ),
        lambda folder: (folder / "langgraph.json").write_text(
            json.dumps({**GRAPH, "pip_config": {"index_url": "https://b.example"}})
        ),
    ],
)
def test_one_change_is_another_tag(make: Make, change: Callable[[Path], object]) -> None:
    project = make()
    first = tag(project)
    change(project.folder)
    assert tag(read_project(project.file)) != first


def test_another_base_mirror_or_platform_is_another_tag_and_another_login_is_not(make: Make) -> None:
    project = make()
    wishes: list[dict[str, Any]] = [
        *({}, {"base_image": f"python@{DIGEST}"}, {"registry": "mirror.example"}),
        *({"platform": "linux/other"}, {"check": True}),
    ]
    assert len({tag(project, **wish) for wish in wishes}) == len(wishes)
    logins = [make(pip_config={"index_url": f"https://u:{word}@a.example"}) for word in ("one", "two")]
    assert tag(logins[0]) == tag(logins[1])


def test_the_bundled_image_is_that_of_the_folder_app_by_the_tag_a_stack_gives_it() -> None:
    project = read_project(BUNDLED_CONFIG)
    assert project.name == "agent-server"
    assert tag(project) == tag_of(APP, platform=own_platform(), arguments={})


def test_everybody_can_read_what_is_copied(make: Make, tmp_path: Path) -> None:
    project = make()
    (project.folder / "agent.py").chmod(0o600)
    (tmp_path / "out").mkdir()
    stage(project, Recipe(), tmp_path / "out", pip="", check=False)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "out").rglob("*.py")}
    assert modes == {0o644}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("agents", ("agents", "")),
        ("agents:v1", ("agents", "v1")),
        ("registry.example:5000/team/agents", ("registry.example:5000/team/agents", "")),
        ("registry.example:5000/team/agents:v1", ("registry.example:5000/team/agents", "v1")),
    ],
)
def test_a_port_is_no_label(name: str, parts: tuple[str, str]) -> None:
    assert names_of(name) == parts


def test_a_base_image_is_told_as_the_dockerfiles_registry_and_path() -> None:
    assert base_arguments("", "") == {}
    assert base_arguments(f"library/python@{DIGEST}", "") == {"PYTHON": f"library/python@{DIGEST}"}
    assert base_arguments(f"mirror.example/a/python@{DIGEST}", "") == {
        "REGISTRY": "mirror.example",
        "PYTHON": f"a/python@{DIGEST}",
    }
    assert base_arguments("", "mirror.example") == {"REGISTRY": "mirror.example"}


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_file_that_is_no_object_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "langgraph.json").write_text(text)
    with pytest.raises(UsageProblem, match=r"langgraph\.json"):
        read_project(tmp_path / "langgraph.json")
