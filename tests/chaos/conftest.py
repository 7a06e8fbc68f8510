"""The fixtures of the durability tests, for the long ones."""

from app.support.durable_world import client, ledger, new_ledger
from support.postgres import postgres_cluster

__all__ = ["client", "ledger", "new_ledger", "postgres_cluster"]
