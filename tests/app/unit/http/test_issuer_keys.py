"""When the issuer is asked for its keys, and what if it does not answer: a real issuer, our own clock."""

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from app.support.issuer import AUDIENCE, Issuer, Mood, issuing, rsa_key
from cryptography.hazmat.primitives.asymmetric import ec

from agent_server.core.errors import IssuerUnavailable
from agent_server.core.oidc import Oidc
from agent_server.http import issuer as module
from agent_server.http.issuer import IssuerKeys


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.5)
    return made


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


def settings(of: Issuer, **changes: Any) -> Oidc:
    told = Oidc(
        issuer=of.url,
        audience=AUDIENCE,
        jwks_url=of.jwks_url,
        algorithms=("RS256", "ES256"),
        subject_claim="sub",
        tenant_claim="tenant",
        role_claim="roles",
        roles={},
    )
    return replace(told, **changes)


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> IssuerKeys:
    return IssuerKeys(settings(issuer))


async def test_keys_are_fetched_once_and_used(issuer: Issuer, keys: IssuerKeys) -> None:
    for _ in range(3):
        assert await keys.find("rsa-1", "RS256") is not None
        assert await keys.find("ec-1", "ES256") is not None
    assert issuer.asked == ["/keys"]


async def test_many_at_once_ask_once(issuer: Issuer, keys: IssuerKeys) -> None:
    found = await asyncio.gather(*(keys.find("rsa-1", "RS256") for _ in range(50)))
    assert all(found)
    assert len(issuer.asked) == 1


