"""All settings of a stack: the object `platform` of its configuration, and the only code that reads it."""

from enum import StrEnum
from typing import Any, Optional, Self

import pulumi
from pulumi.runtime.config import is_config_secret
from pydantic import ConfigDict, Field, ValidationError, model_validator

from langgraph_components import rules
from langgraph_components.agent_workload import WorkloadSettings
from langgraph_components.args import Args, Defaulted
from langgraph_components.attachments import AttachmentsSettings
from langgraph_components.charts import ChartMirrors
from langgraph_components.cluster_args import ClusterSettings
from langgraph_components.container_image import ImageSettings
from langgraph_components.edge_args import EdgeSettings
from langgraph_components.encryption import EncryptionSettings, KeyDomain
from langgraph_components.errors import InvalidSettings, PlatformError, explain
from langgraph_components.local_postgres import LocalPostgresArgs
from langgraph_components.local_redis import LocalRedisArgs
from langgraph_components.network import NetworkSettings
from langgraph_components.node_autoscaler import NodeAutoscalerSettings
from langgraph_components.observability import ObservabilitySettings
from langgraph_components.postgres_args import Credentials, PostgresSettings
from langgraph_components.pure import iam, stores
from langgraph_components.redis_cache import RedisSettings
from langgraph_components.secrets_args import SecretSource, SecretsSettings
from langgraph_components.workload.parts import VolumeAccess, WorkloadAttachments

PEPPER = "API_KEY_PEPPER"
"""Environment variable with the secret of the API keys' HMAC."""


class Environment(StrEnum):
    """What a stack is for: it decides which rules its settings must keep."""

    DEV = "dev"
    """Small, cheap, gone with one `pulumi destroy`."""
    PROD = "prod"
    """Everything on; what would lose data or open a door is refused."""
    LOCAL = "local"
    """No AWS: the cluster of a kube context, with Postgres and Redis inside it."""


class LocalSettings(Args):
    """The cluster of the stack `local`, and what is in it."""

    context: Optional[str] = None
    """Context of the kubeconfig. None: the current one."""

    postgres: Defaulted[LocalPostgresArgs] = LocalPostgresArgs()
    """The database."""

    redis: Optional[LocalRedisArgs] = None
    """The cache. None: there is none; every run still succeeds."""

    attachments: Defaulted[WorkloadAttachments] = WorkloadAttachments(
        volume_size="5Gi", access=VolumeAccess.READ_WRITE_ONCE
    )
    """The volume of users' files, which all pods share. 5Gi on one node, which every cluster has."""


