"""How two values differ, path by path."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast


class Absent:
    """There is no value at this path."""

    def __repr__(self) -> str:
        """For people."""
        return "nothing"


ABSENT = Absent()

_PLAIN = re.compile(r"^[A-Za-z_$][\w$-]*$")


@dataclass(frozen=True)
class Difference:
    """One path with its two values; either may be `ABSENT`."""

    path: str
    old: Any
    new: Any


def differences(old: Any, new: Any, path: str = "") -> Iterator[Difference]:
    """All paths that differ, in order.

    Items of a list that have a unique `name` are compared by it (`containers[api].image`), others by place.
    A text that holds JSON on both sides is compared as what it holds.
    """
    if old == new and type(old) is type(new):
        return
    old, new = _parsed(old, new)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _of_mappings(cast("Mapping[str, Any]", old), cast("Mapping[str, Any]", new), path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_lists(cast("list[Any]", old), cast("list[Any]", new), path)
    else:
        yield Difference(path, old, new)


def within(path: str, outer: str) -> bool:
    """Whether a path is `outer` or below it; `outer` may have `[*]` for any item."""
    pattern = "".join(
        r"\[[^\]]*\]" if part == "[*]" else re.escape(part) for part in re.split(r"(\[\*\])", outer)
    )
    return re.match(rf"{pattern}(?:$|[.\[])", path) is not None


def _of_mappings(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Difference]:
    for key in sorted({*old, *new}):
        step = key if _PLAIN.match(key) else f"[{json.dumps(key, ensure_ascii=False)}]"
        deeper = f"{path}.{step}" if path and not step.startswith("[") else f"{path}{step}"
        yield from _of_item(old.get(key, ABSENT), new.get(key, ABSENT), deeper)


def _of_lists(old: list[Any], new: list[Any], path: str) -> Iterator[Difference]:
    before, after = _by_name(old), _by_name(new)
    if before is None or after is None:
        before, after = dict(enumerate(old)), dict(enumerate(new))
    found: list[Difference] = []
    for key in dict.fromkeys([*before, *after]):
        found += _of_item(before.get(key, ABSENT), after.get(key, ABSENT), f"{path}[{key}]")
    # the same items in another order
    yield from found or [Difference(path, old, new)]


def _of_item(old: Any, new: Any, path: str) -> Iterator[Difference]:
    if old is ABSENT or new is ABSENT:
        yield Difference(path, old, new)
    else:
        yield from differences(old, new, path)


def _by_name(items: list[Any]) -> dict[Any, Any] | None:
    names = [cast("dict[str, Any]", item).get("name") for item in items if isinstance(item, dict)]
    unique = len(names) == len(items) == len({name for name in names if isinstance(name, str)})
    return dict(zip(names, items, strict=True)) if unique and items else None


def _parsed(old: Any, new: Any) -> tuple[Any, Any]:
    if isinstance(old, str) and isinstance(new, str) and old[:1] + new[:1] in {"{{", "[["}:
        try:
            held = json.loads(old), json.loads(new)
        except ValueError:
            return old, new
        return held if held[0] != held[1] else (old, new)
    return old, new
