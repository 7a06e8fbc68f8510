"""`lgp build` and its engine: which one, what it is told, when it is not called, what is said of it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lgp.building.engines import Engine, Order, find_engine
from lgp.errors import BuildFailed, UsageProblem
from lgp.main import main

PROGRAM = """#!/bin/sh
printf '%s\\n' "$(basename "$0") $*" >> "$ENGINE_LOG"
case "$*" in
  *--digestfile*) echo "$PUSHED" > "$3"; exit ${ENGINE_FAILS:-0} ;;
  *"image inspect --format"*) echo "r.example/other@sha256:0"; echo "r.example:5000/a@$PUSHED"; exit 0 ;;
  *version*) exit ${ENGINE_ANSWERS:-0} ;;
  *exists*|*inspect*) exit ${ENGINE_HAS_NOT:-1} ;;
  *) echo "the engine's own words"; exit ${ENGINE_FAILS:-0} ;;
esac
"""
"""A stand-in that writes down how it is called; the real engines are those of tests/image."""

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    def installed(*names: str) -> Path:
        programs = tmp_path / "programs"
        programs.mkdir()
        for name in names:
            (programs / name).write_text(PROGRAM)
            (programs / name).chmod(0o755)
        for needed in ("sh", "basename"):
            (programs / needed).symlink_to(f"/usr/bin/{needed}")
        monkeypatch.setenv("PATH", str(programs))
        monkeypatch.setenv("ENGINE_LOG", str(tmp_path / "log"))
        return tmp_path / "log"

    return installed


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "my_Agents"
    folder.mkdir()
    (folder / "agent.py").write_text("graph = 1\n")
    (folder / "langgraph.json").write_text(json.dumps({"graphs": {"agent": "./agent.py:graph"}}))
    return folder


def test_it_builds_tags_and_says_the_image(
    install: Install, config: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = install("docker")
    assert main(["build", str(config)]) == 0
    out, err = capfd.readouterr()
    name, _, tag = out.strip().partition(":")
    assert name == "langgraph-my-agents"
    assert len(tag) == 64
    assert "the engine's own words" in err, "stdout is the image's name alone"
    _, asked, build = log.read_text().splitlines()
    assert asked == f"docker image inspect {name}:{tag}"
    assert f"build --tag {name}:{tag} --secret id=pip,src=" in build
    assert "--platform" not in build


def test_an_image_that_is_there_is_not_built_again_unless_that_is_wished(
    install: Install, config: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = install("podman")
    monkeypatch.setenv("ENGINE_HAS_NOT", "0")
    assert main(["build", str(config), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["built"] is False
    assert " build " not in log.read_text()
    assert main(["build", str(config), "--json", "--again"]) == 0
    assert json.loads(capfd.readouterr().out) == {**told, "built": True}
    assert "podman build --format docker --layers --no-cache" in log.read_text()


def test_it_is_pushed_by_both_names_when_that_is_wished(
    install: Install, config: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = install("buildah")
    monkeypatch.setenv("PUSHED", f"sha256:{'c' * 64}")
    assert main(["build", str(config), "--tag", "r.example:5000/a:v1", "--push", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    image = told["image"]
    assert image.startswith("r.example:5000/a:")
    assert told["reference"] == f"r.example:5000/a@sha256:{'c' * 64}"
    pushed = [line.split(" ") for line in log.read_text().splitlines()[-2:]]
    assert log.read_text().splitlines()[-3] == f"buildah tag {image} r.example:5000/a:v1"
    assert [line[:3] + line[4:] for line in pushed] == [
        ["buildah", "push", "--digestfile", image],
        ["buildah", "push", "--digestfile", "r.example:5000/a:v1"],
    ]


def test_docker_is_asked_for_the_digest_in_this_registry(
    install: Install, config: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = install("docker")
    monkeypatch.setenv("PUSHED", f"sha256:{'d' * 64}")
    assert main(["build", str(config), "--tag", "r.example:5000/a", "--push", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["reference"] == f"r.example:5000/a@sha256:{'d' * 64}"
    assert f"docker push {told['image']}" in log.read_text()


def test_what_the_command_line_says_gets_to_the_engine(
    install: Install, config: Path, tmp_path: Path
) -> None:
    log, roots = install("docker"), tmp_path / "roots.pem"
    roots.write_text("")
    base = f"mirror.example/python@sha256:{'b' * 64}"
    assert (
        main(["build", str(config), "--base-image", base, "--platform", "linux/arm64", "--ca", str(roots)])
        == 0
    )
    build = log.read_text().splitlines()[-1]
    assert "--platform linux/arm64" in build
    assert f"--build-arg REGISTRY=mirror.example --build-arg PYTHON=python@sha256:{'b' * 64}" in build
    assert f"--secret id=ca,src={roots}" in build


def test_a_failed_build_is_one_line_and_exit_1(
    install: Install, config: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("podman")
    monkeypatch.setenv("ENGINE_FAILS", "125")
    assert main(["build", str(config)]) == 1
    assert "lgp: podman build failed with 125" in capfd.readouterr().err


def test_without_an_engine_it_says_what_to_do(
    install: Install, config: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    install()
    assert main(["build", str(config)]) == 2
    assert "neither docker nor podman nor buildah is there" in capfd.readouterr().err
    assert main(["build", str(config), "--engine", "docker"]) == 2
    assert "docker is not installed, or does not answer" in capfd.readouterr().err
    assert main(["build", str(config), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "Dockerfile").is_file()
    assert "docker build --tag NAME:" in capfd.readouterr().out


def test_the_first_engine_that_answers_is_taken(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("docker", "podman")
    assert find_engine().name == "docker"
    (Path(os.environ["PATH"]) / "docker").write_text("#!/bin/sh\nexit 1\n")
    assert find_engine().name == "podman"
    with pytest.raises(UsageProblem, match="docker is not installed, or does not answer"):
        find_engine("docker")


def test_an_engine_that_cannot_tag_is_told(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("podman")
    monkeypatch.setenv("ENGINE_FAILS", "1")
    with pytest.raises(BuildFailed, match="podman tag failed with 1"):
        Engine("podman").tag("a", "b")
    with pytest.raises(BuildFailed, match="podman build failed with 1"):
        Engine("podman").build(Order(Path(), ["a"], {}, {}))


def test_a_wrong_project_is_told_before_any_engine_is_asked(
    install: Install, config: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = install("docker")
    (config / "langgraph.json").write_text(
        json.dumps({"graphs": {"a": "./no.py:g"}, "dependencies": ["./none"]})
    )
    assert main(["build", str(config)]) == 2
    said = capfd.readouterr().err
    assert "graphs.a: there is no file ./no.py; dependencies[0]: there is no folder ./none" in said
    assert "build" not in log.read_text()


def test_the_variables_of_an_env_file_are_told(
    install: Install, config: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    install("docker")
    (config / ".env").write_text("B=2\nA=1\n")
    (config / "langgraph.json").write_text(json.dumps({"graphs": {"a": "./agent.py:graph"}, "env": ".env"}))
    assert main(["build", str(config)]) == 0
    assert "set where it runs, for the env file is not in the image: A, B" in capfd.readouterr().err
