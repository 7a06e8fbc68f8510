"""What `pip install "… @ git+…#subdirectory=…"` installs: whole, typed, licensed, and enough to plan with."""

import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from support.plans import ROOT

PACKAGES = {
    "components": "langgraph-components",
    "policy": "langgraph-policy",
    "client": "lgp-client",
    "cli": "lgp",
}
"""Folder of the repository → distribution."""

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def pip(*arguments: str) -> str:
    """Offline: the builder is that of the repository's environment, and dependencies are not asked for."""
    bounds = ["--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation"]
    command = [sys.executable, "-m", "pip", *arguments, *bounds]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of this tree in a git repository of their own, tagged."""
    folder = tmp_path_factory.mktemp("git") / "platform"
    derived = shutil.ignore_patterns("__pycache__", "*.egg-info", "venv", "sdks")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=derived)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a release")
    git(folder, "tag", "v1")
    return folder


def requirement(repository: Path, folder: str) -> str:
    """As `components/README.md` has it, without the name: some pips take none before a file's address."""
    return f"git+file://{repository}@v1#subdirectory={folder}"


@pytest.fixture(scope="module")
def wheels(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A wheel of each package, made from the tag."""
    out = tmp_path_factory.mktemp("wheels")
    pip("wheel", "--wheel-dir", str(out), *(requirement(repository, name) for name in PACKAGES))
    found = {path.name.partition("-")[0].replace("_", "-"): path for path in out.glob("*.whl")}
    return {name: found[distribution] for name, distribution in PACKAGES.items()}


@pytest.fixture(scope="module")
def python(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the four packages; what they depend on is that of the repository."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    made = folder / "bin" / "python"
    pip("--python", str(made), "install", *(str(path) for path in wheels.values()))
    (site,) = folder.glob("lib/python*/site-packages")
    # after its own folder, and without the repository's editable packages, whose .pth is not read there
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return made


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


@pytest.mark.parametrize("name", PACKAGES)
def test_a_wheel_holds_every_file_of_its_package_and_nothing_else(name: str, wheels: dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels[name]) as archive:
        packed = {each for each in archive.namelist() if ".dist-info/" not in each}
    (package,) = tomllib.loads((ROOT / name / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
        "targets"
    ]["wheel"]["packages"]
    files = (ROOT / name / package).rglob("*")
    source = {path.relative_to(ROOT / name).as_posix() for path in files if path.is_file()}
    assert packed == {each for each in source if "__pycache__" not in each}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_wheel_has_its_licence_and_says_what_it_is(name: str, wheels: dict[str, Path]) -> None:
    told = metadata(wheels[name])
    assert (told["License-Expression"], told["Requires-Python"]) == ("Apache-2.0", ">=3.11")
    assert told["Summary"]
    with zipfile.ZipFile(wheels[name]) as archive:
        (licence,) = (each for each in archive.namelist() if each.endswith("licenses/LICENSE"))
        assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()


def test_the_components_say_how_they_are_used_and_are_typed(wheels: dict[str, Path]) -> None:
    told = metadata(wheels["components"])
    assert "From other languages" in told.get_payload()
    assert told["Description-Content-Type"] == "text/markdown"
    with zipfile.ZipFile(wheels["components"]) as archive:
        assert "langgraph_components/py.typed" in archive.namelist()


def test_what_a_package_needs_of_the_others_comes_from_here(wheels: dict[str, Path]) -> None:
    """On the public index these names are nobody's, or somebody else's: they are never left to it."""
    page = (ROOT / "docs/howto/import-components.md").read_text()
    ours = set(PACKAGES.values())
    for wheel in wheels.values():
        for needed in metadata(wheel).get_all("Requires-Dist", []):
            name = needed.partition(";")[0].split("[")[0].split(">")[0].strip()
            if name in ours:
                assert f'"{name} @ $REPOSITORY#subdirectory=' in page, name


def test_a_program_elsewhere_imports_the_components(python: Path, tmp_path: Path) -> None:
    program = "import langgraph_components as c; print(c.__file__, len(c.__all__))"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert str(python.parents[1]) in done.stdout


def test_the_installed_command_plans_a_program_without_the_clone(python: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "existing-cluster", project)
    command = [python, "-m", "lgp", "plan", "dev", "--cwd", str(project)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "langgraph:index:PostgresDatabase agents-db" in done.stdout
