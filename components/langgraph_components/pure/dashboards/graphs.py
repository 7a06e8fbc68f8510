"""`LangGraph: graphs and database`, for whoever owns graphs: how long, how often wrong, how large, why?"""

from collections.abc import Callable
from functools import partial

from langgraph_components.pure.alerting.rule import Limits
from langgraph_components.pure.dashboards.board import Board, choice
from langgraph_components.pure.dashboards.panels import (
    BAD,
    GOOD,
    NEUTRAL,
    WARNING,
    Column,
    Panel,
    Query,
    Row,
    Step,
    Style,
    figure,
    graph,
    heat,
    table,
)
from langgraph_components.pure.dashboards.promql import (
    SHOWN,
    highest,
    increase,
    mean,
    of,
    quantile,
    rate,
    share_of,
    top,
)

FAILED = 'status=~"error|timeout|poison"'
"""Ends that are the graph's fault, or its time's; who cancels wanted to."""

CHOSEN = 'graph_name=~"$graph"'
_EXECUTIONS = "langgraph_graph_executions_total"
_SECONDS = "langgraph_graph_execution_seconds"
_FIRST = "langgraph_first_event_seconds"
_BYTES = "langgraph_checkpoint_bytes"
_QUERY = "langgraph_db_query_seconds"
_GRAPH = ("graph_name",)
_MOST = 10
"""Statements that are shown: of some forty, those that matter."""


def graphs(limits: Limits) -> Board:
    """The dashboard; the limits are those of the alerts."""
    return Board(
        uid="langgraph-graphs",
        title="LangGraph: graphs and database",
        about="For whoever owns graphs: how long, how often wrong, how large, and why?",
        rows=(
            Row("Graphs", (*_figures(limits), *_database_figures(limits), _each_graph(limits))),
            Row("Executions", _executions(limits)),
            Row("Checkpoints", _checkpoints(limits)),
            Row("Database", _database(limits)),
        ),
        variables=(choice("graph", "Graph", "label_values(langgraph_graph_executions_total, graph_name)"),),
    )


def _figures(limits: Limits) -> tuple[Panel, ...]:
    return (
        figure(
            "Executions",
            "short",
            "Of the chosen graphs in the time shown; an answer to a question begins one, too.",
            Query(increase(_EXECUTIONS, CHOSEN, window=SHOWN), instant=True),
            base=NEUTRAL,
            decimals=0,
            empty="none",
        ),
        figure(
            "Failed",
            "percentunit",
            "Share of them that ended as error, timeout or poison.",
            Query(share_of(_EXECUTIONS, FAILED, CHOSEN, window=SHOWN), instant=True),
            steps=(Step(limits.run_failure_share / 4, WARNING), Step(limits.run_failure_share)),
            decimals=1,
            empty="none",
            page="run-is-stuck-or-poison",
        ),
        figure(
            "Stop for a person",
            "percentunit",
            "Share of them that ended with a question.",
            Query(share_of(_EXECUTIONS, 'status="interrupted"', CHOSEN, window=SHOWN), instant=True),
            base=NEUTRAL,
            decimals=0,
            empty="none",
            page="approve-and-audit",
        ),
        figure(
            "Duration, p95",
            "s",
            "What 19 of 20 executions stay below.",
            Query(quantile(0.95, _SECONDS, CHOSEN)),
            base=NEUTRAL,
            page="slow-responses",
        ),
        figure(
            "First event, p95",
            "s",
            "From the claim of a run to its graph's first event: what somebody who watches waits for.",
            Query(quantile(0.95, _FIRST, CHOSEN)),
            steps=(Step(2.5, WARNING), Step(10)),
            page="slow-responses",
        ),
        figure(
            "Checkpoint, p95",
            "bytes",
            "Bytes of a checkpoint: its row and the channels that it changed.",
            Query(quantile(0.95, _BYTES, CHOSEN)),
            steps=(Step(limits.checkpoint_bytes / 4, WARNING), Step(limits.checkpoint_bytes)),
            page="database-grows",
        ),
    )


