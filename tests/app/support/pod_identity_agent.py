"""A stand-in for the EKS Pod Identity agent: HTTP on a loopback port, answering as it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Agent:
    """What it answers next, and what it was asked."""

    uri: str = ""
    status: int = 200
    body: bytes = b""
    delay: float = 0
    raw: bytes | None = None
    """Sent instead of an HTTP answer."""
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    """Headers of each request, with the request line as `request`."""

    def gives(self, key: str, ends_at: datetime) -> None:
        """Hand out this access key from now on."""
        told: dict[str, Any] = {
            "AccessKeyId": key,
            "SecretAccessKey": f"secret-of-{key}",
            "Token": f"session/of+{key}==",
            "Expiration": ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "AccountId": "123456789012",
        }
        self.body = json.dumps(told).encode()


@asynccontextmanager
async def pod_identity_agent() -> AsyncIterator[Agent]:
    agent, gone, left = Agent(), asyncio.Event(), asyncio.Semaphore(0)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request, *lines = head.strip().split("\r\n")
        agent.asked.append({"request": request} | dict(line.split(": ", 1) for line in lines))
        with suppress(TimeoutError):
            await asyncio.wait_for(gone.wait(), agent.delay)
        plain = b"HTTP/1.1 %d Whatever\r\nContent-Type: application/json\r\n\r\n" % agent.status + agent.body
        writer.write(plain if agent.raw is None else agent.raw)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        left.release()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    agent.uri = f"http://127.0.0.1:{port}/v1/credentials"
    try:
        yield agent
    finally:
        gone.set()
        server.close()
        await server.wait_closed()
        for _ in agent.asked:
            await left.acquire()
