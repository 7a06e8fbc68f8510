"""What can be said against a project without importing any of its code."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from lgp.building import locked
from lgp.building.findings import Finding, error, warning
from lgp.building.pip_settings import has_login
from lgp.building.project import Project
from lgp.building.recipe import read_recipe
from lgp.paths import ROOT
from lgp.shapes import a_list, an_object

LOCK = ROOT / "app" / "requirements.lock"
SECRET_LENGTH = 8
_SECRET = re.compile(r"(?i)(^|_)(api_?key|key|secret|token|password|passwd|pepper|credentials?|dsn)(_|$)")


def check_project(project: Project, base_image: str = "") -> list[Finding]:
    """All findings, errors and warnings, in the order of the file's importance."""
    _, of_recipe = read_recipe(project, base_image)
    parts = (_of_graphs, _of_dependencies, _of_lock, _of_environment, _of_bundled)
    return [*(finding for part in parts for finding in part(project)), *of_recipe, *_of_logins(project)]


def _of_graphs(project: Project) -> Iterator[Finding]:
    for name, path in project.graph_paths().items():
        location, separator, _ = path.rpartition(":")
        where = f"graphs.{name}"
        if not separator:
            yield error(where, f"{path!r} is not of the form path:object")
        elif "/" in location or location.endswith(".py"):
            yield from _of_graph_file(project, where, location)


def _of_graph_file(project: Project, where: str, location: str) -> Iterator[Finding]:
    file = project.resolved(location)
    if not file.is_file():
        yield error(where, f"there is no file {location}")
    elif not any(file.is_relative_to(folder) for folder in project.copied):
        yield error(
            where,
            f"{location} is outside the folders that get into the image: add its folder to dependencies",
        )


def _of_dependencies(project: Project) -> Iterator[Finding]:
    for number, entry in enumerate(a_list(project.document.get("dependencies"))):
        where = f"dependencies[{number}]"
        if not isinstance(entry, str):
            yield error(where, "must be text")
        elif entry.startswith("."):
            yield from _of_folder(project, where, entry)
        else:
            yield from _of_requirement(where, entry)


def _of_folder(project: Project, where: str, entry: str) -> Iterator[Finding]:
    folder = project.resolved(entry)
    if not folder.is_dir():
        yield error(where, f"there is no folder {entry}")
        return
    if not (is_package(folder) or (folder / "requirements.txt").is_file()):
        yield warning(
            where,
            f"{entry} has no pyproject.toml, setup.py or requirements.txt: nothing of it is installed",
        )
    wanted = an_object(_pyproject(folder).get("project")).get("requires-python")
    try:
        if isinstance(wanted, str) and not SpecifierSet(wanted).contains(f"{project.python}.99"):
            yield error(where, f"{entry} wants Python {wanted}, the image has {project.python}")
    except InvalidSpecifier:
        yield error(where, f"{entry}/pyproject.toml: requires-python {wanted!r} is no version range")


def _of_requirement(where: str, entry: str) -> Iterator[Finding]:
    try:
        url = Requirement(entry).url
    except InvalidRequirement:
        url = entry if entry.startswith("git+") else None
        if url is None:
            yield error(where, f"{entry!r} is neither a folder (./…) nor a requirement")
    if url and url.startswith("git+"):
        yield error(
            where,
            "there is no git in the build: name a wheel in an index (pip_config), or a folder",
        )


def _of_lock(project: Project) -> Iterator[Finding]:
    pins = locked.pins(LOCK.read_text(), project.python)
    for message in locked.conflicts(project.requirements, pins):
        yield error("dependencies", message)
    for folder in project.folders:
        for message in locked.conflicts(_wanted_by(folder), pins):
            yield error(f"dependencies: {folder.name}", message)


def is_package(folder: Path) -> bool:
    """Whether pip can install the folder."""
    return (folder / "setup.py").is_file() or bool({"project", "build-system"} & _pyproject(folder).keys())


def _pyproject(folder: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text())
    except (OSError, ValueError):
        return {}


def _wanted_by(folder: Path) -> list[str]:
    """The requirements that a folder states in words; those that a setup.py computes are found by pip."""
    if is_package(folder):
        stated = a_list(an_object(_pyproject(folder).get("project")).get("dependencies"))
        return [entry for entry in stated if isinstance(entry, str)]
    file = folder / "requirements.txt"
    lines = file.read_text(errors="replace").splitlines() if file.is_file() else []
    return [text for line in lines if (text := line.partition(" #")[0].strip()) and text[0] not in "#-"]


def _of_environment(project: Project) -> Iterator[Finding]:
    given = project.document.get("env")
    if isinstance(given, str) and not project.resolved(given).is_file():
        yield error("env", f"there is no file {given}")
    for name, value in an_object(given).items():
        if _is_secret(name, str(value)):
            yield error(
                f"env.{name}",
                "looks like a secret, and would be in the image: set it where the image runs",
            )


def _is_secret(name: str, value: str) -> bool:
    """Whether it looks like one: by its name, if it is more than a number or a word, or by a login in it."""
    return has_login(value) or (
        len(value) >= SECRET_LENGTH and not value.isdecimal() and bool(_SECRET.search(name))
    )


def environment_names(project: Project) -> list[str]:
    """The variables of an `env` file: they are set where the image runs, for the file is not in it."""
    given = project.document.get("env")
    return sorted(dotenv_values(project.resolved(given))) if isinstance(given, str) else []


def _of_bundled(project: Project) -> Iterator[Finding]:
    if project.is_bundled and set(project.dependencies) - {"."}:
        yield error(
            "dependencies",
            "the graphs that ship take no more: put a langgraph.json of your own into a folder of its own",
        )


def _of_logins(project: Project) -> Iterator[Finding]:
    if has_login(str(project.document.get("pip_config", ""))):
        yield warning(
            "pip_config",
            "holds a login, which gets into no image but into your repository: use pip_config_file",
        )
