"""The External Secrets Operator and the one store that our namespaces may read."""

import json
from typing import Any, Optional, Self

import pulumi
from pulumi_kubernetes import apiextensions, core
from pulumi_kubernetes.helm import v3 as helm
from pydantic import Field, model_validator

from langgraph_components import charts
from langgraph_components.args import Args, Defaulted, In
from langgraph_components.pod_role import pod_role
from langgraph_components.pure import labels, operator_policies, stores
from langgraph_components.pure.stores import SecretSource
from langgraph_components.workload.scope import after

_IMAGE = "ghcr.io/external-secrets/external-secrets"
_REQUESTS = {"requests": {"cpu": "25m", "memory": "96Mi"}, "limits": {"memory": "256Mi"}}

_CRDS_ONLY = {
    "installCRDs": True,
    "createOperator": False,
    "webhook": {"create": False},
    "certController": {"create": False},
    "rbac": {"create": False, "servicebindings": {"create": False}},
    "serviceAccount": {"create": False},
    # else helm deletes them with the release, and with them every ExternalSecret and its Secret
    "crds": {"annotations": {"helm.sh/resource-policy": "keep"}},
}
"""The definitions apart from the operator, so that it can be removed, rolled back or replaced without them.

There is no chart of the definitions alone; the operator's own, with all else switched off, is one. They are
templates in it and no `crds/` folder, so helm upgrades them.
"""


class VaultArgs(Args):
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


class GcpArgs(Args):
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
    """`aws`, `vault`, `gcp`, or `kubernetes`: Secrets that are there, no operator. `aws`: where we run."""

    vault: Optional[VaultArgs] = None
    """The Vault. None, unless the source is `vault`."""

    gcp: Optional[GcpArgs] = None
    """The Secret Manager. None, unless the source is `gcp`."""

    existing_store: Optional[str] = None
    """ClusterSecretStore that is there already: then nothing is installed. None: the operator is."""

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
        return self


class SecretsOperatorArgs(SecretsSettings, charts.ChartArgs):
    """Where secrets come from, who may use them, and for `aws` which of them."""

    namespaces: list[str] = Field(min_length=1)
    """Namespaces whose ExternalSecrets may use the store. Required: without it all of them could."""

    store_name: Defaulted[str] = "langgraph"
    """Name of the ClusterSecretStore; it has one in a cluster."""

    account_id: Optional[str] = Field(default=None, pattern=r"^\d{12}$")
    """AWS account, 12 digits. Required for `aws`: the role trusts pods of this account alone."""

    region: Optional[str] = None
    """AWS region of the secrets. Required for `aws`."""

    cluster_name: Optional[In[str]] = None
    """Name of the EKS cluster. Required for `aws`: the operator gets its identity there."""

    cluster_arn: Optional[In[str]] = None
    """ARN of the EKS cluster. Required for `aws`."""

    secret_arn_prefixes: Defaulted[In[list[In[str]]]] = Field(default=[])
    """How the ARNs of the readable secrets begin. Required for `aws`: the operator can read nothing else."""

    kms_key_arns: Defaulted[In[list[In[str]]]] = Field(default=[])
    """Keys of those secrets. Empty: they have Secrets Manager's own key."""

    @model_validator(mode="after")
    def _aws_is_described(self) -> Self:
        wanted = ("account_id", "region", "cluster_name", "cluster_arn", "secret_arn_prefixes")
        missing = [name for name in wanted if getattr(self, name) in (None, [])]
        if self.installs() and self.source == SecretSource.AWS and missing:
            message = f"source aws needs {', '.join(missing)}"
            raise ValueError(message)
        return self

    def installs(self) -> bool:
        """Whether there is an operator to install."""
        return self.source != SecretSource.KUBERNETES and self.existing_store is None


