"""Rows of the service's dashboard on its processes: database, machine, and what Kubernetes says of them."""

from langgraph_components.pure import labels
from langgraph_components.pure.dashboards.panels import BAD, Panel, Query, Step, Style, graph
from langgraph_components.pure.dashboards.promql import SELECTED, WINDOW, of, quantile, rate

ROLLOUTS = f'kube_replicaset_created{{{SELECTED},replicaset=~"{labels.APPLICATION}-.+"}} * 1000'
"""Seconds since 1970 → milliseconds, as Grafana wants moments."""

_QUARTER = 6
"""Width of a panel of which four are side by side."""

_OURS = f'pod=~"{labels.APPLICATION}-.+"'
_DEPLOYMENTS = f'deployment=~"{labels.APPLICATION}.*"'
_SCALER = f'horizontalpodautoscaler="{labels.APPLICATION}"'


def processes() -> tuple[Panel, ...]:
    """What each process has and uses."""
    return *_connections(), *_answers(), *_machine()


def kubernetes() -> tuple[Panel, ...]:
    """What kube-state-metrics and the kubelets tell of the pods."""
    return *_replicas(), *_containers()


def _connections() -> tuple[Panel, ...]:
    used = of("langgraph_db_pool_size", 'state="used"')
    return (
        graph(
            "Database connections in use",
            "percentunit",
            "Share of each process' pool. At 100 % requests wait, and are told 503 after some seconds.",
            Query(f"sum by (pod) ({used}) / sum by (pod) ({of('langgraph_db_pool_size')})", "{{pod}}"),
            limit=Step(1),
            style=Style(most=1),
            width=_QUARTER,
            page="pool-exhausted",
        ),
        graph(
            "Requests that wait for a connection",
            "short",
            "Should be 0.",
            Query(f"sum by (pod) ({of('langgraph_db_pool_waiting')})", "{{pod}}"),
            style=Style(bars=True),
            width=_QUARTER,
            page="pool-exhausted",
        ),
        graph(
            "Statements",
            "s",
            "Time of all statements, without the wait for a connection. The other dashboard says which.",
            Query(quantile(0.5, "langgraph_db_query_seconds"), "p50"),
            Query(quantile(0.95, "langgraph_db_query_seconds"), "p95"),
            Query(quantile(0.99, "langgraph_db_query_seconds"), "p99"),
            width=_QUARTER,
            page="slow-statements",
        ),
        graph(
            "Logins that fail",
            "ops",
            "Connections that the database refused, did not answer, or that had nothing to log in with.",
            Query(rate("langgraph_db_connect_failures_total", by=("pod",)), "{{pod}}"),
            style=Style(bars=True),
            width=_QUARTER,
            page="database-away",
        ),
    )


def _answers() -> tuple[Panel, ...]:
    over = of("langgraph_db_certificate_expiry_timestamp_seconds")
    return (
        graph(
            "The database answers",
            "short",
            "1: it answered the process when it was last asked; 0: it did not.",
            Query(f"min by (pod) ({of('langgraph_db_up')})", "{{pod}}"),
            style=Style(most=1),
            width=_QUARTER,
            page="database-away",
        ),
        graph(
            "The database's certificate lasts",
            "s",
            "Until it is over. Nothing is shown without TLS.",
            Query(f"min({over}) - time()", "certificate"),
            width=_QUARTER,
            page="certificate-expires",
        ),
        graph(
            "Calls to Redis that failed",
            "ops",
            "Each process then counts alone: rates are held by each for itself.",
            Query(rate("langgraph_redis_failures_total", by=("pod",)), "{{pod}}"),
            style=Style(bars=True),
            width=_QUARTER,
            page="redis-away",
        ),
        graph(
            "Lost spans",
            "ops",
            "Spans that the traces' receiver did not take. Runs do not wait for it.",
            Query(rate("langgraph_traces_lost_total", by=("pod",)), "{{pod}}"),
            style=Style(bars=True),
            width=_QUARTER,
            page="observe",
        ),
    )


