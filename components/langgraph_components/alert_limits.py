"""From which value on an alert fires, where teams differ."""

from typing import Optional

from pydantic import Field, field_validator

from langgraph_components.args import Args, Defaulted
from langgraph_components.pure.alerting.rule import BUCKETS, Limits
from langgraph_components.pure.alerts import DEFAULT


class AlertLimits(Args):
    """From which value on an alert fires. Shares are 0 to 1."""

    error_share: Defaulted[float] = Field(default=DEFAULT.error_share, gt=0, lt=1)
    """Share of requests answered with 5xx. 0.05: users notice one failure in twenty."""

    slow_seconds: Defaulted[float] = Field(default=DEFAULT.slow_seconds, gt=0, le=120)
    """Seconds (to 120) that nineteen of twenty requests of a route stay below. 30: people give up then."""

    availability: Defaulted[float] = Field(default=DEFAULT.availability, ge=0.9, lt=1)
    """Objective: share of requests that are not answered with 5xx. 0.999: 43 minutes of outage in 30 days."""

    latency: Defaulted[float] = Field(default=DEFAULT.latency, ge=0.5, lt=1)
    """Objective: share of the requests that wait for no graph which begin to be answered within
    `latency_seconds`. 0.99: the slowest hundredth is cold caches and reconnects."""

    latency_seconds: Defaulted[float] = Field(default=DEFAULT.latency_seconds)
    """Seconds of that objective: 0.1, 0.5, 1, 2, 5, 10, 30, 60 or 120, which are counted. 1: no such route
    computes anything; it reads or writes some rows."""

    run_failure_share: Defaulted[float] = Field(default=DEFAULT.run_failure_share, gt=0, lt=1)
    """Share of a graph's executions that end as `error` or `timeout`. 0.2: providers of models fail now and
    then, one in five is no accident."""

    queue_seconds: Defaulted[float] = Field(default=DEFAULT.queue_seconds, gt=0)
    """Seconds that a run which could begin has waited. 120: by then the autoscaler has added pods, or it
    will not."""

    statement_seconds: Defaulted[float] = Field(default=DEFAULT.statement_seconds, gt=0, le=10)
    """Seconds (to 10) that nineteen of twenty executions of a statement stay below. 0.5: a hundred times the
    usual."""

    checkpoint_bytes: Defaulted[int] = Field(default=DEFAULT.checkpoint_bytes, ge=1024, le=16 * 2**20)
    """Bytes (1 KiB to 16 MiB) that nineteen of twenty checkpoints of a graph stay below. 1 MiB: each step
    writes that much, and history keeps it."""

    growth_share: Defaulted[float] = Field(default=DEFAULT.growth_share, gt=0)
    """Growth of the database within a day, as a share of what it was. 0.5: it doubles in two days."""

    growth_bytes: Defaulted[int] = Field(default=DEFAULT.growth_bytes, ge=0)
    """Growth within a day, in bytes, below which `growth_share` says nothing. 2 GiB: a young database doubles
    often."""

    interrupt_hours: Defaulted[float] = Field(default=DEFAULT.interrupt_hours, gt=0)
    """Hours that a run has waited for a person. 72: a weekend and a day."""

    certificate_days: Defaulted[float] = Field(default=DEFAULT.certificate_days, ge=4)
    """Days (4 or more) until the database's certificate is over. 21: renewing it may need a window."""

    retention_hours: Defaulted[float] = Field(default=DEFAULT.retention_hours, gt=0)
    """Hours since the sweeps last succeeded. 2: eight of the default schedule were missed. Raise it with
    `retention.schedule`."""

    @field_validator("latency_seconds")
    @classmethod
    def _is_counted(cls, seconds: float) -> float:
        if seconds not in BUCKETS:
            message = f"should be one of {', '.join(f'{bound:g}' for bound in BUCKETS)} (got {seconds:g})"
            raise ValueError(message)
        return seconds


def limits_of(given: Optional[AlertLimits]) -> Limits:
    """As the rules take them."""
    return Limits(**given.chosen()) if given is not None else DEFAULT
