"""Where secrets come from, who may use them, and where the operator runs."""

from typing import Optional, Self

from pydantic import Field, model_validator

from langgraph_components.args import Args, Defaulted, In
from langgraph_components.charts import ChartMirrors
from langgraph_components.pure.stores import SecretSource


class VaultSource(Args):
    """A HashiCorp Vault with the KV v2 engine and Kubernetes login."""

    server: str = Field(pattern=r"^https://")
    """Address of the server. Required."""

    path: Defaulted[str] = "secret"
    """Mount path of the KV engine. `secret`: Vault's own."""

    mount: Defaulted[str] = "kubernetes"
    """Mount path of the login method. `kubernetes`: Vault's own."""

    role: str
    """Role of Vault that may read the secrets; bound to the operator's service account. Required."""

    ca_config_map: Optional[str] = None
    """ConfigMap in the operator's namespace with the `ca.crt` of the server's CA. None: a public one."""


class GcpSource(Args):
    """Google Secret Manager, by a workload identity pool or, on GKE, by the cluster's own."""

    project: str
    """Id of the project that holds the secrets. Required."""

    audience: Optional[str] = None
    """The pool's provider for this cluster: `//iam.googleapis.com/projects/N/…/providers/NAME`. None: GKE."""

    cluster: Optional[str] = None
    """Name of the GKE cluster. None: `audience` says it."""

    location: Optional[str] = None
    """Region or zone of the GKE cluster. None: `audience` says it."""

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        if (self.audience is None) == (self.cluster is None or self.location is None):
            message = "needs either audience, or cluster and location"
            raise ValueError(message)
        return self


class SecretsSettings(Args):
    """Where secrets come from."""

    source: Defaulted[SecretSource] = SecretSource.AWS
    """`aws`, `vault`, `gcp`, or `kubernetes`: Secrets that are there, no operator. `aws`: where we run.

    On AWS the logins of database and cache are in AWS Secrets Manager whatever the source is: with `vault`
    and `gcp` there is then a second store for those.
    """

    vault: Optional[VaultSource] = None
    """The Vault. None, unless the source is `vault`."""

    gcp: Optional[GcpSource] = None
    """The Secret Manager. None, unless the source is `gcp`."""

    existing_store: Optional[str] = None
    """ClusterSecretStore that is there already: then nothing is installed. None: the operator is."""

    existing_aws_store: Optional[str] = None
    """With `existing_store` of `vault` or `gcp`: the one that is there for AWS Secrets Manager. None: with
    the source `aws` it is `existing_store`."""

    kms_arns: Defaulted[list[str]] = Field(default=[])
    """KMS keys of the secrets that others keep in AWS Secrets Manager. Empty: they have its own key."""

    operator_namespace: Defaulted[str] = "external-secrets"
    """Namespace of the operator; made, with Pod Security `restricted`. Named as in its documentation."""

    replicas: Defaulted[int] = Field(default=2, ge=1, le=5)
    """Pods (1 to 5) of the operator and of its webhook, of which one leads. 2: a node may go at any time."""

    @model_validator(mode="after")
    def _source_is_described(self) -> Self:
        for source, details in ((SecretSource.VAULT, self.vault), (SecretSource.GCP, self.gcp)):
            if self.existing_store is None and (self.source == source) != (details is not None):
                message = f"source {self.source} " + (
                    f"needs {source}" if details is None else f"has no {source}"
                )
                raise ValueError(message)
        if self.existing_aws_store is not None and self.existing_store is None:
            message = "existing_aws_store is for an existing_store: else both are made"
            raise ValueError(message)
        return self

    def installs(self) -> bool:
        """Whether there is an operator to install."""
        return self.source != SecretSource.KUBERNETES and self.existing_store is None


class SecretsOperatorArgs(SecretsSettings, ChartMirrors):
    """Where secrets come from, who may use them, and which of those in AWS Secrets Manager.

    With a source other than `aws`, a `cluster_name` asks for a second store, of AWS Secrets Manager.
    """

    namespaces: list[str] = Field(min_length=1)
    """Namespaces whose ExternalSecrets may use the store. Required: without it all of them could."""

    store_name: Defaulted[str] = "langgraph"
    """Name of the ClusterSecretStore; it has one in a cluster. A second one, for AWS, is `NAME-aws`."""

    account_id: Optional[str] = Field(default=None, pattern=r"^\d{12}$")
    """AWS account, 12 digits. Required for AWS: the role trusts pods of this account alone."""

    region: Optional[str] = None
    """AWS region of the secrets. Required for AWS."""

    cluster_name: Optional[In[str]] = None
    """Name of the EKS cluster. Required for AWS: the operator gets its identity there."""

    cluster_arn: Optional[In[str]] = None
    """ARN of the EKS cluster. Required for AWS."""

    secret_arn_prefixes: Defaulted[In[list[In[str]]]] = Field(default=[])
    """How the ARNs of the readable secrets begin. Required for AWS: the operator can read nothing else."""

    kms_key_arns: Defaulted[In[list[In[str]]]] = Field(default=[])
    """Keys of those secrets, besides `kms_arns`. Empty: they have Secrets Manager's own key."""

    @model_validator(mode="after")
    def _aws_is_described(self) -> Self:
        wanted = ("account_id", "region", "cluster_name", "cluster_arn", "secret_arn_prefixes")
        missing = [name for name in wanted if getattr(self, name) in (None, [])]
        if self.reads_aws() and missing:
            message = f"a store of AWS needs {', '.join(missing)}"
            raise ValueError(message)
        return self

    def reads_aws(self) -> bool:
        """Whether a store of AWS Secrets Manager is made, the only one or a second one."""
        return self.installs() and (self.source == SecretSource.AWS or self.cluster_name is not None)

    def aws_store(self) -> str:
        """Name of the store of AWS Secrets Manager; empty if there is none."""
        if self.reads_aws():
            return self.store_name if self.source == SecretSource.AWS else f"{self.store_name}-aws"
        at_aws = self.existing_store if self.source == SecretSource.AWS else None
        return self.existing_aws_store or at_aws or ""
