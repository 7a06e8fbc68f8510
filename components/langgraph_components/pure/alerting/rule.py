"""What a rule is made of, where it looks, and from which value on it fires."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from langgraph_components.pure import labels

Json = dict[str, Any]

_OURS = f'job="{labels.APPLICATION}"'

_SERIES = re.compile(r"\b(up|process_start_time_seconds|(?:langgraph[_:]|kube_|externalsecret_)[\w:]+)(\{)?")
"""A series in PromQL, and the brace that opens its matchers. Every query here asks for these alone."""

_OUTSIDE = (
    (r"(?<=labels\.)namespace\b", "job"),
    (r"(?<=labels\.)pod\b", "instance"),
)


class Severity(StrEnum):
    """Whom an alert is for."""

    CRITICAL = "critical"
    """Somebody must act now, at night too."""
    WARNING = "warning"
    """Somebody must look within a working day."""


BUCKETS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120)
"""Seconds by which latencies are counted: between two of them nothing is known."""


@dataclass(frozen=True)
class Limits:
    """From which value on an alert fires. Units are in the names, shares are 0 to 1.

    What each means, and why its default is what it is: the settings, `langgraph_components.AlertLimits`.
    """

    error_share: float = 0.05
    slow_seconds: float = 30
    availability: float = 0.999
    latency: float = 0.99
    latency_seconds: float = 1
    run_failure_share: float = 0.2
    queue_seconds: float = 120
    statement_seconds: float = 0.5
    checkpoint_bytes: int = 2**20
    growth_share: float = 0.5
    growth_bytes: int = 2 * 2**30
    interrupt_hours: float = 72
    certificate_days: float = 21
    retention_hours: float = 2


@dataclass(frozen=True)
class Alert:
    """One alert. Its query is written for Kubernetes, without saying whose series are meant."""

    name: str
    expr: str
    lasting: str
    """How long it must be true, such as `5m`."""
    severity: Severity
    summary: str
    """One line with the values, as a template of Prometheus."""
    description: str
    page: str
    """File of docs/howto, with the section where the page has several subjects."""


@dataclass(frozen=True)
class Record:
    """A query whose result is kept under a name of its own, which begins with `langgraph:`."""

    name: str
    expr: str


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other, every `interval`."""

    name: str
    rules: Sequence[Alert | Record]
    interval: str = "30s"


@dataclass(frozen=True)
class Site:
    """Whose series are meant, and by which labels they are told apart."""

    namespace: str = ""
    """Namespace of the one workload: two of a cluster then ring for themselves."""
    job: str | None = None
    """Set outside Kubernetes: the `job` of Prometheus' configuration, its `instance` is a process."""

    @property
    def in_kubernetes(self) -> bool:
        """Whether there are namespaces, pods, and metrics about them."""
        return self.job is None

    def query(self, expr: str) -> str:
        """The query, asking for our own series alone, by the labels that they have here."""
        mine = f'namespace="{self.namespace}"'
        if self.job is not None:
            mine = f'job="{self.job}"'
            expr = re.sub(r"\bnamespace\b", "job", expr)
            expr = re.sub(r"\bpod\b", "instance", expr).replace(_OURS, mine)
        return _SERIES.sub(lambda found: _within(found, mine), expr)

    def told(self, template: str) -> str:
        """The annotation, with the labels that there are here."""
        if self.in_kubernetes:
            return template
        for label, instead in _OUTSIDE:
            template = re.sub(label, instead, template)
        return template


def _within(found: re.Match[str], mine: str) -> str:
    series, opened = found[1], found[2]
    return f"{series}{{{mine}," if opened else f"{series}{{{mine}}}"


AWAY = "langgraph:database_away:samples5m"
"""How many of the last ten half-minutes no process reached the database."""

AWAY_SAMPLES = 3
"""From so many on it is away: a failover of RDS ends before, or nearly."""


def unless_away(expr: str, lately: str | None = None) -> str:
    """What follows from an outage of the database says nothing while the alert for that rings.

    `lately` is for what looks back longer than the outage lasts.
    """
    away = f"max_over_time({AWAY}[{lately}])" if lately else AWAY
    return f"{expr}\nunless on (namespace) {away} >= {AWAY_SAMPLES}"
