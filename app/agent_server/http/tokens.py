"""Tokens of an OpenID Connect issuer: whether one is good, and who its claims say is asking.

PyJWT does the checking. What a token's header says is believed of nothing but which of the issuer's keys
has signed it: `jku`, `x5u` and `jwk` are not read, and a `kid` is only ever compared.
"""

from enum import StrEnum
from typing import Any, cast

import jwt
import structlog
from jwt.exceptions import (
    DecodeError,
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidSignatureError,
    InvalidTokenError,
    MissingRequiredClaimError,
)

from agent_server.core.errors import ForbiddenRole
from agent_server.core.keys import TENANT
from agent_server.core.oidc import Oidc
from agent_server.core.principal import Principal, Role, mightiest, roles_with
from agent_server.http.issuer import IssuerKeys

MAX_BYTES = 16 * 1024
"""Of a token; a longer one is not looked at."""
LEEWAY_SECONDS = 30.0
"""How far the issuer's clock may be from ours."""
SUBJECT_LENGTH = 255


class Reason(StrEnum):
    """Why a token opens nothing, for the log: it holds nothing of the token."""

    TOO_LONG = "too long"
    MALFORMED = "malformed"
    ALGORITHM = "algorithm not admitted"
    NO_KEY_ID = "no key id"
    NO_KEY = "no such key of the issuer"
    SIGNATURE = "wrong signature"
    EXPIRED = "expired"
    TOO_EARLY = "not yet valid"
    AUDIENCE = "another audience"
    ISSUER = "another issuer"
    MISSING = "a claim is missing"
    SUBJECT = "no usable subject"
    TENANT = "no usable tenant"
    OTHER = "invalid"


_REASONS: tuple[tuple[type[Exception], Reason], ...] = (
    (ExpiredSignatureError, Reason.EXPIRED),
    (ImmatureSignatureError, Reason.TOO_EARLY),
    (InvalidAudienceError, Reason.AUDIENCE),
    (InvalidIssuerError, Reason.ISSUER),
    (InvalidSignatureError, Reason.SIGNATURE),
    (MissingRequiredClaimError, Reason.MISSING),
    (DecodeError, Reason.MALFORMED),
)

log = structlog.get_logger()


class Tokens:
    """Tells who holds a token."""

    def __init__(self, oidc: Oidc) -> None:
        self._oidc = oidc
        self._keys = IssuerKeys(oidc)

    async def verify(self, token: str) -> Principal | None:
        """Return who holds the token, as `sub:SUBJECT` of its tenant; None, and a line logged, if it is bad.

        Raises:
            ForbiddenRole: it is good, and gives no role here.
            IssuerUnavailable: nobody can tell, for the issuer's keys cannot be had.
        """
        try:
            claims = await self._claims(token)
            tenant, subject = self._tenant(claims), self._subject(claims)
        except _BadTokenError as bad:
            log.info("token refused", reason=str(bad.reason))
            return None
        role = self._role(claims)
        if role is None:
            log.info("token refused", reason="no role", tenant=tenant, subject=f"sub:{subject}")
            raise ForbiddenRole(None, roles_with("read"))
        return Principal(tenant, f"sub:{subject}", role)

    async def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_BYTES:
            raise _BadTokenError(Reason.TOO_LONG)
        try:
            kid, algorithm = self._header(token)
            key = await self._keys.find(kid, algorithm)
            if key is None:
                raise _BadTokenError(Reason.NO_KEY)
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._oidc.audience,
                issuer=self._oidc.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
        except InvalidTokenError as error:
            raise _BadTokenError(_reason(error)) from None

    def _header(self, token: str) -> tuple[str, str]:
        header = jwt.get_unverified_header(token)
        kid, algorithm = header.get("kid"), header.get("alg")
        if algorithm not in self._oidc.algorithms:
            raise _BadTokenError(Reason.ALGORITHM)
        if not isinstance(kid, str):
            raise _BadTokenError(Reason.NO_KEY_ID)
        return kid, algorithm

    def _subject(self, claims: dict[str, Any]) -> str:
        subject = _claim(claims, self._oidc.subject_claim)
        if (
            not isinstance(subject, str)
            or not subject.isprintable()
            or not 0 < len(subject) <= SUBJECT_LENGTH
        ):
            raise _BadTokenError(Reason.SUBJECT)
        return subject

    def _tenant(self, claims: dict[str, Any]) -> str:
        named = self._oidc.tenant_claim
        tenant = named[1:] if named.startswith("=") else _claim(claims, named)
        if not isinstance(tenant, str) or not TENANT.fullmatch(tenant):
            raise _BadTokenError(Reason.TENANT)
        return tenant

    def _role(self, claims: dict[str, Any]) -> Role | None:
        found = _claim(claims, self._oidc.role_claim)
        values = cast("list[Any]", found) if isinstance(found, list) else [found]
        known = self._oidc.roles
        return mightiest(known[value] for value in values if isinstance(value, str) and value in known)


class _BadTokenError(Exception):
    """A token that opens nothing."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def _reason(error: Exception) -> Reason:
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), Reason.OTHER)


def _claim(claims: dict[str, Any], path: str) -> Any:
    """Return the claim of this very name, or the one that its dots lead to; None if there is none."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = cast("dict[str, Any]", found).get(name) if isinstance(found, dict) else None
    return found
