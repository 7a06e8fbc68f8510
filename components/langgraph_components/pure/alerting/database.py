"""The database: away, too busy, too slow, too large; its logins and its certificate."""

from langgraph_components.pure.alerting.rule import (
    AWAY,
    AWAY_SAMPLES,
    Alert,
    Group,
    Limits,
    Record,
    Severity,
    unless_away,
)

FEWEST_STATEMENTS = 20
"""So many executions within ten minutes: the slowest of five is their 95th percentile."""

FEWEST_REFUSED = 5
"""So many attempts to connect within ten minutes: one that fails is repeated some times by itself."""

DAYS_CRITICAL = 3
"""Days before the certificate's end from which on somebody must act now."""

_DAY = 86400
_EXPIRES = "min by (namespace) (langgraph_db_certificate_expiry_timestamp_seconds) - time()"


def groups(limits: Limits) -> list[Group]:
    """Whether it answers, which other rules ask for, and then how well."""
    return [
        Group("langgraph-database", [*_answers(), *_connections()]),
        Group("langgraph-database-load", [*_load(limits), *_certificate(limits)], interval="1m"),
    ]


def _answers() -> list[Alert | Record]:
    return [
        Record(AWAY, "sum_over_time((1 - max by (namespace) (langgraph_db_up))[5m:30s])"),
        Alert(
            "LangGraphDatabaseAway",
            f"{AWAY} >= {AWAY_SAMPLES}",
            lasting="0m",
            severity=Severity.CRITICAL,
            summary="no process in {{ $labels.namespace }} reaches the database",
            description="For a minute and a half of the last five. What follows from it rings no alert of its"
            " own meanwhile.",
            page="database-away.md",
        ),
        Alert(
            "LangGraphProcessWithoutDatabase",
            unless_away("max by (namespace, pod) (langgraph_db_up) == 0"),
            lasting="5m",
            severity=Severity.WARNING,
            summary="{{ $labels.pod }} in {{ $labels.namespace }} does not reach the database, others do",
            description="It is not ready, so it gets no requests; its part of the work is done by others.",
            page="database-away.md#one-process-alone",
        ),
    ]


def _connections() -> list[Alert | Record]:
    failures = "sum by (namespace, pod) (increase(langgraph_db_connect_failures_total[10m]))"
    works = "max by (namespace, pod) (langgraph_db_up) == 1"
    return [
        Alert(
            "LangGraphDatabasePoolExhausted",
            # By pod: one process without a connection answers 503 while the others are well.
            unless_away('min by (namespace, pod) (langgraph_db_pool_size{state="free"}) == 0'),
            lasting="1m",
            severity=Severity.CRITICAL,
            summary="{{ $labels.pod }} in {{ $labels.namespace }} has no free database connection",
            description="Every connection of its pool was in use for a minute: its requests wait, then fail.",
            page="pool-exhausted.md",
        ),
        Alert(
            "LangGraphDatabasePoolWaiting",
            unless_away("max by (namespace, pod) (avg_over_time(langgraph_db_pool_waiting[10m])) > 0.5"),
            lasting="5m",
            severity=Severity.WARNING,
            summary="requests wait for a database connection of {{ $labels.pod }} in {{ $labels.namespace }}",
            description="Again and again its pool is used up, though not for a whole minute.",
            page="pool-exhausted.md",
        ),
        Alert(
            "LangGraphDatabaseLoginsFail",
            unless_away(f"{failures} > {FEWEST_REFUSED}\nand on (namespace, pod) {works}", "15m"),
            lasting="5m",
            severity=Severity.CRITICAL,
            summary="{{ $labels.pod }} in {{ $labels.namespace }} gets no new connection to a database"
            " that works",
            description="Its login is refused, or there is no connection left. Those that are open go on for"
            " half an hour at most; then the database is away for it.",
            page="rotate-the-database-password.md#logins-fail",
        ),
    ]


def _load(limits: Limits) -> list[Alert]:
    statements = 'statement!~"retention.*|gauges.*"'
    size = "sum by (namespace) (max by (namespace, part) (langgraph_db_size_bytes{when}))"
    now, before = size.format(when=""), size.format(when=" offset 1d")
    large = "sum by (namespace, graph_name, le) (rate(langgraph_checkpoint_bytes_bucket[30m]))"
    return [
        Alert(
            "LangGraphSlowStatements",
            unless_away(
                "histogram_quantile(0.95, sum by (namespace, statement, le)"
                f" (rate(langgraph_db_query_seconds_bucket{{{statements}}}[10m])))"
                f" > {limits.statement_seconds}"
                "\nand sum by (namespace, statement)"
                f" (increase(langgraph_db_query_seconds_count{{{statements}}}[10m])) > {FEWEST_STATEMENTS}",
                "15m",
            ),
            lasting="10m",
            severity=Severity.WARNING,
            summary="{{ $labels.statement }} takes {{ $value | humanizeDuration }} in"
            " {{ $labels.namespace }}",
            description=f"The 95th percentile of this statement is above {limits.statement_seconds:g}"
            " seconds.",
            page="slow-statements.md",
        ),
        Alert(
            "LangGraphCheckpointsLarge",
            f"histogram_quantile(0.95, {large}) > {limits.checkpoint_bytes:.0f}",
            lasting="30m",
            severity=Severity.WARNING,
            summary="checkpoints of {{ $labels.graph_name }} in {{ $labels.namespace }}"
            " have {{ $value | humanize1024 }}B",
            description="Each step of a run writes what it changed, so large states fill the database and"
            " slow"
            " every step down.",
            page="database-grows.md#checkpoints-are-large",
        ),
        Alert(
            "LangGraphDatabaseGrows",
            f"{now} - {before} > {limits.growth_share} * {before}"
            f"\nand {now} - {before} > {limits.growth_bytes:.0f}",
            lasting="30m",
            severity=Severity.WARNING,
            summary="the database of {{ $labels.namespace }} has grown by {{ $value | humanize1024 }}B in"
            " a day",
            description=f"That is more than {limits.growth_share:.0%} of what it was.",
            page="database-grows.md",
        ),
    ]


def _certificate(limits: Limits) -> list[Alert]:
    told = "the database's certificate is over in {{ $value | humanizeDuration }} ({{ $labels.namespace }})"
    description = "From then on no process that verifies it connects; a renewed one is taken up by itself."
    return [
        Alert(
            "LangGraphDatabaseCertificateExpires",
            f"{_EXPIRES} < {limits.certificate_days * _DAY:.0f}",
            lasting="1h",
            severity=Severity.WARNING,
            summary=told,
            description=description,
            page="certificate-expires.md",
        ),
        Alert(
            "LangGraphDatabaseCertificateExpiresSoon",
            f"{_EXPIRES} < {DAYS_CRITICAL * _DAY}",
            lasting="5m",
            severity=Severity.CRITICAL,
            summary=told,
            description=description,
            page="certificate-expires.md",
        ),
    ]
