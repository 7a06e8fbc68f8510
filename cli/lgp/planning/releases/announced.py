"""What operators have been told of the next release: `releases/announced.toml`.

[[change]]
stacks = ["prod"]
resource = "aws:rds:Instance langgraph-database"
word = "replaces"
why = "Databases are encrypted with a key of their own."
do = "Restore the snapshot that the upgrade makes: docs/howto/…"

[[setting]]
stacks = ["dev", "prod"]
path = "platform.database.size_gib"
value = 50                       # without: the setting is taken away
why = "It is called storage_gib."
do = "Rename it in Pulumi.STACK.yaml before the upgrade."
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

from lgp.errors import UsageProblem
from lgp.planning.releases.alarms import Alarm

_KEYS = {
    "change": {"stacks", "resource", "word", "why", "do"},
    "setting": {"stacks", "path", "value", "why", "do"},
}


@dataclass(frozen=True)
class Announcement:
    """One entry of the file."""

    stacks: tuple[str, ...]
    what: str
    """The resource, or the setting's path."""
    why: str
    do: str
    """What the operator does about it."""
    word: str = ""
    """Of a change: `destroys`, `replaces`, `may replace`, `renames`."""
    value: Any = None
    """Of a setting: what it is to be; None takes it away."""


@dataclass(frozen=True)
class Announced:
    """All entries of the file."""

    changes: tuple[Announcement, ...]
    settings: tuple[Announcement, ...]

    def every(self) -> tuple[Announcement, ...]:
        """Changes, then settings."""
        return self.changes + self.settings


def read_announced(text: str) -> Announced:
    """The entries of the file.

    Raises:
        UsageProblem: it is not TOML, or an entry lacks a key or has one too many.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"releases/announced.toml: {error}"
        raise UsageProblem(message) from None
    if unknown := sorted(document.keys() - _KEYS.keys()):
        message = f"releases/announced.toml: {unknown[0]}: there is [[change]] and [[setting]]"
        raise UsageProblem(message)
    return Announced(_entries(document, "change"), _entries(document, "setting"))


def unannounced(found: Sequence[Alarm], told: Announced, stack: str) -> list[Alarm]:
    """The alarms that no entry tells of; an entry covers what its resource takes along."""
    known = {(entry.what, entry.word) for entry in told.changes if stack in entry.stacks}
    causes = {what for what, _ in known}
    return [each for each in found if (each.resource, each.word) not in known and each.through not in causes]


def needless(found: Mapping[str, Sequence[Alarm]], told: Announced) -> list[str]:
    """The changes that are announced and do not happen; `found` has the alarms of each stack."""
    return [
        f"{entry.what} in {stack}"
        for entry in told.changes
        for stack in entry.stacks
        if (entry.what, entry.word) not in {(each.resource, each.word) for each in found.get(stack, ())}
    ]


def with_settings(config: Mapping[str, Any], told: Announced, stack: str) -> dict[str, Any]:
    """The release's configuration as its operator is told to change it."""
    changed = deepcopy(dict(config))
    for entry in told.settings:
        if stack in entry.stacks:
            _set(changed, entry)
    return changed


def _set(config: dict[str, Any], entry: Announcement) -> None:
    """`platform.database.size` is in the value of the key that ends with `:platform`."""
    first, *steps = entry.what.split(".")
    key = next((key for key in config if key.rpartition(":")[2] == first), first)
    *above, last = [key, *steps]
    place = config
    for step in above:
        place = cast("dict[str, Any]", place.setdefault(step, {}))
    if entry.value is None:
        place.pop(last, None)
    else:
        place[last] = entry.value


def _entries(document: Mapping[str, Any], kind: str) -> tuple[Announcement, ...]:
    given = cast("Iterable[dict[str, Any]]", document.get(kind, []))
    return tuple(_entry(each, kind) for each in given)


def _entry(given: Mapping[str, Any], kind: str) -> Announcement:
    wrong = sorted((given.keys() ^ _KEYS[kind]) - {"value"})
    if wrong:
        message = (
            f"releases/announced.toml: a [[{kind}]] has {', '.join(sorted(_KEYS[kind]))}: see {wrong[0]!r}"
        )
        raise UsageProblem(message)
    what = given["resource"] if kind == "change" else given["path"]
    return Announcement(
        tuple(given["stacks"]), what, given["why"], given["do"], given.get("word", ""), given.get("value")
    )
