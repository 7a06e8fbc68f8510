"""`lgp build`."""

from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgp.building.checks import check_project, environment_names
from lgp.building.project import Project, read_project
from lgp.commands.graphs import ConfigArgument
from lgp.errors import BuildFailed
from lgp.inputs import config_file
from lgp.output import Machine, json_line, note, out
from lgp.paths import BUNDLED_CONFIG

if TYPE_CHECKING:
    from lgp.building.image import Wish


class EngineName(StrEnum):
    """What builds."""

    DOCKER = "docker"
    PODMAN = "podman"
    BUILDAH = "buildah"


Name = Annotated[
    str,
    typer.Option(
        "--tag",
        metavar="NAME[:LABEL]",
        show_default="langgraph-FOLDER",
        help="Repository of the image; its tag is the hash of all that goes in, and LABEL one more.",
    ),
]
EngineOption = Annotated[
    EngineName | None,
    typer.Option("--engine", show_default=False, help="What builds, if not the first that is there."),
]
BaseImage = Annotated[
    str,
    typer.Option(
        "--base-image", metavar="NAME@sha256:…", show_default=False, help="The Python image underneath."
    ),
]
Registry = Annotated[
    str,
    typer.Option(
        "--registry", metavar="HOST", show_default=False, help="Mirror of Docker Hub for the base image."
    ),
]
Platform = Annotated[
    str,
    typer.Option("--platform", metavar="OS/ARCH", show_default="this machine's", help="Such as linux/arm64."),
]
PipConfig = Annotated[
    list[Path] | None,
    typer.Option(
        "--pip-config",
        metavar="FILE",
        show_default=False,
        help="pip's configuration for the build; never in the image.",
    ),
]
CaBundle = Annotated[
    Path | None,
    typer.Option(
        "--ca",
        metavar="FILE",
        show_default=False,
        help="Roots that pip trusts in the build; never in the image.",
    ),
]
Push = Annotated[bool, typer.Option("--push", help="Send it to its registry.")]
Again = Annotated[
    bool, typer.Option("--again", help="Build even if the image is there, and ask the indexes again.")
]
Check = Annotated[
    bool, typer.Option("--check", help="Load the graphs in the image: a bad one fails the build.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="DIR", show_default=False, help="Write the build context here, and build nothing."
    ),
]


def build(
    config: ConfigArgument = BUNDLED_CONFIG,
    *,
    name: Name = "",
    engine: EngineOption = None,
    base_image: BaseImage = "",
    registry: Registry = "",
    platform: Platform = "",
    pip_config: PipConfig = None,
    ca: CaBundle = None,
    push: Push = False,
    again: Again = False,
    check: Check = False,
    context: Out = None,
    machine: Machine = False,
) -> int:
    """Build the image of a langgraph.json: the server, your graphs and what they depend on."""
    _check_extra()
    from lgp.building.image import Wish  # noqa: PLC0415  # imports Pulumi's packages, for two seconds

    project = read_project(config_file(config))
    wish = Wish(
        name=name,
        base_image=base_image,
        registry=registry,
        platform=platform,
        engine=engine or "",
        pip_files=tuple(pip_config or ()),
        ca=ca,
        push=push,
        again=again,
        check=check,
    )
    return (
        _written(project, wish, context, machine=machine)
        if context
        else _built(project, wish, machine=machine)
    )


def _check_extra() -> None:
    if not find_spec("langgraph_components"):
        message = "`lgp build` needs the components: `make setup`, or docs/howto/import-components.md"
        raise BuildFailed(message)


def _built(project: Project, wish: "Wish", *, machine: bool) -> int:
    from lgp.building.image import build_image  # noqa: PLC0415  # as above

    _warn(project)
    built = build_image(project, wish)
    names = environment_names(project)
    if machine:
        told = {"image": built.image, "reference": built.reference or None, "built": built.built}
        json_line({**told, "pushed": built.pushed, "environment": names})
        return 0
    if not built.built:
        note("unchanged: the image of this hash is there")
    _tell_environment(names)
    out().print(built.image)
    if built.reference:
        note(f"image.reference: {built.reference}")
    return 0


def _written(project: Project, wish: "Wish", context: Path, *, machine: bool) -> int:
    from lgp.building.image import write_context  # noqa: PLC0415  # as above

    _warn(project)
    tag = write_context(project, wish, context)
    names = environment_names(project)
    if machine:
        json_line({"context": str(context), "tag": tag, "environment": names})
        return 0
    _tell_environment(names)
    out().print(f"docker build --tag NAME:{tag} {context}")
    return 0


def _warn(project: Project) -> None:
    for finding in check_project(project):
        if finding.level == "warning":
            note(f"warning: {finding}")


def _tell_environment(names: list[str]) -> None:
    if names:
        note(f"set where it runs, for the env file is not in the image: {', '.join(names)}")
