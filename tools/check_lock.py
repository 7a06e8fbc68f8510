"""Whether the locks still satisfy the packages' metadata. Needs no network, so it runs before every push."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
OURS = {"langgraph-components", "langgraph-policy", "lgp", "lgp-agent-server", "lgp-client"}
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")


class Lock(NamedTuple):
    """A lock file and the metadata it must satisfy."""

    path: str
    sources: tuple[str, ...]
    alone: bool = False
    """Whether its versions may differ from those that are tested together."""


LOCKS = (
    Lock(
        "requirements.lock",
        (
            "pyproject.toml",
            "app/pyproject.toml",
            "cli/pyproject.toml",
            "client/pyproject.toml",
            "components/pyproject.toml",
        ),
    ),
    Lock("app/requirements.lock", ("app/pyproject.toml",)),
    Lock("policy/requirements.lock", ("policy/pyproject.toml",), alone=True),
    Lock("tools/scan/requirements.lock", (), alone=True),
)


def pins(text: str) -> dict[str, set[Version]]:
    """The versions a lock allows, by normalised name."""
    found: dict[str, set[Version]] = {}
    for line in text.splitlines():
        if match := _PIN.match(line):
            found.setdefault(canonicalize_name(match["name"]), set()).add(Version(match["version"]))
    return found


def requirements(source: Path) -> Iterator[Requirement]:
    """What a pyproject.toml asks for, less our own packages."""
    document = tomllib.loads(source.read_text())
    project = document.get("project", {})
    wanted = [*project.get("dependencies", [])]
    for extra in project.get("optional-dependencies", {}).values():
        wanted += extra
    for group in document.get("dependency-groups", {}).values():
        wanted += group
    yield from (found for line in wanted if canonicalize_name((found := Requirement(line)).name) not in OURS)


def troubles() -> Iterator[str]:
    """One sentence for each thing that is wrong."""
    first = pins((ROOT / LOCKS[0].path).read_text())
    for lock in LOCKS:
        text = (ROOT / lock.path).read_text()
        locked = pins(text)
        yield from _form(lock.path, text)
        for source in lock.sources:
            for wanted in requirements(ROOT / source):
                yield from _unmet(lock.path, wanted, locked)
        for name, versions in locked.items():
            if not lock.alone and not versions <= first.get(name, set()):
                yield f"{lock.path}: {name} differs from {LOCKS[0].path}"
    yield from _unlisted(
        ROOT / "app" / "sbom.cdx.json", pins((ROOT / "app" / "requirements.lock").read_text())
    )


def _unlisted(sbom: Path, locked: dict[str, set[Version]]) -> Iterator[str]:
    """Where the image's list of parts is not that of its lock."""
    parts = json.loads(sbom.read_text())["components"]
    listed = pins("\n".join(f"{part['name']}=={part['version']}" for part in parts))
    different = [name for name in listed.keys() | locked.keys() if listed.get(name) != locked.get(name)]
    yield from (f"{sbom.name}: {name} is not as the image's lock has it" for name in sorted(different))


def _form(path: str, text: str) -> Iterator[str]:
    if "://" in text:
        yield f"{path}: names an address"
    entries = re.split(r"\n(?=[A-Za-z0-9])", text)
    yield from (
        f"{path}: {entry.split('==')[0]} has no hash"
        for entry in entries
        if _PIN.match(entry) and "--hash=" not in entry
    )


def _unmet(path: str, wanted: Requirement, locked: dict[str, set[Version]]) -> Iterator[str]:
    versions = locked.get(canonicalize_name(wanted.name))
    if not versions:
        yield f"{path}: {wanted.name} is not locked"
    elif not any(wanted.specifier.contains(version, prereleases=True) for version in versions):
        yield f"{path}: {wanted} is not met by {', '.join(map(str, sorted(versions)))}"


if __name__ == "__main__":
    found_troubles = list(troubles())
    sys.stderr.writelines(f"lock: {trouble} (run `make lock`)\n" for trouble in found_troubles)
    sys.exit(bool(found_troubles))
