"""The server's lock, as what a project's packages must agree with."""

import re
from collections.abc import Iterator, Mapping

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$", re.MULTILINE)


def constraints(lock: str) -> str:
    """The lock's pins without their hashes, as pip takes constraints."""
    lines = (
        f"{name}=={version}" + (f" ; {marker}" if marker else "")
        for name, version, marker in _PIN.findall(lock)
    )
    return "".join(f"{line}\n" for line in lines)


def pins(lock: str, python: str) -> dict[str, str]:
    """The version of each package that the image of that Python has."""
    there = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
    }
    return {
        canonicalize_name(name): version
        for name, version, marker in _PIN.findall(lock)
        if not marker or Marker(marker).evaluate(there)
    }


def conflict(entry: str, locked: Mapping[str, str]) -> str | None:
    """Why a requirement cannot be met beside the server; None if nothing is known against it.

    Raises:
        InvalidRequirement: it is none.
    """
    wanted = Requirement(entry)
    version = locked.get(canonicalize_name(wanted.name))
    if version is None or wanted.specifier.contains(version, prereleases=True):
        return None
    return f"{entry!r} cannot be met: the server's own {wanted.name} is {version}"


def conflicts(entries: list[str], locked: Mapping[str, str]) -> Iterator[str]:
    """One sentence for each requirement that the server forbids; what is none is left to pip."""
    for entry in entries:
        try:
            found = conflict(entry, locked)
        except InvalidRequirement:
            continue
        if found:
            yield found
