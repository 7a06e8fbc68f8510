"""`make lock`: resolve the lock files anew, every pin with its hashes and no address of any index.

The image's list of parts (SBOM, CycloneDX) is written from its lock.
"""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUARANTINE = timedelta(days=7)
"""How old a release must be: most malicious ones are found sooner."""

_FLAGS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url")
_LOCKS = {
    "requirements.lock": (
        *("--group", "pyproject.toml:dev", "--all-extras"),
        *("app/pyproject.toml", "cli/pyproject.toml", "client/pyproject.toml", "components/pyproject.toml"),
        *("--no-emit-package", "lgp-client", "--no-emit-package", "langgraph-components"),
        *("--no-emit-package", "langgraph-policy"),
    ),
    "app/requirements.lock": ("--constraint", "requirements.lock", "app/pyproject.toml"),
    "policy/requirements.lock": ("--extra", "pack", "policy/pyproject.toml"),
    "tools/scan/requirements.lock": ("tools/scan/requirements.in",),
    "tools/uv.lock.txt": ("tools/uv.in",),
}
"""The image's lock takes the versions of the first, so that what is tested is what is shipped.

The policy pack's is its own: Pulumi's engine runs the pack in an environment of its own, and the old protobuf
that its SDK wants shall not become the server's. So is that of checkov (`make scan`), with its many packages.
"""

SBOM = "app/sbom.cdx.json"


def resolve(before: str) -> int:
    """Write each lock from what existed before that day; the first failure ends it."""
    for lock, sources in _LOCKS.items():
        dated = ("--exclude-newer", before)
        command = (
            ".venv/bin/uv",
            "pip",
            "compile",
            "--quiet",
            *_FLAGS,
            *dated,
            *sources,
            "--upgrade",
            "-o",
            lock,
        )
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            sys.stderr.write(f"lock: {lock} could not be resolved\n")
            return 1
        sys.stderr.write(f"lock: {lock} as of {before}\n")
    return write_sbom()


def write_sbom() -> int:
    """Write the parts of the image's lock as CycloneDX, the same bytes each time."""
    pins = re.findall(
        r"^[a-z0-9][^\s;]*==[^\s;]+", (ROOT / "app" / "requirements.lock").read_text(), re.MULTILINE
    )
    command = (
        *(".venv/bin/python", "-W", "ignore", "-m", "cyclonedx_py", "requirements", "-"),
        *("--pyproject", "app/pyproject.toml", "--output-reproducible", "--output-format", "JSON"),
        *("--output-file", SBOM),
    )
    return subprocess.run(command, cwd=ROOT, check=False, input="\n".join(pins), text=True).returncode


def quarantined_day() -> str:
    """The last day whose releases are old enough."""
    return (datetime.now(UTC) - QUARANTINE).date().isoformat()


if __name__ == "__main__":
    sys.exit(resolve(sys.argv[1] if len(sys.argv) > 1 else quarantined_day()))
