"""What comes over the wire: heads without end, broken bodies, bodies that nobody wants, pipelines."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from app.support.surface import ok, problem
from starlette.types import Receive, Scope, Send
from support.server import ServerProcess

from agent_server.http import protocol
from agent_server.http.protocol import AHEAD, HEAD_BYTES, HEADERS, BoundedProtocol

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /graphs/echo/invoke HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
MIB = 2**20


class Wire:
    """One connection to a server."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self._socket = socket.create_connection((where.hostname, where.port), timeout=20)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def close(self) -> None:
        self._socket.close()

    def rest(self) -> bytes:
        """All that comes until the server has closed its side; a reset connection fails the test."""
        parts: list[bytes] = []
        while part := self._socket.recv(65536):
            parts.append(part)
        return b"".join(parts)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer: status, headers, body."""
        head = self._until(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)
        }
        body = self._exactly(int(headers.get("content-length", "0")))
        return int(lines[0].split()[1]), headers, body

    def _until(self, end: bytes) -> bytes:
        got = b""
        while not got.endswith(end):
            got += self._some(1)
        return got

    def _exactly(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            got += self._some(size - len(got))
        return got

    def _some(self, size: int) -> bytes:
        part = self._socket.recv(size)
        assert part, "the server has closed the connection"
        return part


@pytest.fixture
def wire(surface_server: ServerProcess) -> Iterator[Wire]:
    with wired(surface_server.url) as opened:
        yield opened


@contextmanager
def wired(url: str) -> Iterator[Wire]:
    opened = Wire(url)
    try:
        yield opened
    finally:
        opened.close()


def refused(wire: Wire, status: int, code: str) -> None:
    """The connection ends with this problem, and nothing after it."""
    got, headers, body = wire.answer()
    told = json.loads(body)
    assert (got, told["code"]) == (status, code)
    assert headers["content-type"] == "application/json"
    assert headers["connection"] == "close"
    assert told["request_id"] == headers["x-request-id"]
    assert wire.rest() == b""


def lines(count: int, size: int = 1) -> bytes:
    return b"".join(b"x-%d: %s\r\n" % (number, b"v" * size) for number in range(count))


TOO_LARGE = {
    "more than a hundred headers": HEALTH + lines(HEADERS) + b"\r\n",
    "headers of more than 32 KiB": HEALTH + lines(8, HEAD_BYTES // 8) + b"\r\n",
    "one header of 64 KiB": HEALTH + lines(1, 2 * HEAD_BYTES) + b"\r\n",
    "a header without end": HEALTH + b"x: " + b"v" * 400_000,
    "headers without end": HEALTH + lines(100_000),
    "a name without end": HEALTH + b"x" * 400_000,
    "a request line of 64 KiB": b"GET /" + b"x" * (2 * HEAD_BYTES) + b" HTTP/1.1\r\n\r\n",
    "a request line without end": b"GET /" + b"x" * 400_000,
}


@pytest.mark.parametrize("head", TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_a_head_beyond_its_bounds_is_refused_before_it_is_whole(wire: Wire, head: bytes) -> None:
    wire.send(head)
    refused(wire, 431, "headers_too_large")


def test_a_head_just_within_its_bounds_is_read(wire: Wire) -> None:
    wire.send(HEALTH + lines(HEADERS - 1, 200) + b"\r\n")
    assert wire.answer()[0] == 200
    rest = HEAD_BYTES - len(b"/health") - len(b"Host: localhost\r\n") - len(b"x-0: \r\n")
    wire.send(HEALTH + lines(1, rest) + b"\r\n")
    assert wire.answer()[0] == 200


GARBAGE = {
    "HTTP/0.9": b"GET /health\r\n\r\n",
    "HTTP/0.9 with headers": b"GET /health\r\nHost: localhost\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/3.7": b"GET /health HTTP/3.7\r\nHost: localhost\r\n\r\n",
    "TLS": bytes.fromhex("16030100f1010000ed0303") + bytes(range(200)),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "an unknown method": b"FETCH /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "NUL in a header": HEALTH + b"x: a\x00b\r\n\r\n",
    "a bare line feed in a name": HEALTH + b"x\n: a\r\n\r\n",
    "a space before the colon": HEALTH + b"x : a\r\n\r\n",
    "a folded line": HEALTH + b"x: a\r\n b\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a length that is no number": POST + b"Content-Length: 0x10\r\n\r\n",
    "a length beyond 64 bits": POST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "length and chunks": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks that are not the last coding": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "a chunk of no size": POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than it says": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
    "a chunk of a size beyond 64 bits": POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}",
    "a control character in the path": b"GET /hea\x01lth HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("sent", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_is_no_http_ends_its_connection(wire: Wire, sent: bytes) -> None:
    wire.send(sent)
    refused(wire, 400, "malformed_request")


def test_requests_in_a_row_are_answered_in_a_row(wire: Wire) -> None:
    content = b'{"input": {"text": "%d"}}'
    for number in range(20):
        body = content % number
        wire.send(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    texts = [json.loads(body)["result"]["text"] for _, _, body in (wire.answer() for _ in range(20))]
    assert [text[:-1] for text in texts] == [str(number) for number in range(20)]


def test_garbage_behind_a_request_does_not_spoil_its_answer(wire: Wire) -> None:
    body = b'{"input": {"text": "a"}}'
    wire.send(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body + b"\x00\x01\x02 garbage\r\n\r\n")
    status, _, told = wire.answer()
    assert (status, json.loads(told)["status"]) == (200, "success")
    assert wire.rest() == b""


def test_a_smuggled_request_is_not_answered(wire: Wire) -> None:
    inner = b"GET /graphs HTTP/1.1\r\nHost: localhost\r\n\r\n"
    wire.send(POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + inner)
    refused(wire, 400, "malformed_request")


def test_an_upgrade_is_answered_as_any_request(wire: Wire) -> None:
    wire.send(HEALTH + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n")
    assert wire.answer()[0] == 200
    wire.send(HEALTH + b"\r\n")
    assert wire.answer()[0] == 200


def rss(server: ServerProcess) -> int:
    """Bytes of memory, at their height since the last look."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")
    return peak


