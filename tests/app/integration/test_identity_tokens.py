"""AUTH=oidc: which tokens open a real server, and that no other does, whatever is wrong with it."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from app.support.identity import keyholders
from app.support.issuer import AUDIENCE, Issuer, issuing, part, rsa_key
from app.support.surface import GRAPHS, caller, invoke, new_thread, ok, problem, resume, serving
from support.server import ServerProcess, start

from agent_server.core.keys import new_key

PEPPER = "a pepper of the tests, 32 characters and more"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


@pytest.fixture(scope="module")
def server(issuer: Issuer, module_migrated_database: str) -> Iterator[ServerProcess]:
    told = {"AUTH": "oidc", "OIDC_ISSUER": issuer.url, "OIDC_AUDIENCE": AUDIENCE, "API_KEY_PEPPER": PEPPER}
    with serving(module_migrated_database, **told) as started:
        yield started


@pytest.fixture(scope="module")
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    with caller(server) as client:
        yield client


def asks(http: httpx.Client, token: str | bytes, request_id: str = "same") -> httpx.Response:
    given = token if isinstance(token, bytes) else token.encode()
    return http.get("/threads", headers={"Authorization": b"Bearer " + given, "X-Request-Id": request_id})


def by_hand(header: Any, claims: Any, sign: Callable[[bytes], bytes] = lambda _: b"") -> str:
    """A token that no library would make."""
    signed = f"{part(header)}.{part(claims)}"
    return f"{signed}.{part(sign(signed.encode()))}"


def with_secret(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda signed: hmac.digest(secret, signed, hashlib.sha256)


def signed_by_nobody(issuer: Issuer, header: dict[str, Any], **claims: Any) -> str:
    """A good token but for its signature, which is a stranger's."""
    return jwt.encode(issuer.claims(**claims), STRANGER, "RS256", headers=header)


def tampered(issuer: Issuer) -> str:
    header, _, signature = issuer.token(tenant="acme").split(".")
    return f"{header}.{part(issuer.claims(tenant='bolt'))}.{signature}"


