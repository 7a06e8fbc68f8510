"""`LangGraph: service`, for whoever is on call: is it well, for whom is it not, and what is short?"""

from langgraph_components.pure.alerting.objectives import FAST
from langgraph_components.pure.alerting.rule import Limits
from langgraph_components.pure.dashboards import pods
from langgraph_components.pure.dashboards.board import Board, firing
from langgraph_components.pure.dashboards.panels import (
    BAD,
    GOOD,
    NEUTRAL,
    WARNING,
    Panel,
    Query,
    Row,
    Step,
    Style,
    figure,
    graph,
    heat,
    listing,
)
from langgraph_components.pure.dashboards.promql import SHOWN, highest, increase, of, quantile, rate, share_of

FAILED = 'status=~"5.."'

_REQUESTS = "langgraph_requests_total"
_LATENCY = "langgraph_request_latency_seconds"
_EXECUTIONS = "langgraph_graph_executions_total"
_BY_STATUS = {"^2": GOOD, "^3": NEUTRAL, "^4": "yellow", "^5": BAD}
_BY_END = {
    "success": GOOD,
    "interrupted": NEUTRAL,
    "error": BAD,
    "timeout": WARNING,
    "poison": "dark-red",
    "cancelled": "yellow",
    "handed_over": "purple",
}


def service(limits: Limits, *, kubernetes: bool) -> Board:
    """With what Kubernetes tells of the pods, or without; the limits are those of the alerts."""
    rows = (
        Row("Now", (*_objective(limits), *_now(limits))),
        Row("Requests", _requests(limits)),
        Row("Latency", _latency(limits)),
        Row("Runs", _runs(limits)),
        Row("Processes and their database", pods.processes()),
    )
    return Board(
        uid="langgraph-service",
        title="LangGraph: service",
        about="For whoever is on call: is it well, for whom is it not, and what is short?",
        rows=(*rows, Row("Kubernetes", pods.kubernetes())) if kubernetes else rows,
        rollouts=pods.ROLLOUTS if kubernetes else None,
    )


def _objective(limits: Limits) -> tuple[Panel, ...]:
    errors = share_of(_REQUESTS, FAILED, window=SHOWN)
    return (
        figure(
            "Availability",
            "percentunit",
            "Share of the requests of the time shown that were not answered with 5xx."
            f" The objective is {limits.availability:.3%}.",
            Query(f"1 - {errors}", instant=True),
            steps=(Step(1 - limits.error_share, WARNING), Step(limits.availability, GOOD)),
            base=BAD,
            empty="no requests",
            decimals=2,
            page="many-errors",
        ),
        figure(
            "Error budget left",
            "percentunit",
            f"Of the {1 - limits.availability:.3%} of the requests of the time shown that may fail. Below 0"
            " the objective is missed. Choose 30 days above to see a month's.",
            Query(f"1 - {errors} / {_allowed(limits)}", instant=True),
            steps=(Step(0, WARNING), Step(0.25, GOOD)),
            base=BAD,
            empty="no requests",
            decimals=0,
            page="many-errors",
        ),
    )


def _now(limits: Limits) -> tuple[Panel, ...]:
    return (
        figure(
            "Requests",
            "reqps",
            "Answered requests a second, the probes not counted.",
            Query(rate(_REQUESTS)),
            base=NEUTRAL,
        ),
        figure(
            "Latency, p95",
            "s",
            "What 19 of 20 requests stay below, of all routes; of a stream until its first byte.",
            Query(quantile(0.95, _LATENCY)),
            steps=(Step(limits.slow_seconds / 3, WARNING), Step(limits.slow_seconds)),
            page="slow-responses",
        ),
        figure(
            "Runs that wait",
            "short",
            "Runs of the whole database that no process has begun. A few for moments are a busy service.",
            Query(highest("langgraph_runs", 'status="pending"')),
            base=NEUTRAL,
            page="runs-wait",
        ),
        figure(
            "Oldest of them",
            "s",
            "How long the one has waited that could have begun first. Near 0, unless processes are too few.",
            Query(highest("langgraph_queue_age_seconds")),
            steps=(Step(limits.queue_seconds / 4, WARNING), Step(limits.queue_seconds)),
            page="runs-wait",
        ),
        figure(
            "Processes",
            "short",
            "Processes that Prometheus reaches: API and workers.",
            Query(f"count({of('langgraph_build_info')})"),
            base=NEUTRAL,
            empty="none",
            page="not-scraped",
        ),
        figure(
            "Alerts",
            "short",
            "Rules of ours that fire now. The table in the next row names them.",
            Query(f"count({firing()}) or vector(0)"),
            steps=(Step(1),),
        ),
    )


