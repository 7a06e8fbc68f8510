"""Outputs of the parts as arguments of the workload."""

from typing import Any

import pulumi

from langgraph_components.attachments import Attachments
from langgraph_components.container_image import ContainerImage
from langgraph_components.edge import Edge
from langgraph_components.edge_args import Scheme
from langgraph_components.network import Network
from langgraph_components.observability import Observability
from langgraph_components.postgres_args import Credentials
from langgraph_components.postgres_database import PostgresDatabase
from langgraph_components.pure import stores
from langgraph_components.redis_cache import RedisCache
from langgraph_components.secrets_operator import SecretsOperator
from langgraph_components.settings import PEPPER
from langgraph_components.stack.ground import Base
from langgraph_components.workload.parts import (
    DatabaseAuth,
    WorkloadAttachments,
    WorkloadBalancer,
    WorkloadDatabase,
    WorkloadMonitoring,
    WorkloadPeer,
    WorkloadRedis,
    WorkloadSecret,
)

Wired = dict[str, Any]


def image(made: ContainerImage) -> Wired:
    """Which image, and the hash that names its migration."""
    return {"image": made.reference, "image_hash": made.content_hash}


def database(base: Base, network: Network, made: PostgresDatabase) -> Wired:
    """Where the database is, and how the application logs in."""
    settings = base.settings.database
    by_iam = settings.credentials is Credentials.IAM
    elsewhere = settings.existing and settings.existing.cidrs
    wired = WorkloadDatabase(
        host=made.host,
        port=made.port,
        name=settings.existing.database if settings.existing else settings.database,
        read_host=made.read_host,
        auth=DatabaseAuth.IAM if by_iam else DatabaseAuth.FILE,
        region=base.settings.region if by_iam else None,
        generation=0 if by_iam else settings.generation,
        cidrs=network.data_subnet_cidrs if elsewhere is None else elsewhere,
    )
    return {"database": wired}


def secrets(
    base: Base,
    store: SecretsOperator,
    made: PostgresDatabase,
    cache_made: RedisCache | None,
    pepper: pulumi.Output[str] | None,
) -> Wired:
    """Which secrets of which store become which files: AWS keeps the logins of what it runs."""
    kept = store.aws_store_name
    ours: dict[str, Any] = {} if pepper is None else {PEPPER: pepper}
    given = {name: stores.reference(key) for name, key in base.settings.environment_secrets.items()}
    environment = {
        "env": WorkloadSecret(
            remote=ours | {name: key for name, (key, _) in given.items()},
            properties={name: field for name, (_, field) in given.items() if field is not None},
        )
    }
    if cache_made is not None:
        environment["redis"] = WorkloadSecret(
            remote={"REDIS_URL": cache_made.secret_arn}, properties={"REDIS_URL": "url"}, store=kept
        )
    found: Wired = {
        "secret_store": store.store_name,
        "environment_secrets": environment,
        "master_secret": _login(made.master_secret_arn, kept),
    }
    if made.application_secret_arn is not None:
        found["database_secret"] = _login(made.application_secret_arn, kept)
        found["application_secret"] = WorkloadSecret(
            remote={"password": made.application_secret_arn},
            properties={"password": "password"},
            store=kept,
        )
    return found


def _login(arn: Any, store: pulumi.Output[str]) -> WorkloadSecret:
    return WorkloadSecret(login=arn, store=store)


def cache(network: Network, made: RedisCache | None) -> Wired:
    """Where the cache is."""
    if made is None:
        return {}
    return {"redis": WorkloadRedis(port=made.port, cidrs=network.data_subnet_cidrs)}


def attachments(base: Base, made: Attachments | None) -> Wired:
    """The bucket."""
    if made is None:
        return {}
    return {"attachments": WorkloadAttachments(bucket=made.bucket, region=base.settings.region)}


def monitoring(base: Base, made: Observability | None) -> Wired:
    """Who reads the metrics, how it chooses monitors, and where alerts link to."""
    if made is None or base.settings.monitoring is None:
        return {}
    wired = WorkloadMonitoring(
        namespace=made.namespace,
        labels=made.service_monitor_labels,
        pod_labels=made.prometheus_pod_labels,
        runbooks_url=base.settings.monitoring.runbooks_url,
        alerts=base.settings.monitoring.alerts,
    )
    return {"monitoring": wired}


def edge(base: Base, network: Network, made: Edge | None) -> Wired:
    """Whose connections come from the balancer, and where pods are registered."""
    if made is None or base.settings.edge is None:
        return {}
    outside = base.settings.edge.scheme is Scheme.INTERNET_FACING
    cidrs = network.public_subnet_cidrs if outside else network.private_subnet_cidrs
    return {"balancer": WorkloadBalancer(cidrs=cidrs, target_group_arn=made.target_group_arn)}


def interface_endpoints(base: Base, network: Network) -> Wired:
    """AWS services that are inside the network: in its private subnets."""
    existing = base.settings.network.existing
    there = existing.endpoint_security_group_id if existing else base.settings.network.interface_endpoints
    return {"interface_endpoints": WorkloadPeer(cidrs=network.private_subnet_cidrs)} if there else {}
