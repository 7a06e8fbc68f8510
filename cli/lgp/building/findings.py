"""What is wrong with a project, one line each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that would fail, or that somebody should know."""

    level: Level
    where: str
    """The key of langgraph.json, as `graphs.NAME`, `dependencies[0]`, `env.NAME`; or a file."""
    message: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.where}: {self.message}"


def error(where: str, message: str) -> Finding:
    """The build, or the start of the server, would fail."""
    return Finding("error", where, message)


def warning(where: str, message: str) -> Finding:
    """It would work, perhaps not as meant."""
    return Finding("warning", where, message)


def errors_among(findings: Iterable[Finding]) -> list[Finding]:
    """Those that would fail."""
    return [finding for finding in findings if finding.level == "error"]
