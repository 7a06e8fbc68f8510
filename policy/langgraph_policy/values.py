"""Reading property values of which some cannot be seen."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

_SHOWN = 60
"""Characters of a value in a message."""


class Hidden(Enum):
    """A value that is there and cannot be judged."""

    UNKNOWN = "<computed>"
    """Only the cloud knows it: the output of a resource that does not exist yet."""
    SECRET = "<secret>"  # noqa: S105  # the mark of secrets, not one of them
    """Marked as secret: known to the program, and nobody else's business."""


class Undecided(Exception):  # not an error: what a rule says when it cannot look
    """A rule needs a value that is hidden; the message is its path."""


@dataclass(frozen=True)
class Node:
    """A part of a resource's inputs, and the path by which messages name it."""

    value: Any
    path: str = ""

    def at(self, path: str) -> Any:
        """The value at `spec.list.0.name`; None if it is not there, `Hidden` if it, or what holds it, is."""
        found = self.value
        for step in path.split(".") if path else ():
            if isinstance(found, Hidden):
                return found
            found = _step(found, step)
        return found

    def part(self, path: str) -> "Node":
        """The node at a path, there or not."""
        return Node(self.at(path), f"{self.path}.{path}".strip("."))

    def each(self, path: str) -> Iterator["Node"]:
        """The items of a list, or none if there is no list. A single object counts as a list of one.

        Raises:
            Undecided: the list is hidden.
        """
        whole = self.part(path)
        value = whole.seen()
        if isinstance(value, list):
            items = cast("list[Any]", value)
            yield from (Node(item, f"{whole.path}.{n}") for n, item in enumerate(items))
        elif value is not None:
            yield whole

    def seen(self, path: str = "") -> Any:
        """The value at a path.

        Raises:
            Undecided: it is hidden.
        """
        found = self.at(path)
        if isinstance(found, Hidden):
            raise Undecided(f"{self.path}.{path}".strip("."))
        return found

    def mapping(self, path: str = "") -> Mapping[str, Any]:
        """The object at a path, empty if there is none.

        Raises:
            Undecided: it is hidden.
        """
        found = self.seen(path)
        return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}

    def values(self, path: str = "") -> list[Any]:
        """The list at a path, or a list of the one value there.

        Raises:
            Undecided: it, or an item, is hidden.
        """
        return [node.seen() for node in self.each(path)]

    def texts(self, path: str = "") -> list[str]:
        """The same list, each item as text.

        Raises:
            Undecided: it, or an item, is hidden.
        """
        return [str(value) for value in self.values(path)]

    def document(self, path: str) -> "Node":
        """The object that a text of JSON holds, as policies are written.

        Raises:
            Undecided: it is hidden, or is no JSON.
        """
        text, full = self.seen(path), f"{self.path}.{path}".strip(".")
        try:
            return Node(json.loads(text) if isinstance(text, str) and text else text, full)
        except ValueError:
            raise Undecided(full) from None


def _step(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value).get(step)
    if isinstance(value, list) and step.isdigit():
        items = cast("list[Any]", value)
        return items[int(step)] if int(step) < len(items) else None
    return None


def plain(value: Any) -> Any:
    """A truth value that is written as text, as in a launch template, is one."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def is_true(value: Any) -> bool:
    """Whether a flag is on."""
    return plain(value) is True


def number(value: Any) -> float:
    """A count; 0 where there is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0


def shown(value: Any) -> str:
    """The value in a message; a secret never."""
    if isinstance(value, Hidden):
        return value.value
    if value is None:
        return "not set"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
