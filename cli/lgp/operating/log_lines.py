"""One line of a pod's log: as a program reads it, and as a person does."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from lgp.operating.pods import Source
from lgp.shapes import a_list, an_object

LINE_CHARACTERS = 100_000
"""Of a line, so much is looked at; the server itself writes less than that, whatever else writes may not."""

FRAMES = 3
"""Of an exception, so many places nearest to where it was raised."""

_ALREADY = {"timestamp", "level", "event", "exception"}
_COLOURS = {"debug": "dim", "warning": "yellow", "error": "red", "critical": "bold red"}
_PODS = ("cyan", "green", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta", "bright_blue")
_CONTROL = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160), 0x2028, 0x2029)}


@dataclass(frozen=True, slots=True)
class Line:
    """What one pod said at one moment."""

    time: str
    """RFC 3339 with nanoseconds, by the node; sorts as text."""
    source: Source
    text: str

    @property
    def fields(self) -> dict[str, Any] | None:
        """The object it is, if it is one: what Python or a library writes before the log begins is none."""
        if not self.text.startswith("{"):
            return None
        try:
            return an_object(json.loads(self.text)) or None
        except ValueError:
            return None


def parsed(source: Source, raw: str) -> Line:
    """A line of `kubectl logs --timestamps`."""
    time, space, text = raw.rstrip("\n").partition(" ")
    if not space and "T" not in time:
        time, text = "", raw.rstrip("\n")
    return Line(time, source, text[:LINE_CHARACTERS])


def of_run(run_id: str) -> Callable[[Line], bool]:
    """Whether a line is about that run: by its field, or where there are no fields by its text."""

    def wanted(line: Line) -> bool:
        if run_id not in line.text:
            return False
        fields = line.fields
        return fields is None or fields.get("run_id") == run_id

    return wanted


def for_programs(line: Line) -> dict[str, Any]:
    """The line's own fields and where it is from."""
    fields = line.fields
    told: Mapping[str, Any] = {"text": line.text, "timestamp": line.time} if fields is None else fields
    return {**told, "pod": line.source.pod, "component": line.source.component}


def for_people(line: Line) -> Iterator[Text]:
    """Time, pod, level, event and fields on one line; places of an exception below it."""
    fields = line.fields
    head = Text.assemble(
        (f"{_clock(line.time)} ", "dim"), (f"{line.source.short} ", _PODS[hash(line.source.pod) % len(_PODS)])
    )
    if fields is None:
        yield head + Text(_shown(line.text))
        return
    level = str(fields.get("level", "info"))
    event = Text(_shown(str(fields.get("event", ""))), style=_COLOURS.get(level, ""))
    more = " ".join(f"{_shown(key)}={_value(value)}" for key, value in fields.items() if key not in _ALREADY)
    yield (
        head
        + Text(f"{level[:5]:<5} ", style=_COLOURS.get(level, "dim"))
        + event
        + Text(f"  {more}" if more else "", "dim")
    )
    for place in _exception(fields.get("exception")):
        yield Text(f"    {place}", style="red")


def _clock(time: str) -> str:
    return time[11:23] if len(time) > len("2026-01-01T00:00:00.0") else time


def _shown(text: str) -> str:
    """Control characters as they are written in Python: no log colours the terminal or forges a line."""
    return text.translate(_CONTROL)


def _value(value: Any) -> str:
    return _shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _exception(found: Any) -> Iterator[str]:
    """`KeyError: 'x'` and its last places, of what structlog writes; a text as it is."""
    if isinstance(found, str):
        yield from (_shown(line) for line in found.splitlines()[-FRAMES:])
        return
    for one in map(an_object, a_list(found)):
        yield f"{_shown(str(one.get('exc_type', '')))}: {_shown(str(one.get('exc_value', '')))}"
        for frame in map(an_object, a_list(one.get("frames"))[-FRAMES:]):
            yield _shown(f"  {frame.get('filename')}:{frame.get('lineno')} in {frame.get('name')}")
