"""Parts of the arguments of `AgentWorkload`."""

from enum import StrEnum
from typing import Any, Optional, Self

from pydantic import Field, model_validator

from langgraph_components.alert_limits import AlertLimits
from langgraph_components.args import Args, Defaulted, In
from langgraph_components.workload.fields import variable

CPU = r"^\d+(\.\d+|m)?$"
"""`500m` or `2`."""
MEMORY = r"^\d+(Ki|Mi|Gi|Ti)$"
"""`512Mi`."""
DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
DURATION = r"^\d+(s|m|h)$"


LOGIN = ("username", "password")
"""Files of a login, and the properties of the stored JSON that they are."""


class DatabaseAuth(StrEnum):
    """How the application role logs in."""

    IAM = "iam"
    """A token of IAM for each new connection: no password exists."""
    FILE = "file"
    """The mounted user name and password, read for each new connection."""


class DatabaseSsl(StrEnum):
    """How a connection to the database is protected."""

    VERIFY_FULL = "verify-full"
    """Encrypted, and the server's certificate names its host."""
    REQUIRE = "require"
    """Encrypted; the server is not verified."""
    DISABLE = "disable"
    """In the clear: only inside one cluster."""


class WorkerStrategy(StrEnum):
    """How workers are replaced."""

    ROLLING_UPDATE = "RollingUpdate"
    """A new one is Ready before an old one goes."""
    RECREATE = "Recreate"
    """All old ones end first: the two versions never work at once."""


class VolumeAccess(StrEnum):
    """Who may mount a volume."""

    READ_WRITE_MANY = "ReadWriteMany"
    """Pods on any node."""
    READ_WRITE_ONCE = "ReadWriteOnce"
    """Pods on one node."""


class WorkloadSecret(Args):
    """Files of a Secret: `existing`, or of the store (`login`, `remote`, `templates`), or `values`."""

    existing: Optional[str] = Field(default=None, pattern=DNS_LABEL)
    """Name of a Secret that is in the namespace already. None: it is made here."""

    remote: Defaulted[dict[str, In[str]]] = Field(default_factory=dict)
    """File name → key in the store. External Secrets keeps the file up to date."""

    login: Optional[In[str]] = None
    """Key in the store of a JSON text with `username` and `password`, each of which becomes a file: such as
    `master_secret_arn` of a database."""

    templates: Defaulted[dict[str, In[str]]] = Field(default_factory=dict)
    """File name → template of External Secrets, made of `ingredients`: `{{ .password }}`."""

    ingredients: Defaulted[dict[str, In[str]]] = Field(default_factory=dict)
    """Name in the templates → key in the store; these become no files."""

    properties: Defaulted[dict[str, str]] = Field(default_factory=dict)
    """File or ingredient → the property of the stored JSON that is meant. Absent: all of the text."""

    values: Defaulted[dict[str, In[str]]] = Field(default_factory=dict)
    """File name → value, kept as a secret in Pulumi's state. For clusters without a secret store."""

    store: Optional[In[str]] = None
    """ClusterSecretStore that it is read from. None: the workload's `secret_store`."""

    optional: Defaulted[bool] = False
    """Whether pods start without it. Off: a missing secret is seen at the rollout and not at a request."""

    @property
    def stored(self) -> bool:
        """Whether External Secrets makes it."""
        return bool(self.login is not None or self.remote or self.templates)

    def entries(self) -> dict[str, dict[str, Any]]:
        """File name → key in the store, and the property of it that is meant."""
        named = {} if self.login is None else {name: entry(self.login, name) for name in LOGIN}
        return {
            **named,
            **{name: entry(key, self.properties.get(name)) for name, key in self.remote.items()},
        }

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(map(bool, (self.existing, self.stored, self.values))) != 1:
            message = "give exactly one of existing, login or remote (with templates), values"
            raise ValueError(message)
        unknown = sorted(set(self.properties) - set(self.remote) - set(self.ingredients))
        if unknown:
            message = f"properties: {', '.join(unknown)} is neither in remote nor in ingredients"
            raise ValueError(message)
        if self.store is not None and not self.stored:
            message = "store: is for login, remote and templates"
            raise ValueError(message)
        return self


