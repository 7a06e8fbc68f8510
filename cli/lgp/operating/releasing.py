"""Which settings make a stack run an image by its name, and what would go wrong without them."""

import re
from typing import Any

from lgp.errors import UsageProblem
from lgp.operating.exported import Exported
from lgp.operating.stack import Setting
from lgp.shapes import an_object

DIGEST = re.compile(r"(sha256:)?[0-9a-f]{64}")


def settings_for(reference: str, settings: dict[str, Any], exported: Exported) -> list[Setting]:
    """What changes in the settings so that `reference` is what runs.

    A stack that built its image stops to, and is told to keep its repository: without a word it would delete
    the very repository that the image is in.
    """
    image = an_object(settings.get("image"))
    changes = [Setting("image.reference", reference)]
    if "build" in image:
        changes.append(Setting("image.build", None))
    if exported.output("repository_url") and not image.get("repository"):
        changes.append(Setting("image.repository", "true"))
    if "@sha256:" not in reference and not image.get("mutable_tag"):
        changes.append(Setting("image.mutable_tag", "true"))
    return changes


def repository_for(name: str, settings: dict[str, Any], exported: Exported) -> str:
    """Where an image is pushed: as told, or to the stack's own repository; empty for nowhere, in `local`.

    Raises:
        UsageProblem: neither is there.
    """
    found = name or exported.output("repository_url")
    if not found and settings.get("environment") != "local":
        message = (
            "where shall the image be pushed? --tag REGISTRY/NAME; the stack has no repository of its own"
        )
        raise UsageProblem(message)
    return found


def platform_for(settings: dict[str, Any]) -> str:
    """What the stack's nodes run, such as `linux/arm64`; empty where only the cluster knows."""
    build = an_object(an_object(settings.get("image")).get("build"))
    platforms = build.get("platforms")
    if isinstance(platforms, list) and platforms:
        return str(platforms[0])  # pyright: ignore[reportUnknownArgumentType]  # any JSON
    nodes = an_object(an_object(settings.get("cluster")).get("nodes"))
    if settings.get("environment") == "local":
        return ""
    return "linux/arm64" if "ARM" in str(nodes.get("ami_type", "")) else "linux/amd64"


def loading(image: str, context: str) -> list[str] | None:
    """The command that takes a local image into the cluster of that kube context; None if there is none."""
    for prefix, command in (
        ("kind-", ["kind", "load", "docker-image", image, "--name"]),
        ("k3d-", ["k3d", "image", "import", image, "--cluster"]),
    ):
        if context.startswith(prefix):
            return [*command, context.removeprefix(prefix)]
    return ["minikube", "image", "load", image] if context == "minikube" else None
