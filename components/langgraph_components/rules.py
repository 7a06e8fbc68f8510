"""What settings must keep together: each rule says which one to change, by its path in `platform`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import IPv4Network
from itertools import chain
from typing import TYPE_CHECKING

from langgraph_components.pure import budget, labels, machines

if TYPE_CHECKING:
    from langgraph_components.settings import PlatformSettings

EVERYBODY_BELOW = 8
"""Length of a prefix below which a network is no longer somebody's: `0.0.0.0/0`, or its two halves."""

AWS_ALONE = (
    *("account_id", "region", "network", "encryption", "cluster", "node_autoscaler", "database"),
    *("cache", "edge", "attachments"),
)
"""Settings without an effect in `local`: whoever makes them expects one."""

PROD_BACKUP_DAYS = 14
"""Days of backups below which a fault found after a holiday cannot be undone."""

Sentences = Iterator[str]


def broken(settings: PlatformSettings) -> list[str]:
    """The sentence of every rule that the settings break, none if all is well."""
    rules = ALWAYS + {"local": LOCAL, "dev": AWS, "prod": AWS + PROD}[settings.environment]
    return list(chain.from_iterable(rule(settings) for rule in rules))


def connections_fit(settings: PlatformSettings) -> Sentences:
    """Every process, at the most and in the middle of a rollout, finds a connection; on replicas alike."""
    if settings.workload.pool_max_size < budget.LEAST_POOL:
        yield (
            f"workload.pool_max_size: use at least {budget.LEAST_POOL}; "
            "with fewer connections a process queues behind itself"
        )
        return
    path, admitted, instance_class = _admitted(settings)
    is_set = not instance_class
    for sentence in budget.check_connections(fleets(settings), admitted, instance_class, is_set=is_set):
        yield f"{path}: {sentence}"


def fleets(settings: PlatformSettings) -> list[budget.Fleet]:
    """All pods that connect to the database; the migration is among the fixed connections."""
    workload, pool = settings.workload, settings.workload.pool_max_size
    rolling = workload.workers.strategy == "RollingUpdate"
    found = [budget.Fleet("api", workload.api.max_replicas, pool, surge=1)]
    if workload.workers.replicas:
        found.append(budget.Fleet("worker", workload.workers.replicas, pool, surge=int(rolling)))
    return [*found, budget.Fleet("retention", 1, budget.SWEEP_POOL)]


def _admitted(settings: PlatformSettings) -> tuple[str, int, str]:
    """The setting that says how many connections there are, how many, and the class, if it decides that."""
    database, local = settings.database, settings.local.postgres
    if not settings.on_aws:
        return "local.postgres.max_connections", local.max_connections, ""
    if database.existing is not None:
        return "database.existing.max_connections", database.admitted(), ""
    if database.max_connections is not None:
        return "database.max_connections", database.admitted(), ""
    return "database.instance_class", database.admitted(), database.instance_class


def namespaces_differ(settings: PlatformSettings) -> Sentences:
    """Each part has a namespace of its own: they differ in what they refuse, and each is made once."""
    taken: dict[str, str] = {}
    for path, name in _namespaces(settings).items():
        if name == "default" or name.startswith("kube-"):
            yield f"{path}: {name} is Kubernetes' own; name another"
        elif name in taken:
            yield f"{path}: {name} is {taken[name]} too; name another"
        taken.setdefault(name, path)


def _namespaces(settings: PlatformSettings) -> dict[str, str]:
    """Namespaces that are made, by the path of the setting that names them; the workload's in any case."""
    found = {"workload.namespace": settings.workload.namespace}
    if settings.monitoring and settings.monitoring.existing is None:
        found["monitoring.namespace"] = settings.monitoring.namespace
    if not settings.on_aws:
        found["local.postgres.namespace"] = settings.local.postgres.namespace
        if settings.local.redis:
            found["local.redis.namespace"] = settings.local.redis.namespace
        return found
    if settings.edge and settings.edge.install_controller:
        found = {"the load balancer controller's": labels.LOAD_BALANCER_CONTROLLER, **found}
    if settings.secrets.existing_store is None:
        found["secrets.operator_namespace"] = settings.secrets.operator_namespace
    if settings.node_autoscaler:
        found["node_autoscaler.operator_namespace"] = settings.node_autoscaler.operator_namespace
    return found


