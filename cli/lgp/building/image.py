"""One image, from a project to a name that can be run."""

import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lgp.building.checks import check_project
from lgp.building.context import check_files, own_platform, stage, tag_of
from lgp.building.engines import Order, find_engine
from lgp.building.findings import errors_among
from lgp.building.pip_settings import pip_settings
from lgp.building.project import Project
from lgp.building.recipe import read_recipe
from lgp.errors import UsageProblem
from lgp.folders import write_private


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says about a build."""

    name: str = ""
    """`REPOSITORY`, or `REPOSITORY:LABEL` for a second tag beside the hash."""
    base_image: str = ""
    registry: str = ""
    """Mirror of Docker Hub."""
    platform: str = ""
    engine: str = ""
    pip_files: tuple[Path, ...] = ()
    ca: Path | None = None
    push: bool = False
    again: bool = False
    """Build although the image is there, and ask the indexes again."""
    check: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """What came of it."""

    image: str
    """`REPOSITORY:HASH`."""
    built: bool
    """False: the engine had it already."""
    pushed: bool
    reference: str
    """`REPOSITORY@sha256:…`, what a cluster is told; empty if it was not pushed."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A context that is ready to be built."""

    context: Path
    tag: str
    arguments: Mapping[str, str]
    secrets: Mapping[str, Path]


@contextmanager
def prepared(project: Project, wish: Wish) -> Generator[Prepared, None, None]:
    """The context and the secrets of a build, in private folders that are gone afterwards.

    Raises:
        UsageProblem: the project has errors; the message is all of them.
    """
    wrong = errors_among(check_project(project, wish.base_image)) or list(check_files(project))
    if wrong:
        raise UsageProblem("; ".join(map(str, wrong)))
    recipe, _ = read_recipe(project, wish.base_image)
    for file in (*wish.pip_files, *([wish.ca] if wish.ca else [])):
        if not file.is_file():
            message = f"there is no file {file}"
            raise UsageProblem(message)
    pip = pip_settings(recipe, wish.pip_files, ca=wish.ca is not None)
    arguments = base_arguments(recipe.base_image, wish.registry)
    with tempfile.TemporaryDirectory(prefix="lgp-build-") as folder:
        context, secrets = Path(folder, "context"), Path(folder, "secrets")
        context.mkdir()
        secrets.mkdir()
        stage(project, recipe, context, pip=pip, check=wish.check)
        tag = tag_of(context, platform=wish.platform or own_platform(), arguments=arguments)
        write_private(secrets / "pip", pip)
        given = {"pip": secrets / "pip"} | ({"ca": wish.ca.absolute()} if wish.ca else {})
        yield Prepared(context, tag, arguments, given)


def base_arguments(base_image: str, registry: str) -> dict[str, str]:
    """The Dockerfile's REGISTRY and PYTHON; neither where it shall take its own."""
    host, slash, path = base_image.partition("/")
    has_host = bool(slash) and ("." in host or ":" in host or host == "localhost")
    told = {"REGISTRY": host, "PYTHON": path} if has_host else {"PYTHON": base_image}
    return {name: value for name, value in ({"REGISTRY": registry} | told).items() if value}


def build_image(project: Project, wish: Wish) -> Built:
    """Build the image, unless it is there; tag it, push it if that is wished.

    Raises:
        UsageProblem: the project has errors, or there is no engine.
        BuildFailed: the engine did not succeed.
    """
    engine = find_engine(wish.engine)
    with prepared(project, wish) as ready:
        repository, label = names_of(wish.name or f"langgraph-{project.name}")
        image = f"{repository}:{ready.tag}"
        new = wish.again or not engine.has(image)
        if new:
            engine.build(
                Order(ready.context, [image], ready.arguments, ready.secrets, wish.platform, wish.again)
            )
        wanted = [image, *([f"{repository}:{label}"] if label else [])]
        for name in wanted[1:]:
            engine.tag(image, name)
        digests = [engine.push(name) for name in wanted] if wish.push else []
    reference = f"{repository}@{digests[0]}" if digests and digests[0] else ""
    return Built(image, new, wish.push, reference)


def names_of(name: str) -> tuple[str, str]:
    """Repository and label of `REPOSITORY[:LABEL]`; a port is no label."""
    repository, colon, label = name.rpartition(":")
    return (repository, label) if colon and "/" not in label else (name, "")


def write_context(project: Project, wish: Wish, into: Path) -> str:
    """Write the build context into a new folder, and return its tag.

    Raises:
        UsageProblem: the folder has something in it, or the project has errors.
    """
    if into.exists() and any(into.iterdir()):
        message = f"{into} is not empty"
        raise UsageProblem(message)
    with prepared(project, wish) as ready:
        shutil.copytree(ready.context, into, symlinks=True, dirs_exist_ok=True)
        return ready.tag
