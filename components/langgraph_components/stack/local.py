"""The cluster of a kube context, with Postgres and Redis inside it: nothing here knows of a cloud."""

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from langgraph_components.container_image import ContainerImage, ContainerImageArgs
from langgraph_components.local_postgres import LocalPostgres, LocalPostgresArgs
from langgraph_components.local_redis import LocalRedis, LocalRedisArgs
from langgraph_components.settings import PEPPER
from langgraph_components.stack.ground import Base, Ground
from langgraph_components.workload.parts import (
    DatabaseAuth,
    DatabaseSsl,
    WorkloadDatabase,
    WorkloadMonitoring,
    WorkloadRedis,
    WorkloadSecret,
)

MODEL_KEYS = {"OPENAI_API_KEY": "openaiApiKey", "ANTHROPIC_API_KEY": "anthropicApiKey"}
"""Environment variable → secret of the stack's configuration."""


def declare(base: Base) -> Ground:
    """Database, cache and secrets in the cluster; what monitors it is there or not."""
    settings = base.settings
    provider = kubernetes.Provider(
        base.called("kubernetes"), context=settings.local.context, opts=base.opts()
    )
    inside = base.opts(providers=[provider])
    image = ContainerImage(base.called("image"), ContainerImageArgs.of(settings.image.chosen()), base.opts())
    database = LocalPostgres(
        base.called("database"),
        LocalPostgresArgs.of(settings.local.postgres.chosen() | _for_workload(base)),
        inside,
    )
    wired: dict[str, Any] = {
        "image": image.reference,
        "image_hash": image.content_hash,
        "database": WorkloadDatabase(
            host=database.host,
            auth=DatabaseAuth.FILE,
            ssl=DatabaseSsl.DISABLE,
            namespace=database.namespace,
        ),
        "master_secret": _login(database.master_username, database.master_password),
        "database_secret": _login(database.application_username, database.application_password),
        "application_secret": WorkloadSecret(values={"password": database.application_password}),
        "attachments": settings.local.attachments,
        "monitoring": _monitoring(base),
        "pod_identity": False,
    }
    secrets = {"env": WorkloadSecret(values={PEPPER: base.pepper(), **_model_keys()})}
    if settings.local.redis is not None:
        cache = LocalRedis(
            base.called("cache"),
            LocalRedisArgs.of(settings.local.redis.chosen() | _for_workload(base)),
            inside,
        )
        wired["redis"] = WorkloadRedis(port=cache.port, namespace=cache.namespace)
        secrets["redis"] = WorkloadSecret(values={"REDIS_URL": cache.url})
    wired["environment_secrets"] = secrets
    outputs = {
        "image": image.reference,
        "database_host": database.host,
        "database_port": database.port,
    }
    return Ground(provider, wired, (), outputs)


def _login(username: Any, password: Any) -> WorkloadSecret:
    return WorkloadSecret(values={"username": username, "password": password})


def _model_keys() -> dict[str, Any]:
    """Those that the stack's configuration has."""
    config = pulumi.Config()
    found = {name: config.get_secret(key) for name, key in MODEL_KEYS.items() if config.get(key)}
    return {name: key for name, key in found.items() if key is not None}


def _for_workload(base: Base) -> dict[str, Any]:
    """Whom a store admits."""
    return {"workload_namespace": base.settings.workload.namespace}


def _monitoring(base: Base) -> WorkloadMonitoring | None:
    given = base.settings.monitoring
    if given is None or given.existing is None:
        return None
    return WorkloadMonitoring(
        namespace=given.existing.namespace,
        labels=given.existing.service_monitor_labels,
        pod_labels=given.existing.prometheus_pod_labels,
        runbooks_url=given.runbooks_url,
        alerts=given.alerts,
    )
