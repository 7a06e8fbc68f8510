"""What `pulumi stack history` knows: which image each update named, and which one to go back to."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lgp.shapes import an_object

SETTINGS = ":platform"
"""The end of the settings' key in a stack's configuration; the project's name is before it."""

SHORT = 12
"""Characters of a digest that a person compares."""


@dataclass(frozen=True, slots=True)
class Update:
    """One operation on a stack."""

    number: int
    """Pulumi's; 0 where the state is in a bucket or folder, which number none."""
    kind: str
    """`update`, `destroy`, `refresh` and so on."""
    result: str
    """`succeeded`, `failed`, `in-progress`."""
    ended: str
    """RFC 3339, UTC; empty while it runs."""
    message: str
    image: str | None
    """`image.reference` of its settings; None where the stack builds the image itself."""
    commit: str
    """Git's, where Pulumi knew one."""

    @property
    def deployed(self) -> bool:
        """Whether all of its settings took effect."""
        return self.kind == "update" and self.result == "succeeded"


def read_updates(history: Any) -> list[Update]:
    """The updates in `pulumi stack history --json`, the oldest first."""
    return [_update(an_object(entry)) for entry in reversed(history if isinstance(history, list) else [])]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # any JSON


def _update(entry: dict[str, Any]) -> Update:
    environment = an_object(entry.get("environment"))
    return Update(
        number=int(entry.get("version") or 0),
        kind=str(entry.get("kind", "")),
        result=str(entry.get("result", "")),
        ended=str(entry.get("endTime") or ""),
        message=str(entry.get("message") or ""),
        image=image_named(platform_settings(an_object(entry.get("config")))),
        commit=str(environment.get("git.head") or ""),
    )


def platform_settings(config: dict[str, Any]) -> dict[str, Any]:
    """The platform's settings in a configuration as Pulumi's JSON has it; empty if there are none."""
    for key, entry in config.items():
        if key.endswith(SETTINGS):
            found = an_object(entry)
            return an_object(found.get("objectValue")) or _parsed(found.get("value"))
    return {}


def _parsed(text: Any) -> dict[str, Any]:
    try:
        return an_object(json.loads(text))
    except (TypeError, ValueError):
        return {}


def image_named(settings: dict[str, Any]) -> str | None:
    """The image that settings name; None where it is built."""
    reference = an_object(settings.get("image")).get("reference")
    return reference if isinstance(reference, str) else None


@dataclass(frozen=True, slots=True)
class Version:
    """One image, and the last update that deployed it."""

    image: str
    update: Update
    rolled_back: bool
    """Whether one went back from it to an older one."""


def versions(updates: Iterable[Update]) -> list[Version]:
    """The images that were deployed by name, the oldest first; the last that is not rolled back is in use.

    An update to an image that was deployed before is a way back: all that came between is rolled back.
    """
    kept: list[Version] = []
    gone: list[Version] = []
    for update in updates:
        if not update.deployed or update.image is None:
            continue
        images = [version.image for version in kept]
        if update.image in images:
            place = images.index(update.image)
            gone += [Version(one.image, one.update, rolled_back=True) for one in kept[place + 1 :]]
            del kept[place:]
        gone = [one for one in gone if one.image != update.image]
        kept.append(Version(update.image, update, rolled_back=False))
    return sorted([*kept, *gone], key=lambda version: version.update.ended)


def previous(found: Sequence[Version], declared: str) -> Version | None:
    """Where a rollback goes: the version before the declared one; if that never worked, the last that did."""
    kept = [version for version in found if not version.rolled_back]
    images = [version.image for version in kept]
    before = kept[: images.index(declared)] if declared in images else kept
    return before[-1] if before else None


def undeployed(found: Sequence[Version], declared: str) -> Version | None:
    """What is still in use where the settings name an older version: a rollback that did not get through."""
    kept = [version for version in found if not version.rolled_back]
    return kept[-1] if declared in [version.image for version in kept[:-1]] else None


def chosen(found: Sequence[Version], wanted: str) -> Version | None:
    """The newest version that a person named: by reference, digest or its beginning, tag, update's number."""
    for version in reversed(found):
        digest = version.image.partition("@sha256:")[2]
        hexes = wanted.removeprefix("sha256:")
        number = str(version.update.number or "none")
        if wanted in (version.image, version.image.rpartition(":")[2], number):
            return version
        if len(hexes) >= 6 and digest.startswith(hexes):  # noqa: PLR2004  # fewer digits would be a guess
            return version
    return None


def short(image: str) -> str:
    """The image as a person tells it from others: its name and the digest's beginning."""
    name, at, digest = image.partition("@sha256:")
    return f"{name}@sha256:{digest[:SHORT]}…" if at else image