class SecretsOperator(pulumi.ComponentResource):
    """External Secrets, with one store that reads only what it was given and serves only our namespaces."""

    store_name: pulumi.Output[str]
    """Name of the ClusterSecretStore; empty where the source is `kubernetes`."""
    namespace: pulumi.Output[str]
    """Namespace of the operator; empty where none was installed."""

    def __init__(
        self, name: str, args: SecretsOperatorArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare the role, the definitions, the operator and the store, in that order."""
        super().__init__("langgraph:index:SecretsOperator", name, {}, opts)
        settings = SecretsOperatorArgs.of(args)
        self.store_name = pulumi.Output.from_input(settings.existing_store or "")
        installed = ""
        if settings.installs():
            installed = settings.operator_namespace
            # whoever names the store waits for it: its definitions have to be there
            self.store_name = after(settings.store_name, self._install(name, settings))
        self.namespace = pulumi.Output.from_input(installed)
        self.register_outputs({"storeName": self.store_name, "namespace": self.namespace})

    def _install(self, name: str, args: SecretsOperatorArgs) -> pulumi.Resource:
        opts = pulumi.ResourceOptions(parent=self)
        namespace = core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": args.operator_namespace,
                "labels": labels.common("external-secrets") | labels.restricted_namespace(),
            },
            opts=opts,
        )
        before: list[pulumi.Resource] = [namespace]
        if args.source == SecretSource.AWS:
            before.extend(self._identity(name, args))
        operator = self._operator(name, args, before)
        store = stores.store(args.store_name, _provider(args), args.namespaces)
        return apiextensions.CustomResource(
            f"{name}-store",
            api_version=store["apiVersion"],
            kind=store["kind"],
            metadata=store["metadata"],
            spec=store["spec"],
            # its webhook answers for the store, and destroys come in the opposite order
            opts=pulumi.ResourceOptions(parent=self, depends_on=[operator]),
        )

    def _identity(self, name: str, args: SecretsOperatorArgs) -> list[pulumi.Resource]:
        region = args.region or ""
        policy = pulumi.Output.all(args.secret_arn_prefixes, args.kms_key_arns).apply(
            lambda arns: json.dumps(operator_policies.secrets_reader(arns[0], arns[1], region))
        )
        _, ready = pod_role(
            name,
            parent=self,
            account_id=args.account_id or "",
            cluster_name=args.cluster_name or "",
            cluster_arn=args.cluster_arn or "",
            namespace=args.operator_namespace,
            service_account=stores.SERVICE_ACCOUNT,
            policy=policy,
        )
        return ready

    def _operator(self, name: str, args: SecretsOperatorArgs, before: list[pulumi.Resource]) -> helm.Release:
        definitions = charts.install(
            f"{name}-crds",
            charts.EXTERNAL_SECRETS,
            _CRDS_ONLY,
            args=args,
            namespace=args.operator_namespace,
            parent=self,
            depends_on=before[:1],
            release="external-secrets-crds",
        )
        return charts.install(
            f"{name}-operator",
            charts.EXTERNAL_SECRETS,
            operator_values(args),
            args=args,
            namespace=args.operator_namespace,
            parent=self,
            depends_on=[*before, definitions],
        )


def operator_values(args: SecretsOperatorArgs) -> dict[str, Any]:
    """The operator's chart values: it syncs into namespaces, and neither pushes nor generates secrets."""
    image = {"repository": charts.mirrored(_IMAGE, args.registry_mirror)}
    several = args.replicas > 1
    pods = {"image": image, "resources": _REQUESTS, "podDisruptionBudget": {"enabled": several}}
    return {
        **pods,
        "installCRDs": False,
        "replicaCount": args.replicas,
        "leaderElect": several,
        "concurrent": 5,
        "livenessProbe": {"enabled": True},
        "serviceAccount": {"create": True, "name": stores.SERVICE_ACCOUNT},
        # its own identity is all it has at AWS; elsewhere it logs in with a token of its account
        "rbac": {"serviceAccountTokenCreate": args.source != SecretSource.AWS},
        "processPushSecret": False,
        "processClusterPushSecret": False,
        "processClusterExternalSecret": False,
        "processClusterGenerator": False,
        "webhook": {**pods, "replicaCount": args.replicas},
        "certController": {"image": image, "resources": _REQUESTS},
    }


def _provider(args: SecretsOperatorArgs) -> stores.Json:
    """What the store says of its source."""
    namespace = args.operator_namespace
    if args.vault is not None:
        given = args.vault
        return stores.vault(
            given.server,
            given.path,
            given.role,
            mount=given.mount,
            namespace=namespace,
            ca_config_map=given.ca_config_map,
        )
    if args.gcp is None:
        return stores.aws(args.region or "")
    if args.gcp.audience is not None:
        return stores.gcp_federated(args.gcp.project, args.gcp.audience, namespace=namespace)
    cluster, location = args.gcp.cluster or "", args.gcp.location or ""
    return stores.gcp_cluster(args.gcp.project, cluster, location, namespace=namespace)
