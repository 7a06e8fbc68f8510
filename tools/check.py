"""`make check`: every check in turn, each with its time; all of them run even if one fails."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BIN = ".venv/bin/"
CHECKS = {
    "format": (_BIN + "ruff", "format", "--check", "--quiet", "."),
    "lint": (_BIN + "ruff", "check", "--quiet", "."),
    # else a pyrightconfig.json in any folder above would be preferred
    "types": (_BIN + "pyright", "--project", "pyproject.toml"),
    "layers": (_BIN + "lint-imports",),
    "reference": (_BIN + "python", "tools/reference.py", "--check"),
    "monitoring": (_BIN + "python", "tools/monitoring.py", "--check"),
    "pictures": (_BIN + "python", "tools/pictures.py", "--check"),
    "figures": (_BIN + "python", "tools/figures.py"),
    # offline: whether a digest is that of its version, zizmor would have to ask GitHub
    "workflows": (
        *(_BIN + "zizmor", "--offline", "--persona", "pedantic", "--no-progress", "--quiet"),
        *("--config", ".github/zizmor.yml", ".github"),
    ),
    "locks": (_BIN + "python", "tools/check_lock.py"),
    "installed": (_BIN + "uv", "pip", "check", "--quiet", "--python", _BIN + "python"),
}


def run_all() -> int:
    """Print `ok` or `FAILED` for each; exit 1 if any failed."""
    failed: list[str] = []
    for name, command in CHECKS.items():
        started = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        ok = done.returncode == 0
        failed += [] if ok else [name]
        if not ok or name == "figures":
            sys.stdout.write(done.stdout + done.stderr)
        sys.stdout.write(
            f"check: {name:<10} {'ok' if ok else 'FAILED'} ({time.monotonic() - started:.1f} s)\n"
        )
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(run_all())
