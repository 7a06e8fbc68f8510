"""What Kubernetes knows of the workload, by kube-state-metrics, and of its secrets, by External Secrets.

Names and labels: github.com/kubernetes/kube-state-metrics, docs/metrics/workload (the series' `namespace` is
the object's own, as the chart scrapes it with `honorLabels`); github.com/external-secrets/external-secrets,
pkg/controllers/externalsecret/esmetrics/esmetrics.go.
"""

from langgraph_components.pure import labels
from langgraph_components.pure.alerting.rule import Alert, Group, Limits, Severity, unless_away

_DEPLOYMENTS = f'{{deployment=~"{labels.APPLICATION}.*"}}'
_AUTOSCALERS = f'{{horizontalpodautoscaler=~"{labels.APPLICATION}.*"}}'
_PODS = f'pod=~"(agent-migrate|{labels.APPLICATION})-.*"'
_SWEEPS = f'{{cronjob="{labels.APPLICATION}-retention"}}'


def groups(limits: Limits) -> list[Group]:
    """Pods, and the work around them."""
    return [
        Group("langgraph-pods", [*_replicas(), *_containers(), *_autoscaler()]),
        Group("langgraph-upkeep", [_migration(), *_sweeps(limits), _secrets(), _blind()], interval="1m"),
    ]


def _replicas() -> list[Alert]:
    wanted = f"max by (namespace, deployment) (kube_deployment_spec_replicas{_DEPLOYMENTS})"
    there = f"max by (namespace, deployment) (kube_deployment_status_replicas_available{_DEPLOYMENTS})"
    return [
        Alert(
            "LangGraphNoPods",
            # without the database no process is ready
            unless_away(f"{there} == 0\nand {wanted} > 0"),
            lasting="2m",
            severity=Severity.CRITICAL,
            summary="no pod of {{ $labels.deployment }} in {{ $labels.namespace }} is ready",
            description="Nobody answers requests, or nobody works on runs.",
            page="too-few-pods.md",
        ),
        Alert(
            "LangGraphTooFewPods",
            f"{wanted} - {there} > 0\nand {there} > 0",
            lasting="15m",
            severity=Severity.WARNING,
            summary='{{ $value | printf "%.0f" }} pods of {{ $labels.deployment }} in {{ $labels.namespace }}'
            " are missing",
            description="A rollout does not get on, pods find no node, or they are not ready.",
            page="too-few-pods.md",
        ),
    ]


def _containers() -> list[Alert]:
    by = "by (namespace, pod, container)"
    waiting = f'kube_pod_container_status_waiting_reason{{{_PODS},reason="CrashLoopBackOff"}}'
    restarts = f"kube_pod_container_status_restarts_total{{{_PODS}}}"
    killed = f'kube_pod_container_status_last_terminated_reason{{{_PODS},reason="OOMKilled"}}'
    return [
        Alert(
            "LangGraphContainerCrashLoops",
            # between two crashes it runs for a while: the reason is not there all the time
            f"max {by} (max_over_time({waiting}[5m])) == 1",
            lasting="5m",
            severity=Severity.WARNING,
            summary="{{ $labels.container }} of {{ $labels.pod }} in {{ $labels.namespace }} crashes again"
            " and again",
            description="Kubernetes waits longer and longer before it starts the container again.",
            page="processes-die.md#it-begins-anew-again-and-again",
        ),
        Alert(
            "LangGraphOutOfMemory",
            f"max {by} (increase({restarts}[15m])) > 0\nand max {by} ({killed}) == 1",
            lasting="0m",
            severity=Severity.WARNING,
            summary="{{ $labels.container }} of {{ $labels.pod }} in {{ $labels.namespace }} was killed:"
            " too much memory",
            description="It needed more than its limit. Its runs go on elsewhere, from their last"
            " checkpoint.",
            page="processes-die.md#out-of-memory",
        ),
    ]


def _autoscaler() -> list[Alert]:
    by = "max by (namespace, horizontalpodautoscaler)"
    now, least, most = (
        f"{by} (kube_horizontalpodautoscaler_{name}{_AUTOSCALERS})"
        for name in ("status_current_replicas", "spec_min_replicas", "spec_max_replicas")
    )
    blind = 'condition="ScalingActive",status="false"'
    conditions = f"kube_horizontalpodautoscaler_status_condition{{{_AUTOSCALERS[1:-1]},{blind}}}"
    return [
        Alert(
            "LangGraphAutoscalerAtMaximum",
            f"{now} >= {most}\nand {most} > {least}",
            lasting="15m",
            severity=Severity.WARNING,
            summary="{{ $labels.horizontalpodautoscaler }} in {{ $labels.namespace }} has"
            ' {{ $value | printf "%.0f" }}'
            " pods and may not add any",
            description="More load makes it slower from here on.",
            page="scale.md#the-autoscaler-is-at-its-maximum",
        ),
        Alert(
            "LangGraphAutoscalerBlind",
            f"{by} ({conditions}) == 1",
            lasting="15m",
            severity=Severity.WARNING,
            summary="{{ $labels.horizontalpodautoscaler }} in {{ $labels.namespace }} cannot see the load",
            description="It adds and takes no pods away until the metrics server answers it.",
            page="scale.md#the-autoscaler-sees-nothing",
        ),
    ]


def _migration() -> Alert:
    failed = 'kube_job_failed{job_name=~"agent-migrate-.*",condition="true"}'
    return Alert(
        "LangGraphMigrationFailed",
        f"max by (namespace, job_name) ({failed}) == 1",
        lasting="0m",
        severity=Severity.WARNING,
        summary="the migration {{ $labels.job_name }} in {{ $labels.namespace }} has failed",
        description="Nothing was rolled out: the version of before serves on.",
        page="migration-fails.md",
    )


def _sweeps(limits: Limits) -> list[Alert]:
    by = "max by (namespace, cronjob)"
    # a CronJob that never succeeded has no time of success: then it counts since it was made
    last = (
        f"({by} (kube_cronjob_status_last_successful_time{_SWEEPS}) or {by} (kube_cronjob_created{_SWEEPS}))"
    )
    return [
        Alert(
            "LangGraphRetentionLate",
            f"time() - {last} > {limits.retention_hours * 3600:g}",
            lasting="5m",
            severity=Severity.WARNING,
            summary="nothing has been swept in {{ $labels.namespace }} for {{ $value | humanizeDuration }}",
            description="The sweeps fail, take too long, are suspended, or are not started: what is over its"
            " time stays, and the database grows.",
            page="retention.md#the-sweeps-are-late",
        ),
    ]


def _secrets() -> Alert:
    failing = 'externalsecret_status_condition{condition="Ready",status="False"}'
    return Alert(
        "LangGraphSecretNotSynced",
        f"max by (namespace, name) ({failing}) == 1",
        lasting="15m",
        severity=Severity.WARNING,
        summary="the secret {{ $labels.name }} in {{ $labels.namespace }} is not renewed",
        description="External Secrets cannot read it. Pods keep the value of before; a rotation does not"
        " reach"
        " them, and once the old password ends, neither does the database.",
        page="choose-where-secrets-are.md#a-secret-is-not-renewed",
    )


def _blind() -> Alert:
    return Alert(
        "LangGraphClusterNotWatched",
        f"absent(kube_deployment_spec_replicas{_DEPLOYMENTS})",
        lasting="15m",
        severity=Severity.WARNING,
        summary="Prometheus knows nothing of the Deployments in {{ $labels.namespace }}",
        description="kube-state-metrics is not scraped: no alert on pods, sweeps and migrations can fire.",
        page="not-scraped.md#kubernetes-is-not-watched",
    )
