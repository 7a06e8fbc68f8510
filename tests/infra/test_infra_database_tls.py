"""The URL that pods are told lets them talk to the database that was meant, and to nobody else."""

import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from langgraph_components.pure import environment

BUNDLE = Path(__file__).parents[2] / "app" / "certs" / "rds-global-bundle.pem"
"""Of Amazon RDS: what is in the image, and what the URL names."""

HOST = "db.example"
SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
REACHED = b"SFATAL\0VFATAL\0C28000\0Mreached\0\0"
"""How a server answers who comes as far as to say who he is."""


@dataclass
class Server:
    """Speaks as much of PostgreSQL's protocol as comes before a login."""

    port: int
    tls: ssl.SSLContext | None
    """None: it has no TLS."""
    logins: list[bytes] = field(default_factory=list)

    def answer(self, client: socket.socket) -> None:
        while _code(client) == GSS_REQUEST:
            client.sendall(b"N")
        if self.tls is None:
            client.sendall(b"N")
            self.logins += [data] if (data := client.recv(1024)) else []
            return
        client.sendall(b"S")
        with self.tls.wrap_socket(client, server_side=True) as secured:
            self.logins.append(secured.recv(1024))
            secured.sendall(b"E" + struct.pack("!i", 4 + len(REACHED)) + REACHED)


def _code(client: socket.socket) -> int:
    (code,) = struct.unpack("!4xi", client.recv(8))
    assert code in {SSL_REQUEST, GSS_REQUEST}, "it does not ask for TLS first"
    return code


@contextmanager
def serving(tls: ssl.SSLContext | None) -> Iterator[Server]:
    """A server on loopback that answers one client."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(listening.getsockname()[1], tls)

        def serve() -> None:
            client, _ = listening.accept()
            with client:
                client.settimeout(10)
                try:
                    server.answer(client)
                except OSError:
                    return  # the client went, as it should where it does not trust us

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        thread.join(10)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an authority (`ca.pem`) and of a certificate that it gave to `HOST`."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("authority")
    (folder / "names").write_text(f"subjectAltName=DNS:{HOST}\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout"]
    for arguments in (
        ["req", "-x509", *new_key, "ca.key", "-out", "ca.pem", "-subj", "/CN=authority", "-days", "2"],
        ["req", *new_key, "server.key", "-out", "server.csr", "-subj", f"/CN={HOST}"],
        [
            *("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-extfile", "names", "-days", "2", "-out", "server.pem"),
        ],
    ):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def context(authority: Path) -> ssl.SSLContext:
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(authority / "server.pem", authority / "server.key")
    return found


Told = Callable[..., str]


@pytest.fixture
def told() -> Told:
    """What the driver says to a connection by the URL that pods are told."""

    def connect(server: Server, ca_file: Path, host: str = HOST) -> str:
        url = environment.database_url(
            host=host,
            port=server.port,
            name="langgraph",
            user="langgraph_app",
            ssl_mode="verify-full",
            ca_file=str(ca_file),
        )
        # the name is that of the certificate, the address that of the stand-in
        where = make_conninfo(url, hostaddr="127.0.0.1", password="a-token", connect_timeout=10)
        with pytest.raises(psycopg.OperationalError) as refused:
            psycopg.connect(where)
        return str(refused.value)

    return connect


def test_the_database_that_was_meant_is_reached(authority: Path, context: ssl.SSLContext, told: Told) -> None:
    with serving(context) as server:
        assert "reached" in told(server, authority / "ca.pem")
    (login,) = server.logins
    assert b"langgraph_app" in login


@pytest.mark.parametrize(
    ("roots", "host", "said"),
    [
        (BUNDLE, HOST, "certificate verify failed"),
        ("ca.pem", "other.example", 'does not match host name "other.example"'),
    ],
    ids=["an authority that is not Amazon's", "a certificate of another host"],
)
def test_nobody_else_is_told_who_we_are(
    *, authority: Path, context: ssl.SSLContext, told: Told, roots: Path | str, host: str, said: str
) -> None:
    with serving(context) as server:
        assert said in told(server, authority / roots, host)
    assert [login for login in server.logins if login] == []


def test_nothing_is_said_in_the_clear(authority: Path, told: Told) -> None:
    with serving(None) as server:
        assert "server does not support SSL, but SSL was required" in told(server, authority / "ca.pem")
    assert server.logins == []
