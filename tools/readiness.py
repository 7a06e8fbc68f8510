"""Whether `.venv` is what the lock files say. Standard library only, and quick: every `make up` asks."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".ready"
"""Holds the fingerprint of what was installed; written last, removed first."""

LOCK = ROOT / "requirements.lock"
UV_LOCK = ROOT / "tools" / "uv.lock.txt"
PROJECTS = ("app", "cli", "client", "components", "policy")
_SOURCES = (LOCK, UV_LOCK, *(ROOT / project / "pyproject.toml" for project in PROJECTS))


def fingerprint() -> str:
    """Changes with the place of the clone, a lock or a package's metadata."""
    digest = hashlib.sha256(bytes(ROOT))
    for source in _SOURCES:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def is_ready() -> bool:
    """True if nothing is to be done."""
    try:
        return STAMP.read_text() == fingerprint() and PYTHON.exists()
    except OSError:
        return False
