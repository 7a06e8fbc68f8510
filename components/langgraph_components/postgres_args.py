"""Arguments of `PostgresDatabase`."""

from enum import StrEnum
from typing import Any, Optional

from pydantic import Field, ValidationInfo, field_validator

from langgraph_components.args import Args, Defaulted, In
from langgraph_components.pure import data_policies, log_retention, windows
from langgraph_components.pure.instance_classes import MEMORY_GIB, nominal_connections
from langgraph_components.pure.postgres import MONITORING_INTERVALS, PORT, Insights


class Credentials(StrEnum):
    """How the application logs in."""

    IAM = "iam"
    """With a token of IAM for each new connection: there is no password."""
    SECRET = "secret"  # noqa: S105  # the name of a way, not a secret
    """With the password of one of two alternating roles, from Secrets Manager."""


class ExistingDatabase(Args):
    """A PostgreSQL that is there already: nothing is created but the application's secret, if it has one."""

    host: In[str]
    """Host of the primary."""
    master_secret_arn: In[str]
    """Secret of Secrets Manager with `username` and `password` of a role that may create roles."""
    security_group_id: In[str]
    """Security group of the database. It has to admit the clients itself: no rule is added to it."""
    max_connections: int = Field(ge=20)
    """`SHOW max_connections` of it; the connection budget counts with this."""
    port: Defaulted[int] = Field(default=PORT, ge=1, le=65535)
    """Port of primary and replica."""
    database: Defaulted[str] = "langgraph"
    """Database of the platform in it; has to exist."""
    cidrs: Optional[In[list[In[str]]]] = None
    """IPv4 networks in which it is reached, replica included. None: the network's data subnets."""
    read_host: Optional[In[str]] = None
    """Host of a read replica. None: everything is read from the primary."""
    resource_id: Optional[In[str]] = None
    """`db-…`, the instance's resource id. Required with `credentials: iam`, whose policy names it."""
    read_resource_id: Optional[In[str]] = None
    """The same of the replica; required with `credentials: iam` and a `read_host`."""


