"""Requests that fail or are slow."""

from langgraph_components.pure.alerting.rule import Alert, Group, Limits, Severity, unless_away

FEWEST = 5
"""So many requests must have failed within ten minutes: two of a night's three wake nobody."""

ATTACHMENTS = 'endpoint=~"/attachments.*"'


def group(limits: Limits) -> Group:
    """What users notice at once."""
    return Group("langgraph-requests", [_errors(limits), _slow(limits), _attachments(limits)])


def error_share(window: str, more: str = "") -> str:
    """Share of requests answered with 5xx; `sum by` on both sides, else each series is divided by itself."""
    failed = f'{more},status=~"5.."' if more else 'status=~"5.."'
    every = f"{{{more}}}" if more else ""
    return (
        f"sum by (namespace) (rate(langgraph_requests_total{{{failed}}}[{window}]))"
        f" / sum by (namespace) (rate(langgraph_requests_total{every}[{window}]))"
    )


def too_many(share: str, limits: Limits) -> str:
    """Whether the share is above its limit, of enough requests."""
    failed = 'sum by (namespace) (increase(langgraph_requests_total{status=~"5.."}[10m]))'
    # half of one less: `increase` extrapolates, so that five may be 4.9
    return f"{share} > {limits.error_share}\nand on (namespace) {failed} > {FEWEST - 0.5:g}"


def _errors(limits: Limits) -> Alert:
    return Alert(
        "LangGraphHighErrorRate",
        unless_away(too_many(error_share("5m"), limits)),
        lasting="5m",
        severity=Severity.CRITICAL,
        summary="{{ $value | humanizePercentage }} of the requests in {{ $labels.namespace }} fail",
        description=f"More than {limits.error_share:.0%} of the requests were answered with 5xx for 5"
        " minutes.",
        page="many-errors.md",
    )


def _slow(limits: Limits) -> Alert:
    # By route, so that a slow graph neither hides among short requests nor makes all of them look slow. A
    # stream is measured to its first byte, which says nothing of how long its run takes.
    quantile = (
        "histogram_quantile(0.95, sum by (namespace, endpoint, le)"
        ' (rate(langgraph_request_latency_seconds_bucket{endpoint!~".+/stream"}[5m])))'
    )
    return Alert(
        "LangGraphSlowResponses",
        unless_away(f"{quantile} > {limits.slow_seconds}"),
        lasting="5m",
        severity=Severity.WARNING,
        summary="{{ $labels.endpoint }} in {{ $labels.namespace }} takes {{ $value | humanizeDuration }}",
        description=f"The 95th percentile of this route was above {limits.slow_seconds:g} seconds for 5"
        " minutes.",
        page="slow-responses.md",
    )


def _attachments(limits: Limits) -> Alert:
    return Alert(
        "LangGraphAttachmentsFail",
        unless_away(f"{error_share('10m', ATTACHMENTS)} > {limits.error_share}"),
        lasting="10m",
        severity=Severity.WARNING,
        summary="{{ $value | humanizePercentage }} of the requests for attachments fail"
        " in {{ $labels.namespace }}",
        description="Their folder or bucket does not take or give them; among all requests they are too few"
        " to be seen.",
        page="attachments.md#attachments-fail",
    )
