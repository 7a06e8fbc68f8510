"""What settings must keep together: each rule says which one to change, by its path in `platform`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from langgraph_components.pure import budget, machines

if TYPE_CHECKING:
    from langgraph_components.settings import PlatformSettings

PROD_BACKUP_DAYS = 14
"""Days of backups below which a fault found after a holiday cannot be undone."""

Sentences = Iterator[str]


def broken(settings: PlatformSettings) -> list[str]:
    """The sentence of every rule that the settings break, none if all is well."""
    rules = ALWAYS + {"local": LOCAL, "dev": AWS, "prod": AWS + PROD}[settings.environment]
    return list(chain.from_iterable(rule(settings) for rule in rules))


def connections_fit(settings: PlatformSettings) -> Sentences:
    """Every process, at the most and in the middle of a rollout, finds a connection; on replicas alike."""
    admitted, instance_class = _admitted(settings)
    where = "local.postgres.max_connections" if not settings.on_aws else "database"
    for sentence in budget.check_connections(fleets(settings), admitted, instance_class):
        yield f"{where}: {sentence}"


def fleets(settings: PlatformSettings) -> list[budget.Fleet]:
    """All pods that connect to the database; the migration is among the fixed connections."""
    workload, pool = settings.workload, settings.workload.pool_max_size
    rolling = workload.workers.strategy == "RollingUpdate"
    found = [budget.Fleet("api", workload.api.max_replicas, pool, surge=1)]
    if workload.workers.replicas:
        found.append(budget.Fleet("worker", workload.workers.replicas, pool, surge=int(rolling)))
    return [*found, budget.Fleet("retention", 1, budget.SWEEP_POOL)]


def _admitted(settings: PlatformSettings) -> tuple[int, str]:
    if not settings.on_aws:
        return settings.local.postgres.max_connections, ""
    made = settings.database.existing is None
    return settings.database.admitted(), settings.database.instance_class if made else ""


def namespaces_differ(settings: PlatformSettings) -> Sentences:
    """The workload's namespace enforces `restricted`; the monitoring's cannot."""
    if settings.monitoring and settings.monitoring.namespace == settings.workload.namespace:
        yield "monitoring.namespace: is the workload's too, which refuses the pods that measure nodes"


def local_has_no_aws(settings: PlatformSettings) -> Sentences:
    """What only AWS has is not asked of a cluster that is anywhere."""
    for name in ("cache", "edge", "attachments"):
        if getattr(settings, name) is not None:
            yield f"{name}: is on AWS; leave it out of `local`"
    if settings.environment_secrets:
        yield "environment_secrets: `local` has no store; use `pulumi config set --secret openaiApiKey`"
    if settings.monitoring and settings.monitoring.existing is None:
        yield "monitoring.existing: say what the cluster has; nothing is installed into one that is not ours"


def aws_is_named(settings: PlatformSettings) -> Sentences:
    """A plan asks no cloud, and a deployment into the wrong account is refused."""
    for name in ("account_id", "region"):
        if getattr(settings, name) is None:
            yield f"{name}: is required unless environment is local"


def somebody_may_enter(settings: PlatformSettings) -> Sentences:
    """Who creates a cluster has no rights in it."""
    if settings.cluster.existing is None and not settings.cluster.admin_principals:
        yield "cluster.admin_principals: name at least one role, the deploying one among them"


def image_runs_on_nodes(settings: PlatformSettings) -> Sentences:
    """An image for one kind of processor does not start on another."""
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
    most = nodes.max_size if settings.node_autoscaler else nodes.desired_size or nodes.min_size
    if needed is not None and needed > most:
        name = "max_size" if settings.node_autoscaler else "min_size, without node_autoscaler"
        yield (
            f"cluster.nodes.{name}: {most} nodes do not hold {pods[0][0]} pods of {workload.api.cpu_request} "
            f"CPU and their neighbours: use at least {needed}, larger instance_types, or a lower "
            "workload.api.max_replicas"
        )


def secrets_have_a_source(settings: PlatformSettings) -> Sentences:
    """On AWS pods get their secrets from a store; what we do not make must be in it."""
    source = settings.secrets.source
    if source == "kubernetes":
        yield "secrets.source: kubernetes is for `local`; on AWS use aws, vault or gcp"
    elif source != "aws" and "API_KEY_PEPPER" not in settings.environment_secrets:
        yield f"environment_secrets.API_KEY_PEPPER: is required: nothing is made in {source}"


def prod_survives_a_zone(settings: PlatformSettings) -> Sentences:
    """One zone less, and requests are still answered."""
    if settings.database.existing is None and not settings.database.multi_az:
        yield "database.multi_az: set it to true; in prod the loss of a zone loses no database"
    if settings.network.existing is None and settings.network.nat == "single":
        yield "network.nat: use per_az or regional; in prod the loss of a zone cuts nobody off"
    if settings.cache and settings.cache.replicas < 1:
        yield "cache.replicas: use at least 1; in prod the loss of a zone loses no cache"
    zones = settings.network.zone_count()
    if settings.workload.api.min_replicas < zones:
        yield f"workload.api.min_replicas: use at least {zones}, one for each zone; in prod a zone can go"


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
    if edge and "0.0.0.0/0" in edge.allowed_cidrs and not (edge.waf_arn or edge.waf_managed_rules):
        yield "edge.allowed_cidrs: name the networks, or put a firewall before it: edge.waf_managed_rules"
    if "0.0.0.0/0" in settings.cluster.endpoint_public_cidrs:
        yield "cluster.endpoint_public_cidrs: name the networks instead of 0.0.0.0/0"


def prod_image_cannot_change(settings: PlatformSettings) -> Sentences:
    """A tag can point to another image tomorrow."""
    if not settings.image.is_by_digest():
        yield "image.reference: name it by digest (…@sha256:…), or build it here"


Rule = Callable[["PlatformSettings"], Sentences]

ALWAYS: tuple[Rule, ...] = (connections_fit, namespaces_differ)
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
