"""Workloads that the tests render: one with everything AWS has to give, one on a bare cluster."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from langgraph_components.agent_workload import AgentWorkload
from langgraph_components.local_postgres import LocalPostgres
from langgraph_components.local_redis import LocalRedis
from lgp.planning.monitor import Recording
from lgp.planning.values import revealed

Json = dict[str, Any]
DIGEST = "3f1a" * 16
MASTER_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-1"


def cloud_args(**changes: Any) -> Json:
    """As in production: IAM, a secret store, a balancer, Prometheus, workers."""
    return {
        "image": f"registry.example/agent@sha256:{DIGEST}",
        "image_hash": f"sha256:{DIGEST}",
        "database": {
            "host": pulumi.Output.from_input("db.example"),
            "read_host": "replica.example",
            "region": "eu-west-1",
            "cidrs": pulumi.Output.from_input(["10.0.160.0/24", "10.0.161.0/24"]),
        },
        "master_secret": {
            "remote": {"username": MASTER_ARN, "password": MASTER_ARN},
            "properties": {"username": "username", "password": "password"},
        },
        "environment_secrets": {
            "env": {"remote": {"API_KEY_PEPPER": "prod/pepper"}},
            "redis": {
                "templates": {"REDIS_URL": "rediss://{{ .name }}:{{ .password }}@cache.example:6379/0"},
                "ingredients": {"name": "prod/redis", "password": "prod/redis"},
                "properties": {"name": "username", "password": "password"},
            },
            "models": {"remote": {"OPENAI_API_KEY": "prod/openai"}, "optional": True},
        },
        "secret_store": "aws",
        "redis": {"cidrs": ["10.0.162.0/24"]},
        "workers": {"replicas": 2},
        "monitoring": {"labels": {"release": "prometheus"}},
        "balancer": {
            "cidrs": ["10.0.0.0/24", "10.0.1.0/24"],
            "target_group_arn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/api/1",
        },
        "collector": {"namespace": "monitoring", "pod_labels": {"app": "collector"}, "port": 4318},
        "interface_endpoints": {"cidrs": ["10.0.200.0/24"]},
        "priority_class": "serving",
        "attachments": {"bucket": "files", "region": "eu-west-1"},
        **changes,
    }


def cloud(**changes: Any) -> None:
    """A program with the workload alone, as `agent`."""
    AgentWorkload("agent", cloud_args(**changes))  # pyright: ignore[reportArgumentType]  # a dict works like the model


def local(**changes: Any) -> None:
    """A program with the stores in the cluster, and the workload on them."""
    postgres = LocalPostgres("postgres", {})  # pyright: ignore[reportArgumentType]  # a dict works like the model
    redis = LocalRedis("redis", {})  # pyright: ignore[reportArgumentType]  # a dict works like the model
    master = {"username": postgres.master_username, "password": postgres.master_password}
    serving = {"username": postgres.application_username, "password": postgres.application_password}
    args: Json = {
        "image": "localhost/agent:1",
        "image_hash": DIGEST,
        "database": {
            "host": postgres.host,
            "port": postgres.port,
            "auth": "file",
            "ssl": "disable",
            "namespace": postgres.namespace,
        },
        "master_secret": {"values": master},
        "database_secret": {"values": serving},
        "application_secret": {"values": {"password": postgres.application_password}},
        "environment_secrets": {
            "env": {"existing": "my-keys"},
            "redis": {"values": {"REDIS_URL": redis.url}},
        },
        "redis": {"namespace": redis.namespace},
        "pod_identity": False,
        "api": {"min_replicas": 1, "max_replicas": 3},
        **changes,
    }
    AgentWorkload("agent", args)  # pyright: ignore[reportArgumentType]  # a dict works like the model


def documents(recording: Recording) -> list[Json]:
    """Every Kubernetes object of a recorded program, secrets in the clear."""
    return [revealed(r.inputs) for r in recording.resources if r.type.startswith("kubernetes:")]


def of_kind(found: list[Json], *kinds: str) -> list[Json]:
    """Those of these kinds."""
    return [document for document in found if document["kind"] in kinds]


def named(found: list[Json], kind: str, name: str) -> Json:
    """The one of that kind and name."""
    (one,) = (each for each in of_kind(found, kind) if each["metadata"]["name"] == name)
    return one


def pod_templates(found: list[Json]) -> dict[str, Json]:
    """Pod templates by kind and name of their owner."""
    inner: dict[str, Callable[[Json], Json]] = {
        "CronJob": lambda each: each["spec"]["jobTemplate"]["spec"]["template"]
    }
    owners = of_kind(found, "Deployment", "StatefulSet", "Job", "CronJob", "DaemonSet")
    return {
        f"{each['kind']}/{each['metadata']['name']}": inner.get(
            each["kind"], lambda one: one["spec"]["template"]
        )(each)
        for each in owners
    }


def environment(template: Mapping[str, Any]) -> dict[str, str]:
    """The variables that a template's one container sets itself."""
    (container,) = template["spec"]["containers"]
    return {each["name"]: each["value"] for each in container.get("env", [])}
