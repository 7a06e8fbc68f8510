"""Where things lie, and the only place that reads where they should."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The clone this package runs from."""

BUNDLED_CONFIG = ROOT / "app" / "langgraph.json"
"""The graphs that ship."""


def state_folder() -> Path:
    """`.lgp` of the clone, or LGP_HOME: another folder for another instance."""
    return Path(os.environ.get("LGP_HOME") or ROOT / ".lgp").absolute()


def program_folder(given: Path | None) -> Path:
    """The folder of a stack's program: as told, else where one is, as Pulumi finds it, else the clone."""
    if given is not None:
        return given.resolve()
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if (each / "Pulumi.yaml").is_file()), ROOT)


def shown(path: Path) -> str:
    """The path as a person here would type it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def own_command() -> str:
    """How a person calls `lgp` from here."""
    program = ROOT / ".venv" / "bin" / "lgp"
    on_path = any(Path(folder) == program.parent for folder in os.get_exec_path())
    return "lgp" if on_path or not program.exists() else shown(program)
