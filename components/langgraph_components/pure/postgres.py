"""What a PostgreSQL on RDS is set to, and what it cannot be."""

from enum import StrEnum

PORT = 5432

MONITORING_INTERVALS = (0, 1, 5, 10, 15, 30, 60)
"""Seconds that enhanced monitoring knows; 0 is off."""

MONITORING_POLICY = "service-role/AmazonRDSEnhancedMonitoringRole"
"""AWS' own policy for it: log groups and streams named `RDS*`."""

LOGS = ("postgresql", "upgrade")

Parameter = tuple[str, str, str]
"""Name, value, and when it applies: `immediate` or `pending-reboot`."""


class Insights(StrEnum):
    """How much of the statements' history is kept."""

    OFF = "off"
    STANDARD = "standard"
    ADVANCED = "advanced"


INSIGHTS_DAYS = {Insights.STANDARD: 7, Insights.ADVANCED: 465}
"""Days of Performance Insights: 7 cost nothing, and Database Insights' advanced mode asks for 465."""


def parameters(
    *,
    log_min_duration_ms: int,
    idle_in_transaction_seconds: int,
    max_connections: int | None,
    blue_green: bool = False,
) -> list[Parameter]:
    """TLS for everybody, slow statements and DDL in the log, and no transaction that waits for its client.

    Without `max_connections` it stays at RDS' formula of the class' memory.
    """
    found = [
        # what the default is since PostgreSQL 15: RDS then keeps the default's method too, and `immediate`
        # would be a difference at each update (hashicorp/terraform-provider-aws#39252)
        ("rds.force_ssl", "1", "pending-reboot"),
        ("log_statement", "ddl", "immediate"),
        ("log_lock_waits", "1", "immediate"),
        ("log_min_duration_statement", str(log_min_duration_ms), "immediate"),
        # -1, the default, would write what users say into the log of whatever statement is slow
        ("log_parameter_max_length", "0", "immediate"),
        ("idle_in_transaction_session_timeout", str(idle_in_transaction_seconds * 1000), "immediate"),
    ]
    if max_connections is not None:
        found.append(("max_connections", str(max_connections), "pending-reboot"))
    if blue_green:
        # to another major version it copies by logical replication (RDS User Guide, "PostgreSQL replication
        # methods for blue/green deployments"), which RDS refuses to begin while this is off
        found.append(("rds.logical_replication", "1", "pending-reboot"))
    return found