async def test_an_unknown_key_makes_one_request_a_minute_at_most(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    await keys.find("rsa-1", "RS256")
    for second in range(300):
        clock.now = 1000.0 + second
        assert await keys.find(f"unknown-{second}", "RS256") is None
    assert 4 <= len(issuer.asked) <= 6


async def test_a_new_key_of_the_issuer_is_found_within_a_minute(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    await keys.find("rsa-1", "RS256")
    issuer.keys["rsa-2"] = rsa_key()
    issuer.listed.append("rsa-2")
    assert await keys.find("rsa-2", "RS256") is None
    clock.now += 61
    assert await keys.find("rsa-2", "RS256") is not None


async def test_a_key_that_the_issuer_drops_ends_within_five_minutes(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    assert await keys.find("rsa-1", "RS256") is not None
    issuer.listed.remove("rsa-1")
    clock.now += 301
    assert await keys.find("rsa-1", "RS256") is None
    assert await keys.find("ec-1", "ES256") is not None


@pytest.mark.parametrize("mood", ["failing", "slow", "huge", "elsewhere", "empty", "text"])
async def test_while_the_issuer_does_not_answer_its_keys_are_good_for_an_hour(
    issuer: Issuer, keys: IssuerKeys, clock: Clock, mood: Mood
) -> None:
    assert await keys.find("rsa-1", "RS256") is not None
    issuer.mood = mood
    for age in (301, 3599):
        clock.now = 1000.0 + age
        assert await keys.find("rsa-1", "RS256") is not None
    clock.now = 1000.0 + 3601
    with pytest.raises(IssuerUnavailable):
        await keys.find("rsa-1", "RS256")
    assert "/keys/there" not in issuer.asked
    issuer.mood = "well"
    issuer.let_go.set()
    clock.now += 61
    assert await keys.find("rsa-1", "RS256") is not None


async def test_a_slow_issuer_holds_up_one_request_and_not_those_of_known_keys(
    issuer: Issuer, keys: IssuerKeys, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keys.find("rsa-1", "RS256")
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 10)
    issuer.mood = "slow"
    clock.now += 301
    first = asyncio.create_task(keys.find("rsa-1", "RS256"))
    while len(issuer.asked) < 2:  # noqa: ASYNC110  # a thread counts
        await asyncio.sleep(0.01)
    async with asyncio.timeout(1):
        assert await keys.find("rsa-1", "RS256") is not None
    assert not first.done()
    issuer.let_go.set()
    assert await first is not None


async def test_without_any_keys_the_issuer_is_asked_every_five_seconds(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    issuer.mood = "failing"
    for second in range(20):
        clock.now = 1000.0 + second
        with pytest.raises(IssuerUnavailable):
            await keys.find("rsa-1", "RS256")
    assert len(issuer.asked) == 4
    issuer.mood = "well"
    clock.now += 5
    assert await keys.find("rsa-1", "RS256") is not None


async def test_where_keys_are_comes_from_the_discovery_document(issuer: Issuer, clock: Clock) -> None:
    keys = IssuerKeys(settings(issuer, jwks_url=None))
    assert await keys.find("rsa-1", "RS256") is not None
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]


async def test_a_path_in_the_issuer_precedes_that_of_the_document(issuer: Issuer, clock: Clock) -> None:
    keys = IssuerKeys(settings(issuer, issuer=f"{issuer.url}/realms/one/", jwks_url=None))
    with pytest.raises(IssuerUnavailable):
        await keys.find("rsa-1", "RS256")
    assert issuer.asked == ["/realms/one/.well-known/openid-configuration"]


@pytest.mark.parametrize("mood", ["impostor", "downgrade", "elsewhere", "text"])
async def test_a_discovery_document_that_is_not_the_issuers_is_not_believed(
    issuer: Issuer, clock: Clock, mood: Mood
) -> None:
    issuer.mood = mood
    with pytest.raises(IssuerUnavailable):
        await IssuerKeys(settings(issuer, jwks_url=None)).find("rsa-1", "RS256")
    assert "/keys" not in issuer.asked


@pytest.mark.parametrize(
    ("name", "trusted", "found"),
    [("127.0.0.1", True, True), ("127.0.0.1", False, False), ("issuer.example", True, False)],
    ids=["ours", "an unknown authority", "another host"],
)
async def test_an_issuer_behind_a_private_authority_is_known_by_ssl_cert_file(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, *, trusted: bool, found: bool
) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(tls)
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 5)
    with issuing(tls) as issuer:
        keys = IssuerKeys(settings(issuer, jwks_url=None))
        if found:
            assert await keys.find("rsa-1", "RS256") is not None
        else:
            with pytest.raises(IssuerUnavailable):
                await keys.find("rsa-1", "RS256")
            assert issuer.asked == []


async def test_a_key_is_found_for_the_algorithms_of_its_kind_only(issuer: Issuer, clock: Clock) -> None:
    every = ("RS256", "PS512", "ES256", "ES384", "EdDSA")
    keys = IssuerKeys(settings(issuer, algorithms=every))
    found = {
        (kid, algorithm)
        for kid in issuer.listed
        for algorithm in (*every, "HS256", "none")
        if await keys.find(kid, algorithm) is not None
    }
    assert found == {("rsa-1", "RS256"), ("rsa-1", "PS512"), ("ec-1", "ES256")}


async def test_keys_that_are_no_use_are_left_out(
    issuer: Issuer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = issuer.jwk("rsa-1")
    issuer.keys |= {"rsa-short": rsa_key(1024), "ec-2": ec.generate_private_key(ec.SECP384R1())}
    odd: list[Any] = [
        {**good, "kid": "encrypts", "use": "enc"},
        {**good, "kid": "other", "alg": "RS512"},
        {**good, "kid": "broken", "n": "!"},
        {**good, "kid": "torn", "n": None},
        {**good, "kid": 7},
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
        *("text", None, []),
        *(issuer.jwk(kid) for kid in ("rsa-short", "ec-2")),
    ]
    by_id = {f"odd-{number}": jwk for number, jwk in enumerate(odd)} | {"rsa-1": good}
    monkeypatch.setattr(issuer, "jwk", by_id.__getitem__)
    issuer.listed = list(by_id)
    keys = IssuerKeys(settings(issuer))
    assert await keys.find("rsa-1", "RS256") is not None
    assert keys._keys.keys() == {("rsa-1", "RS256")}