def _database_figures(limits: Limits) -> tuple[Panel, ...]:
    return (
        figure(
            "Statements",
            "ops",
            "Statements a second, of all processes.",
            Query(rate(f"{_QUERY}_count")),
            base=NEUTRAL,
        ),
        figure(
            "Statement, p95",
            "s",
            "What 19 of 20 statements stay below, without the wait for a connection.",
            Query(quantile(0.95, _QUERY)),
            steps=(Step(limits.statement_seconds / 5, WARNING), Step(limits.statement_seconds)),
            page="slow-statements",
        ),
    )


def _each_graph(limits: Limits) -> Panel:
    return table(
        "Each graph",
        "Of the time shown. What fails is red from the share on from which it alarms.",
        ("graph_name", "Graph"),
        (
            Column("Executions", "short", increase(_EXECUTIONS, CHOSEN, by=_GRAPH, window=SHOWN)),
            Column(
                "Failed",
                "percentunit",
                share_of(_EXECUTIONS, FAILED, CHOSEN, by=_GRAPH, window=SHOWN),
                Step(limits.run_failure_share),
            ),
            Column(
                "Stop for a person",
                "percentunit",
                share_of(_EXECUTIONS, 'status="interrupted"', CHOSEN, by=_GRAPH, window=SHOWN),
            ),
            Column("Duration, mean", "s", mean(_SECONDS, CHOSEN, by=_GRAPH, window=SHOWN)),
            Column("Duration, p95", "s", quantile(0.95, _SECONDS, CHOSEN, by=_GRAPH, window=SHOWN)),
            Column("First event, p95", "s", quantile(0.95, _FIRST, CHOSEN, by=_GRAPH, window=SHOWN)),
            Column("Checkpoint, mean", "bytes", mean(_BYTES, CHOSEN, by=_GRAPH, window=SHOWN)),
            Column("Stored", "bytes", increase(f"{_BYTES}_sum", CHOSEN, by=_GRAPH, window=SHOWN)),
        ),
    )


def _executions(limits: Limits) -> tuple[Panel, ...]:
    return (
        graph(
            "Executions by graph",
            "ops",
            "How many end a second.",
            Query(rate(_EXECUTIONS, CHOSEN, by=_GRAPH), "{{graph_name}}"),
            style=Style(stacked=True),
        ),
        graph(
            "How they end",
            "ops",
            "`interrupted` wait for a person; `handed_over` go on in another process.",
            Query(rate(_EXECUTIONS, CHOSEN, by=("status",)), "{{status}}"),
            style=Style(
                stacked=True,
                colours={"success": GOOD, "interrupted": NEUTRAL, "error": BAD, "timeout": WARNING},
            ),
        ),
        graph(
            "Share that fails, by graph",
            "percentunit",
            "Executions that ended as error, timeout or poison.",
            Query(share_of(_EXECUTIONS, FAILED, CHOSEN, by=_GRAPH), "{{graph_name}}"),
            limit=Step(limits.run_failure_share),
            page="run-is-stuck-or-poison",
        ),
        graph(
            "Duration by graph, p50 and p95",
            "s",
            "From the claim to the end of the execution; the time that a person takes is in none.",
            Query(quantile(0.5, _SECONDS, CHOSEN, by=_GRAPH), "{{graph_name}} p50"),
            Query(quantile(0.95, _SECONDS, CHOSEN, by=_GRAPH), "{{graph_name}} p95"),
            page="slow-responses",
        ),
        heat(
            "Executions by their duration",
            "s",
            "Each column is all executions of its time: darker is more.",
            Query(increase(f"{_SECONDS}_bucket", CHOSEN, by=("le",)), "{{le}}", shape="heatmap"),
        ),
        graph(
            "First event by graph, p95",
            "s",
            "From the claim of a run to its graph's first event.",
            Query(quantile(0.95, _FIRST, CHOSEN, by=_GRAPH), "{{graph_name}}"),
            page="slow-responses",
        ),
        graph(
            "Questions to people",
            "ops",
            "Executions that stop with a question, by graph.",
            Query(rate(_EXECUTIONS, 'status="interrupted"', CHOSEN, by=_GRAPH), "{{graph_name}}"),
            page="approve-and-audit",
        ),
        graph(
            "Oldest question",
            "s",
            "How long the thread has waited for a person that has waited longest; of all graphs.",
            Query(highest("langgraph_interrupt_age_seconds"), "oldest question"),
            limit=Step(limits.interrupt_hours * 3600),
            page="approve-and-audit",
        ),
        graph(
            "Refused requests",
            "reqps",
            "401, 403, 413, 415, 429 and 431 by their code.",
            Query(rate("langgraph_refused_requests_total", by=("code",)), "{{code}}"),
            page="limits",
        ),
    )


