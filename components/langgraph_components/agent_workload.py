"""The server itself in Kubernetes: everything of ours that runs, is scaled, guarded and watched."""

from typing import Optional, Self

import pulumi
from pydantic import ConfigDict, Field, model_validator

from langgraph_components.args import Args, Defaulted, In
from langgraph_components.pure import environment, images, jobs, labels
from langgraph_components.pure.budget import API_PORT
from langgraph_components.workload import access, admission, configuration, running, scaling, watching
from langgraph_components.workload.admission import ServerAuth, WorkloadLimits, WorkloadOidc
from langgraph_components.workload.fields import pod_field, variable, variable_names
from langgraph_components.workload.parts import (
    DNS_LABEL,
    DURATION,
    DatabaseAuth,
    WorkloadApi,
    WorkloadAttachments,
    WorkloadBalancer,
    WorkloadDatabase,
    WorkloadMonitoring,
    WorkloadPeer,
    WorkloadRedis,
    WorkloadRetention,
    WorkloadSecret,
    WorkloadToleration,
    WorkloadTracing,
    WorkloadWorkers,
)
from langgraph_components.workload.scope import Scope


class WorkloadSettings(Args):
    """How many of the server there are, what they may use, and who may reach them."""

    # a variable's value is text, and `MAX_CRASHES: 5` is how it is written
    model_config = ConfigDict(coerce_numbers_to_str=True)

    secret_refresh: Defaulted[str] = Field(default="5m", pattern=DURATION)
    """Time between two readings of the store. 5m: a rotated password arrives in time."""

    namespace: Defaulted[str] = Field(default="langgraph", pattern=DNS_LABEL)
    """Namespace of all objects."""

    create_namespace: Defaulted[bool] = True
    """Whether the namespace is made here, enforcing Pod Security `restricted`. Off: it is there already."""

    api: Defaulted[WorkloadApi] = Field(default_factory=WorkloadApi)
    """The pods that answer requests."""

    workers: Defaulted[WorkloadWorkers] = Field(default_factory=WorkloadWorkers)
    """The pods that only execute runs."""

    pool_min_size: Defaulted[int] = Field(default=5, ge=1)
    """Connections a process keeps open. 5, or all of a smaller pool: a burst waits for none."""

    pool_max_size: Defaulted[int] = Field(default=20, ge=1)
    """Connections a process opens at most; two more are outside the pool."""

    auth: Defaulted[ServerAuth] = variable("AUTH", default=ServerAuth.KEYS)
    """How callers of the API are known. `keys`: what is reached from outside is never open."""

    oidc: Optional[WorkloadOidc] = None
    """Whose tokens are admitted. Required by `auth: oidc`, and only for it."""

    forbid_self_approval: Defaulted[bool] = variable("FORBID_SELF_APPROVAL", default=False)
    """Whether who started a run may not answer its interrupts. Off: one person can work alone."""

    limits: Defaulted[WorkloadLimits] = Field(default_factory=WorkloadLimits)
    """How much one caller or one tenant may take."""

    allowed_origins: Defaulted[list[str]] = variable("ALLOWED_ORIGINS", default_factory=list)
    """Browser origins that CORS admits. Empty: none."""

    allow_credentials: Defaulted[bool] = variable("ALLOW_CREDENTIALS", default=False)
    """Whether browsers may send cookies from there. Off: keys and tokens are headers."""

    checkpoint_partitions: Defaulted[int] = Field(default=0, ge=0, le=256)
    """Hash partitions of LangGraph's tables, made by the first migration of a database and never changed:
    2 to 256 where many millions of checkpoints are kept. 0: plain tables."""

    log_level: Defaulted[str] = variable("LOG_LEVEL", default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    """Least level that is logged."""

    environment: Defaulted[dict[str, str]] = Field(default_factory=dict)
    """Further environment variables, such as `AGENT_MODEL`; never a secret, never one that is set by us."""

    tracing: Defaulted[WorkloadTracing] = Field(default_factory=WorkloadTracing)
    """LangSmith's tracing, and OpenTelemetry's."""

    retention: Defaulted[WorkloadRetention] = Field(default_factory=WorkloadRetention)
    """What is kept how long."""

    callers: Defaulted[dict[str, WorkloadPeer]] = Field(default_factory=dict)
    """Who else may call the API, by a name: such as an ingress controller."""

    provider_egress: Defaulted[bool] = True
    """Whether graphs reach public addresses by HTTPS. Off in closed networks, and with `egress_proxy`."""

    collector: Optional[WorkloadPeer] = None
    """Collector of traces in the private network, such as port 4318. None: none."""

    egress_proxy: Optional[WorkloadPeer] = None
    """Proxy on the way out; then `egress_proxy_url` is required. None: pods go out themselves."""

    egress_proxy_url: Optional[In[str]] = None
    """Address of that proxy, such as `http://proxy.internal:3128`."""

    no_proxy: Defaulted[list[str]] = Field(default_factory=list)
    """Hosts that are reached without the proxy, besides the cluster's."""

    dns_cidrs: Defaulted[list[str]] = Field(default_factory=list)
    """Resolvers that are no pods: a DNS cache on the nodes, or EKS Auto Mode's. Empty: CoreDNS pods."""

    ca_bundle: Optional[In[str]] = None
    """PEM text of every root that is to be trusted, instead of the public ones. None: the image's."""

    image_pull_secrets: Defaulted[list[str]] = Field(default_factory=list)
    """Secrets of the registry, in the namespace. Empty: the nodes may pull."""

    node_selector: Defaulted[dict[str, str]] = pod_field("nodeSelector", default_factory=dict)
    """Labels of the nodes that pods run on. Empty: any."""

    tolerations: Defaulted[list[WorkloadToleration]] = Field(default_factory=list[WorkloadToleration])
    """Taints that pods accept."""

    priority_class: Optional[str] = pod_field("priorityClassName", default=None)
    """Name of a PriorityClass that exists. None: the cluster's default."""

    runtime_class: Optional[str] = pod_field("runtimeClassName", default=None, pattern=DNS_LABEL)
    """Name of a RuntimeClass that exists, such as one of gVisor for graphs that execute what a model writes.
    None: the nodes' own."""

    pod_labels: Defaulted[dict[str, str]] = Field(default_factory=dict)
    """Further labels of pods, such as `cost-centre`; never one of ours. Empty: none."""

    pod_annotations: Defaulted[dict[str, str]] = Field(default_factory=dict)
    """Annotations of pods, such as `sidecar.istio.io/inject: "true"`. Empty: none."""

    @model_validator(mode="after")
    def _choices_agree(self) -> Self:
        for refusal in _contradictions(self):
            raise ValueError(refusal)
        return self

    def least_pool(self) -> int:
        """Connections a process keeps open: never more than it may have."""
        return min(self.pool_min_size, self.pool_max_size)


class AgentWorkloadArgs(WorkloadSettings):
    """Which image runs, what it is connected to, how many of it there are, and who may reach it."""

    image: In[str]
    """Reference of the server's image; by digest wherever it matters."""

    image_hash: Optional[str] = None
    """12 to 64 hex digits of the image's content or digest: names the migration, so it is no output. None:
    the digest of `image`, which has to be known then."""

    database: WorkloadDatabase
    """The Postgres that holds everything."""

    master_secret: WorkloadSecret
    """Files `username` and `password` of the database's master, for the migration alone."""

    database_secret: Optional[WorkloadSecret] = None
    """Files `username` and `password` of the role that serves. Required by `database.auth: file`."""

    application_secret: Optional[WorkloadSecret] = None
    """File `password` that the migration gives to that role. None: that of `database_secret`."""

    environment_secrets: Defaulted[dict[str, WorkloadSecret]] = Field(default_factory=dict)
    """Secrets whose files become environment variables at the start; the Secret is `agent-server-NAME`.

    One for each source, so that one missing key does not hold back the others: such as `env` with
    API_KEY_PEPPER, `models` with OPENAI_API_KEY, `redis` with REDIS_URL.
    """

    secret_store: Optional[In[str]] = None
    """ClusterSecretStore of `remote` secrets that name none. None: there are none of those."""

    redis: Optional[WorkloadRedis] = None
    """The Redis that speeds the server up. None: every run still succeeds."""

    attachments: Optional[WorkloadAttachments] = None
    """Where files of users go. None: nowhere, they are refused."""

    monitoring: Optional[WorkloadMonitoring] = None
    """Monitor, rules and dashboards. None: the cluster has no Prometheus operator."""

    balancer: Optional[WorkloadBalancer] = None
    """Load balancer in front. None: the API is reached from inside the cluster, by `callers`."""

    pod_identity: Defaulted[bool] = True
    """Whether pods may ask the EKS Pod Identity agent for credentials. Off where there is no AWS."""

    interface_endpoints: Optional[WorkloadPeer] = None
    """Interface endpoints of AWS services in the private network, by HTTPS. None: none."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        for refusal in _secrets(self):
            raise ValueError(refusal)
        jobs.migration_name(self.names_migration(), self.database.generation)
        return self

    def names_migration(self) -> str:
        """The hash by which a new image migrates once.

        Raises:
            ValueError: nobody knows one before the image is there.
        """
        if self.image_hash is not None:
            return self.image_hash
        digest = images.digest_of(self.image) if isinstance(self.image, str) else None
        if digest is None:
            message = "image_hash: give 12 hex digits that change with the image, whose digest is not known"
            raise ValueError(message)
        return digest


def _secrets(args: AgentWorkloadArgs) -> list[str]:
    """Sentences on secrets that do not fit together."""
    found: list[str] = []
    by_file = args.database.auth is DatabaseAuth.FILE
    if (args.database_secret is not None) != by_file:
        found.append("database_secret: give it with database.auth: file, and only then")
    if args.application_secret is not None and not by_file:
        found.append("application_secret: give it with database.auth: file only")
    stored = [secret for secret in configuration.secrets(args).values() if secret.stored]
    if args.secret_store is None and any(secret.store is None for secret in stored):
        found.append(
            "secret_store: is required by secrets with login, remote or templates and no store of their own"
        )
    return found


def _contradictions(args: WorkloadSettings) -> list[str]:
    """Sentences on choices that do not fit together."""
    found: list[str] = []
    if taken := environment.reserved(args.environment, variable_names(AgentWorkloadArgs)):
        found.append(
            f"environment: {', '.join(taken)} cannot be set here: there is a field or a secret for it"
        )
    if (args.egress_proxy is None) != (args.egress_proxy_url is None):
        found.append("egress_proxy: give it together with egress_proxy_url")
    if isinstance(args.egress_proxy_url, str) and "@" in args.egress_proxy_url:
        found.append("egress_proxy_url: leave the login out, variables are no secret; admit pods by address")
    if args.egress_proxy is not None and args.provider_egress:
        found.append("provider_egress: set it to false, as everything goes through egress_proxy")
    if "pool_min_size" in args.model_fields_set and args.pool_min_size > args.pool_max_size:
        found.append(f"pool_min_size: {args.pool_min_size} is above pool_max_size {args.pool_max_size}")
    if ours := sorted(labels.OURS & args.pod_labels.keys()):
        found.append(f"pod_labels: {', '.join(ours)} cannot be set here: selectors and policies go by them")
    if args.checkpoint_partitions == 1:
        found.append("checkpoint_partitions: use 0 for plain tables, or 2 to 256")
    return found + admission.contradictions(args) + access.unreachable(args)


class AgentWorkload(pulumi.ComponentResource):
    """Migration first, then API and workers, guarded by network policies and a disruption budget.

    A Pod Identity association for `namespace` and the account `agent-server` must exist before this
    component, as pods get their credentials when they are made: let this component depend on it.
    """

    namespace: pulumi.Output[str]
    """Namespace of all objects."""
    service_name: pulumi.Output[str]
    """Service of the API."""
    service_account: pulumi.Output[str]
    """Account of the pods that serve, work and sweep."""
    deployment_name: pulumi.Output[str]
    """Deployment of the API."""
    hpa_name: pulumi.Output[str]
    """Autoscaler of the API."""
    url: pulumi.Output[str]
    """Address of the API inside the cluster."""

    def __init__(
        self, name: str, args: AgentWorkloadArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare all of it in `args.namespace`."""
        super().__init__("langgraph:index:AgentWorkload", name, {}, opts)
        settings = AgentWorkloadArgs.of(args)
        scope = Scope.opened(
            self,
            name,
            settings.namespace,
            create=settings.create_namespace,
            waits_for=_waits_for(opts),
        )
        policies = access.declare(scope, settings)
        config = configuration.declare(scope, settings)
        api = running.declare(scope, settings, config, policies)
        autoscaler = scaling.declare(scope, settings, api.deployment_name)
        watching.declare(scope, settings)
        self.namespace = scope.namespace
        self.service_name = api.service_name
        self.service_account = config.account
        self.deployment_name = api.deployment_name
        self.hpa_name = autoscaler
        self.url = pulumi.Output.format("http://{0}.{1}.svc:{2}", api.service_name, scope.namespace, API_PORT)
        self.register_outputs(
            {
                "namespace": self.namespace,
                "serviceName": self.service_name,
                "serviceAccount": self.service_account,
                "deploymentName": self.deployment_name,
                "hpaName": self.hpa_name,
                "url": self.url,
            }
        )


def _waits_for(opts: Optional[pulumi.ResourceOptions]) -> list[pulumi.Resource]:
    """What the caller lets this component depend on, if it says so in plain resources."""
    given = opts.depends_on if opts is not None else None
    found = given if isinstance(given, list) else [given]
    return [resource for resource in found if isinstance(resource, pulumi.Resource)]