class WorkloadDatabase(Args):
    """The Postgres that the server uses."""

    host: In[str]
    """Host name of the primary, as in its certificate."""

    port: Defaulted[In[int]] = 5432
    """TCP port. 5432: Postgres' own."""

    name: Defaulted[str] = "langgraph"
    """Database that holds the schemas."""

    read_host: Optional[In[str]] = None
    """Host name of a read replica for queries of state. None: all goes to the primary."""

    auth: Defaulted[DatabaseAuth] = DatabaseAuth.IAM
    """How the application role logs in. `iam`: no password that could leak or expire."""

    region: Optional[In[str]] = None
    """AWS region that signs IAM tokens. Required by `auth: iam`."""

    user: Defaulted[str] = Field(default="langgraph_app", pattern=r"^[a-z_][a-z0-9_]{0,60}$")
    """Role that serves; the migration makes it. With `generation`, `_a` and `_b` are appended."""

    generation: Defaulted[int] = Field(default=0, ge=0)
    """Turn of two alternating roles: odd is `_a`, even is `_b`. 0: one role that never alternates."""

    ssl: Defaulted[DatabaseSsl] = DatabaseSsl.VERIFY_FULL
    """Protection of the connections. `verify-full`: nobody in between can answer."""

    ca_file: Defaulted[str] = "/app/certs/rds-global-bundle.pem"
    """Roots that sign the database's certificate, a path in the image; for `verify-full`. Amazon RDS'."""

    cidrs: Defaulted[In[list[In[str]]]] = Field(default_factory=list[In[str]])
    """Networks in which the database is reached, such as the data subnets. This or `namespace`."""

    namespace: Optional[In[str]] = None
    """Namespace of a database in the cluster. This or `cidrs`."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.auth is DatabaseAuth.IAM and self.region is None:
            message = "region: is required by auth: iam, as its tokens are signed for a region"
            raise ValueError(message)
        if self.auth is DatabaseAuth.IAM and self.generation:
            message = "generation: alternates passwords: use it with auth: file, or leave it 0"
            raise ValueError(message)
        if self.auth is DatabaseAuth.IAM and self.ssl is DatabaseSsl.DISABLE:
            message = "ssl: RDS takes tokens of IAM over TLS only: use verify-full"
            raise ValueError(message)
        _reachable(self.cidrs, self.namespace)
        return self


class WorkloadRedis(Args):
    """The Redis or Valkey that the server uses; its URL is the file REDIS_URL of a secret."""

    port: Defaulted[In[int]] = 6379
    """TCP port. 6379: Redis' own."""

    ca_file: Optional[str] = None
    """Roots that sign its certificate, a path in the image. None: the system's, which know ElastiCache's."""

    cidrs: Defaulted[In[list[In[str]]]] = Field(default_factory=list[In[str]])
    """Networks in which it is reached. This or `namespace`."""

    namespace: Optional[In[str]] = None
    """Namespace of a Redis in the cluster. This or `cidrs`."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        _reachable(self.cidrs, self.namespace)
        return self


class WorkloadPeer(Args):
    """Somebody that the workload talks to, or that calls it."""

    cidrs: Defaulted[In[list[In[str]]]] = Field(default_factory=list[In[str]])
    """Networks it is in. This or `namespace`."""

    namespace: Optional[In[str]] = None
    """Namespace it is in. This or `cidrs`."""

    pod_labels: Defaulted[dict[str, str]] = Field(default_factory=dict)
    """Labels of its pods in `namespace`. Empty: all of them."""

    port: Defaulted[int] = Field(default=443, ge=1, le=65535)
    """Its TCP port; of a caller of the API it does not matter. 443: HTTPS."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        _reachable(self.cidrs, self.namespace)
        return self