def _requests(limits: Limits) -> tuple[Panel, ...]:
    return (
        graph(
            "Requests by status",
            "reqps",
            "4xx are the clients' own, 5xx are ours.",
            Query(rate(_REQUESTS, by=("status",)), "{{status}}"),
            style=Style(stacked=True, colours=_BY_STATUS),
        ),
        graph(
            "Share that fails",
            "percentunit",
            f"Requests answered with 5xx. Above {limits.error_share:.0%} for 5 minutes the alert rings.",
            Query(share_of(_REQUESTS, FAILED), "5xx"),
            limit=Step(limits.error_share),
            style=Style(colours={"5xx": BAD}),
            page="many-errors",
        ),
        _burning(limits),
        graph(
            "Failing routes",
            "reqps",
            "Which requests are answered with 5xx.",
            Query(rate(_REQUESTS, FAILED, by=("endpoint", "status")), "{{status}} {{endpoint}}"),
            page="many-errors",
        ),
        graph(
            "Refused requests",
            "reqps",
            "401, 403, 413, 415, 429, 431 by their code: a wrong key, too many requests, a body too large.",
            Query(rate("langgraph_refused_requests_total", by=("code",)), "{{code}}"),
            page="limits",
        ),
        listing(
            "Alerts that fire",
            "Each one's annotations name the page that says what to do.",
            firing(),
            hidden=("alertstate", "job", "prometheus"),
            empty="none",
            width=8,
        ),
    )


def _burning(limits: Limits) -> Panel:
    burns = [
        Query(f"{share_of(_REQUESTS, FAILED, window=burn.long)} / {_allowed(limits)}", f"over {burn.long}")
        for burn in FAST
    ]
    most = FAST[0]
    return graph(
        "How fast the error budget is spent",
        "short",
        f"1 spends just what the objective leaves, {1 - limits.availability:.3%} of the requests;"
        f" {most.factor:g} for {most.long} wakes somebody: a month's would last two days.",
        *burns,
        limit=Step(most.factor),
        page="many-errors",
    )


def _latency(limits: Limits) -> tuple[Panel, ...]:
    return (
        graph(
            "Latency by route, p95",
            "s",
            "What 19 of 20 requests of a route stay below; of a stream until its first byte."
            f" Above {limits.slow_seconds:g} s for 5 minutes the alert rings.",
            Query(quantile(0.95, _LATENCY, by=("endpoint",)), "{{endpoint}}"),
            limit=Step(limits.slow_seconds),
            page="slow-responses",
        ),
        graph(
            "Latency of all routes",
            "s",
            "An `invoke` lasts as long as its run: what the graphs do shows here, too.",
            *_quantiles(_LATENCY),
            page="slow-responses",
        ),
        heat(
            "Requests by their latency",
            "s",
            "Each column is all requests of its time: darker is more.",
            Query(increase(f"{_LATENCY}_bucket", by=("le",)), "{{le}}", shape="heatmap"),
        ),
    )


def _quantiles(histogram: str) -> list[Query]:
    return [Query(quantile(share, histogram), f"p{share:.0%}".rstrip("%")) for share in (0.5, 0.95, 0.99)]


def _runs(limits: Limits) -> tuple[Panel, ...]:
    return (
        graph(
            "Runs that wait, runs at work",
            "short",
            "Of the whole database: every process tells the same.",
            Query(highest("langgraph_runs", by=("status",)), "{{status}}"),
            page="runs-wait",
        ),
        graph(
            "How long the oldest has waited",
            "s",
            "Runs wait while every process has all that it takes, or while there is none.",
            Query(highest("langgraph_queue_age_seconds"), "oldest pending run"),
            limit=Step(limits.queue_seconds),
            page="runs-wait",
        ),
        graph(
            "Runs that end",
            "ops",
            "By how they ended. `interrupted` wait for a person; `handed_over` go on in another process.",
            Query(rate(_EXECUTIONS, by=("status",)), "{{status}}"),
            style=Style(stacked=True, colours=_BY_END),
            page="run-is-stuck-or-poison",
        ),
        graph(
            "Takeovers and lost leases",
            "short",
            "Runs of dead processes that others took, and runs that a process lost because it was silent too"
            " long. A rollout causes none.",
            Query(increase("langgraph_takeovers_total"), "taken over"),
            Query(increase("langgraph_lease_losses_total"), "lost"),
            style=Style(bars=True, colours={"taken": WARNING, "lost": BAD}),
            page="processes-die",
        ),
        graph(
            "Threads at work",
            "short",
            "Threads with a run that the process executes.",
            Query(f"sum by (pod) ({of('langgraph_active_threads')})", "{{pod}}"),
            style=Style(stacked=True),
        ),
        graph(
            "Open streams",
            "short",
            "Clients that listen to a run.",
            Query(f"sum by (pod) ({of('langgraph_open_streams')})", "{{pod}}"),
            style=Style(stacked=True),
            page="stream-and-reconnect",
        ),
    )


def _allowed(limits: Limits) -> str:
    """The share that may fail, without the noise of a binary fraction."""
    return f"{1 - limits.availability:.6g}"
