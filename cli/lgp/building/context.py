"""The build context: all that goes into an image, in a folder of its own, and the hash of it."""

import json
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from langgraph_components.pure.content_hash import content_hash, context_files, files_let_in
from langgraph_components.pure.dockerignore import Ignore
from lgp.building import locked
from lgp.building.dockerfile import render, requirements_of
from lgp.building.findings import Finding, error
from lgp.building.pip_settings import without_logins
from lgp.building.project import Project
from lgp.building.recipe import Recipe
from lgp.paths import ROOT

APP = ROOT / "app"
OURS = ("graphs/", "langgraph.json")
"""Of the server's context what a project brings itself."""

BUILD_KEYS = frozenset(
    {
        *("base_image", "dockerfile_lines", "image_distro", "keep_pkg_tools"),
        *("pip_config", "pip_config_file", "pip_installer"),
    }
)
"""What a server has no use for, logins of indexes among it: not in the image's langgraph.json."""

LEFT_OUT = """\
**/.git
**/.hg
**/.lgp
**/.venv
**/venv
**/node_modules
**/__pycache__
**/*.py[cod]
**/*.egg-info
**/.*_cache
**/.tox
**/.DS_Store
**/.env
**/.env.*
**/.netrc
**/.pypirc
**/pip.conf
**/Dockerfile
**/.dockerignore
"""
"""Never wanted, or secret; a project's `.dockerignore` comes after it and may let in again what it names."""


def stage(project: Project, recipe: Recipe, into: Path, *, pip: str, check: bool) -> None:
    """Write the context of the project's image into an empty folder.

    Modes are made the same everywhere, so that whoever runs the image can read what it is made of.
    """
    if project.is_bundled:
        _copy(APP, context_files(APP, "Dockerfile"), into)
        _copy(APP, ("Dockerfile", ".dockerignore"), into)
        return
    _copy(APP, (path for path in context_files(APP, "Dockerfile") if not path.startswith(OURS)), into)
    for path in project_files(project):
        _copy_one(path, into / "project" / path.relative_to(project.root))
    file = into / "project" / project.file.relative_to(project.root)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(served_file(project))
    server = (APP / "Dockerfile").read_text()
    (into / "Dockerfile").write_text(render(server, project, recipe, check=check))
    # another index is another image, and another step of the build; another login is not
    (into / "indexes.txt").write_text(without_logins(pip))
    (into / "constraints.txt").write_text(locked.constraints((APP / "requirements.lock").read_text()))
    (into / "project.txt").write_text("".join(f"{line}\n" for line in requirements_of(project, recipe)))


def project_files(project: Project) -> list[Path]:
    """The files that get into the image as they are, in order; none that a key names as secret."""
    named = [project.document.get(key) for key in ("env", "pip_config_file", "pip_config")]
    others = {project.file, *(project.resolved(value) for value in named if isinstance(value, str))}
    found = [folder / path for folder in project.copied for path in files_let_in(folder, _ignore(folder))]
    return [path for path in found if path not in others]


def check_files(project: Project) -> Iterator[Finding]:
    """What is missing in the image of what the graphs are, and links that would lead nowhere there."""
    files = project_files(project)
    for name, path in project.graph_paths().items():
        location = path.rpartition(":")[0]
        if location.endswith(".py") and project.resolved(location) not in files:
            yield error(f"graphs.{name}", f"{location} is left out by .dockerignore")
    for link in filter(Path.is_symlink, files):
        if not any(link.resolve().is_relative_to(folder.resolve()) for folder in project.copied):
            yield error(str(link.relative_to(project.root)), "is a link that leads out of the project")


def _ignore(folder: Path) -> Ignore:
    own = folder / ".dockerignore"
    return Ignore(LEFT_OUT + (own.read_text() if own.is_file() else ""))


def served_file(project: Project) -> str:
    """The image's langgraph.json: without the keys of the build, and without the name of an env file."""
    kept = {
        key: value
        for key, value in project.document.items()
        if key not in BUILD_KEYS and not (key == "env" and isinstance(value, str))
    }
    return json.dumps(kept, indent=2, ensure_ascii=False) + "\n"


def _copy(folder: Path, paths: Iterable[str], into: Path) -> None:
    for path in paths:
        _copy_one(folder / path, into / path)


def _copy_one(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target, follow_symlinks=False)
    if not target.is_symlink():
        target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def tag_of(context: Path, *, platform: str, arguments: Mapping[str, str]) -> str:
    """64 hex digits of all that goes into the image: the tag that a Pulumi stack gives the same context."""
    return content_hash(context, dockerfile="Dockerfile", platforms=[platform], build_args=arguments)


def own_platform() -> str:
    """What this machine builds for, where nothing else is said."""
    machine = platform.machine().lower()
    names = {"x86_64": "amd64", "aarch64": "arm64"}
    return f"linux/{names.get(machine, machine)}"
