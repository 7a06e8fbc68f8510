"""Runs that fail, wait, or change hands."""

from langgraph_components.pure.alerting.rule import Alert, Group, Limits, Severity, unless_away

FEWEST_FAILED = 5
"""So many executions of a graph must have failed: of two, one is half."""

FEWEST_DEATHS = 3
"""So many runs must have been taken over: one process that is replaced by force leaves one or two."""

_FAILED = 'status=~"error|timeout"'
# what did not end here says nothing of the graph
_ENDED = 'status!~"handed_over|refused|lost"'


def group(limits: Limits) -> Group:
    """What becomes of the work."""
    return Group(
        "langgraph-runs",
        [
            _fail(limits),
            Alert(
                "LangGraphRunsWait",
                f"max by (namespace) (langgraph_queue_age_seconds) > {limits.queue_seconds:g}",
                lasting="5m",
                severity=Severity.CRITICAL,
                summary="a run in {{ $labels.namespace }} has waited {{ $value | humanizeDuration }} to"
                " begin",
                description="No process takes it up: all are full, or none works.",
                page="runs-wait.md",
            ),
            Alert(
                "LangGraphProcessesDie",
                unless_away(_within("langgraph_takeovers_total", FEWEST_DEATHS), "20m"),
                lasting="0m",
                severity=Severity.WARNING,
                summary='{{ $value | printf "%.0f" }} runs of dead processes were taken over'
                " in {{ $labels.namespace }}",
                description="Within 15 minutes processes ended without handing their runs over: killed,"
                " out of"
                " memory, crashed, or their node is gone.",
                page="processes-die.md",
            ),
            Alert(
                "LangGraphLeasesLost",
                unless_away(_within("langgraph_lease_losses_total", FEWEST_DEATHS), "20m"),
                lasting="0m",
                severity=Severity.WARNING,
                summary='{{ $value | printf "%.0f" }} runs in {{ $labels.namespace }} were taken from'
                " processes"
                " that live",
                description="Within 15 minutes processes did not renew their leases in time: something"
                " holds up"
                " their event loop, or their statements.",
                page="processes-die.md#leases-are-lost",
            ),
            Alert(
                "LangGraphCheckpointsRefused",
                _within("langgraph_checkpoints_refused_total", 1),
                lasting="0m",
                severity=Severity.WARNING,
                summary="checkpoints in {{ $labels.namespace }} name types that they may not",
                description="A state's type is missing in langgraph.json, or somebody has written to the"
                " checkpoint tables. Their runs have ended.",
                page="run-is-stuck-or-poison.md#checkpoints-are-refused",
            ),
            Alert(
                "LangGraphAnswersOverdue",
                f"max by (namespace) (langgraph_interrupt_age_seconds) > {limits.interrupt_hours * 3600:g}",
                lasting="15m",
                severity=Severity.WARNING,
                summary="a run in {{ $labels.namespace }} has waited {{ $value | humanizeDuration }} for a"
                " person",
                description=f"Nobody has answered within {limits.interrupt_hours:g} hours.",
                page="approve-and-audit.md#answers-are-overdue",
            ),
        ],
    )


def _fail(limits: Limits) -> Alert:
    by = "sum by (namespace, graph_name)"
    failed, ended = (f"langgraph_graph_executions_total{{{selected}}}[10m]" for selected in (_FAILED, _ENDED))
    return Alert(
        "LangGraphRunsFail",
        unless_away(
            f"{by} (rate({failed})) / {by} (rate({ended})) > {limits.run_failure_share}"
            f"\nand {by} (increase({failed})) >= {FEWEST_FAILED}",
            "10m",
        ),
        lasting="10m",
        severity=Severity.WARNING,
        summary="{{ $value | humanizePercentage }} of the runs of {{ $labels.graph_name }}"
        " in {{ $labels.namespace }} fail",
        description="They end as `error` or `timeout`. A stream, or a run that nobody waits for, fails"
        " without"
        " any answer of 5xx.",
        page="run-is-stuck-or-poison.md#runs-of-one-graph-fail",
    )


def _within(counter: str, fewest: int) -> str:
    # half of one less: `increase` extrapolates, so that three may be 2.9
    return f"sum by (namespace) (increase({counter}[15m])) > {fewest - 0.5:g}"