def _machine() -> tuple[Panel, ...]:
    # what every Python process exports, of those that are ours
    ours = f"and on (job, instance) {of('langgraph_build_info')}"
    return (
        graph(
            "Processor time",
            "percentunit",
            "Of one processor: a process has one event loop, so 100 % is all that Python gets.",
            Query(f"rate({of('process_cpu_seconds_total')}[{WINDOW}]) {ours}", "{{pod}}"),
            width=_QUARTER,
            page="scale",
        ),
        graph(
            "Memory",
            "bytes",
            "Resident memory of each process.",
            Query(f"{of('process_resident_memory_bytes')} {ours}", "{{pod}}"),
            width=_QUARTER,
        ),
        graph(
            "Open files and sockets",
            "percentunit",
            "Share of what the process may open; streams and connections are such.",
            Query(f"{of('process_open_fds')} / {of('process_max_fds')} {ours}", "{{pod}}"),
            limit=Step(0.8),
            style=Style(most=1),
            width=_QUARTER,
        ),
        graph(
            "Versions",
            "short",
            "Processes by the server's version: two versions at once are a rollout, or one that is stuck.",
            Query(f"count by (version) ({of('langgraph_build_info')})", "{{version}}"),
            style=Style(stacked=True),
            width=_QUARTER,
            page="rolling-update",
        ),
    )


def _replicas() -> tuple[Panel, ...]:
    available = of("kube_deployment_status_replicas_available", _DEPLOYMENTS)
    wanted = of("kube_deployment_spec_replicas", _DEPLOYMENTS)
    unready = of("kube_pod_status_ready", _OURS, 'condition="false"')
    waits = of("kube_pod_container_status_waiting_reason", _OURS)
    told = {
        "pods": "kube_horizontalpodautoscaler_status_current_replicas",
        "desired": "kube_horizontalpodautoscaler_status_desired_replicas",
        "maximum": "kube_horizontalpodautoscaler_spec_max_replicas",
    }
    return (
        graph(
            "Pods",
            "short",
            "Available ones, and as many as each Deployment wants. Fewer for long: a rollout is stuck.",
            Query(f"max by (deployment) ({available})", "{{deployment}} available"),
            Query(f"max by (deployment) ({wanted})", "{{deployment}} wanted"),
            width=_QUARTER,
            page="too-few-pods",
        ),
        graph(
            "Autoscaler",
            "short",
            "At its maximum it helps no more.",
            *(Query(f"max({of(metric, _SCALER)})", legend) for legend, metric in told.items()),
            width=_QUARTER,
            page="scale",
        ),
        graph(
            "Pods that are not ready",
            "short",
            "A pod that starts or drains is not ready for some seconds.",
            Query(f"{unready} == 1", "{{pod}}"),
            style=Style(bars=True),
            width=_QUARTER,
            page="too-few-pods",
        ),
        graph(
            "Containers that wait",
            "short",
            "By the reason: CrashLoopBackOff, ImagePullBackOff, CreateContainerConfigError.",
            Query(f"{waits} == 1", "{{reason}}: {{container}} of {{pod}}"),
            style=Style(bars=True),
            width=_QUARTER,
            page="too-few-pods",
        ),
    )


def _containers() -> tuple[Panel, ...]:
    memory = of("container_memory_working_set_bytes", _OURS, 'container!=""')
    limit = of("kube_pod_container_resource_limits", _OURS, 'resource="memory"')
    cpu = of("container_cpu_usage_seconds_total", _OURS, 'container!=""')
    request = of("kube_pod_container_resource_requests", _OURS, 'resource="cpu"')
    restarts = of("kube_pod_container_status_restarts_total", _OURS)
    ended = of("kube_pod_container_status_last_terminated_reason", _OURS)
    return (
        graph(
            "Memory, of its limit",
            "percentunit",
            "At 100 % the kernel ends the container (OOMKilled); its runs go on in another one.",
            Query(f"sum by (pod) ({memory}) / sum by (pod) ({limit})", "{{pod}}"),
            limit=Step(0.9),
            width=_QUARTER,
            page="processes-die",
        ),
        graph(
            "Processor, of what it asks for",
            "percentunit",
            "What the autoscaler looks at, on the mean over all pods.",
            Query(f"sum by (pod) (rate({cpu}[{WINDOW}])) / sum by (pod) ({request})", "{{pod}}"),
            width=_QUARTER,
            page="scale",
        ),
        graph(
            "Restarts",
            "short",
            "Containers that ended and were started anew.",
            Query(f"sum by (pod) (increase({restarts}[{WINDOW}]))", "{{pod}}"),
            style=Style(bars=True, colours={".*": BAD}),
            width=_QUARTER,
            page="processes-die",
        ),
        graph(
            "Why they ended",
            "short",
            "The last end of each container that was restarted: OOMKilled is memory, Error an exit code.",
            Query(f"sum by (reason) ({ended})", "{{reason}}"),
            style=Style(stacked=True),
            width=_QUARTER,
            page="processes-die",
        ),
    )
