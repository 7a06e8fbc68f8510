"""Names and labels of our objects in Kubernetes."""

from enum import StrEnum

APPLICATION = "agent-server"
"""`app.kubernetes.io/name` of all pods that run our image; also the name of their Service."""

SERVICE_ACCOUNT = "agent-server"
"""Account of the pods that serve, work and sweep; a Pod Identity association names it before they start."""

MIGRATION_ACCOUNT = "agent-migrate"
"""Account of the migration alone: no identity of a cloud is ever associated with it."""

LOAD_BALANCER_CONTROLLER = "aws-load-balancer-controller"
"""Namespace, account and name of that operator; no setting changes them."""

NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"
PART_OF = "app.kubernetes.io/part-of"
MANAGED_BY = "app.kubernetes.io/managed-by"
NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""Label that Kubernetes puts on each namespace."""

SCRAPED = "langgraph/metrics"
"""On pods that serve metrics: one headless Service finds them all by it."""

OURS = frozenset({NAME, COMPONENT, PART_OF, MANAGED_BY, SCRAPED})
"""What we go by: nobody else sets these."""

POD_SECURITY_VERSION = "v1.36"
"""The Pod Security Standard's version: an upgrade of the cluster does not change what is admitted."""


class Part(StrEnum):
    """What a pod of ours does."""

    API = "api"
    WORKER = "worker"
    MIGRATION = "migration"
    RETENTION = "retention"


def common(application: str = APPLICATION) -> dict[str, str]:
    """Labels of every object of an application."""
    return {NAME: application, PART_OF: "langgraph-platform", MANAGED_BY: "pulumi"}


def of(part: str, application: str = APPLICATION) -> dict[str, str]:
    """Labels of the objects of one part."""
    return {**common(application), COMPONENT: part}


def selector(part: str, application: str = APPLICATION) -> dict[str, str]:
    """What selects the pods of one part; it never changes, as a Deployment's selector cannot."""
    return {NAME: application, COMPONENT: part}


def restricted_namespace() -> dict[str, str]:
    """Labels by which Kubernetes refuses, audits and warns of pods that are not `restricted`."""
    prefix = "pod-security.kubernetes.io"
    levels = {f"{prefix}/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return levels | {f"{mode}-version": POD_SECURITY_VERSION for mode in levels}