def times_fit(settings: PlatformSettings) -> Sentences:
    """The balancer waits longer than clients and less long than the server, and lets pods go in time."""
    if settings.edge is None:
        return
    for name, times in (
        ("idle_timeout_seconds", replace(budget.TIMES, balancer_idle=settings.edge.idle_timeout_seconds)),
        (
            "deregistration_seconds",
            replace(budget.TIMES, deregistration_delay=settings.edge.deregistration_seconds),
        ),
    ):
        for sentence in budget.check_times(times):
            yield f"edge.{name}: {sentence}"


def local_has_no_aws(settings: PlatformSettings) -> Sentences:
    """What only AWS has is not asked of a cluster that is anywhere."""
    for name in AWS_ALONE:
        if name in settings.model_fields_set:
            yield f"{name}: is on AWS; leave it out of `local`"
    if "secrets" in settings.model_fields_set and settings.secrets.source != "kubernetes":
        yield "secrets.source: `local` has no store; use kubernetes, or leave it out"
    if settings.environment_secrets:
        yield "environment_secrets: `local` has no store; use `pulumi config set --secret openaiApiKey`"
    if settings.monitoring and settings.monitoring.existing is None:
        yield "monitoring.existing: say what the cluster has; nothing is installed into one that is not ours"
    if settings.image.has_repository():
        yield "image.repository: set it to false, as the registry would be on AWS; or name image.reference"


def aws_is_named(settings: PlatformSettings) -> Sentences:
    """A plan asks no cloud, and a deployment into the wrong account is refused."""
    for name in ("account_id", "region"):
        if getattr(settings, name) is None:
            yield f"{name}: is required unless environment is local"
    if "local" in settings.model_fields_set:
        yield f"local: is for the environment `local`; leave it out of {settings.environment}"


def somebody_may_enter(settings: PlatformSettings) -> Sentences:
    """Who creates a cluster has no rights in it."""
    if settings.cluster.existing is None and not settings.cluster.admin_principals:
        yield "cluster.admin_principals: name at least one role, the deploying one among them"


def image_runs_on_nodes(settings: PlatformSettings) -> Sentences:
    """An image is where the nodes can pull it from, and for their kind of processor."""
    if settings.image.builds() and not settings.image.has_repository():
        yield "image.repository: leave it out; what is pushed nowhere is on no node"
    if settings.cluster.existing is not None:
        return
    nodes = settings.cluster.nodes
    architecture = machines.architecture_of_image(nodes.ami_type)
    platforms = settings.image.platforms_built()
    if platforms and f"linux/{architecture}" not in platforms:
        yield f"image.build.platforms: the nodes need linux/{architecture}"


def nodes_hold_the_pods(settings: PlatformSettings) -> Sentences:
    """The autoscaler of pods asks for no more than the nodes can hold, in the middle of a rollout."""
    if settings.cluster.existing is not None:
        return
    nodes, workload = settings.cluster.nodes, settings.workload
    pods = [(workload.api.max_replicas + 1, machines.millicores(workload.api.cpu_request))]
    if workload.workers.replicas:
        pods.append((workload.workers.replicas + 1, machines.millicores(workload.workers.cpu_request)))
    needed = machines.nodes_needed(pods, nodes.instance_types)
    if needed is None:
        return
    if needed >= machines.IMPOSSIBLE:
        yield (
            f"cluster.nodes.instance_types: a pod fits on no node of {', '.join(nodes.instance_types)}: use "
            "larger ones, or lower workload.api.cpu_request and workload.workers.cpu_request"
        )
        return
    name, most, instead = _most_nodes(settings)
    if needed > most:
        yield (
            f"cluster.nodes.{name}: {most} nodes do not hold {pods[0][0]} pods of {workload.api.cpu_request} "
            f"CPU and their neighbours: use at least {needed}, larger instance_types, {instead}or a lower "
            "workload.api.max_replicas"
        )


def _most_nodes(settings: PlatformSettings) -> tuple[str, int, str]:
    """The setting that says how many nodes there can be, how many, and what else would help."""
    nodes = settings.cluster.nodes
    if settings.node_autoscaler:
        return "max_size", nodes.max_size, ""
    if nodes.desired_size:
        return "desired_size", nodes.desired_size, "a node_autoscaler, "
    return "min_size", nodes.min_size, "a node_autoscaler, "


