"""What may be attached, and whether a content is what it is said to be."""

import codecs

from agent_server.core.errors import UnsupportedMediaType

TEXT_TYPES = frozenset(
    {"text/plain", "text/markdown", "text/csv", "text/tab-separated-values", "application/json"}
)
"""In UTF-8, without NUL."""

_OFFICE = "application/vnd.openxmlformats-officedocument"
_ZIP = (b"PK\x03\x04",)
_BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/tiff": (b"II*\0", b"MM\0*"),
    "image/webp": (b"RIFF",),
    f"{_OFFICE}.wordprocessingml.document": _ZIP,
    f"{_OFFICE}.spreadsheetml.sheet": _ZIP,
    f"{_OFFICE}.presentationml.presentation": _ZIP,
    "application/pdf": (b"%PDF-",),
}
TYPES = TEXT_TYPES | frozenset(_BEGINNINGS)
"""All that is taken. Nothing that a browser would execute is among it."""

HEAD_BYTES = 1024
"""Of a content, so much tells what it is; readers of PDF look for its mark in as many."""


def media_type(given: str) -> str:
    """Return the type that a header or a body names, without parameters.

    Raises:
        UnsupportedMediaType: none of TYPES, or a text in another encoding than UTF-8.
    """
    name, *parameters = (part.strip().lower() for part in given.split(";"))
    plain = not parameters or (name in TEXT_TYPES and parameters in (["charset=utf-8"], ['charset="utf-8"']))
    if name not in TYPES or not plain:
        msg = f"This type is not taken; there are: {', '.join(sorted(TYPES))}."
        raise UnsupportedMediaType(msg)
    return name


class ContentCheck:
    """Takes a content piece by piece and raises UnsupportedMediaType once it cannot be of its type."""

    def __init__(self, content_type: str) -> None:
        self._type = content_type
        self._head = b""
        self._judged = False
        is_text = content_type in TEXT_TYPES
        self._decoder = codecs.getincrementaldecoder("utf-8")() if is_text else None

    def feed(self, part: bytes) -> None:
        """Take the next piece."""
        if self._decoder is not None:
            self._read_text(part)
        elif not self._judged:
            self._head += part[: HEAD_BYTES - len(self._head)]
            if len(self._head) >= HEAD_BYTES:
                self._judge()

    def end(self) -> None:
        """Say that there is no more."""
        if self._decoder is not None:
            self._read_text(b"", final=True)
        elif not self._judged:
            self._judge()

    def _read_text(self, part: bytes, *, final: bool = False) -> None:
        assert self._decoder is not None  # noqa: S101  # its callers have looked
        try:
            self._decoder.decode(part, final)
        except UnicodeDecodeError:
            self._refuse("it is no UTF-8")
        if b"\0" in part:
            self._refuse("it holds a NUL")

    def _judge(self) -> None:
        self._judged = True
        if not _begins_as(self._type, self._head):
            self._refuse("it begins otherwise")

    def _refuse(self, why: str) -> None:
        msg = f"The content is not of the type {self._type}: {why}."
        raise UnsupportedMediaType(msg) from None


def _begins_as(content_type: str, head: bytes) -> bool:
    beginnings = _BEGINNINGS[content_type]
    if content_type == "application/pdf":
        return beginnings[0] in head
    return head.startswith(beginnings) and (content_type != "image/webp" or head[8:12] == b"WEBP")


def check_content(content_type: str, content: bytes) -> None:
    """Raise UnsupportedMediaType unless a whole content is of its type."""
    check = ContentCheck(content_type)
    check.feed(content)
    check.end()