class WorkloadApi(Args):
    """The pods that answer requests; an autoscaler owns their number."""

    min_replicas: Defaulted[int] = Field(default=3, ge=1)
    """Fewest pods. 3: one a zone, and a drained node leaves two."""

    max_replicas: Defaulted[int] = Field(default=50, ge=1)
    """Most pods. The database must have connections for all of them and one more."""

    cpu_percent: Defaulted[int] = Field(default=70, ge=10, le=95)
    """CPU of the request, in percent, above which pods are added. 70: a minute's growth fits in the rest."""

    memory_percent: Optional[int] = Field(default=None, ge=10, le=95)
    """The same for memory. None: a Python process does not give memory back, so it would never scale down."""

    cpu_request: Defaulted[str] = Field(default="500m", pattern=CPU)
    """CPU reserved for a pod."""

    cpu_limit: Defaulted[str] = Field(default="2000m", pattern=CPU)
    """CPU at which a pod is throttled."""

    memory_request: Defaulted[str] = Field(default="512Mi", pattern=MEMORY)
    """Memory reserved for a pod."""

    memory_limit: Defaulted[str] = Field(default="2Gi", pattern=MEMORY)
    """Memory at which a pod is killed."""

    concurrency: Defaulted[int] = Field(default=10, ge=1)
    """Enqueued and orphaned runs that a pod executes at once besides its requests."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_replicas > self.max_replicas:
            message = f"min_replicas: {self.min_replicas} is above max_replicas {self.max_replicas}"
            raise ValueError(message)
        return self


class WorkloadWorkers(Args):
    """The pods that only execute enqueued and orphaned runs."""

    replicas: Defaulted[int] = Field(default=0, ge=0)
    """Number of pods. 0: none, the API's pods do it."""

    concurrency: Defaulted[int] = Field(default=10, ge=1)
    """Runs that a pod executes at once."""

    strategy: Defaulted[WorkerStrategy] = WorkerStrategy.ROLLING_UPDATE
    """How they are replaced. `RollingUpdate`: there is always one; runs are handed over."""

    cpu_request: Defaulted[str] = Field(default="500m", pattern=CPU)
    """CPU reserved for a pod."""

    cpu_limit: Defaulted[str] = Field(default="2000m", pattern=CPU)
    """CPU at which a pod is throttled."""

    memory_request: Defaulted[str] = Field(default="512Mi", pattern=MEMORY)
    """Memory reserved for a pod."""

    memory_limit: Defaulted[str] = Field(default="2Gi", pattern=MEMORY)
    """Memory at which a pod is killed."""


class WorkloadRetention(Args):
    """What is kept how long, and when the rest is swept."""

    schedule: Defaulted[str] = Field(default="*/15 * * * *", pattern=r"^(\S+ ){4}\S+$")
    """Cron schedule of the sweeps. Every 15 minutes: stream events are kept an hour."""

    time_zone: Defaulted[str] = "Etc/UTC"
    """Time zone of the schedule."""

    events_seconds: Defaulted[int] = variable("RETENTION_EVENTS_SECONDS", default=3600, ge=0)
    """Seconds stream events are kept after the end of their run."""

    runs_days: Defaulted[int] = variable("RETENTION_RUNS_DAYS", default=30, ge=1)
    """Days ended runs are kept."""

    checkpoints_days: Defaulted[int] = variable("RETENTION_CHECKPOINTS_DAYS", default=7, ge=1)
    """Days the history of an idle thread is kept; its latest checkpoint stays."""

    checkpoints_max: Defaulted[int] = variable("RETENTION_CHECKPOINTS_MAX", default=500, ge=1)
    """Checkpoints of a thread above which its history is cut to the latest."""

    threads_days: Defaulted[int] = variable("RETENTION_THREADS_DAYS", default=0, ge=0)
    """Days a thread is kept after its last run. 0: for ever."""


class WorkloadTracing(Args):
    """Traces for LangSmith, whose key is the file LANGCHAIN_API_KEY of a secret, and for OpenTelemetry."""

    enabled: Defaulted[bool] = False
    """Whether runs are traced by LangSmith. Off: nothing leaves the cluster unless that is wanted."""

    content: Defaulted[bool] = variable("TRACE_CONTENT", default=False)
    """Whether traces of both kinds hold prompts, inputs and answers. Off: they stay in the database."""

    otlp_endpoint: Optional[str] = variable(
        "OTEL_EXPORTER_OTLP_ENDPOINT", default=None, pattern=r"^https?://[^\s/@]+(/\S*)?$"
    )
    """Base URL of an OTLP/HTTP receiver, such as `http://collector.monitoring.svc:4318`. None: none."""

    project: Defaulted[str] = "default"
    """Project the traces go to."""

    endpoint: Optional[str] = None
    """Address of a LangSmith of your own. None: LangSmith's."""


