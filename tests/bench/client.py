"""The least HTTP/1.1 client a measurement can trust: one keep-alive connection, one request at a time."""

import asyncio
from collections.abc import Callable
from typing import cast

from httptools import HttpResponseParser

Take = Callable[[bytes], object]
"""Is handed each piece of a body as it arrives."""


def post(path: str, body: bytes) -> bytes:
    """The bytes of a JSON request."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection(asyncio.Protocol):
    """One connection; opens itself again if the server closed it between two requests."""

    def __init__(self, port: int) -> None:
        """Connects at the first request."""
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self._take: Take = bytes
        self._answer: asyncio.Future[int] | None = None

    async def exchange(self, request: bytes, take: Take) -> int:
        """Send a request, hand over its answer's body, return its status."""
        loop = asyncio.get_running_loop()
        if self._transport is None:
            self._transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        self._take = take
        self._answer = loop.create_future()
        self._transport.write(request)
        return await self._answer

    async def fetch(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and return status and body."""
        parts: list[bytes] = []
        status = await self.exchange(request, parts.append)
        return status, b"".join(parts)

    def close(self) -> None:
        """Close it; the next request opens it again."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio's; a new connection starts with a new parser."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class
        self._parser = HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        """Asyncio's."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio's."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("closed before the answer's end"))

    def on_body(self, body: bytes) -> None:
        """The parser's: a piece of the body."""
        self._take(body)

    def on_message_complete(self) -> None:
        """The parser's: the answer is whole."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self._parser.get_status_code())
