"""From claims to tenant, subject and role, as the settings say: with what the well-known issuers put in."""

from collections.abc import Iterator
from typing import Any

import pytest
from app.support.issuer import AUDIENCE, Issuer, issuing

from agent_server.core.addresses import is_safe
from agent_server.core.errors import ConfigurationError, ForbiddenRole
from agent_server.core.oidc import Oidc, checked
from agent_server.core.principal import MAY, ROLES, Principal, mightiest, roles_with
from agent_server.http.tokens import Tokens


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


def settings(of: str, **changes: Any) -> Oidc:
    told: dict[str, Any] = {
        "issuer": of,
        "audience": AUDIENCE,
        "jwks_url": None,
        "algorithms": ("RS256", "ES256"),
        "subject_claim": "sub",
        "tenant_claim": "tenant",
        "role_claim": "roles",
        "roles": (),
    }
    return checked(**(told | changes))


async def who(issuer: Issuer, claims: dict[str, Any], **changes: Any) -> Principal | None:
    return await Tokens(settings(issuer.url, **changes)).verify(issuer.token(**claims))


async def test_the_defaults(issuer: Issuer) -> None:
    assert await who(issuer, {"roles": ["operator"]}) == Principal("acme", "sub:alice", "operator")


async def test_roles_of_a_keycloak_realm(issuer: Issuer) -> None:
    claims = {"realm_access": {"roles": ["offline_access", "lg-approve"]}, "preferred_username": "al"}
    found = await who(
        issuer,
        claims,
        role_claim="realm_access.roles",
        roles=("lg-approve=approver", "lg-run=operator"),
        subject_claim="preferred_username",
    )
    assert found == Principal("acme", "sub:al", "approver")


async def test_groups_of_cognito(issuer: Issuer) -> None:
    claims = {"cognito:groups": ["ops", "staff"], "custom:tenant": "bolt"}
    found = await who(
        issuer,
        claims,
        role_claim="cognito:groups",
        tenant_claim="custom:tenant",
        roles=("ops=operator", "staff=viewer"),
    )
    assert found == Principal("bolt", "sub:alice", "operator")


async def test_the_directory_and_app_roles_of_entra(issuer: Issuer) -> None:
    directory = "72f988bf-86f1-41af-91ab-2d7cd011db47"
    claims = {"tid": directory, "oid": "o-1", "roles": ["Agents.Approve"]}
    found = await who(
        issuer, claims, tenant_claim="tid", subject_claim="oid", roles=("Agents.Approve=approver",)
    )
    assert found == Principal(directory, "sub:o-1", "approver")


async def test_one_tenant_for_everybody_and_roles_by_address_as_with_google(issuer: Issuer) -> None:
    claims = {"tenant": None, "roles": None, "hd": "example.com", "email": "a@example.com"}
    found = await who(
        issuer,
        claims,
        tenant_claim="=acme",
        role_claim="email",
        subject_claim="email",
        roles=("a@example.com=admin",),
    )
    assert found == Principal("acme", "sub:a@example.com", "admin")


async def test_a_claim_whose_name_has_dots_comes_before_a_path(issuer: Issuer) -> None:
    name = "https://example.com/roles"
    claims = {name: ["viewer"], "https://example": {"com/roles": ["admin"]}}
    found = await who(issuer, claims, role_claim=name)
    assert found is not None
    assert found.role == "viewer"


@pytest.mark.parametrize("path", ["a.b.c", "a..b", "a.", ".a", "tenant.roles", "a.b.c.d.e"])
async def test_a_path_that_leads_nowhere_gives_no_role(issuer: Issuer, path: str) -> None:
    with pytest.raises(ForbiddenRole):
        await who(issuer, {"a": {"b": ["c"]}}, role_claim=path)


async def test_with_a_mapping_the_roles_own_names_mean_nothing(issuer: Issuer) -> None:
    with pytest.raises(ForbiddenRole):
        await who(issuer, {"roles": ["admin"]}, roles=("boss=admin",))
    found = await who(issuer, {"roles": ["a=b"]}, roles=("a=b=viewer",))
    assert found is not None
    assert found.role == "viewer"


@pytest.mark.parametrize(
    ("roles", "holds"),
    [
        (["viewer", "operator"], "operator"),
        (["approver", "operator"], "approver"),
        (["admin", "viewer", "approver"], "admin"),
        (["viewer", "viewer"], "viewer"),
    ],
)
async def test_of_several_roles_the_mightiest_holds(issuer: Issuer, roles: list[str], holds: str) -> None:
    found = await who(issuer, {"roles": roles})
    assert found is not None
    assert found.role == holds


def test_what_each_role_may() -> None:
    assert {role: sorted(may) for role, may in MAY.items()} == {
        "viewer": ["read"],
        "operator": ["read", "run"],
        "approver": ["answer", "read"],
        "admin": ["answer", "delete", "read", "run", "write_state"],
    }
    assert mightiest([]) is None
    assert mightiest(ROLES) == "admin"
    assert roles_with("answer") == "approver or admin"
    assert not any(Principal("t", "s").may(what) for what in MAY["admin"] - {"read"})


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": None},
        {"audience": ""},
        {"algorithms": ()},
        *({"algorithms": ("RS256", name)} for name in ("HS256", "HS512", "none", "None", "rs256", "ES256K")),
        {"issuer": "login.example"},
        {"jwks_url": "file:///etc/passwd"},
        {"jwks_url": "http://10.0.0.1/keys"},
        {"tenant_claim": "="},
        {"tenant_claim": "=a b"},
        *({"roles": (pair,)} for pair in ("admin", "=admin", "a=", "a=root", "a=admin=")),
        {"roles": ("a=admin", "a=viewer")},
    ],
)
def test_settings_that_would_open_too_much_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="OIDC_"):
        settings("https://login.example", **changes)


def test_a_free_name_of_an_issuer_needs_the_address_of_its_keys() -> None:
    assert settings("accounts.example", jwks_url="https://keys.example/").issuer == "accounts.example"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://issuer.example/keys", True),
        ("http://127.0.0.1:8080/keys", True),
        ("http://[::1]/keys", True),
        ("http://localhost/", True),
        ("http://localhost.example/", False),
        ("http://127.0.0.1@issuer.example/", False),
        ("https://user:password@issuer.example/", False),
        ("ftp://127.0.0.1/", False),
        ("https:///keys", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_keys_are_fetched_over_tls_or_from_this_machine(url: str, safe: bool) -> None:
    assert is_safe(url) is safe
