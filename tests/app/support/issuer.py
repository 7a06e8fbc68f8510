"""An OpenID Connect issuer for tests: real keys on a real HTTP server, and a say in how it answers."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Event, Thread
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "agent-server"
Mood = Literal["well", "failing", "slow", "huge", "elsewhere", "empty", "text", "impostor", "downgrade"]


class Issuer:
    """What signs tokens and serves its keys; `mood` is how it answers, `asked` for what it was asked."""

    def __init__(self, tls: SSLContext | None = None) -> None:
        self.mood: Mood = "well"
        self.asked: list[str] = []
        self.let_go = Event()
        """Ends the waiting of a slow issuer."""
        self.keys: dict[str, Any] = {"rsa-1": rsa_key(), "ec-1": ec.generate_private_key(ec.SECP256R1())}
        self.listed: list[str] = ["rsa-1", "ec-1"]
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                issuer._answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def jwks_url(self) -> str:
        return f"{self.url}/keys"

    def run(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def close(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Claims of a good token; None takes one away."""
        now = int(time.time())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 600}
        good |= {"tenant": "acme", "roles": ["admin"]}
        return {name: value for name, value in (good | changes).items() if value is not None}

    def token(
        self, kid: str = "rsa-1", algorithm: str | None = None, header: Any = None, **claims: Any
    ) -> str:
        """A token signed by one of the keys."""
        algorithm = algorithm or ("ES256" if kid.startswith("ec") else "RS256")
        headers = {"kid": kid, **(header or {})}
        return jwt.encode(self.claims(**claims), self.keys[kid], algorithm, headers=headers)

    def public_pem(self, kid: str) -> bytes:
        return self.keys[kid].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def jwk(self, kid: str) -> dict[str, Any]:
        of = RSAAlgorithm if isinstance(self.keys[kid], rsa.RSAPrivateKey) else ECAlgorithm
        return {**of.to_jwk(self.keys[kid].public_key(), as_dict=True), "kid": kid, "use": "sig"}

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        status, body = 200, self._body(handler.path)
        if self.mood == "failing":
            status = 500
        if self.mood == "slow":
            self.let_go.wait(30)
        if self.mood == "elsewhere" and not handler.path.endswith("/there"):
            status = 302
        handler.send_response(status)
        if status == 302:
            handler.send_header("Location", f"{self.url}{handler.path}/there")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        with suppress(OSError):  # whoever asked has heard enough
            handler.wfile.write(body)

    def _body(self, path: str) -> bytes:
        if self.mood == "text":
            return b"<html>"
        keys: dict[str, Any] = {"keys": [self.jwk(kid) for kid in self.listed]}
        if self.mood == "empty":
            keys = {"keys": []}
        if self.mood == "huge":
            keys["padding"] = "x" * 2**20
        if path.startswith("/.well-known/openid-configuration"):
            issuer = "http://127.0.0.1:1" if self.mood == "impostor" else self.url
            at = "ftp://127.0.0.1/keys" if self.mood == "downgrade" else self.jwks_url
            return json.dumps({"issuer": issuer, "jwks_uri": at}).encode()
        return json.dumps(keys).encode()


@contextmanager
def issuing(tls: SSLContext | None = None) -> Iterator[Issuer]:
    """An issuer that answers, gone afterwards."""
    issuer = Issuer(tls)
    thread = Thread(target=issuer.run, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        issuer.close()
        thread.join()


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def part(value: Any) -> str:
    """One part of a token by hand."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
