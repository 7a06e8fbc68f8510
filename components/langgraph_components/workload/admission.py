"""Who may call the API, and how much of it one of them may take."""

from enum import StrEnum
from typing import TYPE_CHECKING, Optional

from pydantic import Field

from langgraph_components.args import Args, Defaulted
from langgraph_components.workload.fields import variable
from langgraph_components.workload.parts import WorkloadPeer

if TYPE_CHECKING:
    from langgraph_components.agent_workload import WorkloadSettings

RATE = r"^[1-9]\d{0,4}/(second|minute|hour|day)$"
"""`600/minute`."""
HTTPS = r"^https://[^\s/@]+(/\S*)?$"
"""An address without a login."""
CLAIM = r"^[^\s,]+$"


class ServerAuth(StrEnum):
    """How callers of the API are known."""

    KEYS = "keys"
    """By API keys; `python -m agent_server keys` makes them."""
    OIDC = "oidc"
    """By tokens of an issuer, and by API keys too."""


class Signature(StrEnum):
    """Algorithms with a pair of keys: with a shared secret, whoever checks could also sign."""

    RS256 = "RS256"
    RS384 = "RS384"
    RS512 = "RS512"
    PS256 = "PS256"
    PS384 = "PS384"
    PS512 = "PS512"
    ES256 = "ES256"
    ES384 = "ES384"
    ES512 = "ES512"
    EDDSA = "EdDSA"


class Role(StrEnum):
    """What somebody may do, by the table of `docs/contract.md`."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"


class WorkloadOidc(Args):
    """Whose tokens are admitted, and what is read from them."""

    issuer: str = variable("OIDC_ISSUER", pattern=HTTPS)
    """The one `iss` that tokens may have, to the letter."""

    audience: str = variable("OIDC_AUDIENCE", min_length=1)
    """The one `aud` that tokens must have: what the issuer calls this API."""

    jwks_url: Optional[str] = variable("OIDC_JWKS_URL", default=None, pattern=HTTPS)
    """Where the issuer's keys are. None: where its discovery document says."""

    algorithms: Defaulted[list[Signature]] = variable(
        "OIDC_ALGORITHMS", default_factory=lambda: [Signature.RS256, Signature.ES256], min_length=1
    )
    """Signatures that are admitted, whatever a token says; asymmetric ones only. What issuers use today."""

    subject_claim: Defaulted[str] = variable("OIDC_SUBJECT_CLAIM", default="sub", pattern=CLAIM)
    """Claim that says who it is, as the audit has it. `sub`: the only one that is never given to another."""

    tenant_claim: Defaulted[str] = variable("OIDC_TENANT_CLAIM", default="tenant", pattern=CLAIM)
    """Claim that names the tenant; a path with dots reaches into objects, `=NAME` is one for everybody."""

    role_claim: Defaulted[str] = variable("OIDC_ROLE_CLAIM", default="roles", pattern=CLAIM)
    """Claim with the role or roles, a path with dots such as `realm_access.roles`."""

    roles: Defaulted[dict[str, Role]] = Field(default_factory=dict[str, Role])
    """What the claim's values mean here: value → role. Empty: they are the roles' names themselves."""

    peer: Optional[WorkloadPeer] = None
    """Where the issuer is, if pods do not reach it at a public address. None: they do."""


class WorkloadLimits(Args):
    """How much of the server one caller or one tenant may take; beyond it 429 with `Retry-After`."""

    caller_rate: Optional[str] = variable("RATE_LIMIT_CALLER", default=None, pattern=RATE)
    """Requests of one key or one subject, such as `600/minute`. None: no bound."""

    tenant_rate: Optional[str] = variable("RATE_LIMIT_TENANT", default=None, pattern=RATE)
    """Requests of one tenant, alike. None: no bound."""

    tenant_runs: Defaulted[int] = variable("TENANT_RUNS_MAX", default=1000, ge=0)
    """Pending and running runs of a tenant. 1000: one tenant cannot fill the queue; 0 sets no bound."""

    tenant_streams: Defaulted[int] = variable("TENANT_STREAMS_MAX", default=500, ge=0)
    """Open streams of a tenant in one pod. 500: half of what a pod keeps open; 0 sets no bound."""

    body_bytes: Defaulted[int] = variable("MAX_BODY_BYTES", default=2**20, ge=1024, le=64 * 2**20)
    """Largest JSON body, in bytes. 1 MiB: files go as attachments."""

    recursion: Defaulted[int] = variable("RECURSION_LIMIT_MAX", default=200, ge=1, le=10_000)
    """Most supersteps that a caller may ask for in a run."""


def environment(args: "WorkloadSettings") -> dict[str, str]:
    """What a process is told of it besides the fields that are variables themselves.

    A rate holds for all pods together while Redis answers. Without it each admits its part, reckoned for the
    fewest pods: more of them then admit more, and never less than was promised.
    """
    replicas = {"RATE_LIMIT_REPLICAS": str(args.api.min_replicas)}
    if args.oidc is None or not args.oidc.roles:
        return replicas
    roles = ",".join(f"{value}={role.value}" for value, role in args.oidc.roles.items())
    return {**replicas, "OIDC_ROLES": roles}


def contradictions(args: "WorkloadSettings") -> list[str]:
    """Sentences on choices that do not fit together."""
    found: list[str] = []
    by_token = args.auth is ServerAuth.OIDC
    if by_token and args.oidc is None:
        found.append("oidc: is required by auth: oidc: give the issuer and the audience of the tokens")
    if args.oidc is not None and not by_token:
        found.append("auth: set it to oidc, or leave oidc out: without it nobody reads tokens")
    if "*" in args.allowed_origins and args.allow_credentials:
        found.append("allow_credentials: name the allowed_origins, or set it to false: not for every site")
    if args.oidc is not None:
        found += _oidc_contradictions(args, args.oidc)
    return found


def _oidc_contradictions(args: "WorkloadSettings", oidc: WorkloadOidc) -> list[str]:
    found: list[str] = []
    way_out = args.provider_egress or args.egress_proxy is not None
    if not way_out and oidc.peer is None:
        found.append("oidc.peer: say where the issuer is: with provider_egress off its keys are out of reach")
    if odd := [name for name in oidc.roles if "," in name or "=" in name or not name.strip()]:
        found.append(f"oidc.roles: {', '.join(odd)}: a value with a comma or an equals sign cannot be told")
    return found
