"""checkov in an environment of its own, made from the lock beside this file the first time."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".scan"
LOCK = Path(__file__).with_name("requirements.lock")
PROGRAM = ENVIRONMENT / "bin" / "checkov"
FRAMEWORKS = ("kubernetes", "terraform", "dockerfile", "github_actions")


def install() -> None:
    """Make the environment as the lock has it, unless it is."""
    digest, stamp = hashlib.sha256(LOCK.read_bytes()).hexdigest(), ENVIRONMENT / "lock.sha256"
    if not stamp.is_file() or stamp.read_text() != digest:
        sys.stderr.write("scan: installing checkov into .scan, once\n")
        uv, python = ROOT / ".venv" / "bin" / "uv", ENVIRONMENT / "bin" / "python"
        options = ("--quiet", "--python", str(python), "--require-hashes", "-r", str(LOCK))
        subprocess.run(
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT], check=True, cwd=ROOT
        )
        subprocess.run([uv, "pip", "install", *options], check=True, cwd=ROOT)
        stamp.write_text(digest)


def checked(folder: Path) -> Any:
    """Checkov's answer on a folder, as JSON; it asks nobody.

    Raises:
        RuntimeError: it did not answer.
    """
    command = [PROGRAM, "-d", folder, "--framework", *FRAMEWORKS]
    options = ("--skip-download", "--quiet", "--compact", "--output", "json")
    env = {key: os.environ[key] for key in os.environ if not key.startswith(("BC_", "CKV_", "PRISMA_"))}
    done = subprocess.run(
        [*command, *options], check=False, cwd=folder, env=env, capture_output=True, text=True
    )
    try:
        return json.loads(done.stdout)
    except ValueError:
        message = f"checkov ended with {done.returncode}: {done.stderr[-500:] or done.stdout[-500:]}"
        raise RuntimeError(message) from None
