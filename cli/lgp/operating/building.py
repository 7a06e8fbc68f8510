"""The image of a langgraph.json, built and where the stack's pods find it."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lgp.building.project import read_project
from lgp.errors import BuildFailed
from lgp.operating import releasing
from lgp.operating.exported import Exported
from lgp.operating.stack import Stack
from lgp.output import note
from lgp.shapes import an_object

if TYPE_CHECKING:
    from lgp.building.image import Wish

PLACEHOLDER = "sha256:" + "?" * 12


def build_for(stack: Stack, config: Path, wish: "Wish", settings: dict[str, Any], exported: Exported) -> str:
    """Build it, push it, and return what `image.reference` becomes.

    Without a registry, in `local`, it is loaded into the cluster and named by its tag, a hash.

    Raises:
        UsageProblem: there is nowhere to push to, or the project has errors.
        BuildFailed: the engine failed, or did not tell the digest.
    """
    from lgp.building.image import build_image, names_of  # noqa: PLC0415  # imports Pulumi's packages

    repository = releasing.repository_for(wish.name, settings, exported)
    wanted = replace(
        wish,
        name=repository,
        platform=wish.platform or releasing.platform_for(settings),
        push=bool(repository),
    )
    stack.programs.show(_own(config, wanted))
    if stack.programs.dry_run:
        return f"{names_of(repository)[0] or 'IMAGE'}@{PLACEHOLDER}"
    built = build_image(read_project(config), wanted)
    if not wanted.push:
        _load(stack, built.image, settings)
        return built.image
    if not built.reference:
        message = f"{built.image} was pushed, and nobody told its digest: set it by `pulumi config set`"
        raise BuildFailed(message)
    return built.reference


def _own(config: Path, wish: "Wish") -> list[str]:
    """The same as a command."""
    named = ["--tag", wish.name, "--push"] if wish.name else []
    platform = ["--platform", wish.platform] if wish.platform else []
    return ["lgp", "build", str(config), *named, *platform]


def _load(stack: Stack, image: str, settings: dict[str, Any]) -> None:
    """Take it into the cluster, where the context's name tells how."""
    context = str(an_object(settings.get("local")).get("context") or "")
    command = releasing.loading(image, context)
    if command is None:
        note(f"take {image} into the cluster, or its pods wait: such as `kind load docker-image {image}`")
    elif code := stack.programs.change(*command):
        message = f"{command[0]} failed with {code}: its last lines say why"
        raise BuildFailed(message)
