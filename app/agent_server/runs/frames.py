"""Server-sent events as bytes: encoded once, logged, and sent as they are."""

HEARTBEAT = b": heartbeat\n\n"
RETRY = b"retry: 500\n"
"""Milliseconds after which a client whose stream was closed asks again."""
_END = b"\n\n"


def frame(event: str, data: bytes, position: tuple[int, int] | None = None) -> bytes:
    """Encode one event; `data` is JSON without line breaks, `position` its attempt and seq."""
    head = b"event: %b\ndata: %b\n" % (event.encode(), data)
    return head + (b"id: %d-%d\n\n" % position if position else b"\n")


def parts(frames: bytes) -> list[bytes]:
    """Take joined frames apart."""
    return [part + _END for part in frames.split(_END)[:-1]]
