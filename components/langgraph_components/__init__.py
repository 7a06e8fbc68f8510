"""Pulumi components of a self-hosted LangGraph platform on AWS."""

from langgraph_components.agent_workload import AgentWorkload, AgentWorkloadArgs
from langgraph_components.encryption import Encryption, EncryptionArgs

__all__ = ["AgentWorkload", "AgentWorkloadArgs", "Encryption", "EncryptionArgs"]
