"""The only reader of the environment. Names, defaults and units are those of docs/contract.md §2."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

import limits
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, FilePath, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from agent_server.core.addresses import LOOPBACK_HOSTS
from agent_server.core.errors import ConfigurationError
from agent_server.core.oidc import Oidc, checked

RATE_MAX = 100_000
"""Requests of one rate limit: each that is admitted is remembered until its time is over."""

_REDIS_URL = re.compile(r"rediss?://([^\s/?#@]*@)?[^\s/?#@]+(/[0-9]*)?")
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?")

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Retention = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    """What a process is told by its environment; immutable."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: SecretStr
    """libpq URL of the primary."""
    database_direct_url: SecretStr | None = None
    """The same database without a transaction pooler, for migrations and LISTEN."""
    database_read_url: SecretStr | None = None
    """A read replica, for state and history of threads that have been quiet for a while."""
    database_wait_seconds: Seconds = 60
    """How long a start goes on asking a database that is unreachable before it gives up."""
    database_auth: Literal["url", "file", "iam"] = "url"
    """Where a new connection's user and password come from: the URL, two files, or an RDS IAM token."""
    database_user_file: Path = Path("/run/secrets/database/username")
    """With `file`: holds the user; read for each new connection."""
    database_password_file: Path = Path("/run/secrets/database/password")
    """With `file`: holds the password; read for each new connection."""
    application_role: str | None = None
    """The role that `migrate` makes, or brings up to date, for the serving processes; none without."""
    application_role_password_file: Path | None = None
    """Holds that role's password; without, the role logs in by RDS IAM."""
    aws_region: str | None = None
    """Region of the database and of the bucket; required by `iam` and by `attachments_bucket`."""
    aws_container_credentials_full_uri: str | None = None
    """Where the EKS Pod Identity agent hands credentials out; set by EKS."""
    aws_container_authorization_token_file: Path | None = None
    """Holds what that agent knows the pod by; set by EKS."""
    aws_access_key_id: SecretStr | None = None
    """Static credentials, for use outside EKS; they come before the agent's."""
    aws_secret_access_key: SecretStr | None = None
    """Belongs to the access key id."""
    aws_session_token: SecretStr | None = None
    """Belongs to the access key id, where that is a temporary one."""
    pool_min_size: Annotated[int, Field(ge=1)] = 5
    """Connections kept open."""
    pool_max_size: Annotated[int, Field(ge=1)] = 20
    """Connections at most, beside one for lease renewal and one for LISTEN."""
    statement_timeout_seconds: Seconds = 60
    """Server-side bound of any statement; named queries have tighter ones."""
    checkpoint_partitions: Annotated[int, Field(ge=0, le=256)] = 0
    """Hash partitions by thread of LangGraph's checkpoint tables, made by the first `migrate`; 0 for none."""
    redis_url: SecretStr | None = None
    """`rediss://user:password@host:6379/0`; shares rate limits between processes, and is never the truth."""
    redis_ca_file: FilePath | None = None
    """CA of that server, where it is a private one."""

    langgraph_config: Path = Path("langgraph.json")
    """The file that names the graphs."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 9464
    """Port of `GET /metrics`; 0 switches it off."""

    auth: Literal["none", "keys", "oidc"] = "none"
    """`none` is admitted on a loopback host only."""
    api_key_pepper: SecretStr | None = None
    """Secret of the API keys' HMAC, at least 32 characters."""
    oidc_issuer: str | None = None
    """The one `iss` that tokens may have."""
    oidc_audience: str | None = None
    """The one `aud` that tokens must have."""
    oidc_jwks_url: str | None = None
    """Where the issuer's keys are; without, what its discovery document says."""
    oidc_algorithms: Annotated[tuple[str, ...], NoDecode] = ("RS256", "ES256")
    """Signature algorithms that are admitted, whatever a token's header says; asymmetric ones only."""
    oidc_subject_claim: str = "sub"
    """The claim that says who it is: the audit's subject."""
    oidc_tenant_claim: str = "tenant"
    """The claim that names the tenant."""
    oidc_role_claim: str = "roles"
    """The claim with the role or roles; a path with dots reaches into objects."""
    oidc_roles: Annotated[tuple[str, ...], NoDecode] = ()
    """`value=role` pairs: what the claim's values mean here; without, they are the roles' own names."""
    forbid_self_approval: bool = False
    """Whether who has brought a thread to its question is refused as the one who answers it."""
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Browser origins that CORS admits."""
    allow_credentials: bool = False
    """Whether CORS lets browsers send cookies and the like; never together with the origin `*`."""

    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * 2**20)] = 2**20
    """The largest JSON body that is read."""
    recursion_limit_max: Annotated[int, Field(ge=1, le=10_000)] = 200
    """The most supersteps that a client may ask for."""
    tenant_runs_max: Annotated[int, Field(ge=0)] = 1000
    """Pending and running runs of one tenant; 0 sets no bound."""
    tenant_streams_max: Annotated[int, Field(ge=0)] = 500
    """Open streams of one tenant in one process; 0 sets no bound."""
    rate_limit_caller: str | None = None
    """Requests of one key or subject, as `600/minute`; none without."""
    rate_limit_tenant: str | None = None
    """Requests of one tenant, alike."""
    rate_limit_replicas: Annotated[int, Field(ge=1)] = 1
    """Processes that share a limit: without Redis, each admits its part."""

    lease_seconds: Seconds = 15
    """Life of a run's lease: a dead process's runs are taken over after it."""
    lease_renew_seconds: Seconds = 5
    """How often leases are renewed; at most half a lease."""
    max_crashes: Annotated[int, Field(ge=1)] = 3
    """A run whose process died this often is poison."""
    run_timeout_seconds: Seconds = 3600
    """Wall clock of a run over all its attempts."""
    wait_seconds: Seconds = 290
    """The longest one request waits for a run; below the client's 300 s."""
    heartbeat_seconds: Seconds = 15
    """Between comments on a silent stream."""
    event_flush_ms: Seconds = 75
    """How long stream events gather before they are stored, in milliseconds."""
    worker_concurrency: Annotated[int, Field(ge=1)] = 10
    """Enqueued and orphaned runs that a process executes at once."""
    drain_seconds: Seconds = 20
    """How long a run may go on to its next superstep after SIGTERM; part of SHUTDOWN_SECONDS."""
    shutdown_seconds: Seconds = 30
    """How long a stop may take."""
    keep_alive_seconds: Annotated[int, Field(ge=1)] = 330
    """Life of an idle connection: above a balancer's idle time-out of 310 s, so that the balancer ends it."""

    retention_events_seconds: Seconds = 3600
    """Stream events, after the end of their run."""
    retention_idempotency_seconds: Seconds = 86400
    """Idempotency keys."""
    retention_runs_days: Retention = 30
    """Ended runs; 0 keeps them."""
    retention_checkpoints_days: Retention = 7
    """History of an idle thread, its latest checkpoint excepted; 0 keeps it."""
    retention_checkpoints_max: Annotated[int, Field(ge=0)] = 500
    """Checkpoints of one thread above which its history is cut to the latest; 0 sets no bound."""
    retention_threads_days: Retention = 0
    """Whole threads after their last run; 0 keeps them."""
    retention_sweep_seconds: Retention = 300
    """How often a process tries to sweep; 0 leaves it to the `retention` command."""

    attachments_bucket: str | None = None
    """S3 bucket of attachments."""
    attachments_dir: Path | None = None
    """Folder of attachments, where there is no bucket; processes of one installation share it."""
    attachment_bytes: Annotated[int, Field(ge=1)] = 25 * 2**20
    """The largest attachment."""
    aws_endpoint_url_s3: str | None = None
    """Where S3 is, if it is not Amazon's."""

    otel_exporter_otlp_endpoint: str | None = None
    """Base URL of an OTLP/HTTP receiver: with it, requests and runs are traced."""
    otel_exporter_otlp_traces_endpoint: str | None = None
    """The whole URL for traces alone, which comes first."""
    otel_service_name: str = "agent-server"
    """What traces call this service."""
    trace_content: bool = False
    """Whether traces hold prompts, inputs and answers."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"

    @field_validator("allowed_origins", "oidc_algorithms", "oidc_roles", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                msg = "an origin is * or as browsers send it: https://console.example, http://localhost:3000"
                raise ValueError(msg)
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _REDIS_URL.fullmatch(value.get_secret_value()):
            msg = "not a Redis URL, as rediss://user:password@host:6379/0 is one; options are not taken"
            raise ValueError(msg)
        return value

    @field_validator("rate_limit_caller", "rate_limit_tenant")
    @classmethod
    def _rate(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            rates = limits.parse_many(value)
        except ValueError:
            rates = []
        if len(rates) != 1 or not 1 <= rates[0].amount <= RATE_MAX or rates[0].get_expiry() < 1:
            msg = f"not a rate of 1 to {RATE_MAX} requests, as 600/minute or 5000/hour is one"
            raise ValueError(msg)
        return value

    @field_validator("database_url", "database_direct_url", "database_read_url")
    @classmethod
    def _readable(cls, value: SecretStr | None) -> SecretStr | None:
        try:
            conninfo_to_dict(value.get_secret_value() if value else "")
        except ProgrammingError:
            msg = "not a libpq URL, as postgresql://user:password@host:5432/database is one"
            raise ValueError(msg) from None  # libpq's own words quote the URL, and with it the password
        return value

    @model_validator(mode="after")
    def _cross_field(self) -> Self:
        any_origin = "*" in self.allowed_origins
        rules = (
            (self.pool_min_size > self.pool_max_size, "POOL_MIN_SIZE is above POOL_MAX_SIZE"),
            (
                self.lease_renew_seconds * 2 > self.lease_seconds,
                "LEASE_RENEW_SECONDS must be at most half of LEASE_SECONDS",
            ),
            (
                self.drain_seconds > self.shutdown_seconds,
                "DRAIN_SECONDS is above SHUTDOWN_SECONDS, of which it is a part",
            ),
            (
                any_origin and self.allow_credentials,
                "ALLOWED_ORIGINS=* and ALLOW_CREDENTIALS exclude each other: name the origins",
            ),
            (
                any_origin and self.auth == "none",
                "ALLOWED_ORIGINS=* needs AUTH=keys or oidc: any web page could use this server",
            ),
            (
                self.redis_ca_file is not None
                and not (self.redis_url and self.redis_url.get_secret_value().startswith("rediss:")),
                "REDIS_CA_FILE needs a REDIS_URL with TLS: rediss://",
            ),
            (
                self.attachments_bucket is not None and self.attachments_dir is not None,
                "ATTACHMENTS_BUCKET and ATTACHMENTS_DIR exclude each other",
            ),
        )
        wrong = [rule for broken, rule in rules if broken]
        if self.database_auth == "iam":
            wrong += self._missing_for_iam()
        if self.attachments_bucket is not None:
            missing = [what for what, there in self._aws().items() if not there]
            wrong += [f"ATTACHMENTS_BUCKET needs {what}" for what in missing]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _aws(self) -> dict[str, bool]:
        """What signing for AWS needs, and whether it is there."""
        static = self.aws_access_key_id is not None and self.aws_secret_access_key is not None
        return {
            "AWS_REGION": self.aws_region is not None,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI (EKS sets it where the service account has a Pod Identity"
            " association), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY": static
            or self.aws_container_credentials_full_uri is not None,
        }

    def _missing_for_iam(self) -> list[str]:
        has = self._aws() | {
            "one host and a user in DATABASE_URL": _names_one_login(self.dsn),
            "one host and a user in DATABASE_DIRECT_URL": _names_one_login(self.direct_dsn),
            "one host and a user in DATABASE_READ_URL": _names_one_login(self.read_dsn or self.dsn),
        }
        return [f"DATABASE_AUTH=iam needs {what}" for what, there in has.items() if not there]

    @property
    def dsn(self) -> str:
        """The URL of the pool."""
        return self.database_url.get_secret_value()

    @property
    def direct_dsn(self) -> str:
        """The URL that reaches the database itself."""
        return (self.database_direct_url or self.database_url).get_secret_value()

    @property
    def read_dsn(self) -> str | None:
        """The URL of the read replica, where there is one."""
        return self.database_read_url.get_secret_value() if self.database_read_url else None

    @property
    def has_pooler(self) -> bool:
        """Whether a transaction pooler stands before the pool: then no session keeps anything for us."""
        return self.direct_dsn != self.dsn

    def require_safe_exposure(self) -> None:
        """Raise ConfigurationError unless what `serve` would expose is guarded."""
        if self.auth == "none" and self.host not in LOOPBACK_HOSTS:
            msg = f"AUTH=none is admitted on a loopback HOST only, not on {self.host}; set AUTH=keys or oidc."
            raise ConfigurationError(msg)
        if self.admits_keys:
            self.require_pepper()
        if self.auth == "oidc":
            self.require_oidc()
        if self.auth == "none" and self.forbid_self_approval:
            msg = "FORBID_SELF_APPROVAL needs AUTH=keys or oidc: without, everybody is the same one."
            raise ConfigurationError(msg)

    @property
    def admits_keys(self) -> bool:
        """Whether API keys open this server: with tokens they do where there is a pepper."""
        return self.auth == "keys" or (self.auth == "oidc" and self.api_key_pepper is not None)

    def require_oidc(self) -> Oidc:
        """Return what `AUTH=oidc` needs, or raise ConfigurationError."""
        return checked(
            issuer=self.oidc_issuer,
            audience=self.oidc_audience,
            jwks_url=self.oidc_jwks_url,
            algorithms=self.oidc_algorithms,
            subject_claim=self.oidc_subject_claim,
            tenant_claim=self.oidc_tenant_claim,
            role_claim=self.oidc_role_claim,
            roles=self.oidc_roles,
        )

    def require_pepper(self) -> bytes:
        """Return the secret of the API keys' HMAC, or raise ConfigurationError."""
        pepper = self.api_key_pepper.get_secret_value() if self.api_key_pepper else ""
        if len(pepper) < 32:  # noqa: PLR2004  # the contract's number
            msg = "API_KEY_PEPPER must be set to a secret of at least 32 characters."
            raise ConfigurationError(msg)
        return pepper.encode(errors="surrogateescape")  # the bytes that the environment holds