def signed(issuer: Issuer, content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return jwt.PyJWS().encode(raw, issuer.keys["rsa-1"], "RS256", headers={"kid": "rsa-1"})


STRANGER = rsa_key()
HS = {"alg": "HS256", "typ": "JWT", "kid": "rsa-1"}
DEEP = b'{"alg":"RS256","kid":' + b"[" * 10_000
BAD: dict[str, tuple[str, Callable[[Issuer], str | bytes]]] = {
    # what the header claims
    "none": ("algorithm", lambda i: by_hand({"alg": "none", "kid": "rsa-1"}, i.claims())),
    "None": ("algorithm", lambda i: by_hand({"alg": "NoNe", "kid": "rsa-1"}, i.claims())),
    "no-alg": ("algorithm", lambda i: by_hand({"kid": "rsa-1"}, i.claims())),
    "alg-of-a-list": ("algorithm", lambda i: by_hand({"alg": ["RS256"], "kid": "rsa-1"}, i.claims())),
    "hs-with-the-public-key": (
        "algorithm",
        lambda i: by_hand(HS, i.claims(), with_secret(i.public_pem("rsa-1"))),
    ),
    "hs-with-the-jwk": (
        "algorithm",
        lambda i: by_hand(HS, i.claims(), with_secret(json.dumps(i.jwk("rsa-1")).encode())),
    ),
    "hs-with-nothing": ("algorithm", lambda i: by_hand(HS, i.claims(), with_secret(b""))),
    "an-algorithm-not-admitted": ("algorithm", lambda i: i.token(algorithm="RS512")),
    "critical": ("invalid", lambda i: i.token(header={"crit": ["exp"]})),
    # which key has signed
    "the-name-of-anothers-key": ("signature", lambda i: signed_by_nobody(i, {"kid": "rsa-1"})),
    "rs-with-the-name-of-an-ec-key": ("no such key", lambda i: signed_by_nobody(i, {"kid": "ec-1"})),
    "es-with-the-name-of-an-rsa-key": (
        "no such key",
        lambda i: jwt.encode(i.claims(), i.keys["ec-1"], "ES256", headers={"kid": "rsa-1"}),
    ),
    "no-kid": ("no key id", lambda i: jwt.encode(i.claims(), i.keys["rsa-1"], "RS256")),
    "kid-of-a-number": ("invalid", lambda i: by_hand({"alg": "RS256", "kid": 1}, i.claims())),
    "kid-of-nothing": ("no such key", lambda i: signed_by_nobody(i, {"kid": ""})),
    "kid-a-path": ("no such key", lambda i: signed_by_nobody(i, {"kid": "../../../../dev/null"})),
    "kid-a-url": ("no such key", lambda i: signed_by_nobody(i, {"kid": f"{i.url}/evil"})),
    "kid-sql": ("no such key", lambda i: signed_by_nobody(i, {"kid": "x' union select 'a' --"})),
    "kid-with-a-nul": ("no such key", lambda i: signed_by_nobody(i, {"kid": "rsa-1\x00"})),
    "kid-of-8-kib": ("no such key", lambda i: signed_by_nobody(i, {"kid": "k" * 8192})),
    "tampered": ("signature", tampered),
    "unsigned": ("signature", lambda i: i.token().rsplit(".", 1)[0] + "."),
    "b64-false": ("malformed", lambda i: i.token(header={"b64": False, "crit": ["b64"]})),
    # whom it is for, and from
    "another-audience": ("audience", lambda i: i.token(aud="somebody-else")),
    "audiences-without-ours": ("audience", lambda i: i.token(aud=["a", "b"])),
    "audience-almost-ours": ("audience", lambda i: i.token(aud=f"{AUDIENCE}/")),
    "no-audience": ("missing", lambda i: i.token(aud=None)),
    "empty-audiences": ("missing", lambda i: i.token(aud=[])),
    "audience-of-a-number": ("audience", lambda i: i.token(aud=7)),
    "another-issuer": ("issuer", lambda i: i.token(iss="http://127.0.0.1:1")),
    "issuer-almost": ("issuer", lambda i: i.token(iss=f"{i.url}/")),
    "no-issuer": ("missing", lambda i: i.token(iss=None)),
    # when
    "expired": ("expired", lambda i: i.token(exp=int(time.time()) - 60)),
    "no-end": ("missing", lambda i: i.token(exp=None)),
    "end-of-a-word": ("malformed", lambda i: i.token(exp="tomorrow")),
    "end-beyond-all-clocks": ("malformed", lambda i: i.token(exp=float("inf"))),
    "not-yet": ("not yet", lambda i: i.token(nbf=int(time.time()) + 120)),
    "made-tomorrow": ("not yet", lambda i: i.token(iat=int(time.time()) + 86400)),
    # who
    "no-subject": ("subject", lambda i: i.token(sub=None)),
    "empty-subject": ("subject", lambda i: i.token(sub="")),
    "subject-of-a-number": ("invalid", lambda i: i.token(sub=7)),
    "subject-of-two-lines": ("subject", lambda i: i.token(sub="alice\nkey:bob")),
    "subject-with-a-nul": ("subject", lambda i: i.token(sub="a\x00")),
    "subject-of-half-a-character": ("subject", lambda i: i.token(sub="\ud800")),
    "long-subject": ("subject", lambda i: i.token(sub="a" * 256)),
    "no-tenant": ("tenant", lambda i: i.token(tenant=None)),
    "tenant-that-is-none": ("tenant", lambda i: i.token(tenant="a.b")),
    "tenant-with-a-line-break": ("tenant", lambda i: i.token(tenant="acme\n")),
    "tenants": ("tenant", lambda i: i.token(tenant=["acme"])),
    # no token at all
    "too-long": ("too long", lambda i: i.token(padding="x" * 16_000)),
    "garbage": ("malformed", lambda _: "garbage"),
    "two-parts": ("malformed", lambda _: "a.b"),
    "dots": ("malformed", lambda _: "..."),
    "five-parts": ("malformed", lambda i: f"{i.token()}.a.b"),
    "bytes": ("malformed", lambda _: b"\xe9.\xff.\x80"),
    "header-of-a-list": ("malformed", lambda i: by_hand(["RS256"], i.claims())),
    "header-without-end": ("malformed", lambda i: by_hand(DEEP, i.claims())),
    "claims-of-a-list": ("malformed", lambda i: signed(i, [1])),
    "claims-of-text": ("malformed", lambda i: signed(i, b"text")),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_token_opens_nothing_and_the_log_alone_says_why(
    http: httpx.Client, server: ServerProcess, issuer: Issuer, case: str
) -> None:
    reason, make = BAD[case]
    token, request_id = make(issuer), uuid4().hex
    answer = asks(http, token, request_id)
    expected = {"detail": "A valid token is required: Authorization: Bearer …", "code": "unauthenticated"}
    assert problem(answer, 401, "unauthenticated") == {**expected, "request_id": request_id}
    lines = [json.loads(line) for line in server.log().splitlines() if request_id in line]
    [refusal] = [line for line in lines if line["event"] == "token refused"]
    assert reason in refusal["reason"]
    pieces = str(token).split(".")
    assert not any(piece in server.log() for piece in pieces if len(piece) > 20)


GOOD: dict[str, Callable[[Issuer], str]] = {
    "rsa": lambda i: i.token("rsa-1"),
    "ec": lambda i: i.token("ec-1"),
    "one-audience-of-several": lambda i: i.token(aud=["account", AUDIENCE]),
    "a-clock-that-is-behind": lambda i: i.token(exp=int(time.time()) - 10),
    "a-clock-that-is-ahead": lambda i: i.token(nbf=int(time.time()) + 10, iat=int(time.time()) + 10),
    "nearly-16-kib": lambda i: i.token(padding="x" * 11_500),
    "of-several-roles": lambda i: i.token(roles=["nothing", "viewer", 7, "admin"]),
    "one-role": lambda i: i.token(roles="viewer"),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_good_token_opens_its_tenant(http: httpx.Client, issuer: Issuer, case: str) -> None:
    ok(asks(http, GOOD[case](issuer)))


def test_the_scheme_may_be_in_any_case_and_no_other(http: httpx.Client, issuer: Issuer) -> None:
    token = issuer.token()
    for scheme in ("bearer", "BEARER", "Bearer "):
        ok(http.get("/threads", headers={"Authorization": f"{scheme} {token}"}))
    for wrong in (token, f"Basic {token}", f"Bearer{token}", f"Token {token}", f"Bearer {token} x", "Bearer"):
        problem(http.get("/threads", headers={"Authorization": wrong}), 401, "unauthenticated")


def test_of_two_tokens_none_counts(http: httpx.Client, issuer: Issuer) -> None:
    one, other = (f"Bearer {issuer.token(sub=sub)}" for sub in ("alice", "bob"))
    for pair in ((one, other), (one, "Bearer x"), ("Bearer x", one)):
        answer = http.get("/threads", headers=[("Authorization", given) for given in pair])
        problem(answer, 401, "unauthenticated")


def test_nothing_is_fetched_from_where_a_token_says(http: httpx.Client, issuer: Issuer) -> None:
    heard: list[Any] = []

    class Canary(BaseRequestHandler):
        def handle(self) -> None:
            heard.append(self.client_address)

    with ThreadingTCPServer(("127.0.0.1", 0), Canary) as canary:
        Thread(target=canary.serve_forever, daemon=True).start()
        evil = f"http://127.0.0.1:{canary.server_address[1]}/keys"
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(STRANGER.public_key()))
        for kid in ("rsa-1", evil):
            for header in ({"jku": evil}, {"x5u": evil}, {"jwk": public}, {"x5c": ["MIIB"]}):
                token = signed_by_nobody(issuer, {"kid": kid, **header}, iss=issuer.url)
                problem(asks(http, token), 401, "unauthenticated")
        canary.shutdown()
    assert heard == []


def test_a_flood_of_unknown_keys_reaches_the_issuer_once_at_most(http: httpx.Client, issuer: Issuer) -> None:
    ok(asks(http, issuer.token()))
    before = issuer.asked.count("/keys")
    for number in range(100):
        problem(asks(http, signed_by_nobody(issuer, {"kid": f"flood-{number}"})), 401, "unauthenticated")
    assert issuer.asked.count("/keys") <= before + 1
    ok(asks(http, issuer.token()))


def test_the_subject_is_on_record_and_never_a_keys(
    http: httpx.Client, issuer: Issuer, module_migrated_database: str
) -> None:
    thread_id = new_thread()
    key = keyholders(module_migrated_database, PEPPER, {"alice": "admin"})["alice"]
    for token, subject in ((issuer.token(sub="key:alice"), "sub:key:alice"), (key, "key:alice")):
        http.headers["Authorization"] = f"Bearer {token}"
        ok(invoke(http, "ask", {}, thread_id=thread_id))
        run = ok(http.get("/graphs/ask/runs", params={"thread_id": thread_id}))["runs"][0]
        assert run["created_by"] == subject
        assert ok(resume(http, "ask", thread_id, resume_data=1))["status"] == "success"
    del http.headers["Authorization"]


def test_keys_open_it_too_where_there_is_a_pepper(http: httpx.Client, module_migrated_database: str) -> None:
    key = keyholders(module_migrated_database, PEPPER, {"service": "viewer"})["service"]
    ok(asks(http, key))
    for bad in (new_key(), key[:-1], "lgp_", "lgp_a.b.c"):
        problem(asks(http, bad), 401, "unauthenticated")


def test_who_has_no_role_here_is_known_and_may_nothing(http: httpx.Client, issuer: Issuer) -> None:
    for roles in (None, [], ["boss"], "", {"admin": True}, 7, ["ADMIN"]):
        told = problem(asks(http, issuer.token(roles=roles)), 403, "forbidden_role")
        assert told["detail"].startswith("The token gives no role here: viewer or operator")


def test_while_the_issuers_keys_cannot_be_had_no_token_is_judged(
    issuer: Issuer, module_migrated_database: str
) -> None:
    told = {"AUTH": "oidc", "OIDC_ISSUER": issuer.url, "OIDC_AUDIENCE": AUDIENCE, "API_KEY_PEPPER": PEPPER}
    key = keyholders(module_migrated_database, PEPPER, {"service": "viewer"})["service"]
    with (
        serving(module_migrated_database, OIDC_JWKS_URL="http://127.0.0.1:1/keys", **told) as server,
        caller(server) as http,
    ):
        answer = asks(http, issuer.token())
        problem(answer, 503, "issuer_unavailable")
        assert answer.headers["retry-after"] == "5"
        problem(asks(http, signed_by_nobody(issuer, {"kid": "rsa-1"})), 503, "issuer_unavailable")
        problem(asks(http, "garbage"), 401, "unauthenticated")
        ok(asks(http, key))
        ok(http.get("/ready"))


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"OIDC_ISSUER": ""}, "AUTH=oidc needs OIDC_ISSUER and OIDC_AUDIENCE"),
        ({"OIDC_AUDIENCE": ""}, "AUTH=oidc needs OIDC_ISSUER and OIDC_AUDIENCE"),
        ({"OIDC_ALGORITHMS": "RS256,HS256"}, "not HS256"),
        ({"OIDC_ALGORITHMS": "none"}, "not none"),
        ({"OIDC_JWKS_URL": "http://issuer.example/keys"}, "OIDC_JWKS_URL must be an https"),
        ({"OIDC_ISSUER": "http://issuer.example"}, "OIDC_ISSUER must be an https"),
        ({"OIDC_ROLES": "boss=king"}, "'boss=king'"),
        ({"OIDC_TENANT_CLAIM": "=a.b"}, "OIDC_TENANT_CLAIM"),
        ({"API_KEY_PEPPER": "short"}, "API_KEY_PEPPER"),
        ({"AUTH": "none", "FORBID_SELF_APPROVAL": "true"}, "FORBID_SELF_APPROVAL needs"),
    ],
)
def test_wrong_settings_stop_the_start_with_one_line(settings: dict[str, str], line: str) -> None:
    told = {"AUTH": "oidc", "OIDC_ISSUER": "https://issuer.example", "OIDC_AUDIENCE": AUDIENCE}
    server = start("postgresql://nobody@127.0.0.1:1/none", GRAPHS, **{**told, **settings})
    try:
        assert server.child.wait(20) == 1
        [last] = server.log().splitlines()
        assert last.startswith("agent_server: ")
        assert line in last
    finally:
        server.log_file.unlink()