def secrets_have_a_source(settings: PlatformSettings) -> Sentences:
    """On AWS pods get their secrets from a store; what we do not make must be in it."""
    source = settings.secrets.source
    if source == "kubernetes":
        yield "secrets.source: kubernetes is for `local`; on AWS use aws, vault or gcp"
    if source not in {"vault", "gcp"}:
        return
    if settings.makes_pepper:
        yield f"environment_secrets.API_KEY_PEPPER: is required: nothing is made in {source}"
    if settings.secrets.existing_store and not settings.secrets.existing_aws_store:
        yield (
            f"secrets.existing_aws_store: is required: {settings.secrets.existing_store} reads {source}, and "
            "AWS Secrets Manager keeps the logins of database and cache"
        )


def prod_survives_a_zone(settings: PlatformSettings) -> Sentences:
    """One zone less, and requests are still answered."""
    if settings.database.existing is None and not settings.database.multi_az:
        yield "database.multi_az: set it to true; in prod the loss of a zone loses no database"
    if settings.network.existing is None and settings.network.nat == "single":
        yield "network.nat: use per_az or regional; in prod the loss of a zone cuts nobody off"
    if settings.cache and settings.cache.replicas < 1:
        yield "cache.replicas: use at least 1; in prod the loss of a zone loses no cache"
    elif settings.cache and not settings.cache.multi_az:
        yield "cache.multi_az: set it to true; in prod the loss of a zone loses no cache"
    zones = settings.network.zone_count()
    if settings.workload.api.min_replicas < zones:
        yield f"workload.api.min_replicas: use at least {zones}, one for each zone; in prod a zone can go"
    if settings.cluster.existing is None and settings.cluster.nodes.min_size < zones:
        yield f"cluster.nodes.min_size: use at least {zones}, one for each zone; in prod a zone can go"


def prod_can_be_restored(settings: PlatformSettings) -> Sentences:
    """What was stored can be had back, and goes only if two people want it."""
    database = settings.database
    if database.existing is None:
        if database.backup_days < PROD_BACKUP_DAYS:
            yield f"database.backup_days: keep at least {PROD_BACKUP_DAYS} in prod"
        for name in ("deletion_protection", "final_snapshot", "protect"):
            if not getattr(database, name):
                yield f"database.{name}: set it to true in prod"
    if settings.cluster.existing is None and not settings.cluster.deletion_protection:
        yield "cluster.deletion_protection: set it to true in prod"
    if not settings.encryption.protect:
        yield "encryption.protect: set it to true in prod: without its key every backup is lost"
    if settings.attachments and settings.attachments.force_destroy:
        yield "attachments.force_destroy: set it to false in prod"


def prod_is_not_open(settings: PlatformSettings) -> Sentences:
    """Nothing takes connections from everywhere without a filter before it."""
    edge = settings.edge
    if edge is None or edge.waf_arn or edge.waf_managed_rules:
        return
    if any(IPv4Network(cidr).prefixlen < EVERYBODY_BELOW for cidr in edge.allowed_cidrs):
        yield "edge.allowed_cidrs: name the networks, or put a firewall before it: edge.waf_managed_rules"


def prod_image_cannot_change(settings: PlatformSettings) -> Sentences:
    """A tag can point to another image tomorrow."""
    if settings.image.reference is not None and not settings.image.is_by_digest():
        yield "image.reference: name it by digest (…@sha256:…), or build it here"


Rule = Callable[["PlatformSettings"], Sentences]

ALWAYS: tuple[Rule, ...] = (connections_fit, namespaces_differ, times_fit)
LOCAL: tuple[Rule, ...] = (local_has_no_aws,)
AWS: tuple[Rule, ...] = (
    aws_is_named,
    somebody_may_enter,
    image_runs_on_nodes,
    nodes_hold_the_pods,
    secrets_have_a_source,
)
PROD: tuple[Rule, ...] = (
    prod_survives_a_zone,
    prod_can_be_restored,
    prod_is_not_open,
    prod_image_cannot_change,
)
