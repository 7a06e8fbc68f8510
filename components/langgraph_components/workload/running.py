"""What runs: the migration, the API, the workers, and the retention's sweeps."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes import apps, batch, core

from langgraph_components.ordering import after
from langgraph_components.pure import autoscaling, environment, jobs, labels, pods
from langgraph_components.pure.budget import API_PORT, METRICS_PORT, SWEEP_POOL, TIMES
from langgraph_components.pure.labels import Part
from langgraph_components.workload import fields
from langgraph_components.workload.configuration import Configuration, database_url
from langgraph_components.workload.parts import DatabaseAuth, WorkloadApi, WorkloadWorkers
from langgraph_components.workload.scope import Scope

if TYPE_CHECKING:
    from langgraph_components.agent_workload import AgentWorkloadArgs

PORTS = {"http": API_PORT, "metrics": METRICS_PORT}
TASK = pods.resources("100m", "256Mi", "512Mi", "1000m")
"""A migration or a sweep: one process, a few connections, no model."""


@dataclass(frozen=True)
class Api:
    """Names of the API."""

    deployment_name: pulumi.Output[str]
    service_name: pulumi.Output[str]


def declare(
    scope: Scope, args: "AgentWorkloadArgs", config: Configuration, policies: list[pulumi.Resource]
) -> Api:
    """The policies, then the migration; nothing serves or sweeps before it has succeeded."""
    migrated = [*policies, _migration(scope, args, config, policies)]
    service = _service(scope)
    api = _api(scope, args, config, migrated)
    if args.workers.replicas:
        _workers(scope, args, config, migrated)
    _retention(scope, args, config, migrated)
    return Api(after("agent-server", api), after(labels.APPLICATION, service))


def _chosen(args: "AgentWorkloadArgs") -> dict[str, Any]:
    """What the settings say of every pod: what is a field of a pod itself, and what reads otherwise."""
    found = fields.pod_fields(args)
    if args.tolerations:
        found["tolerations"] = [pods.toleration(one.key, one.value, one.effect) for one in args.tolerations]
    if args.image_pull_secrets:
        found["imagePullSecrets"] = [{"name": name} for name in args.image_pull_secrets]
    return found


def _awaited(seconds: int) -> pulumi.CustomTimeouts:
    """How long Pulumi waits until it is as it should be."""
    return pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s")


def _task(
    args: "AgentWorkloadArgs", container: pods.Container, part: Part, account: pulumi.Output[str]
) -> dict[str, Any]:
    """Template of a process that ends; that it is tried again is its Job's business."""
    return pods.Pod(
        container,
        part=part,
        account=account,
        restart="Never",
        labels=args.pod_labels,
        annotations=args.pod_annotations,
        more=_chosen(args),
    ).template()


def _migration(
    scope: Scope, args: "AgentWorkloadArgs", config: Configuration, policies: list[pulumi.Resource]
) -> pulumi.Resource:
    """A Job named by the image: a new image migrates once, an unchanged one never again.

    A Job cannot be changed: what changes it makes a new one, of the same name unless the image changed, so
    the old one goes first. Its time to live is not looked at: it would be a reason to migrate again.
    """
    by_password = args.database.auth is DatabaseAuth.FILE
    role = environment.active_role(args.database.user, args.database.generation)
    url = database_url(args, args.database.host, None)
    ca = environment.private_ca() if args.ca_bundle is not None else {}
    container = pods.Container(
        name="migrate",
        image=args.image,
        command=pods.server_command("migrate"),
        env={
            "LOG_FORMAT": "json",
            "CHECKPOINT_PARTITIONS": str(args.checkpoint_partitions),
            **environment.migration(url=url, role=role, with_password=by_password),
            **ca,
        },
        resources=TASK,
        volumes=config.migrating,
    )
    template = _task(args, container, Part.MIGRATION, config.migration_account)
    name = jobs.migration_name(args.names_migration(), args.database.generation)
    return scope.declare(
        batch.v1.Job,
        "migration",
        scope.metadata(name, Part.MIGRATION),
        scope.opts(
            depends_on=policies,
            delete_before_replace=True,
            ignore_changes=["spec.ttlSecondsAfterFinished"],
            custom_timeouts=_awaited(jobs.AWAITED_SECONDS),
        ),
        spec=jobs.migration(template),
    )


