"""The programs are built once, wholly or not at all, and what cannot be built or started says why."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from cluster import build
from cluster.build import BuildFailed, GoMissing, are_built, main, programs
from cluster.processes import NotReady, Processes, processes

from langgraph_components import charts

GO = """#!/bin/sh
case "$1 $2" in
"env GOVERSION") echo "${FAKE_GO:-go1.26.0}" ;;
"mod download") echo "{\\"Dir\\": \\"$FAKE_MODULES\\"}" ;;
"build -trimpath")
  echo "$PWD" >> "$FAKE_LOG"
  [ -z "$FAKE_FAILURE" ] || { echo "$FAKE_FAILURE" >&2; exit 1; }
  while [ "$1" != -o ]; do shift; done
  sleep "${FAKE_SECONDS:-0}"
  echo program > "$2" ;;
esac
"""


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Go that writes down where it builds; sources and cache of this test alone."""
    _write(tmp_path / "bin" / "go", GO).chmod(0o755)
    modules = tmp_path / "modules"
    for stage in build.STAGES:
        _write(modules / "kustomize" / "stage" / stage, f"stage: {stage}\n")
    for folder, files in build.CRDS.values():
        for file in files:
            _write(modules / folder / file, "kind: CustomResourceDefinition\n")
    ignored = shutil.ignore_patterns("__pycache__")
    sources = shutil.copytree(build.SOURCES, tmp_path / "sources", ignore=ignored)
    monkeypatch.setattr(build, "SOURCES", sources)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("FAKE_MODULES", str(modules))
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def _write(file: Path, content: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def test_what_is_built_is_all_there(builds: Path) -> None:
    assert not are_built()
    found = programs()
    assert are_built()
    assert {part: (found.bin / part).read_text() for part in build.PARTS} == dict.fromkeys(
        build.PARTS, "program\n"
    )
    assert found.kwok.read_text() == "program\n"
    assert found.stages.read_text().count("stage: ") == len(build.STAGES)
    assert len(list(found.crds.glob("*.yaml"))) == sum(len(files) for _, files in build.CRDS.values())


def test_it_is_built_once(builds: Path) -> None:
    assert programs() == programs()
    assert len(builds.read_text().splitlines()) == 2


def test_two_at_once_build_once(builds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SECONDS", "0.3")
    other = threading.Thread(target=programs)
    other.start()
    programs()
    other.join()
    assert len(builds.read_text().splitlines()) == 2


@pytest.mark.parametrize("changed", ["go.sum", "go.mod", "main.go"])
def test_a_changed_source_is_built_anew_and_the_rest_is_kept(builds: Path, changed: str) -> None:
    before = programs()
    with (build.SOURCES / changed).open("a") as file:
        file.write("\n")
    after = programs()
    assert after.bin != before.bin
    assert (after.kwok, after.crds) == (before.kwok, before.crds)


def test_another_go_builds_everything_anew(builds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = programs()
    monkeypatch.setenv("FAKE_GO", "go1.27.0")
    assert not are_built()
    assert programs().kwok != before.kwok


def test_a_failed_build_says_what_go_said_and_leaves_nothing(
    builds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_FAILURE", "checksum mismatch")
    with pytest.raises(BuildFailed, match="checksum mismatch"):
        programs()
    assert [each.name for each in build.cache().iterdir()] == ["lock"]
    assert main() == 1


def test_without_go_the_reason_names_it(
    builds: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GoMissing, match="Go is not on PATH"):
        programs()
    assert not are_built()
    assert main() == 0
    assert "Go is not on PATH" in capsys.readouterr().err


def test_the_pinned_modules_are_of_the_version_the_server_will_name() -> None:
    lines = (build.SOURCES / "go.mod").read_text().splitlines()
    staging = build.VERSION.replace("v1.", "v0.")
    assert f"\tk8s.io/kubernetes {build.VERSION}" in lines
    replaced = [line.split() for line in lines if " => k8s.io/" in line]
    assert len(replaced) > 30
    assert {line[-1] for line in replaced} == {staging}


def test_the_gap_to_the_pinned_charts_is_stated() -> None:
    stated = (build.SOURCES / "README.md").read_text()
    defining = (
        charts.EXTERNAL_SECRETS,
        charts.PROMETHEUS_CRDS,
        charts.PROMETHEUS_STACK,
        charts.LOAD_BALANCER_CONTROLLER,
    )
    assert [chart.name for chart in defining if f"{chart.name} {chart.version}" not in stated] == []
    assert [module for module in build.CRDS if f"`{module}` " not in stated] == []


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Processes]:
    with processes(tmp_path) as found:
        yield found


def test_a_program_that_ends_is_named_with_its_last_words(running: Processes) -> None:
    running.start("broken", sys.executable, "-c", "import sys; sys.exit('no such flag')")
    with pytest.raises(NotReady, match=r"broken ended with 1\n.*no such flag"):
        running.wait_for("broken", lambda: False, seconds=10)


def test_a_program_that_takes_too_long_is_named(running: Processes) -> None:
    running.start("slow", sys.executable, "-c", "import time; time.sleep(60)")
    with pytest.raises(NotReady, match=r"slow is not ready after 0\.2 s"):
        running.wait_for("slow", lambda: False, seconds=0.2)


def test_nothing_runs_after_the_block(tmp_path: Path) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with processes(tmp_path) as found:
        found.start("sleeper", sys.executable, "-c", code)
        found.wait_for("sleeper", lambda: found.tail("sleeper") != "", seconds=10)
        pid = int(found.tail("sleeper"))
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


@pytest.mark.skipif(
    not shutil.which("setpriv"), reason="setpriv, which ties a program to its parent, is not here"
)
def test_a_killed_parent_takes_its_programs_along(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from cluster.processes import Processes;"
        f"Processes(Path({str(tmp_path)!r})).start('child', sys.executable, '-c',"
        "'import os, time; print(os.getpid(), flush=True); time.sleep(60)'); time.sleep(60)"
    )
    environment_path = str(build.SOURCES.parent)
    log = tmp_path / "child.log"
    with processes(tmp_path) as found:
        found.start("parent", "env", f"PYTHONPATH={environment_path}", sys.executable, "-c", code)
        found.wait_for("parent", lambda: log.exists() and log.read_text().endswith("\n"), seconds=10)
        pid = int(log.read_text())
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid)
