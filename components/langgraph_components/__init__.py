"""Pulumi components of a self-hosted LangGraph platform on AWS."""

from langgraph_components.agent_workload import AgentWorkload, AgentWorkloadArgs
from langgraph_components.attachments import Attachments, AttachmentsArgs
from langgraph_components.cluster import Cluster
from langgraph_components.cluster_args import ClusterArgs
from langgraph_components.container_image import ContainerImage, ContainerImageArgs
from langgraph_components.edge import Edge
from langgraph_components.edge_args import EdgeArgs
from langgraph_components.encryption import Encryption, EncryptionArgs
from langgraph_components.errors import InvalidArgs, InvalidSettings, MissingOutput, PlatformError
from langgraph_components.local_postgres import LocalPostgres, LocalPostgresArgs
from langgraph_components.local_redis import LocalRedis, LocalRedisArgs
from langgraph_components.network import Network, NetworkArgs
from langgraph_components.node_autoscaler import NodeAutoscaler, NodeAutoscalerArgs
from langgraph_components.observability import Observability, ObservabilityArgs
from langgraph_components.outputs import PlatformOutputs
from langgraph_components.pipeline_access import PipelineAccess, PipelineAccessArgs
from langgraph_components.platform import Platform
from langgraph_components.pod_identity import PodIdentity, PodIdentityArgs
from langgraph_components.postgres_args import PostgresDatabaseArgs
from langgraph_components.postgres_database import PostgresDatabase
from langgraph_components.redis_cache import RedisCache, RedisCacheArgs
from langgraph_components.secrets_args import SecretsOperatorArgs
from langgraph_components.secrets_operator import SecretsOperator
from langgraph_components.settings import Environment, PlatformSettings

__all__ = [
    "AgentWorkload",
    "AgentWorkloadArgs",
    "Attachments",
    "AttachmentsArgs",
    "Cluster",
    "ClusterArgs",
    "ContainerImage",
    "ContainerImageArgs",
    "Edge",
    "EdgeArgs",
    "Encryption",
    "EncryptionArgs",
    "Environment",
    "InvalidArgs",
    "InvalidSettings",
    "LocalPostgres",
    "LocalPostgresArgs",
    "LocalRedis",
    "LocalRedisArgs",
    "MissingOutput",
    "Network",
    "NetworkArgs",
    "NodeAutoscaler",
    "NodeAutoscalerArgs",
    "Observability",
    "ObservabilityArgs",
    "PipelineAccess",
    "PipelineAccessArgs",
    "Platform",
    "PlatformError",
    "PlatformOutputs",
    "PlatformSettings",
    "PodIdentity",
    "PodIdentityArgs",
    "PostgresDatabase",
    "PostgresDatabaseArgs",
    "RedisCache",
    "RedisCacheArgs",
    "SecretsOperator",
    "SecretsOperatorArgs",
]