def flood(wire: Wire, total: int, chunked: bool) -> int:
    """Send until the server does not take it any more; returns how much was sent."""
    piece, sent = b" " * MIB, 0
    framed = b"%x\r\n" % len(piece) + piece + b"\r\n" if chunked else piece
    try:
        while sent < total:
            wire.send(framed)
            sent += MIB
    except OSError:
        pass
    return sent


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_of_a_gibibyte_costs_no_memory_and_is_told_413(
    surface_server: ServerProcess, wire: Wire, chunked: bool
) -> None:
    wire.send(HEALTH + b"\r\n")
    assert wire.answer()[0] == 200
    rss(surface_server)
    before = rss(surface_server)
    length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % 2**30
    wire.send(POST + length + b"\r\n\r\n")
    wire.send(b"%x\r\n" % (2 * MIB) + b" " * 2 * MIB + b"\r\n" if chunked else b" " * 2 * MIB)
    status, _, body = wire.answer()
    flood(wire, 2**30, chunked)
    grown = rss(surface_server) - before
    print(f"\n1 GiB, {'chunked' if chunked else 'by length'}: {grown / MIB:.2f} MiB more at the peak")
    assert (status, json.loads(body)["code"]) == (413, "body_too_large")
    assert grown <= 2 * MIB


def test_requests_sent_ahead_by_the_thousand_end_their_connection_and_cost_no_memory(
    surface_server: ServerProcess, http: httpx.Client
) -> None:
    ahead = HEALTH.replace(b"health", b"ready") + b"\r\n" + (HEALTH + b"\r\n") * 4000
    rss(surface_server)
    before, logged = rss(surface_server), len(surface_server.log())
    for _ in range(5):
        wire = Wire(surface_server.url)
        with suppress(ConnectionError):
            wire.send(ahead)
            assert wire.rest().count(b"HTTP/1.1 200 ") <= AHEAD + 2
        wire.close()
    ok(http.get("/ready"))
    assert rss(surface_server) - before < 20 * MIB
    assert '"level":"error"' not in surface_server.log()[logged:]


def test_a_client_that_leaves_requests_behind_is_no_error(
    surface_server: ServerProcess, http: httpx.Client
) -> None:
    logged = len(surface_server.log())
    for _ in range(50):
        wire = Wire(surface_server.url)
        wire.send((HEALTH.replace(b"health", b"ready") + b"\r\n") * 10)
        wire.close()
    ok(http.get("/ready"))
    time.sleep(0.3)
    assert '"level":"error"' not in surface_server.log()[logged:]


def test_a_body_that_is_announced_as_too_large_is_refused_before_it_comes(wire: Wire) -> None:
    """Also of a client that asks first, as curl does."""
    began = time.monotonic()
    wire.send(POST + b"Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n")
    assert wire.answer()[0] == 413
    assert time.monotonic() - began < 1