class PlatformSettings(Args):
    """Everything a stack chooses. What it does not say has a default fit for production."""

    # `pulumi config set --path` stores what looks like a number as one: an account, the value of a tag
    model_config = ConfigDict(coerce_numbers_to_str=True)

    environment: Environment
    """`dev`, `prod` or `local`. Required: it is the one thing that no default can know."""

    account_id: Optional[str] = Field(default=None, pattern=r"^\d{12}$")
    """AWS account, 12 digits; a program run with another account's credentials fails. Not for `local`."""

    region: Optional[str] = Field(default=None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    """AWS region, such as `eu-west-1`. Not for `local`."""

    tags: Defaulted[dict[str, str]] = Field(default_factory=dict)
    """Tags of every AWS resource, besides `project` and `stack`: such as `team`, `cost-centre`."""

    permissions_boundary_arn: Optional[str] = Field(
        default=None, pattern=r"^arn:aws[a-z-]*:iam::(\d{12}|aws):policy/.+$"
    )
    """Policy that bounds every role of the stack, such as `PipelineAccess` makes one. None: no boundary."""

    network: Defaulted[NetworkSettings] = NetworkSettings()
    """The VPC: made, or adopted by `network.existing`."""

    encryption: Defaulted[EncryptionSettings] = EncryptionSettings()
    """The KMS keys."""

    cluster: Defaulted[ClusterSettings] = ClusterSettings()
    """EKS: made, or adopted by `cluster.existing`."""

    node_autoscaler: Optional[NodeAutoscalerSettings] = None
    """The cluster autoscaler. None: the number of nodes is fixed, or something else sees to it."""

    database: Defaulted[PostgresSettings] = PostgresSettings()
    """RDS Postgres: made, or adopted by `database.existing`."""

    cache: Optional[RedisSettings] = None
    """ElastiCache. None: no Redis; every run still succeeds, rate limits are per process."""

    secrets: Defaulted[SecretsSettings] = SecretsSettings()
    """Where secrets come from."""

    environment_secrets: Defaulted[dict[str, str]] = Field(default_factory=dict)
    """Environment variable → key in the secret store, such as `OPENAI_API_KEY: langgraph/openai`.

    Of a secret that is a map, as all of Vault's are, `key#property` is one value of it.

    In `local` the keys are `pulumi config set --secret`: `openaiApiKey`, `anthropicApiKey`.
    """

    monitoring: Optional[ObservabilitySettings] = None
    """Prometheus: installed, or adopted by `monitoring.existing`. None: no monitors and no rules."""

    edge: Optional[EdgeSettings] = None
    """The balancer. None: the API is reached inside the cluster only."""

    attachments: Optional[AttachmentsSettings] = None
    """The bucket of users' files. None: they are refused."""

    image: Defaulted[ImageSettings] = ImageSettings()
    """The server's image: built from `app/`, or by its digest."""

    charts: Defaulted[ChartMirrors] = ChartMirrors()
    """Where the operators' charts and images come from, for closed networks."""

    workload: Defaulted[WorkloadSettings] = WorkloadSettings()
    """The server in Kubernetes."""

    local: Defaulted[LocalSettings] = LocalSettings()
    """The cluster of `local`."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        if broken := rules.broken(self):
            raise ValueError("\n".join(broken))
        return self

    @property
    def on_aws(self) -> bool:
        """Whether the stack is on AWS."""
        return self.environment is not Environment.LOCAL

    @property
    def makes_pepper(self) -> bool:
        """Whether the secret of the API keys is made here: it is, unless the store has one."""
        return PEPPER not in self.environment_secrets

    def key_domains(self) -> list[KeyDomain]:
        """The KMS keys that something of the stack uses: what is adopted has keys of its own."""
        network, cluster, database = (
            part.existing is None for part in (self.network, self.cluster, self.database)
        )
        password = self.database.credentials is Credentials.SECRET
        used = {
            KeyDomain.DATA: any((database, password, self.cache, self.attachments, self.makes_pepper)),
            KeyDomain.CLUSTER: cluster,
            KeyDomain.LOGS: network or cluster or database,
            KeyDomain.REGISTRY: self.image.has_repository(),
        }
        return [domain for domain, is_used in used.items() if is_used]

    def namespaces_with_secrets(self) -> list[str]:
        """Namespaces whose secrets come from the store."""
        found = [self.workload.namespace]
        if self.monitoring is not None and self.monitoring.stored():
            found.append(self.monitoring.namespace)
        return found

    def stored_secret_arns(self) -> list[Any]:
        """How the ARNs of the secrets begin that are in AWS Secrets Manager already, by name or ARN."""
        if self.secrets.source is not SecretSource.AWS:
            return []
        where = (
            f"arn:{iam.partition(self.region or '')}:secretsmanager:{self.region}:{self.account_id}:secret:"
        )
        keys = [stores.reference(given)[0] for given in self.environment_secrets.values()]
        named = dict.fromkeys([*keys, *(self.monitoring.stored() if self.monitoring else ())])
        # Secrets Manager adds a hyphen and six letters to each name
        return [name if str(name).startswith("arn:") else f"{where}{name}-??????" for name in named]

    @classmethod
    def load(cls, config: Optional[pulumi.Config] = None) -> Self:
        """The settings of the running stack.

        Raises:
            InvalidSettings: one line for each setting or rule: its path, what is allowed, what to change.
        """
        config = config or pulumi.Config()
        if is_config_secret(config.full_key("platform")):
            # an object's secret parts come back in the clear, and would be so in state and ConfigMaps
            message = "platform: holds a secret, settings are none: name a key of the store instead"
            raise InvalidSettings(message)
        given: Any = config.require_object("platform")
        return cls.of(given)

    @classmethod
    def _refusal(cls, error: ValidationError) -> PlatformError:
        return InvalidSettings(explain(error, "platform"))
