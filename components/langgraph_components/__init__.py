"""Pulumi components of a self-hosted LangGraph platform on AWS."""

from langgraph_components.agent_workload import AgentWorkload, AgentWorkloadArgs
from langgraph_components.attachments import Attachments, AttachmentsArgs
from langgraph_components.cluster import Cluster
from langgraph_components.cluster_args import ClusterArgs
from langgraph_components.edge import Edge
from langgraph_components.edge_args import EdgeArgs
from langgraph_components.encryption import Encryption, EncryptionArgs
from langgraph_components.local_postgres import LocalPostgres, LocalPostgresArgs
from langgraph_components.local_redis import LocalRedis, LocalRedisArgs
from langgraph_components.network import Network, NetworkArgs
from langgraph_components.observability import Observability, ObservabilityArgs
from langgraph_components.postgres_args import PostgresDatabaseArgs
from langgraph_components.postgres_database import PostgresDatabase
from langgraph_components.redis_cache import RedisCache, RedisCacheArgs
from langgraph_components.secrets_operator import SecretsOperator, SecretsOperatorArgs

__all__ = [
    "AgentWorkload",
    "AgentWorkloadArgs",
    "Attachments",
    "AttachmentsArgs",
    "Cluster",
    "ClusterArgs",
    "Edge",
    "EdgeArgs",
    "Encryption",
    "EncryptionArgs",
    "LocalPostgres",
    "LocalPostgresArgs",
    "LocalRedis",
    "LocalRedisArgs",
    "Network",
    "NetworkArgs",
    "Observability",
    "ObservabilityArgs",
    "PostgresDatabase",
    "PostgresDatabaseArgs",
    "RedisCache",
    "RedisCacheArgs",
    "SecretsOperator",
    "SecretsOperatorArgs",
]
