"""A TCP proxy in front of PostgreSQL that can lose an answer or hold everything back."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

from psycopg.conninfo import make_conninfo

READY = b"Z\x00\x00\x00\x05I"
"""PostgreSQL's last message of an answer outside a transaction."""


class CutProxy:
    """Passes everything on until it is told otherwise."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self.dsn = ""
        self.cuts = 0
        self._marker: bytes | None = None
        self.passing = asyncio.Event()
        """While it is cleared nothing passes, and new connections get no answer: a black hole."""
        self.passing.set()
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def lose_answer_to(self, marker: bytes) -> None:
        """Let the next message with `marker` reach the server, and cut the connection before its answer."""
        self._marker = marker

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(self.socket)
        self._writers |= {writer, up_writer}
        cut = asyncio.Event()
        pumps = (
            asyncio.create_task(self._to_server(reader, up_writer, cut)),
            asyncio.create_task(self._to_client(up_reader, writer, cut)),
        )
        self._links |= set(pumps)
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for each in (writer, up_writer):
            each.close()
        for pump in pumps:
            pump.cancel()
        await asyncio.wait(pumps)
        self._links -= set(pumps)

    async def _to_server(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        while data := await _read(reader):
            await self.passing.wait()
            if self._marker is not None and self._marker in data:
                self._marker = None
                cut.set()
            writer.write(data)

    async def _to_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        while data := await _read(reader):
            await self.passing.wait()
            if cut.is_set():
                if READY in data:
                    self.cuts += 1
                    return
                continue
            writer.write(data)


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(65536)
    except ConnectionError:
        return b""


@asynccontextmanager
async def cut_proxy(url: str) -> AsyncGenerator[CutProxy]:
    """A proxy in front of the database of `url`; connect to its `dsn`."""
    folder = parse_qs(urlsplit(url).query)["host"][0]
    proxy = CutProxy(f"{folder}/.s.PGSQL.5432")
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    proxy.dsn = make_conninfo(url, host="127.0.0.1", port=port)
    try:
        yield proxy
    finally:
        server.close()
        for writer in proxy._writers:
            writer.close()
        if proxy._links:
            await asyncio.wait(proxy._links)