class WorkloadAttachments(Args):
    """Where files of users go. Give `bucket`, or `volume_size` for a volume that all pods share."""

    bucket: Optional[In[str]] = None
    """S3 bucket."""

    region: Optional[In[str]] = None
    """AWS region of the bucket. Required by `bucket`."""

    cidrs: Defaulted[list[In[str]]] = Field(default_factory=list[In[str]])
    """Networks in which S3 is reached where `provider_egress` is off. Empty: interface endpoints."""

    max_bytes: Defaulted[int] = variable("ATTACHMENT_BYTES", default=25 * 2**20, ge=1)
    """Largest attachment, in bytes. 25 MiB: a long scanned contract."""

    volume_size: Optional[str] = Field(default=None, pattern=MEMORY)
    """Size of the shared volume, such as `10Gi`."""

    storage_class: Optional[str] = None
    """Storage class of the shared volume. None: the cluster's default."""

    access: Defaulted[VolumeAccess] = VolumeAccess.READ_WRITE_MANY
    """Who may mount the volume. `ReadWriteMany`: pods are on several nodes."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.bucket is None) == (self.volume_size is None):
            message = "give exactly one of bucket, volume_size"
            raise ValueError(message)
        if self.bucket is not None and self.region is None:
            message = "region: is required by bucket, as requests to S3 are signed for a region"
            raise ValueError(message)
        return self


class WorkloadBalancer(Args):
    """The load balancer in front, which is owned elsewhere."""

    cidrs: In[list[In[str]]]
    """Networks of the balancer's addresses: its subnets."""

    target_group_arn: Optional[In[str]] = None
    """Target group (type `ip`) that the pods are registered in. None: registered by somebody else."""

    security_group_id: Optional[In[str]] = None
    """Security group of the balancer, to which its controller opens the nodes'. None: somebody else does."""


class WorkloadMonitoring(Args):
    """Objects for a Prometheus operator that is present in the cluster."""

    namespace: Defaulted[In[str]] = "monitoring"
    """Namespace of Prometheus: only from there the metrics can be read."""

    pod_labels: Defaulted[dict[str, str]] = Field(
        default_factory=lambda: {"app.kubernetes.io/name": "prometheus"}
    )
    """Labels of Prometheus' pods there: its neighbours read nothing."""

    labels: Defaulted[dict[str, str]] = Field(default_factory=dict)
    """Labels by which that Prometheus chooses monitors and rules. Empty: it takes all."""

    interval: Defaulted[str] = Field(default="30s", pattern=DURATION)
    """Time between two readings of the metrics. 30s: an alert of one minute sees two."""

    runbooks_url: Optional[str] = Field(default=None, pattern=r"^https?://[^\s/]+")
    """Address of the folder of `docs/howto`, such as `https://git.example/platform/blob/main/docs/howto`:
    each alert links to its page there. None: alerts name the page by its path in this repository."""

    alerts: Optional[AlertLimits] = None
    """From which values on alerts fire. None: the defaults."""

    dashboards: Defaulted[bool] = True
    """Whether the dashboards' ConfigMap is made, for Grafana's sidecar."""


class WorkloadToleration(Args):
    """A taint of nodes that pods accept."""

    key: str
    """Key of the taint."""

    value: Optional[str] = None
    """Value of the taint. None: any."""

    effect: Optional[str] = Field(default=None, pattern="^(NoSchedule|PreferNoSchedule|NoExecute)$")
    """Effect of the taint. None: all."""


def entry(key: In[str], field: Optional[str]) -> dict[str, Any]:
    """What is read of the store: a key of it, and the property of its JSON text, if not all of it."""
    return {"remote": key, "property": field}


def _reachable(cidrs: object, namespace: object) -> None:
    if bool(isinstance(cidrs, list) and not cidrs) == (namespace is None):
        message = "give exactly one of cidrs, namespace: network policies refuse everything else"
        raise ValueError(message)