def _server(
    args: "AgentWorkloadArgs",
    config: Configuration,
    part: Part,
    command: str,
    sizes: WorkloadApi | WorkloadWorkers,
) -> dict[str, Any]:
    """Template of a process that serves probes and metrics, and that drains when it is stopped."""
    own = {"WORKER_CONCURRENCY": str(sizes.concurrency)} if part is Part.WORKER else {}
    container = pods.Container(
        name=part.value,
        image=args.image,
        command=pods.server_command(command),
        env=own,
        env_from=config.settings,
        ports=PORTS,
        resources=pods.resources(
            sizes.cpu_request, sizes.memory_request, sizes.memory_limit, sizes.cpu_limit
        ),
        volumes=config.serving,
        more={**pods.server_probes(), **pods.pre_stop(TIMES.pre_stop)},
    )
    return pods.Pod(
        container,
        part=part,
        account=config.account,
        grace=TIMES.grace,
        more={**_chosen(args), **pods.spread(labels.selector(part))},
        labels={**args.pod_labels, labels.SCRAPED: "true"},
        annotations=args.pod_annotations,
    ).template()


def _ours(metadata: dict[str, Any]) -> dict[str, Any]:
    """Metadata of what Pulumi may take back from others.

    `kubectl rollout undo` and `set image` make another owner of the pods' template. Without this, an update
    that looks at the cluster (`--refresh`) ends in a conflict with that owner.
    """
    return {**metadata, "annotations": {"pulumi.com/patchForce": "true"}}


def _api(
    scope: Scope, args: "AgentWorkloadArgs", config: Configuration, migrated: list[pulumi.Resource]
) -> apps.v1.Deployment:
    template = _server(args, config, Part.API, "serve", args.api)
    spec = autoscaling.deployment(template, labels.selector(Part.API), strategy=autoscaling.rolling())
    return scope.declare(
        apps.v1.Deployment,
        "api",
        _ours(scope.metadata("agent-server", Part.API)),
        # the autoscaler owns their number: a number of ours would be a conflict at every update
        scope.opts(
            depends_on=migrated,
            ignore_changes=["spec.replicas"],
            custom_timeouts=_awaited(autoscaling.rollout_seconds(args.api.max_replicas)),
        ),
        spec=spec,
    )


def _workers(
    scope: Scope, args: "AgentWorkloadArgs", config: Configuration, migrated: list[pulumi.Resource]
) -> apps.v1.Deployment:
    template = _server(args, config, Part.WORKER, "worker", args.workers)
    strategy = args.workers.strategy.value
    spec = autoscaling.deployment(
        template,
        labels.selector(Part.WORKER),
        strategy=autoscaling.rolling() if strategy == "RollingUpdate" else {"type": strategy},
        replicas=args.workers.replicas,
    )
    metadata = _ours(scope.metadata("agent-server-worker", Part.WORKER))
    opts = scope.opts(
        depends_on=migrated, custom_timeouts=_awaited(autoscaling.rollout_seconds(args.workers.replicas))
    )
    return scope.declare(apps.v1.Deployment, "worker", metadata, opts, spec=spec)


def _retention(
    scope: Scope, args: "AgentWorkloadArgs", config: Configuration, migrated: list[pulumi.Resource]
) -> batch.v1.CronJob:
    container = pods.Container(
        name="retention",
        image=args.image,
        command=pods.server_command("retention"),
        env={"POOL_MIN_SIZE": "1", "POOL_MAX_SIZE": str(SWEEP_POOL)},
        env_from=config.settings,
        resources=TASK,
        volumes=config.serving,
    )
    template = _task(args, container, Part.RETENTION, config.account)
    spec = jobs.sweep(template, schedule=args.retention.schedule, time_zone=args.retention.time_zone)
    metadata = scope.metadata("agent-server-retention", Part.RETENTION)
    return scope.declare(batch.v1.CronJob, "retention", metadata, scope.opts(depends_on=migrated), spec=spec)


def _service(scope: Scope) -> core.v1.Service:
    """Inside the cluster only; balancers register the pods themselves."""
    spec = {
        "type": "ClusterIP",
        "selector": labels.selector(Part.API),
        "ports": [{"name": "http", "port": API_PORT, "targetPort": "http", "protocol": "TCP"}],
    }
    # await of endpoints would wait for the Deployment, which is not declared to come first
    metadata = scope.metadata(labels.APPLICATION, Part.API)
    metadata["annotations"] = {"pulumi.com/skipAwait": "true"}
    return scope.declare(core.v1.Service, "service", metadata, spec=spec)
