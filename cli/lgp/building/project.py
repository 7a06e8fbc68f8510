"""A project: a `langgraph.json` and the folders that it names."""

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lgp.errors import UsageProblem
from lgp.paths import BUNDLED_CONFIG
from lgp.shapes import a_list, an_object

PYTHON = "3.11"
"""What is built for, where the file does not say."""


@dataclass(frozen=True)
class Project:
    """The file as it is, and where it lies; nothing of it is checked yet."""

    file: Path
    """Absolute."""
    document: dict[str, Any]

    @property
    def folder(self) -> Path:
        """What paths in the file are relative to."""
        return self.file.parent

    @property
    def is_bundled(self) -> bool:
        """Whether it is that of the graphs that ship, for which `app/` has its own Dockerfile."""
        return self.file == BUNDLED_CONFIG

    @property
    def name(self) -> str:
        """For the image, as registries want names."""
        if self.is_bundled:
            return "agent-server"
        words = "".join(c if c.isascii() and c.isalnum() else "-" for c in self.folder.name.lower())
        return "-".join(part for part in words.split("-") if part) or "project"

    @property
    def dependencies(self) -> list[str]:
        """The entries that are text."""
        return [entry for entry in a_list(self.document.get("dependencies")) if isinstance(entry, str)]

    @property
    def requirements(self) -> list[str]:
        """The dependencies that come from an index."""
        return [entry for entry in self.dependencies if not entry.startswith(".")]

    @cached_property
    def folders(self) -> list[Path]:
        """The dependencies that are folders, as the file has them, in order."""
        return [self.resolved(entry) for entry in self.dependencies if entry.startswith(".")]

    @cached_property
    def copied(self) -> list[Path]:
        """What gets into the image: the file's folder, and those beside or above it that it depends on."""
        found: list[Path] = []
        for folder in sorted({self.folder, *(each for each in self.folders if each.is_dir())}):
            if not any(folder.is_relative_to(outer) for outer in found):
                found.append(folder)
        return found

    @cached_property
    def root(self) -> Path:
        """What is `/app` in the image: the one folder that holds all that is copied."""
        return Path(os.path.commonpath([*self.copied, self.folder]))

    @property
    def python(self) -> str:
        """Major and minor version of the Python it is for."""
        given = self.document.get("python_version") or PYTHON
        return ".".join(str(given).split(".")[:2])

    def graph_paths(self) -> dict[str, str]:
        """`path:object` of each graph that has one."""
        graphs = an_object(self.document.get("graphs"))
        paths = {
            name: entry if isinstance(entry, str) else an_object(entry).get("path")
            for name, entry in graphs.items()
        }
        return {name: path for name, path in paths.items() if isinstance(path, str)}

    def resolved(self, entry: str) -> Path:
        """A path of the file, absolute, without dots."""
        return Path(os.path.normpath(self.folder / entry))

    def in_image(self, path: Path) -> str:
        """Where a path of the project is in the image."""
        return Path("/app", path.relative_to(self.root)).as_posix()


def read_project(file: Path) -> Project:
    """Read the file.

    Raises:
        UsageProblem: it is not there, or holds no JSON object.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        message = f"{file} is not JSON: {error}"
        raise UsageProblem(message) from None
    if not isinstance(document, dict):
        message = f"{file} must hold a JSON object"
        raise UsageProblem(message)
    return Project(file, document)  # pyright: ignore[reportUnknownArgumentType]  # any JSON object
