"""A Valkey (or Redis OSS) on ElastiCache: TLS only, one user that can do little, nobody else."""

from enum import StrEnum
from typing import Any, Optional

import pulumi
from pulumi_aws import elasticache
from pydantic import Field, ValidationInfo, field_validator

from langgraph_components.args import Args, Defaulted, In
from langgraph_components.data_access import client_only_group, kept_secret
from langgraph_components.ordering import after
from langgraph_components.passwords import alternating, password
from langgraph_components.physical_names import of_stack
from langgraph_components.pure import data_policies, windows

_PORT = 6379
_NAME_LIMIT = 40
"""Of replication groups, users and user groups, in characters."""
_FIRST_WITH_CHANNELS = 7
"""The major version from which a user sees no channel but those it is given; of Redis OSS also the last."""


class CacheEngine(StrEnum):
    """What runs: both speak the same protocol."""

    VALKEY = "valkey"
    REDIS = "redis"


_VERSIONS = {CacheEngine.VALKEY: "8.2", CacheEngine.REDIS: "7.1"}


class RedisSettings(Args):
    """How large the cache is and how safe. What is in it can be lost: Postgres is the truth."""

    engine: Defaulted[CacheEngine] = CacheEngine.VALKEY
    """`valkey` or `redis`. `valkey`: maintained in the open, and cheaper on ElastiCache."""

    engine_version: Optional[str] = Field(default=None, pattern=r"^\d+\.\d+$")
    """Major and minor version, 7.x at least. None: 8.2, Valkey's conservative choice, or Redis' last, 7.1."""

    node_type: Defaulted[str] = Field(default="cache.t4g.small", pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$")
    """Class of every node. `cache.t4g.small`: what is kept is small and short-lived."""

    replicas: Defaulted[int] = Field(default=1, ge=0, le=5)
    """Nodes besides the primary (0 to 5). 1: one takes over when the primary dies."""

    multi_az: Defaulted[bool] = True
    """Whether the nodes are in different zones; needs a replica. On: a zone's end is survived."""

    key_prefix: Defaulted[str] = Field(default="langgraph:", pattern=r"^[A-Za-z0-9_:.-]+$")
    """Keys and channels that the application may use begin with this."""

    maxmemory_policy: Defaulted[str] = Field(default="noeviction", pattern=r"^[a-z-]+$")
    """What happens when it is full. `noeviction`: writes fail, and the server goes on without the cache."""

    snapshot_days: Defaulted[int] = Field(default=1, ge=0, le=35)
    """Days that daily snapshots are kept; 0 makes none. 1: nothing in it is the truth."""

    snapshot_window: Defaulted[str] = "01:00-02:00"
    """Daily, UTC, `hh:mm-hh:mm`, an hour at least."""

    maintenance_window: Defaulted[str] = "sun:05:00-sun:06:00"
    """Weekly, UTC, `ddd:hh:mm-ddd:hh:mm`; must not overlap the snapshots' window."""

    generation: Defaulted[int] = Field(default=1, ge=1)
    """Generation of the password. 1; one more makes a new one, and the one before stays valid meanwhile."""

    apply_immediately: Defaulted[bool] = False
    """Whether changes are made at once. Off, they wait for the maintenance window: some move the primary."""

    secret_recovery_days: Defaulted[int] = Field(default=7, ge=0, le=30)
    """Days (0, or 7 to 30) in which the deleted secret can be restored."""

    protect: Defaulted[bool] = False
    """Whether Pulumi refuses to delete the cache and its secret. Off: what is in it can be lost."""

    @field_validator("engine_version")
    @classmethod
    def _with_channels(cls, given: Optional[str], info: ValidationInfo) -> Optional[str]:
        major = int((given or _VERSIONS[CacheEngine.VALKEY]).partition(".")[0])
        if major < _FIRST_WITH_CHANNELS:
            told = f"should be {_FIRST_WITH_CHANNELS}.0 or later: older ones hide no channel (got {given})"
            raise ValueError(told)
        if given and major > _FIRST_WITH_CHANNELS and info.data.get("engine") is CacheEngine.REDIS:
            told = f"should be 7.0 or 7.1: Redis OSS ends there (got {given})"
            raise ValueError(told)
        return given

    @field_validator("multi_az")
    @classmethod
    def _with_a_replica(cls, given: bool, info: ValidationInfo) -> bool:  # noqa: FBT001  # pydantic's form
        if given and not info.data.get("replicas", 1):
            told = "needs a replica: set replicas to 1 or more, or multi_az to false"
            raise ValueError(told)
        return given

    @field_validator("snapshot_window")
    @classmethod
    def _daily(cls, given: str) -> str:
        return windows.daily(given)

    @field_validator("maintenance_window")
    @classmethod
    def _weekly(cls, given: str, info: ValidationInfo) -> str:
        return windows.weekly(
            given, info.data.get("snapshot_window") if info.data.get("snapshot_days") else None
        )

    @field_validator("secret_recovery_days")
    @classmethod
    def _known_to_secrets_manager(cls, given: int) -> int:
        return data_policies.recovery_days(given)

    def version(self) -> str:
        """Major and minor version."""
        return self.engine_version or _VERSIONS[self.engine]


class RedisCacheArgs(RedisSettings):
    """Where the cache is, how large and how safe."""

    vpc_id: In[str]
    """VPC of the security group."""

    subnet_ids: In[list[In[str]]]
    """Data subnets, in at least two zones."""

    data_key_arn: In[str]
    """KMS key of what lies on disk (snapshots) and of the secret."""

    client_security_group_ids: Defaulted[list[In[str]]] = Field(default_factory=list[In[str]])
    """Security groups that may connect: the nodes'. A list of fixed length; none: nobody can connect."""


class RedisCache(pulumi.ComponentResource):
    """A replication group that only the application's user can use, over TLS, from the clients' groups."""

    host: pulumi.Output[str]
    """Host of the primary; it follows a failover."""
    port: pulumi.Output[int]
    """Port, TLS only."""
    secret_arn: pulumi.Output[str]
    """Secret with `username`, `password`, `host`, `port` and `url` (`rediss://…`)."""
    security_group_id: pulumi.Output[str]
    """Security group of the nodes."""

    def __init__(
        self, name: str, args: RedisCacheArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare the nodes, their users, parameters, security group and secret."""
        super().__init__("langgraph:index:RedisCache", name, {}, opts)
        self._name = name
        self._args = settings = RedisCacheArgs.of(args)
        access, rules = client_only_group(
            name,
            parent=self,
            description="Cache of the platform",
            port=_PORT,
            vpc_id=settings.vpc_id,
            clients=settings.client_security_group_ids,
        )
        passwords, serving = alternating(f"{name}-password", parent=self, generation=settings.generation)
        user = self._user("application", data_policies.CACHE_USER, passwords)
        nodes = self._nodes(access.id, self._users(user))
        self.host = after(nodes.primary_endpoint_address, *rules)
        self.port = pulumi.Output.from_input(_PORT)
        self.security_group_id = access.id
        self.secret_arn = self._secret(serving, user)
        self.register_outputs(
            {
                "host": self.host,
                "port": self.port,
                "secretArn": self.secret_arn,
                "securityGroupId": self.security_group_id,
            }
        )

    def _user(self, label: str, login: str, passwords: list[pulumi.Output[str]]) -> elasticache.User:
        allowed = data_policies.NOBODY
        if login == data_policies.CACHE_USER:
            allowed = data_policies.cache_access(self._args.key_prefix)
        return elasticache.User(
            f"{self._name}-{label}",
            engine=self._args.engine.value,
            user_id=self._physical(label),
            user_name=login,
            access_string=allowed,
            passwords=passwords,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["userId"]),
        )

    def _users(self, application: elasticache.User) -> elasticache.UserGroup:
        """The application's user, and `default` switched off: clients that name no user become that one.

        It has a password all the same: a Valkey user group takes no user without.
        """
        unused = password(f"{self._name}-password-default", parent=self, generation=1)
        nobody = self._user("default", "default", [unused])
        return elasticache.UserGroup(
            f"{self._name}-users",
            engine=self._args.engine.value,
            user_group_id=self._physical("users"),
            user_ids=[nobody.user_id, application.user_id],
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["userGroupId"]),
        )

    def _nodes(
        self, access_id: pulumi.Output[str], users: elasticache.UserGroup
    ) -> elasticache.ReplicationGroup:
        args = self._args
        subnets = elasticache.SubnetGroup(
            f"{self._name}-subnets",
            description="Data subnets of the platform",
            subnet_ids=args.subnet_ids,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return elasticache.ReplicationGroup(
            self._name,
            replication_group_id=self._physical(),
            description="Cache of the platform",
            engine=args.engine.value,
            engine_version=args.version(),
            node_type=args.node_type,
            num_cache_clusters=1 + args.replicas,
            automatic_failover_enabled=args.replicas > 0,
            multi_az_enabled=args.multi_az,
            port=_PORT,
            at_rest_encryption_enabled=True,
            kms_key_id=args.data_key_arn,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            user_group_ids=[users.user_group_id],
            subnet_group_name=subnets.name,
            security_group_ids=[access_id],
            parameter_group_name=self._parameters().name,
            auto_minor_version_upgrade=True,
            maintenance_window=args.maintenance_window,
            apply_immediately=args.apply_immediately,
            opts=pulumi.ResourceOptions(
                parent=self, protect=args.protect, ignore_changes=["replicationGroupId"]
            ),
            **self._snapshots(),
        )

    def _snapshots(self) -> dict[str, Any]:
        days = self._args.snapshot_days
        window = {"snapshot_window": self._args.snapshot_window} if days else {}
        return {"snapshot_retention_limit": days, **window}

    def _parameters(self) -> elasticache.ParameterGroup:
        major = self._args.version().partition(".")[0]
        return elasticache.ParameterGroup(
            f"{self._name}-parameters",
            family=f"{self._args.engine.value}{major}",
            description="Cache of the platform",
            parameters=[
                elasticache.ParameterGroupParameterArgs(
                    name="maxmemory-policy", value=self._args.maxmemory_policy
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _secret(self, serving: pulumi.Output[str], user: elasticache.User) -> pulumi.Output[str]:
        """The login, told only once the cache knows its password."""
        args = self._args
        login = data_policies.CACHE_USER
        text = pulumi.Output.json_dumps(
            {
                "username": login,
                "password": serving,
                "host": self.host,
                "port": _PORT,
                "url": pulumi.Output.format("rediss://{0}:{1}@{2}:{3}/0", login, serving, self.host, _PORT),
            }
        )
        return kept_secret(
            f"{self._name}-login",
            parent=self,
            description="The application's login to the cache",
            key_arn=args.data_key_arn,
            recovery_days=args.secret_recovery_days,
            protect=args.protect,
            text=text,
            after=[user],
        )

    def _physical(self, *label: str) -> str:
        return of_stack(self._name, *label, limit=_NAME_LIMIT)
