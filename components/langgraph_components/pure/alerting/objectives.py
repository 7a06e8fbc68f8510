"""Objectives, and how fast what they allow to fail is used up.

Windows and factors are those of the Google SRE Workbook, chapter 5, "Alerting on SLOs", section 6
(multiwindow, multi-burn-rate): 2 % of a 30 days' budget within an hour, 5 % within six, 10 % within three
days; the short window ends the alert soon after the cause.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langgraph_components.pure.alerting.requests import error_share, too_many
from langgraph_components.pure.alerting.rule import (
    Alert,
    Group,
    Limits,
    Record,
    Severity,
    unless_away,
)


@dataclass(frozen=True)
class Burn:
    """So many times faster than the objective allows, over both windows."""

    factor: float
    long: str
    short: str


FAST = (Burn(14.4, "1h", "5m"), Burn(6, "6h", "30m"))
SLOW = (Burn(1, "3d", "6h"),)
WINDOWS = ("5m", "30m", "1h", "6h", "3d")

FEWEST = 10
"""So many must have failed within the long window: of few requests one failure is a great share."""

# They last as long as their graph; a stream is measured to its first byte, which waits for no graph.
_QUICK = 'endpoint!~".+/(invoke|resume)"'

Bad = Callable[[str], str]


def groups(limits: Limits) -> list[Group]:
    """The shares, kept by window, and what is said of them; days need no look every half minute."""
    short, long = WINDOWS[:3], WINDOWS[3:]
    return [
        Group("langgraph-objectives-long", _records(limits, long), interval="2m"),
        Group("langgraph-objectives", [*_records(limits, short), *_alerts(limits)]),
    ]


def _records(limits: Limits, windows: Sequence[str]) -> list[Record]:
    errors = [Record(_errors(window), error_share(window)) for window in windows]
    return errors + [Record(_slow(window), _slow_share(limits, window)) for window in windows]


def _alerts(limits: Limits) -> list[Alert]:
    allowed, allowed_slow = 1 - limits.availability, 1 - limits.latency
    slow = _burning(_slow, allowed_slow, FAST + SLOW, lambda window: _slow_number(limits, window))
    return [
        Alert(
            "LangGraphErrorBudgetBurnsFast",
            unless_away(_burning(_errors, allowed, FAST, _failed)) + _said_already(limits),
            lasting="2m",
            severity=Severity.CRITICAL,
            summary="{{ $value | humanizePercentage }} of the requests in {{ $labels.namespace }} fail,"
            f" {limits.availability:.3%} shall succeed",
            description="At this rate what may fail within 30 days has failed within 5 days, or 2.",
            page="many-errors.md#the-error-budget",
        ),
        Alert(
            "LangGraphErrorBudgetBurnsSlowly",
            unless_away(_burning(_errors, allowed, SLOW, _failed)),
            lasting="15m",
            severity=Severity.WARNING,
            summary="{{ $value | humanizePercentage }} of the requests in {{ $labels.namespace }} fail,"
            f" {limits.availability:.3%} shall succeed",
            description="For three days so many requests have failed that the objective will be missed.",
            page="many-errors.md#the-error-budget",
        ),
        Alert(
            "LangGraphLatencyBudgetBurns",
            unless_away(slow),
            lasting="5m",
            severity=Severity.WARNING,
            summary="{{ $value | humanizePercentage }} of the requests in {{ $labels.namespace }} take longer"
            f" than {limits.latency_seconds:g} s",
            description=f"Of the requests that wait for no graph {limits.latency:.3%} shall be answered"
            " sooner.",
            page="slow-responses.md#requests-that-wait-for-no-graph",
        ),
    ]


def _burning(record: Callable[[str], str], allowed: float, burns: Sequence[Burn], number: Bad) -> str:
    """Any of these rates, in both windows, of enough requests."""
    found: list[str] = []
    for burn in burns:
        most = f"{burn.factor * allowed:.6g}"
        enough = f"{number(burn.long)} >= {FEWEST}"
        found.append(
            f"({record(burn.long)} > {most}\n  and on (namespace) {record(burn.short)} > {most}"
            f"\n  and on (namespace) {enough})"
        )
    joined = "\nor\n".join(found)
    return f"({joined})"


def _said_already(limits: Limits) -> str:
    """Nothing more is said while LangGraphHighErrorRate rings, which is so after five such minutes."""
    share = f"min_over_time({_errors('5m')}[5m])"
    return f"\nunless on (namespace) ({too_many(share, limits)})"


def _errors(window: str) -> str:
    return f"langgraph:request_errors:share_{window}"


def _slow(window: str) -> str:
    return f"langgraph:slow_requests:share_{window}"


def _failed(window: str) -> str:
    return f'sum by (namespace) (increase(langgraph_requests_total{{status=~"5.."}}[{window}]))'


def _slow_share(limits: Limits, window: str) -> str:
    quick, every = _quick_of(limits, f"rate(%s[{window}])")
    return f"1 - {quick} / {every}"


def _slow_number(limits: Limits, window: str) -> str:
    quick, every = _quick_of(limits, f"increase(%s[{window}])")
    return f"({every} - {quick})"


def _quick_of(limits: Limits, function: str) -> tuple[str, str]:
    """Those within the objective, and all."""
    bucket = f'langgraph_request_latency_seconds_bucket{{{_QUICK},le="{float(limits.latency_seconds)}"}}'
    every = f"langgraph_request_latency_seconds_count{{{_QUICK}}}"
    quick, total = (f"sum by (namespace) ({function % series})" for series in (bucket, every))
    return quick, total
