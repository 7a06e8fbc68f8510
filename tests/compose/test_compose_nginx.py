"""What the balancer's configuration promises, by the real nginx before servers that misbehave."""

import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from support.nginx import TEMPLATE, Nginx, needs_nginx, nginx, version
from support.ports import free_ports

from langgraph_components.pure import budget

pytestmark = needs_nginx
NEWER = (1, 27, 3)
"""nginx that asks the DNS again for the servers of an upstream."""


class Upstream:
    """A server whose every answer is `answer`; it counts what reaches it."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.connections: set[int] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.seen.append((self.command, self.path, headers))
                outer.connections.add(self.client_address[1])
                answer(self)

            do_POST = do_GET  # noqa: N815  # http.server's name

            def log_message(self, *told: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def well(request: BaseHTTPRequestHandler) -> None:
    """200, after the whole body."""
    request.rfile.read(int(request.headers.get("content-length", 0)))
    answered(request, 200, b'{"well": true}')


def answered(request: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def drains(request: BaseHTTPRequestHandler) -> None:
    request.rfile.read(int(request.headers.get("content-length", 0)))
    answered(request, 503, b'{"code": "draining"}', **{"Retry-After": "1"})


def dies(request: BaseHTTPRequestHandler) -> None:
    """Read the request, then be gone without a word."""
    request.rfile.read(int(request.headers.get("content-length", 0)))
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def upstreams() -> Iterator[Callable[[Callable[[BaseHTTPRequestHandler], None]], Upstream]]:
    made: list[Upstream] = []

    def make(answer: Callable[[BaseHTTPRequestHandler], None]) -> Upstream:
        made.append(Upstream(answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


@contextmanager
def before(*urls: str) -> Iterator[tuple[Nginx, httpx.Client]]:
    with nginx(urls) as balancer, httpx.Client(base_url=balancer.url, verify=balancer.tls) as client:
        yield balancer, client


def refused() -> str:
    """Where nobody listens."""
    return f"http://127.0.0.1:{free_ports(1)[0]}"


def test_the_times_are_the_contracts() -> None:
    text = TEMPLATE.read_text()
    for name in ("proxy_read_timeout", "proxy_send_timeout", "keepalive_timeout", "send_timeout"):
        found = {int(one) for one in re.findall(rf"^\s*{name} (\d+)s;", text, re.MULTILINE)}
        assert found == {budget.TIMES.balancer_idle}, name
    assert budget.TIMES.client_timeout < budget.TIMES.balancer_idle < budget.TIMES.keep_alive


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_does_not_listen_is_passed_over(upstreams, method: str) -> None:
    there = upstreams(well)
    with before(refused(), there.url) as (_, client):
        answers = [client.request(method, "/", content=b"{}").status_code for _ in range(6)]
    assert answers == [200] * 6
    assert len(there.seen) == 6


def test_a_post_that_was_sent_is_never_sent_again(upstreams) -> None:
    first, second = upstreams(dies), upstreams(dies)
    with before(first.url, second.url) as (_, client):
        answer = client.post("/graphs/support/invoke", content=b"{}")
    assert answer.status_code == 502
    assert answer.json()["code"] == "bad_gateway"
    assert answer.json()["request_id"]
    assert answer.headers["retry-after"] == "1"
    assert len(first.seen) + len(second.seen) == 1


def test_a_question_whose_process_died_is_asked_of_another(upstreams) -> None:
    dead, alive = upstreams(dies), upstreams(well)
    with before(dead.url, alive.url) as (_, client):
        assert [client.get("/").status_code for _ in range(4)] == [200] * 4
    assert dead.seen


def test_a_question_to_a_process_that_stops_goes_to_another_and_a_post_is_told(upstreams) -> None:
    stops, stays = upstreams(drains), upstreams(well)
    with before(stops.url, stays.url) as (_, client):
        assert {client.get("/ready").status_code for _ in range(4)} == {200}
        posts = [client.post("/", content=b"{}") for _ in range(4)]
    assert {answer.status_code for answer in posts} == {200, 503}
    assert {a.json()["code"] for a in posts if a.status_code == 503} == {"draining"}


def test_when_all_say_503_the_last_ones_words_are_told(upstreams) -> None:
    with before(upstreams(drains).url, upstreams(drains).url) as (_, client):
        for _ in range(4):
            answer = client.get("/")
            assert (answer.status_code, answer.json()) == (503, {"code": "draining"})
            assert answer.headers.get_list("retry-after") == ["1"]


def test_a_stream_goes_through_event_by_event(upstreams) -> None:
    release = threading.Event()

    def streams(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        for name, value in {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}.items():
            request.send_header(name, value)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        for text in (b"event: a\n\n", b"event: b\n\n"):
            request.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
            assert release.wait(20)
        request.wfile.write(b"0\r\n\r\n")

    with before(upstreams(streams).url) as (_, client), client.stream("POST", "/stream") as answer:
        parts = answer.iter_text()
        assert next(parts) == "event: a\n\n"  # the second has not been sent
        release.set()
        assert "".join(parts) == "event: b\n\n"


def test_who_leaves_a_stream_is_gone_for_the_server_too(upstreams) -> None:
    left = threading.Event()

    def streams(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("X-Accel-Buffering", "no")
        request.send_header("Connection", "close")
        request.end_headers()
        with suppress(OSError):
            for _ in range(400):
                request.wfile.write(b": heartbeat\n\n")
                time.sleep(0.02)
        left.set()

    with before(upstreams(streams).url) as (_, client):
        with client.stream("GET", "/stream") as answer:
            next(answer.iter_text())
        assert left.wait(5)


def test_a_body_is_refused_by_the_server_before_it_has_come(upstreams) -> None:
    """32 MiB are announced, none of it is needed for the answer: there is no limit but the server's."""

    def too_large(request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        answered(request, 413, b'{"code": "body_too_large"}', Connection="close")

    server = upstreams(too_large)
    with before(server.url) as (balancer, _):
        address = ("localhost", balancer.https_port)
        with balancer.tls.wrap_socket(socket.create_connection(address), server_hostname="localhost") as wire:
            wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 33554432\r\n\r\n" + b" " * 1000)
            answer = wire.recv(4096)
        assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_request_id_is_passed_on_if_it_is_sane_and_made_if_not(upstreams) -> None:
    server = upstreams(well)
    with before(server.url) as (balancer, client):
        client.get("/", headers={"X-Request-Id": "mine-1"})
        client.get("/", headers={"X-Request-Id": "no good"})
        log = [json.loads(line) for line in balancer.log().splitlines() if line.startswith("{")]
    given, made = (headers["x-request-id"] for _, _, headers in server.seen)
    assert given == "mine-1"
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert [line["request_id"] for line in log] == [given, made]


def test_the_server_is_told_who_asked_and_nobody_can_pretend(upstreams) -> None:
    server = upstreams(well)
    pretended = {"X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1", "X-Forwarded-Proto": "http"}
    with before(server.url) as (balancer, client):
        client.get("/", headers=pretended)
    ((_, _, told),) = server.seen
    assert told["x-forwarded-for"] == "127.0.0.1"
    assert told["x-forwarded-proto"] == "https"
    assert told["host"] == f"localhost:{balancer.https_port}"
    assert "forwarded" not in told


def test_connections_to_the_server_are_kept(upstreams) -> None:
    server = upstreams(well)
    with before(server.url) as (_, client):
        for _ in range(20):
            client.get("/")
    assert len(server.seen) == 20
    assert len(server.connections) <= 4  # one a worker process of nginx


def test_old_tls_is_refused(upstreams) -> None:
    with before(upstreams(well).url) as (balancer, _):
        for newest, welcome in ((ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
            assert handshake(balancer, newest) == welcome
        assert not handshake(balancer, None)


def handshake(balancer: Nginx, only: ssl.TLSVersion | None) -> bool:
    """Whether that version is spoken; None: the ones before 1.2, which our own library may not even offer."""
    if only is None:
        return speaks_tls_1_1(balancer.https_port)
    context = ssl.create_default_context(cafile=str(balancer.authority))
    context.minimum_version = context.maximum_version = only
    with (
        socket.create_connection(("localhost", balancer.https_port)) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as wire,
    ):
        return wire.version() is not None


def speaks_tls_1_1(port: int) -> bool:
    """Send a hello of TLS 1.1 by hand; an alert (21) is a refusal, a handshake (22) is not."""
    ciphers = b"\xc0\x13\xc0\x14\x00\x2f"
    curves = b"\x00\x0a\x00\x04\x00\x02\x00\x17" + b"\x00\x0b\x00\x02\x01\x00"
    hello = b"\x03\x02" + bytes(32) + b"\x00" + struct.pack(">H", len(ciphers)) + ciphers + b"\x01\x00"
    hello += struct.pack(">H", len(curves)) + curves
    message = b"\x01" + struct.pack(">I", len(hello))[1:] + hello
    with socket.create_connection(("localhost", port)) as wire:
        wire.sendall(b"\x16\x03\x01" + struct.pack(">H", len(message)) + message)
        return wire.recv(1) == b"\x16"


def test_browsers_are_told_to_be_careful(upstreams) -> None:
    with before(upstreams(well).url) as (_, client):
        for path in ("/", "/metrics"):
            headers = client.get(path).headers
            assert headers["strict-transport-security"].startswith("max-age=")
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert "/" not in headers["server"]


def test_a_page_keeps_its_own_policy(upstreams) -> None:
    def page(request: BaseHTTPRequestHandler) -> None:
        answered(request, 200, b"page", **{"Content-Security-Policy": "default-src 'self'"})

    with before(upstreams(page).url) as (_, client):
        assert client.get("/").headers.get_list("content-security-policy") == ["default-src 'self'"]


def test_metrics_are_nobodys_outside(upstreams) -> None:
    server = upstreams(well)
    with before(server.url) as (_, client):
        assert client.get("/metrics").json()["code"] == "not_found"
    assert server.seen == []


def test_who_is_behind_it_changes_without_a_lost_request(upstreams) -> None:
    old, new = upstreams(well), upstreams(well)
    with before(old.url) as (balancer, client):
        assert client.get("/").status_code == 200
        balancer.use([new.url])
        assert client.get("/").status_code == 200
    assert (len(old.seen), len(new.seen)) == (1, 1)


def test_nobody_there_is_a_problem_in_json() -> None:
    with before(refused()) as (_, client):
        answer = client.get("/", headers={"X-Request-Id": "mine"})
    assert (answer.status_code, answer.json()["code"], answer.json()["request_id"]) == (
        502,
        "bad_gateway",
        "mine",
    )


class Names:
    """A DNS server that knows the one name `app`; what it stands for can be changed."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        while True:
            asked, who = self._socket.recvfrom(512)
            if not asked:
                return
            question = asked[12 : asked.index(b"\0", 12) + 5]
            records = [b"\xc0\x0c\0\1\0\1\0\0\2\x58\0\4" + socket.inet_aton(one) for one in self.addresses]
            head = asked[:2] + b"\x81\x80\0\1" + struct.pack(">H", len(records)) + b"\0\0\0\0"
            self._socket.sendto(head + question + b"".join(records), who)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


@pytest.mark.skipif(version() < NEWER, reason="nginx is older than 1.27.3, which `resolve` needs")
def test_a_new_replica_is_found_by_its_name(upstreams) -> None:
    """As compose.yaml has it: the name is asked again every two seconds, nothing is loaded anew."""
    server = upstreams(well)
    port = server.url.rpartition(":")[2]
    names = Names()
    try:
        more = {
            "NGINX_RESOLVER": f"127.0.0.1:{names.port} valid=2s ipv6=off",
            "NGINX_UPSTREAM": f"server app:{port} resolve max_fails=0;",
            "NGINX_HTTP2": "http2 on;",
        }
        with (
            nginx([], **more) as balancer,
            httpx.Client(base_url=balancer.url, verify=balancer.tls) as client,
        ):
            assert client.get("/").status_code == 502
            names.addresses = ["127.0.0.1"]
            deadline = time.monotonic() + 15
            while client.get("/").status_code != 200:
                assert time.monotonic() < deadline, balancer.log()
                time.sleep(0.2)
            assert "[warn]" not in balancer.log()
    finally:
        names.close()
