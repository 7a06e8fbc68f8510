"""AWS, from the keys up; each line of `declare` is a box of the architecture."""

from typing import Any

import pulumi

from langgraph_components.attachments import Attachments, AttachmentsArgs
from langgraph_components.cluster import Cluster
from langgraph_components.cluster_args import ClusterArgs
from langgraph_components.container_image import ContainerImage, ContainerImageArgs
from langgraph_components.data_access import kept_secret
from langgraph_components.edge import Edge
from langgraph_components.edge_args import EdgeArgs
from langgraph_components.encryption import Encryption, EncryptionArgs
from langgraph_components.network import Network, NetworkArgs
from langgraph_components.node_autoscaler import NodeAutoscaler, NodeAutoscalerArgs
from langgraph_components.observability import Observability, ObservabilityArgs
from langgraph_components.pod_role import pod_role
from langgraph_components.postgres_args import PostgresDatabaseArgs
from langgraph_components.postgres_database import PostgresDatabase
from langgraph_components.pure import iam, labels
from langgraph_components.redis_cache import RedisCache, RedisCacheArgs
from langgraph_components.secrets_args import SecretsOperatorArgs
from langgraph_components.secrets_operator import SecretsOperator
from langgraph_components.stack import wiring
from langgraph_components.stack.ground import Base, Ground


def declare(base: Base) -> Ground:
    """Everything below the workload."""
    keys = _encryption(base)
    network = _network(base, keys)
    cluster = _cluster(base, keys, network)
    database = _database(base, keys, network, cluster)
    cache = _cache(base, keys, network, cluster)
    files = _attachments(base, keys)
    image = _image(base, keys)
    inside = base.opts(providers=[cluster.provider])
    pepper = _pepper(base, keys)
    readable = _secrets(database, cache, pepper)
    autoscaler = _node_autoscaler(base, cluster, inside)
    store = _secret_store(base, keys, cluster, readable, inside)
    monitoring = _monitoring(base, store, inside)
    edge = _edge(base, network, cluster, inside)
    identity = _identity(base, cluster, database, files)
    wired = (
        wiring.image(image)
        | wiring.database(base, network, database)
        | wiring.secrets(base, store, database, cache, pepper)
        | wiring.cache(network, cache)
        | wiring.attachments(base, files)
        | wiring.monitoring(base, monitoring)
        | wiring.edge(base, network, edge)
        | wiring.interface_endpoints(base, network)
    )
    parts = (autoscaler, store, monitoring, edge, *identity)
    return Ground(
        provider=cluster.provider,
        wired=wired,
        waits_for=tuple(part for part in parts if part is not None),
        outputs={
            "image": image.reference,
            "repository_url": image.repository_url,
            "vpc_id": network.vpc_id,
            "cluster_name": cluster.name,
            "database_host": database.host,
            "database_port": database.port,
            "database_secret_arn": database.master_secret_arn,
            "cache_host": cache and cache.host,
            "attachments_bucket": files and files.bucket,
            "region": pulumi.Output.from_input(base.settings.region),
            "url": base.settings.edge and pulumi.Output.from_input(f"https://{base.settings.edge.hostname}"),
        },
    )


def _encryption(base: Base) -> Encryption:
    wired = {**base.account, "domains": base.settings.key_domains()}
    args = EncryptionArgs.of({**base.settings.encryption.chosen(), **wired})
    return Encryption(base.called("encryption"), args, base.opts())


def _network(base: Base, keys: Encryption) -> Network:
    wired = {**base.account, "logs_key_arn": keys.logs_key_arn}
    return Network(
        base.called("network"), NetworkArgs.of({**base.settings.network.chosen(), **wired}), base.opts()
    )


def _cluster(base: Base, keys: Encryption, network: Network) -> Cluster:
    wired = {
        **base.account,
        "subnet_ids": network.private_subnet_ids,
        "cluster_key_arn": keys.cluster_key_arn,
        "logs_key_arn": keys.logs_key_arn,
        "tags": base.settings.tags,
    }
    return Cluster(
        base.called("cluster"), ClusterArgs.of({**base.settings.cluster.chosen(), **wired}), base.opts()
    )


def _beside(keys: Encryption, network: Network, cluster: Cluster) -> dict[str, Any]:
    """What every store of the data tier is given: its subnets, its key, and the only ones who may connect."""
    return {
        "vpc_id": network.vpc_id,
        "subnet_ids": network.data_subnet_ids,
        "data_key_arn": keys.data_key_arn,
        "client_security_group_ids": [cluster.security_group_id],
    }


def _database(base: Base, keys: Encryption, network: Network, cluster: Cluster) -> PostgresDatabase:
    wired = {**base.account, **_beside(keys, network, cluster), "logs_key_arn": keys.logs_key_arn}
    args = PostgresDatabaseArgs.of({**base.settings.database.chosen(), **wired})
    return PostgresDatabase(base.called("database"), args, base.opts())


