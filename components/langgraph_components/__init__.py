"""Pulumi components of a self-hosted LangGraph platform on AWS."""

from langgraph_components.encryption import Encryption, EncryptionArgs

__all__ = ["Encryption", "EncryptionArgs"]
