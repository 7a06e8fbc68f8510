"""What `AUTH=oidc` is told, checked before anybody is served."""

from collections.abc import Mapping
from dataclasses import dataclass

from agent_server.core.addresses import is_safe
from agent_server.core.errors import ConfigurationError
from agent_server.core.keys import TENANT
from agent_server.core.principal import ROLES, Role

ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Those whose verifying key cannot sign: with HS256 and the like, whoever can check a token can make one."""


@dataclass(frozen=True, slots=True)
class Oidc:
    """Whose tokens are good, and what their claims mean here."""

    issuer: str
    audience: str
    jwks_url: str | None
    """Where the issuer's keys are; None: its discovery document says so."""
    algorithms: tuple[str, ...]
    subject_claim: str
    tenant_claim: str
    """`=NAME` is the tenant NAME for everybody."""
    role_claim: str
    roles: Mapping[str, Role]
    """What the role claim's values mean; another value means nothing."""


def checked(  # noqa: PLR0913  # one argument a setting
    *,
    issuer: str | None,
    audience: str | None,
    jwks_url: str | None,
    algorithms: tuple[str, ...],
    subject_claim: str,
    tenant_claim: str,
    role_claim: str,
    roles: tuple[str, ...],
) -> Oidc:
    """Return the settings of `AUTH=oidc`, or raise ConfigurationError that names the wrong variable."""
    if not issuer or not audience:
        msg = "AUTH=oidc needs OIDC_ISSUER and OIDC_AUDIENCE."
        raise ConfigurationError(msg)
    name, url = ("OIDC_JWKS_URL", jwks_url) if jwks_url else ("OIDC_ISSUER", issuer)
    if not is_safe(url or ""):
        msg = f"{name} must be an https:// address, or http:// on a loopback host: keys are fetched there."
        raise ConfigurationError(msg)
    refused = sorted(set(algorithms) - ALGORITHMS)
    if refused or not algorithms:
        found = ", ".join(refused) or "nothing"
        msg = f"OIDC_ALGORITHMS admits {', '.join(sorted(ALGORITHMS))}, not {found}."
        raise ConfigurationError(msg)
    constant = tenant_claim.removeprefix("=")
    if constant != tenant_claim and not TENANT.fullmatch(constant):
        msg = f"OIDC_TENANT_CLAIM: {constant!r} is not a tenant: it must match {TENANT.pattern}."
        raise ConfigurationError(msg)
    return Oidc(
        issuer=issuer,
        audience=audience,
        jwks_url=jwks_url,
        algorithms=algorithms,
        subject_claim=subject_claim,
        tenant_claim=tenant_claim,
        role_claim=role_claim,
        roles=_roles(roles),
    )


def _roles(pairs: tuple[str, ...]) -> dict[str, Role]:
    named: dict[str, Role] = {role: role for role in ROLES}
    if not pairs:
        return named
    meant: dict[str, Role] = {}
    for pair in pairs:
        value, _, role = pair.rpartition("=")
        if not value or role not in named or value in meant:
            msg = f"OIDC_ROLES: {pair!r} is not value=role with a new value and a role of {', '.join(ROLES)}."
            raise ConfigurationError(msg)
        meant[value] = named[role]
    return meant