def _names_one_login(dsn: str) -> bool:
    """Whether an IAM token can be made for the URL: it is signed for one host and one user."""
    parts = conninfo_to_dict(dsn)
    host = str(parts.get("host") or "")
    return bool(parts.get("user") and host) and "," not in host and not host.startswith("/")


def read_settings() -> Settings:
    """Read the environment.

    Raises:
        ConfigurationError: with one line that names the variables and never shows a value.
    """
    try:
        return Settings()  # pyright: ignore[reportCallIssue]  # the environment supplies the fields
    except ValidationError as error:
        parts = _parts(error) + _parts_behind(error)
        raise ConfigurationError("The environment is not usable: " + "; ".join(parts)) from None


def _parts_behind(error: ValidationError) -> list[str]:
    """Return what is wrong between the settings that are right by themselves."""
    wrong = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
    usable = {name: Settings.model_fields[name].default for name in wrong - {"database_url"}}
    if "database_url" in wrong:
        usable["database_url"] = "postgresql://user@host"
    try:
        Settings(**usable)
    except ValidationError as more:
        return _parts(more) if wrong else []
    return []


def _parts(error: ValidationError) -> list[str]:
    return [
        (f"{'.'.join(str(part) for part in item['loc']).upper()}: " if item["loc"] else "")
        + item["msg"].removeprefix("Value error, ")
        for item in error.errors(include_input=False, include_url=False)
    ]