def test_a_client_that_asks_first_is_told_to_go_on(wire: Wire) -> None:
    body = b'{"input": {}}'
    wire.send(POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
    assert wire.answer()[0] == 100
    wire.send(body)
    assert wire.answer()[0] == 200


def test_a_connection_outlives_a_refusal_whose_body_was_small(wire: Wire) -> None:
    wire.send(POST.replace(b"application/json", b"text/plain") + b"Content-Length: 13\r\n\r\n")
    assert wire.answer()[0] == 415
    wire.send(b'{"input": {}}' + HEALTH + b"\r\n")
    assert wire.answer()[0] == 200


def test_an_answer_that_comes_early_is_not_lost_although_the_connection_ends(wire: Wire) -> None:
    """As nginx asks by default: HTTP/1.0, one request a connection."""
    wire.send(POST.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Content-Length: %d\r\n\r\n" % (4 * MIB))
    flood(wire, 4 * MIB, chunked=False)
    status, _, body = wire.answer()
    assert (status, json.loads(body)["code"]) == (413, "body_too_large")
    assert wire.rest() == b""


HOSTILE = [
    "\r\nX-Injected: yes",
    "%0d%0aX-Injected:%20yes",
    "\x1b[31mred\x1b[0m",
    '","level":"critical","event":"forged',
    "\u2028\u2029\x85",
    "${jndi:ldap://x}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_client_forges_a_header_or_a_line_of_the_log(
    http: httpx.Client, surface_server: ServerProcess, text: str
) -> None:
    before = len(surface_server.log())
    quoted = "".join(f"%{byte:02X}" for byte in text.encode())
    ok(http.post("/graphs/echo/invoke", json={"input": {"text": text}, "thread_id": text}))
    for path in (
        f"/graphs/{quoted}/runs",
        f"/threads/{quoted}x",
        f"/{quoted}",
        f"/graphs/echo/runs/{quoted}",
    ):
        for method in ("GET", "DELETE"):
            answer = http.request(method, httpx.URL(http.base_url).copy_with(raw_path=path.encode()))
            assert answer.status_code in {404, 405}
            assert "x-injected" not in answer.headers
    sent = text.encode("latin-1", "ignore").replace(b"\r\n", b"")
    for name in ("X-Request-Id", "Idempotency-Key", "Last-Event-ID", "User-Agent", "traceparent"):
        answer = http.get("/threads", headers={name: b"a" + sent})
        assert "x-injected" not in answer.headers
    ok(http.get("/ready"))
    for line in surface_server.log()[before:].strip().split("\n"):
        told = json.loads(line)
        assert told["event"] != "forged"
        assert told["level"] != "critical"
        assert "\x1b" not in line


async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads its body to the end, unless the path is `/early`."""
    if scope["path"] != "/early":
        while (await receive()).get("more_body"):
            pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def bounded(keep_alive: int = 330) -> AsyncGenerator[int]:
    """uvicorn with our protocol, in this process: its port."""
    config = uvicorn.Config(
        waiting,
        http=BoundedProtocol,
        lifespan="off",
        log_config=None,
        timeout_keep_alive=keep_alive,
        ws="none",
    )
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def connected(port: int) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize("began", [b"GET /", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nx: "])
async def test_a_head_that_does_not_arrive_ends_its_connection(
    monkeypatch: pytest.MonkeyPatch, began: bytes
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    async with bounded() as port, connected(port) as (reader, writer):
        start = time.monotonic()
        writer.write(began)
        while time.monotonic() - start < 0.25:  # a byte now and then changes nothing
            writer.write(b"a")
            await asyncio.sleep(0.05)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        await reader.read()
        assert 0.25 < time.monotonic() - start < 1.5


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_the_rest_of_a_body_that_nobody_wants_has_its_time(
    monkeypatch: pytest.MonkeyPatch, version: bytes
) -> None:
    monkeypatch.setattr(protocol, "LINGER_SECONDS", 0.3)
    async with bounded() as port, connected(port) as (reader, writer):
        writer.write(b"POST /early HTTP/" + version + b"\r\nContent-Length: 1000000\r\n\r\n")
        start = time.monotonic()
        await reader.readuntil(b"ok")
        with suppress(ConnectionError):
            async with asyncio.timeout(5):
                while True:
                    writer.write(b"a")
                    await writer.drain()
                    await asyncio.sleep(0.02)
        assert 0.2 < time.monotonic() - start < 2


async def test_a_connection_over_which_nothing_comes_ends_as_an_idle_one() -> None:
    async with bounded(keep_alive=1) as port:
        for sent in (b"", b"POST /early HTTP/1.1\r\nContent-Length: 2\r\n\r\n"):
            async with connected(port) as (reader, writer):
                writer.write(sent)
                if sent:
                    await reader.readuntil(b"ok")
                    writer.write(b"{}")  # whole now, and idle
                async with asyncio.timeout(4):
                    await reader.read()


@pytest.mark.parametrize("before", [b"", b"GET / HTTP/1.1\r\n\r\n"])
async def test_line_breaks_without_a_request_do_not_keep_a_connection(before: bytes) -> None:
    async with bounded(keep_alive=1) as port, connected(port) as (reader, writer):
        writer.write(before)
        if before:
            await reader.readuntil(b"ok")
        async with asyncio.timeout(4):
            while not reader.at_eof():
                writer.write(b"\r\n")
                await asyncio.sleep(0.2)
                with suppress(TimeoutError, ConnectionError):
                    await asyncio.wait_for(reader.read(), 0.05)


async def test_an_answer_that_takes_longer_than_an_idle_connection_may_is_given_whole() -> None:
    async with bounded(keep_alive=1) as port, connected(port) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\n")
        await reader.readuntil(b"ok")  # the next head has begun before this answer
        writer.write(b"Content-Length: 2\r\n\r\n")
        await asyncio.sleep(1.5)
        writer.write(b"{}")
        await asyncio.wait_for(reader.readuntil(b"ok"), 4)


def test_the_server_is_well_afterwards(http: httpx.Client, surface_server: ServerProcess) -> None:
    ok(http.get("/ready"))
    problem(http.get("/graphs/nothing/runs"), 404, "unknown_graph")
    assert "Exception in ASGI" not in surface_server.log()
