"""The event stream format of the WHATWG HTML standard, section 9.2, without any reading of sockets."""

import re
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"
_RETRY = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Frame:
    """One dispatched event."""

    event: str
    """Its type; `message` when it named none."""
    data: str
    """Its data lines, joined by LF."""
    id: str | None
    """The id this frame carried itself; None when it had none of its own."""


class SSEParser:
    """Turns the bytes of one connection into frames, however they are cut; never returns half a frame."""

    retry: float | None = None
    """Seconds the server last asked to wait before a reconnect."""

    def __init__(self) -> None:
        """Start at the first byte of a connection."""
        self._partial: list[bytes] = []  # the pieces of a line whose end has not come
        self._after_cr = False  # the last chunk ended in CR: an LF that comes first belongs to it
        self._first_line = True  # only there may a byte order mark stand
        self._id: str | None = None
        self._event = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the frames that this chunk completes; takes time in proportion to the bytes."""
        if not chunk:
            return []
        rest = chunk.removeprefix(b"\n") if self._after_cr else chunk
        self._after_cr = rest.endswith(b"\r")
        *lines, rest = _LINE_END.split(rest)
        if lines:
            lines[0] = b"".join((*self._partial, lines[0]))
            self._partial.clear()
        if rest:
            self._partial.append(rest)
        return [frame for line in lines if (frame := self._take_line(line)) is not None]

    def _take_line(self, line: bytes) -> Frame | None:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        name, _, value = line.decode(errors="replace").partition(":")
        self._take_field(name, value.removeprefix(" "))
        return None

    def _take_field(self, name: str, value: str) -> None:
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and _RETRY.fullmatch(value):
            self.retry = int(value) / 1000

    def _dispatch(self) -> Frame | None:
        frame = Frame(self._event or "message", "\n".join(self._data), self._id) if self._data else None
        self._event, self._data, self._id = "", [], None
        return frame
