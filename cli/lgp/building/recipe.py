"""The keys of `langgraph.json` that are about the image: each honoured, or refused by name.

| key | here |
|---|---|
| `python_version` | 3.11, 3.12 or 3.13, each with a base image by digest; another with `base_image` |
| `base_image` | the Python image underneath, by digest |
| `image_distro` | `debian` and `bookworm` are what the base images are; `wolfi` is refused |
| `pip_config_file` | pip's configuration while packages are installed; never in the image |
| `pip_config` | the same as an object of pip's options, or as the name of a file |
| `pip_installer` | `auto` and `pip`; `uv` is refused: it reads no configuration of pip |
| `keep_pkg_tools` | pip, setuptools or wheel in the image; without, none |
| `dockerfile_lines` | RUN, ENV, ARG and LABEL, on top of the base image, for the build and for the image |
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgp.building.findings import Finding, error
from lgp.building.project import Project
from lgp.shapes import a_list, an_object

BASES = {
    "3.11": "",
    "3.12": "library/python@sha256:0f5b26b9518d002b6173fd61daad821fa340635ebfec5bba471013f9ca114579",
    "3.13": "library/python@sha256:67a1e1f215ccda113cfc024e8639049257e88f273898f595b61476d128d387e8",
}
"""Base images of Python versions; of the first it is the Dockerfile's own. `python:3.12-slim-bookworm` and
`python:3.13-slim-bookworm` of August 2026, from https://github.com/docker-library/repo-info:
repos/python/remote/3.12-slim-bookworm.md at 33a22f41ac7bf613bc03380b0317536a9a7fb5e8 and
repos/python/remote/3.13-slim-bookworm.md at 3effc3eac4f65a99767fd721667a1bf157496ba4."""

PIP_OPTIONS = {
    *("index-url", "extra-index-url", "trusted-host", "timeout", "retries"),
    *("pre", "prefer-binary", "only-binary", "no-binary"),
}
TOOLS = ("pip", "setuptools", "wheel")
_BY_DIGEST = re.compile(r"[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}")
_ALLOWED = {"ARG", "ENV", "LABEL", "RUN"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the file says about its image, as far as it is honoured."""

    base_image: str = ""
    """By digest; empty for the Dockerfile's own."""
    pip_options: tuple[tuple[str, str], ...] = ()
    pip_file: Path | None = None
    kept_tools: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


def read_recipe(project: Project, base_image: str = "") -> tuple[Recipe, list[Finding]]:
    """The recipe, and what of it is not honoured; `base_image` comes before the file's own."""
    document = project.document
    given = project.document.get("pip_config")
    file = document.get("pip_config_file") or (given if isinstance(given, str) else None)
    options, keep = an_object(given), document.get("keep_pkg_tools")
    recipe = Recipe(
        base_image=base_image or str(document.get("base_image") or "") or BASES.get(project.python, ""),
        pip_options=tuple((_option(name), _value(value)) for name, value in options.items()),
        pip_file=project.resolved(file) if isinstance(file, str) else None,
        kept_tools=TOOLS if keep is True else tuple(str(tool) for tool in a_list(keep)),
        lines=tuple(str(line) for line in a_list(document.get("dockerfile_lines"))),
    )
    return recipe, [*_of_base(project, recipe), *_of_pip(document, recipe), *_of_lines(recipe)]


def _option(name: str) -> str:
    return name.replace("_", "-")


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "\n".join(map(str, a_list(value)))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of_base(project: Project, recipe: Recipe) -> Iterator[Finding]:
    if recipe.base_image.split("@")[0].split(":")[0].removeprefix("docker.io/").startswith("langchain/"):
        yield error(
            "base_image", "this is the image of another server: name a Python image, or leave the key out"
        )
    elif recipe.base_image and not _BY_DIGEST.fullmatch(recipe.base_image):
        yield error(
            "base_image",
            f"{recipe.base_image} is no reference by digest (NAME@sha256:…): a tag may be moved",
        )
    elif not recipe.base_image and project.python not in BASES:
        known = ", ".join(BASES)
        yield error(
            "python_version",
            f"there are base images of {known}: for {project.python} name one by digest (base_image)",
        )
    if project.document.get("image_distro") not in (None, "debian", "bookworm"):
        yield error(
            "image_distro",
            "the base images are Debian bookworm: for another one name a Python image by digest (base_image)",
        )


def _of_pip(document: dict[str, Any], recipe: Recipe) -> Iterator[Finding]:
    for name, _ in recipe.pip_options:
        if name not in PIP_OPTIONS:
            yield error(
                f"pip_config.{name}",
                f"not an option that a build takes; those are {', '.join(sorted(PIP_OPTIONS))}",
            )
    if document.get("pip_config") and document.get("pip_config_file"):
        yield error("pip_config_file", "there is pip_config, too: give one of them")
    if recipe.pip_file is not None and not recipe.pip_file.is_file():
        yield error("pip_config_file", f"there is no file {recipe.pip_file}")
    if document.get("pip_installer") not in (None, "auto", "pip"):
        yield error(
            "pip_installer",
            "packages are installed with pip, which reads pip's configuration: leave the key out",
        )
    unknown = [tool for tool in recipe.kept_tools if tool not in TOOLS]
    if unknown or not (document.get("keep_pkg_tools") in (None, True, False) or recipe.kept_tools):
        yield error("keep_pkg_tools", f"true, or a list of {', '.join(TOOLS)}")


def _of_lines(recipe: Recipe) -> Iterator[Finding]:
    text = re.sub(r"\\\s*\n", " ", "\n".join(recipe.lines))
    for line in text.splitlines():
        word = line.strip().partition(" ")[0].upper()
        if word and not word.startswith("#") and word not in _ALLOWED:
            yield error(
                "dockerfile_lines",
                f"{word} is not honoured: {', '.join(sorted(_ALLOWED))} are",
            )
        elif word == "RUN" and "<<" in line:
            yield error("dockerfile_lines", "a here-document is not honoured: join commands with &&")