class PostgresSettings(Args):
    """How large the database is, how safe, and how the application logs in."""

    credentials: Defaulted[Credentials] = Credentials.IAM
    """`iam` or `secret`. `iam`: a token lives 15 minutes, and there is no password to leak or to rotate."""

    generation: Defaulted[int] = Field(default=1, ge=1)
    """With `credentials: secret`: odd serves role `…_a`, even `…_b`. 1; one more renews the other."""

    existing: Optional[ExistingDatabase] = None
    """A database that is there already. None: this component makes one."""

    log_retention_days: Defaulted[int] = 365
    """Days that CloudWatch keeps the database's logs. 365: what auditors ask for."""

    engine_major: Defaulted[int] = Field(default=18, ge=14)
    """Major version of PostgreSQL; RDS chooses and upgrades the minor one. 18: the newest on RDS."""

    allow_major_version_upgrade: Defaulted[bool] = False
    """Whether a new `engine_major` upgrades a running database. Off: what runs is left alone."""

    instance_class: Defaulted[str] = "db.m7g.xlarge"
    """Class of primary and replicas. `db.m7g.xlarge`: 1,802 connections, for 50 pods with pools of 20."""

    max_connections: Optional[int] = Field(default=None, ge=20, le=262143)
    """Connections the server admits. None: RDS' formula of the memory; required for an unknown class."""

    storage_gib: Defaulted[int] = Field(default=50, ge=20, le=65536)
    """GiB of gp3 storage at the start."""

    max_storage_gib: Defaulted[int] = Field(default=500, ge=20, le=65536)
    """GiB up to which the storage grows by itself. 500: ten times the start; storage never shrinks."""

    multi_az: Defaulted[bool] = True
    """Whether a standby in another zone takes over within a minute or two. On; doubles the price."""

    backup_days: Defaulted[int] = Field(default=14, ge=0, le=35)
    """Days back to which the database can be restored to any second; 0 keeps no backups."""

    replicas: Defaulted[int] = Field(default=0, ge=0, le=5)
    """Read replicas (0 to 5). The application reads from the first; it may lag behind the primary."""

    blue_green: Defaulted[bool] = False
    """Whether updates are made on a copy that then takes over. Off: it costs a second instance."""

    apply_immediately: Defaulted[bool] = False
    """Whether changes are made at once. Off, they wait for the maintenance window: some restart it."""

    database: Defaulted[str] = Field(default="langgraph", pattern=r"^[a-z][a-z0-9_]{0,62}$")
    """Name of the database that is created."""

    master_username: Defaulted[str] = Field(default="langgraph_master", pattern=r"^[a-z][a-z0-9_]{0,62}$")
    """Role that migrates. RDS makes its password, keeps it in Secrets Manager and changes it every 7 days;
    with `replicas` or `blue_green` it cannot: then it is made here, and is also in the stack's state."""

    backup_window: Defaulted[str] = "02:00-03:00"
    """Daily, UTC, `hh:mm-hh:mm`."""

    maintenance_window: Defaulted[str] = "sun:03:30-sun:04:30"
    """Weekly, UTC, `ddd:hh:mm-ddd:hh:mm`; must not overlap the backup window."""

    insights: Defaulted[Insights] = Insights.STANDARD
    """Performance and Database Insights: `off`, `standard` (7 days, free) or `advanced` (465 days, paid)."""

    monitoring_interval_seconds: Defaulted[int] = 60
    """Seconds between samples of the operating system: 0 (off), 1, 5, 10, 15, 30 or 60."""

    log_min_duration_ms: Defaulted[int] = Field(default=1000, ge=0)
    """Milliseconds from which a statement is logged, without its values. 1000: nothing of ours takes it."""

    idle_in_transaction_seconds: Defaulted[int] = Field(default=30, ge=1, le=3600)
    """Seconds after which the server ends a transaction that waits for its client: it holds locks."""

    deletion_protection: Defaulted[bool] = True
    """Whether AWS refuses to delete the database."""

    final_snapshot: Defaulted[bool] = True
    """Whether a deleted database leaves a snapshot `…-final`, which must not exist yet."""

    secret_recovery_days: Defaulted[int] = Field(default=7, ge=0, le=30)
    """Days (0, or 7 to 30) in which the application's deleted secret can be restored."""

    protect: Defaulted[bool] = False
    """Whether Pulumi refuses to delete the database. Off: a stack that holds nothing yet can be destroyed."""

    @field_validator("existing")
    @classmethod
    def _login_names_the_instances(
        cls, given: Optional[ExistingDatabase], info: ValidationInfo
    ) -> Optional[ExistingDatabase]:
        if given is None or info.data.get("credentials") != Credentials.IAM:
            return given
        if given.resource_id is None:
            told = "resource_id is required, or credentials: secret"
            raise ValueError(told)
        if given.read_host is not None and given.read_resource_id is None:
            told = "read_resource_id is required with read_host, or credentials: secret"
            raise ValueError(told)
        return given

    @field_validator("log_retention_days")
    @classmethod
    def _known_to_cloudwatch(cls, given: int) -> int:
        return log_retention.retention(given)

    @field_validator("max_connections")
    @classmethod
    def _known_for_the_class(cls, given: Optional[int], info: ValidationInfo) -> Optional[int]:
        # without one it was refused already, and that is told
        name = info.data.get("instance_class")
        if given is None and name is not None and name not in MEMORY_GIB and _makes_one(info):
            families = ", ".join(sorted({known.rpartition(".")[0] for known in MEMORY_GIB}))
            told = f"is required for {name}: only the classes of {families} are known"
            raise ValueError(told)
        return given

    @field_validator("max_storage_gib")
    @classmethod
    def _not_below_the_start(cls, given: int, info: ValidationInfo) -> int:
        if given < info.data.get("storage_gib", 0):
            told = f"should be at least storage_gib, {info.data['storage_gib']} (got {given})"
            raise ValueError(told)
        return given

    @field_validator("replicas", "blue_green")
    @classmethod
    def _made_from_a_backup(cls, given: int, info: ValidationInfo) -> int:
        if given and not info.data.get("backup_days", 1):
            told = "needs backups: set backup_days to 1 or more"
            raise ValueError(told)
        return given

    @field_validator("backup_window")
    @classmethod
    def _daily(cls, given: str) -> str:
        return windows.daily(given)

    @field_validator("maintenance_window")
    @classmethod
    def _weekly(cls, given: str, info: ValidationInfo) -> str:
        return windows.weekly(given, info.data.get("backup_window"))

    @field_validator("monitoring_interval_seconds")
    @classmethod
    def _known_to_rds(cls, given: int) -> int:
        if given not in MONITORING_INTERVALS:
            told = f"should be one of {', '.join(map(str, MONITORING_INTERVALS))} (got {given})"
            raise ValueError(told)
        return given

    @field_validator("secret_recovery_days")
    @classmethod
    def _known_to_secrets_manager(cls, given: int) -> int:
        return data_policies.recovery_days(given)

    def rds_keeps_password(self) -> bool:
        """Whether RDS keeps the master's password, which it does for no database that it is to copy.

        RDS User Guide, "Limitations for Secrets Manager integration with Amazon RDS": neither read replicas
        nor blue/green deployments.
        """
        return not self.replicas and not self.blue_green

    def admitted(self) -> int:
        """Connections the server admits, nominally."""
        if self.existing is not None:
            return self.existing.max_connections
        return self.max_connections or nominal_connections(self.instance_class) or 0


def _makes_one(info: ValidationInfo) -> bool:
    """False too where `existing` was refused: then that is all there is to tell."""
    return info.data.get("existing", "refused") is None


class PostgresDatabaseArgs(PostgresSettings):
    """Where the database is, how large, how safe, and how the application logs in."""

    account_id: str = Field(pattern=r"^\d{12}$")
    """AWS account of the database, 12 digits: the policy of the application's login names it."""

    region: str
    """AWS region, such as `eu-west-1`: the policy of the application's login names it."""

    vpc_id: Optional[In[str]] = None
    """VPC of the security group. Required unless `existing`."""

    subnet_ids: Optional[In[list[In[str]]]] = None
    """Data subnets, in at least two zones. Required unless `existing`."""

    data_key_arn: Optional[In[str]] = None
    """KMS key of storage, snapshots, insights and secrets. Required unless `existing`."""

    client_security_group_ids: Defaulted[list[In[str]]] = Field(default_factory=list[In[str]])
    """Security groups that may connect: the nodes'. A list of fixed length; none: nobody can connect."""

    logs_key_arn: Optional[In[str]] = None
    """KMS key of the log groups. None: CloudWatch's own encryption."""

    @field_validator("vpc_id", "subnet_ids", "data_key_arn")
    @classmethod
    def _needed_to_make_one(cls, given: Any, info: ValidationInfo) -> Any:
        if given is None and _makes_one(info):
            told = "is required unless there is an existing database"
            raise ValueError(told)
        return given