def _checkpoints(limits: Limits) -> tuple[Panel, ...]:
    return (
        graph(
            "Checkpoint by graph, p95",
            "bytes",
            "A state that grows without end shows here first.",
            Query(quantile(0.95, _BYTES, CHOSEN, by=_GRAPH), "{{graph_name}}"),
            limit=Step(limits.checkpoint_bytes),
            width=6,
            page="database-grows",
        ),
        graph(
            "Stored a second, by graph",
            "Bps",
            "What the checkpoints add to the database before retention takes from it.",
            Query(rate(f"{_BYTES}_sum", CHOSEN, by=_GRAPH), "{{graph_name}}"),
            style=Style(stacked=True),
            width=6,
            page="database-grows",
        ),
        graph(
            "Checkpoints of an execution",
            "short",
            "How many an execution stores: its supersteps.",
            Query(
                f"{rate(f'{_BYTES}_count', CHOSEN, by=_GRAPH)}"
                f" / ({rate(_EXECUTIONS, CHOSEN, by=_GRAPH)} > 0)",
                "{{graph_name}}",
            ),
            width=6,
        ),
        graph(
            "Refused checkpoints",
            "short",
            "Stored bytes that named a type which the state does not: those of an older version of a graph,"
            " or of somebody who writes to the tables.",
            Query(increase("langgraph_checkpoints_refused_total", by=("pod",)), "{{pod}}"),
            style=Style(bars=True, colours={".*": BAD}),
            width=6,
            page="serve-your-own-graphs",
        ),
    )


def _database(limits: Limits) -> tuple[Panel, ...]:
    return (
        graph(
            "Where the database's time goes",
            "s",
            f"Seconds of execution a second by statement, the {_MOST} greatest.",
            Query(_most(rate, f"{_QUERY}_sum"), "{{statement}}"),
            style=Style(stacked=True),
            width=12,
            page="slow-statements",
        ),
        graph(
            "Statements, p95",
            "s",
            f"The {_MOST} slowest.",
            Query(_most(partial(quantile, 0.95), _QUERY), "{{statement}}"),
            limit=Step(limits.statement_seconds),
            width=12,
            page="slow-statements",
        ),
        graph(
            "Statements a second",
            "ops",
            f"The {_MOST} most frequent.",
            Query(_most(rate, f"{_QUERY}_count"), "{{statement}}"),
            style=Style(stacked=True),
            width=6,
        ),
        heat(
            "Statements by their time",
            "s",
            "Each column is all statements of its time: darker is more.",
            Query(increase(f"{_QUERY}_bucket", by=("le",)), "{{le}}", shape="heatmap"),
            width=6,
        ),
        graph(
            "Connections",
            "short",
            "Of all pools. Free are those, too, that could still be opened.",
            Query(f"sum by (state) ({of('langgraph_db_pool_size')})", "{{state}}"),
            Query(f"sum({of('langgraph_db_pool_waiting')})", "requests that wait"),
            style=Style(colours={"wait": BAD}),
            width=6,
            page="pool-exhausted",
        ),
        graph(
            "Size on disk",
            "bytes",
            "Of the whole database. What grows for ever, retention does not reach.",
            Query(highest("langgraph_db_size_bytes", by=("part",)), "{{part}}"),
            style=Style(stacked=True),
            width=6,
            page="database-grows",
        ),
    )


def _most(query: Callable[..., str], metric: str) -> str:
    """Of the statements those that matter, by what is asked for."""
    by = ("statement",)
    return top(_MOST, query(metric, by=by), *by, query(metric, by=by, window=SHOWN))
