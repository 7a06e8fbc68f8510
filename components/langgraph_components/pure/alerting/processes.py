"""The processes themselves, and what they talk to beside the database."""

from langgraph_components.pure import labels
from langgraph_components.pure.alerting.rule import Alert, Group, Severity, Site

_OURS = f'{{job="{labels.APPLICATION}"}}'
_RESTARTS = 3
"""So many within a quarter of an hour: an update is one."""


def group(site: Site) -> Group:
    """Who watches nothing is told so: a rule without series never fires."""
    return Group(
        "langgraph-processes",
        [*_scraped(site), *([] if site.in_kubernetes else [_restarts()]), *_companions()],
    )


def _scraped(site: Site) -> list[Alert]:
    # where no pod is ready there is an alert for that
    ready = f'kube_deployment_status_replicas_available{{deployment="{labels.APPLICATION}"}}'
    none_ready = f"\nunless on (namespace) max by (namespace) ({ready}) == 0" if site.in_kubernetes else ""
    return [
        Alert(
            "LangGraphNotScraped",
            f"absent(langgraph_build_info){none_ready}",
            lasting="5m",
            severity=Severity.CRITICAL,
            summary="Prometheus reads no process of {{ $labels.namespace }}",
            description="None runs, or none lets it read: until then no other alert of it can fire.",
            page="not-scraped.md",
        ),
        Alert(
            "LangGraphProcessNotScraped",
            f"max by (namespace, pod) (up{_OURS}) == 0",
            lasting="5m",
            severity=Severity.WARNING,
            summary="{{ $labels.pod }} in {{ $labels.namespace }} does not answer Prometheus",
            description="Its event loop is held up, it does not start, or its port is not let through.",
            page="not-scraped.md",
        ),
    ]


def _restarts() -> Alert:
    return Alert(
        "LangGraphProcessRestarts",
        f"changes(process_start_time_seconds{_OURS}[15m]) >= {_RESTARTS}",
        lasting="0m",
        severity=Severity.WARNING,
        summary='{{ $labels.pod }} has begun anew {{ $value | printf "%.0f" }} times within 15 minutes',
        description="It ends, and what looks after it starts it again.",
        page="processes-die.md#it-begins-anew-again-and-again",
    )


def _companions() -> list[Alert]:
    return [
        Alert(
            "LangGraphRedisAway",
            "sum by (namespace) (increase(langgraph_redis_failures_total[5m])) > 0",
            lasting="5m",
            severity=Severity.WARNING,
            summary="Redis is away in {{ $labels.namespace }}",
            description="Each process counts its part of the rates for itself; nothing else needs Redis.",
            page="redis-away.md",
        ),
        Alert(
            "LangGraphTracesLost",
            "sum by (namespace) (increase(langgraph_traces_lost_total[15m])) > 0",
            lasting="15m",
            severity=Severity.WARNING,
            summary='{{ $value | printf "%.0f" }} spans of {{ $labels.namespace }} were lost within 15'
            " minutes",
            description="The receiver of traces does not take them. Runs go on.",
            page="observe.md#traces-are-lost",
        ),
    ]
