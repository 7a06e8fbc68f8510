"""The examples on the real engine: in Python and in TypeScript they make the same, and then nothing more."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from engine.state import State
from engine.world import ENGINE_SECONDS, ROOT, Told, World, new_world, with_example

pytestmark = pytest.mark.timeout(ENGINE_SECONDS)

Deploy = Callable[[str], World]


def missing(example: str) -> str | None:
    """Why an example cannot be deployed here."""
    if example != "typescript":
        return None
    if shutil.which("pulumi-language-nodejs") is None or shutil.which("npm") is None:
        return "not on PATH: pulumi-language-nodejs or npm; tests/engine/README.md says how to get them"
    asked = subprocess.run(["npm", "ping"], capture_output=True, check=False, timeout=60)
    return "the npm registry does not answer" if asked.returncode else None


@pytest.fixture(scope="module")
def deployed(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Deploy:
    """An example after its first `up`, each once."""

    @cache
    def up(example: str) -> World:
        if reason := missing(example):
            pytest.skip(reason)
        world = with_example(new_world(tmp_path_factory.mktemp(example) / "world"), example)
        world.stack("dev").up()
        return world

    return up


def made(state: State) -> set[tuple[str, str]]:
    """Types and names of what was made in the clouds."""
    return {(entry.type, entry.name) for entry in state.custom}


@pytest.mark.parametrize("example", ["existing-cluster", "typescript"])
def test_an_unchanged_example_has_no_changes(deployed: Deploy, example: str) -> None:
    world, again = deployed(example), Told()
    world.stack("dev").preview(**again.arguments())
    assert again.changes() == []


def test_both_languages_make_the_same(deployed: Deploy) -> None:
    python, typescript = (deployed(name).state("dev") for name in ("existing-cluster", "typescript"))
    assert made(python) == made(typescript)
    assert objects(python) == objects(typescript)


def objects(state: State) -> dict[str, Any]:
    """The objects in the cluster, without the label that one of the programs adds.

    The database's host and secret are made up by chance; the host names the ConfigMap that it is in.
    """
    found: dict[str, Any] = {}
    for entry in state.of("kubernetes:"):
        text = re.sub(r"agents-db-[0-9a-f]+", "agents-db", json.dumps(entry.raw["inputs"]))
        text = re.sub(r'"arn:aws:secretsmanager:[^"]*"', '"arn:aws:secretsmanager"', text)
        told = json.loads(re.sub(r'"agent-server-[0-9a-f]{10}"', '"agent-server-settings"', text))
        told["metadata"]["labels"].pop("owner", None)
        found[str(entry)] = told
    return found


def test_a_transform_reaches_every_object_of_a_component(deployed: Deploy) -> None:
    world = deployed("existing-cluster")
    objects = world.state("dev").of("kubernetes:")
    assert len(objects) > 20
    for entry in objects:
        assert entry.raw["inputs"]["metadata"]["labels"]["owner"] == "team-agents", entry.urn


def test_nothing_is_left_of_an_example_that_is_destroyed(deployed: Deploy, tmp_path: Path) -> None:
    world = deployed("existing-cluster").copy(tmp_path / "copy")
    world.stack("dev").destroy()
    assert made(world.state("dev")) == set()


def test_the_sdk_that_is_made_for_typescript_has_the_example_in_its_types(deployed: Deploy) -> None:
    world = deployed("typescript")
    program = world.program
    command = [str(program / "node_modules" / ".bin" / "tsc"), "--noEmit"]
    done = subprocess.run(command, cwd=program, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    source = (program / "index.ts").read_text()
    (program / "index.ts").write_text(source.replace("minReplicas: 2", 'minReplicas: "two"'))
    wrong = subprocess.run(command, cwd=program, capture_output=True, text=True, check=False)
    (program / "index.ts").write_text(source)
    assert "index.ts" in wrong.stdout
    assert "Type 'string' is not assignable to type" in wrong.stdout


def test_the_package_file_is_what_the_engine_writes(deployed: Deploy) -> None:
    """`pulumi install` changes `package.json`: what it adds is in it already."""
    world = deployed("typescript")
    committed = json.loads((ROOT / "examples" / "typescript" / "package.json").read_text())
    assert json.loads((world.program / "package.json").read_text()) == committed