def _cache(base: Base, keys: Encryption, network: Network, cluster: Cluster) -> RedisCache | None:
    if base.settings.cache is None:
        return None
    args = RedisCacheArgs.of({**base.settings.cache.chosen(), **_beside(keys, network, cluster)})
    return RedisCache(base.called("cache"), args, base.opts())


def _attachments(base: Base, keys: Encryption) -> Attachments | None:
    if base.settings.attachments is None:
        return None
    wired = {**base.account, "data_key_arn": keys.data_key_arn}
    args = AttachmentsArgs.of({**base.settings.attachments.chosen(), **wired})
    return Attachments(base.called("attachments"), args, base.opts())


def _image(base: Base, keys: Encryption) -> ContainerImage:
    args = ContainerImageArgs.of({**base.settings.image.chosen(), "kms_key_arn": keys.registry_key_arn})
    return ContainerImage(base.called("image"), args, base.opts())


def _pepper(base: Base, keys: Encryption) -> pulumi.Output[str] | None:
    """The secret with the API keys' pepper; from another store than AWS's it is taken as it is there."""
    if not base.settings.makes_pepper:
        return None
    return kept_secret(
        base.called("api-key-pepper"),
        parent=base.parent,
        description="Secret of the HMAC by which API keys are known",
        key_arn=keys.data_key_arn,
        recovery_days=base.settings.database.secret_recovery_days,
        protect=base.settings.database.protect,
        text=base.pepper(),
    )


def _secrets(
    database: PostgresDatabase, cache: RedisCache | None, pepper: pulumi.Output[str] | None
) -> list[pulumi.Output[str]]:
    """ARNs of the secrets that are made here."""
    found = [database.master_secret_arn, database.application_secret_arn, cache and cache.secret_arn, pepper]
    return [arn for arn in found if arn is not None]


def _secret_store(
    base: Base,
    keys: Encryption,
    cluster: Cluster,
    readable: list[pulumi.Output[str]],
    inside: pulumi.ResourceOptions,
) -> SecretsOperator:
    settings = base.settings
    args = SecretsOperatorArgs.of(
        {
            **settings.secrets.chosen(),
            **settings.charts.chosen(),
            **base.account,
            "namespaces": settings.namespaces_with_secrets(),
            "cluster_name": cluster.name,
            "cluster_arn": cluster.arn,
            "secret_arn_prefixes": [*readable, *settings.stored_secret_arns()],
            "kms_key_arns": [] if keys.data_key_arn is None else [keys.data_key_arn],
        }
    )
    return SecretsOperator(base.called("secrets"), args, inside)


def _node_autoscaler(base: Base, cluster: Cluster, inside: pulumi.ResourceOptions) -> NodeAutoscaler | None:
    settings = base.settings
    if settings.node_autoscaler is None:
        return None
    args = NodeAutoscalerArgs.of(
        {
            **settings.node_autoscaler.chosen(),
            **settings.charts.chosen(),
            **base.account,
            "cluster_name": cluster.name,
            "cluster_arn": cluster.arn,
            "kubernetes_version": settings.cluster.version,
        }
    )
    return NodeAutoscaler(base.called("nodes"), args, inside)


def _monitoring(base: Base, store: SecretsOperator, inside: pulumi.ResourceOptions) -> Observability | None:
    if base.settings.monitoring is None:
        return None
    chosen = {**base.settings.monitoring.chosen(), **base.settings.charts.chosen()}
    secrets = base.settings.secrets
    watched = {"secrets_operator_namespace": store.namespace} if secrets.installs() else {}
    args = ObservabilityArgs.of({**chosen, **watched, "store_name": store.store_name})
    return Observability(base.called("monitoring"), args, inside)


def _edge(base: Base, network: Network, cluster: Cluster, inside: pulumi.ResourceOptions) -> Edge | None:
    if base.settings.edge is None:
        return None
    args = EdgeArgs.of(
        {
            **base.settings.edge.chosen(),
            **base.settings.charts.chosen(),
            **base.account,
            "vpc_id": network.vpc_id,
            "vpc_cidr": network.vpc_cidr,
            "public_subnet_ids": network.public_subnet_ids,
            "private_subnet_ids": network.private_subnet_ids,
            "pod_security_group_id": cluster.security_group_id,
            "cluster_name": cluster.name,
            "cluster_arn": cluster.arn,
        }
    )
    return Edge(base.called("edge"), args, inside)


def _identity(
    base: Base, cluster: Cluster, database: PostgresDatabase, files: Attachments | None
) -> list[pulumi.Resource]:
    """What the server may do in AWS: log in to its database, and keep attachments. Nothing if neither."""
    statements = [*database.login_statements(), *(files.access_statements() if files else [])]
    if not statements:
        return []
    _, ready = pod_role(
        base.called("server"),
        parent=base.parent,
        account_id=base.account["account_id"],
        cluster_name=cluster.name,
        cluster_arn=cluster.arn,
        namespace=base.settings.workload.namespace,
        service_account=labels.SERVICE_ACCOUNT,
        policy=pulumi.Output.json_dumps(iam.document(*statements)),
    )
    return ready
