"""The keys of the tokens' issuer: fetched, kept, and asked for again when a token names another one."""

import asyncio
import time
from http import HTTPStatus
from typing import Any, cast

import httpx
import orjson
import structlog
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from agent_server.core.addresses import is_safe
from agent_server.core.errors import IssuerUnavailable
from agent_server.core.oidc import Oidc

FRESH_SECONDS = 300.0
"""How long keys are used without asking: a key that the issuer has dropped may still pass for so long."""
LAST_SECONDS = 3600.0
"""How long they are used while the issuer does not answer. Then no token is good."""
ASK_SECONDS = 60.0
"""At least between two requests, whatever keys tokens name."""
RETRY_SECONDS = 5.0
"""The same while there are no keys at all."""
TIMEOUT_SECONDS = 5.0
"""Of one request, from the connection to the last byte."""
MAX_BYTES = 256 * 1024
"""Of one answer."""

_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}

log = structlog.get_logger()


class IssuerKeys:
    """The public keys by id and algorithm. Nothing in a token says where they are."""

    def __init__(self, oidc: Oidc) -> None:
        self._oidc = oidc
        self._keys: dict[tuple[str, str], PyJWK] = {}
        self._fetched_at = float("-inf")
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def find(self, kid: str, algorithm: str) -> PyJWK | None:
        """Return the issuer's key of this id for this algorithm; None if it has none.

        Raises:
            IssuerUnavailable: its keys cannot be had, and those of before are older than an hour.
        """
        wanted = (kid, algorithm)
        # Keys that are merely due are asked for by one request; the others go on with what there is.
        if self._is_due(wanted) and not (wanted in self._usable and self._asking.locked()):
            async with self._asking:
                if self._is_due(wanted):
                    await self._ask()
        if not self._usable:
            msg = "The keys of the tokens' issuer cannot be had."
            raise IssuerUnavailable(msg)
        return self._usable.get(wanted)

    @property
    def _age(self) -> float:
        return time.monotonic() - self._fetched_at

    @property
    def _usable(self) -> dict[tuple[str, str], PyJWK]:
        return self._keys if self._age < LAST_SECONDS else {}

    def _is_due(self, wanted: tuple[str, str]) -> bool:
        if wanted in self._usable and self._age < FRESH_SECONDS:
            return False
        pause = ASK_SECONDS if self._usable else RETRY_SECONDS
        return time.monotonic() - self._asked_at >= pause

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                keys = self._read(await self._fetch())
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            log.warning("the issuer's keys were not had", reason=type(error).__name__, detail=_told(error))
        else:
            self._keys, self._fetched_at = keys, time.monotonic()
        finally:
            self._asked_at = time.monotonic()

    async def _fetch(self) -> Any:
        # A proxy and a private CA come from the environment, as for the models' clients.
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False) as http:
            return await _json(http, self._oidc.jwks_url or await self._discovered(http))

    async def _discovered(self, http: httpx.AsyncClient) -> str:
        """Return where the issuer says its keys are; it has to say that it is itself."""
        issuer = self._oidc.issuer
        found = await _json(http, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        url = found.get("jwks_uri") if found.get("issuer") == issuer else None
        if not isinstance(url, str) or not is_safe(url) or (issuer[:6] == "https:" and url[:6] != "https:"):
            raise _UnusableError(_DISCOVERY)
        return url

    def _read(self, document: dict[str, Any]) -> dict[tuple[str, str], PyJWK]:
        listed = document.get("keys")
        keys: dict[tuple[str, str], PyJWK] = {}
        for jwk in cast("list[Any]", listed) if isinstance(listed, list) else []:
            if isinstance(jwk, dict):
                keys |= self._keys_of(cast("dict[str, Any]", jwk))
        if not keys:
            raise _UnusableError(_NO_KEYS)
        return keys

    def _keys_of(self, jwk: dict[str, Any]) -> dict[tuple[str, str], PyJWK]:
        """Return one key, ready for each algorithm that it is for; nothing if it is of no use."""
        kid = jwk.get("kid")
        if not isinstance(kid, str) or jwk.get("use", "sig") != "sig":
            return {}
        ready: dict[tuple[str, str], PyJWK] = {}
        for algorithm in self._oidc.algorithms:
            if _fits(jwk, algorithm) and (key := _made(jwk, algorithm)) is not None:
                ready[kid, algorithm] = key
        return ready


class _UnusableError(ValueError):
    """The issuer's answer is none that we use; the message is ours and names nothing of it."""


_DISCOVERY = "the discovery document is another issuer's, or names no safe jwks_uri"
_NO_KEYS = "no key of a kind that OIDC_ALGORITHMS admits"


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, _UnusableError) else ""


async def _json(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """Return the object at an address. Redirects are not followed, and content is taken as it comes."""
    body = bytearray()
    async with http.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
        if answer.status_code != HTTPStatus.OK:
            msg = f"status {answer.status_code}"
            raise _UnusableError(msg)
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > MAX_BYTES:
                msg = f"more than {MAX_BYTES} bytes"
                raise _UnusableError(msg)
    found = orjson.loads(bytes(body))
    if not isinstance(found, dict):
        msg = "no object"
        raise _UnusableError(msg)
    return cast("dict[str, Any]", found)


def _fits(jwk: dict[str, Any], algorithm: str) -> bool:
    """Whether the key is of the kind that the algorithm takes, and not for another one."""
    if jwk.get("alg", algorithm) != algorithm:
        return False
    if algorithm[:2] in {"RS", "PS"}:
        return jwk.get("kty") == "RSA"
    return (
        jwk.get("kty") == ("OKP" if algorithm == "EdDSA" else "EC") and jwk.get("crv") == _CURVES[algorithm]
    )


def _made(jwk: dict[str, Any], algorithm: str) -> PyJWK | None:
    """Return the key; None for one that is malformed or, by today's measure, too short."""
    try:
        key = PyJWK(jwk, algorithm)
    except (PyJWTError, ValueError, TypeError):
        return None
    return None if key.Algorithm.check_key_length(key.key) else key
