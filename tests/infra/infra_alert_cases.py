"""When each alert fires and when it nearly does: series as promtool takes them, and what shall be said.

A series' values are samples of every half minute: `1x40` is 1, forty times more; `0+9x40` rises by 9.
"""

from dataclasses import dataclass, field

NS = "langgraph"
DAY = 72
"""Samples a day where one is taken every twenty minutes."""

INVOKE = "/graphs/{name}/invoke"
STATE = "/graphs/{name}/state"


@dataclass(frozen=True)
class Case:
    """One stretch of time, and all that rings at its end."""

    told: str
    series: dict[str, str]
    minute: float
    rings: dict[str, list[tuple[dict[str, str], str]]] = field(default_factory=dict)
    """Alert → labels and summary of each that fires. What is not named must be silent."""
    step: str = "30s"
    """Time between two samples and between two evaluations; more for what takes days."""
    healthy: bool = True
    """Whether the series of a workload that is well are there beside these."""


def metric(name, /, namespace=NS, **labels):
    found = {"namespace": namespace, **labels}
    told = ",".join(f'{key}="{value}"' for key, value in found.items())
    return f"{name}{{{told}}}"


def here(**labels):
    return {"namespace": NS, **labels}


def well(samples):
    """A workload that is well: read, with its database, and with the pods that it shall have."""
    steady = f"1x{samples}"
    return {
        metric("langgraph_build_info", pod="a", version="1"): steady,
        metric("langgraph_db_up", pod="a"): steady,
        metric("kube_deployment_spec_replicas", deployment="agent-server"): steady,
        metric("kube_deployment_status_replicas_available", deployment="agent-server"): steady,
    }


def requests(status="200", pod="a", endpoint=INVOKE):
    return metric("langgraph_requests_total", pod=pod, method="POST", endpoint=endpoint, status=status)


def latency(per_bucket, samples, endpoint=INVOKE, pod="a"):
    """`per_bucket`: upper bound → how many requests a half minute are in it."""
    bounds = ["0.1", "0.5", "1.0", "2.0", "5.0", "10.0", "30.0", "60.0", "120.0", "+Inf"]
    name, labels, sum_ = "langgraph_request_latency_seconds", {"pod": pod, "endpoint": endpoint}, 0
    found = {}
    for bound in bounds:
        sum_ += per_bucket.get(bound, 0)
        found[metric(f"{name}_bucket", **labels, le=bound)] = f"0+{sum_}x{samples}"
    found[metric(f"{name}_count", **labels)] = f"0+{sum_}x{samples}"
    return found


def one_in(samples, length):
    """A counter that rises by one each so many samples."""
    return " ".join(str(sample // samples) for sample in range(length))


def pool(state, pod="a"):
    return metric("langgraph_db_pool_size", pod=pod, state=state)


def up(pod="a"):
    return metric("langgraph_db_up", pod=pod)


def executions(status, graph="support"):
    return metric("langgraph_graph_executions_total", pod="a", graph_name=graph, status=status)


def statements(per_bucket, samples, statement="runs.begin"):
    found, sum_ = {}, 0
    for bound in ["0.01", "0.1", "0.5", "1.0", "5.0", "10.0", "+Inf"]:
        sum_ += per_bucket.get(bound, 0)
        found[metric("langgraph_db_query_seconds_bucket", pod="a", statement=statement, le=bound)] = (
            f"0+{sum_}x{samples}"
        )
    found[metric("langgraph_db_query_seconds_count", pod="a", statement=statement)] = f"0+{sum_}x{samples}"
    return found


def checkpoints(per_bucket, samples):
    found, sum_ = {}, 0
    for bound in ["262144.0", "1048576.0", "4194304.0", "16777216.0", "+Inf"]:
        sum_ += per_bucket.get(bound, 0)
        found[metric("langgraph_checkpoint_bytes_bucket", pod="a", graph_name="document", le=bound)] = (
            f"0+{sum_}x{samples}"
        )
    return found


def replicas(wanted, there, deployment="agent-server"):
    return {
        metric("kube_deployment_spec_replicas", deployment=deployment): wanted,
        metric("kube_deployment_status_replicas_available", deployment=deployment): there,
    }


def autoscaler(now, least=3, most=10, samples=80):
    name = "kube_horizontalpodautoscaler"
    values = {"status_current_replicas": now, "spec_min_replicas": least, "spec_max_replicas": most}
    return {
        metric(f"{name}_{what}", horizontalpodautoscaler="agent-server"): f"{value}x{samples}"
        for what, value in values.items()
    }


def secret(status, name="database"):
    return metric("externalsecret_status_condition", name=name, condition="Ready", status=status)


def container(series, reason=None, pod="agent-server-7d", of="api"):
    labels = {"pod": pod, "container": of} | ({"reason": reason} if reason else {})
    return metric(f"kube_pod_container_status_{series}", **labels)


ERRORS = {requests(): "0+90x40", requests("500", "b"): "0+10x40"}
HIGH = {"LangGraphHighErrorRate": [(here(), "10% of the requests in langgraph fail")]}
OUTAGE = {
    up(): "1x20 0x40",
    requests(): "0+90x20 1800x40",
    requests("503"): "0x20 0+30x40",
    pool("free"): "5x20 0x40",
    metric("langgraph_db_connect_failures_total", pod="a"): "0x20 0+6x40",
    metric("langgraph_takeovers_total", pod="a"): "0x50 9x10",
    metric("langgraph_lease_losses_total", pod="a"): "0x50 9x10",
    metric("kube_deployment_status_replicas_available", deployment="agent-server"): "1x20 0x40",
}
"""Ten minutes well, then twenty without the database."""

AWAY = {"LangGraphDatabaseAway": [(here(), "no process in langgraph reaches the database")]}

REQUESTS = [
    Case("a workload that is well rings nothing", {}, 30),
    Case("errors of one pod count against the requests of all", ERRORS, 15, HIGH),
    Case("a few errors wake nobody", {requests(): "0+96x20", requests("503", "b"): "0x5 0+4x15"}, 5),
    Case(
        "at night two failures of three requests wake nobody",
        {requests(): one_in(10, 80), requests("500"): one_in(8, 80)},
        30,
    ),
    Case("what a client does wrong is no error", {requests(): "0+10x40", requests("422"): "0+90x40"}, 15),
    Case(
        "errors that end soon wake nobody with the first alert",
        {requests(): "0+900x40", requests("500"): "0+90x6 540x34"},
        7,
    ),
    Case(
        "a pod that is replaced takes its counts away and no alert comes of it",
        {requests(pod="old"): "500+90x20 stale", requests(pod="new"): "_x18 0+90x40"},
        15,
    ),
    Case(
        "a counter that begins anew is no fall and no failure",
        {requests(): "0+90x10 0+90x30", requests("500"): "9x10 0x30"},
        15,
    ),
    Case("nobody asks and nothing divides by nothing", {requests(): "7x80", requests("500"): "3x80"}, 30),
    Case(
        "a slow route is named",
        latency({"30.0": 10, "120.0": 10}, 40),
        15,
        {
            "LangGraphSlowResponses": [
                (here(endpoint=INVOKE), "/graphs/{name}/invoke in langgraph takes 1m 54s")
            ]
        },
    ),
    Case("a route with few slow requests is not slow", latency({"30.0": 96, "120.0": 4}, 40), 15),
    Case("a long stream is not slow", latency({"120.0": 10}, 20, endpoint="/graphs/{name}/stream"), 4),
    Case(
        "many fast requests of another route do not hide a slow one",
        latency({"30.0": 10, "120.0": 10}, 40) | latency({"0.1": 10_000}, 40, endpoint=STATE),
        15,
        {
            "LangGraphSlowResponses": [
                (here(endpoint=INVOKE), "/graphs/{name}/invoke in langgraph takes 1m 54s")
            ]
        },
    ),
    Case(
        "attachments that fail are seen among many requests that do not",
        {
            requests(): "0+9000x60",
            requests("201", endpoint="/attachments"): "0+3x60",
            requests("503", endpoint="/attachments/{attachment_id}/content"): "0+1x60",
        },
        25,
        {"LangGraphAttachmentsFail": [(here(), "25% of the requests for attachments fail in langgraph")]},
    ),
    Case(
        "attachments that are unknown or too large are the client's business",
        {
            requests("404", endpoint="/attachments"): "0+9x60",
            requests("413", endpoint="/attachments"): "0+9x60",
        },
        25,
    ),
]

OBJECTIVES = [
    Case(
        "two percent of errors use the budget up fast",
        {requests(): "0+98x160", requests("500"): "0+2x160"},
        70,
        {
            "LangGraphErrorBudgetBurnsFast": [
                (here(), "2% of the requests in langgraph fail, 99.900% shall succeed")
            ],
            "LangGraphErrorBudgetBurnsSlowly": [
                (here(), "2% of the requests in langgraph fail, 99.900% shall succeed")
            ],
        },
    ),
    Case(
        "few failures that go on are told once they use the budget up",
        {requests(): one_in(8, 200), requests("500"): one_in(8, 200)},
        75,
        {
            name: [(here(), "50% of the requests in langgraph fail, 99.900% shall succeed")]
            for name in ("LangGraphErrorBudgetBurnsFast", "LangGraphErrorBudgetBurnsSlowly")
        },
    ),
    Case(
        "where many requests fail one alert says it",
        {requests(): "0+90x160", requests("500"): "0+10x160"},
        70,
        HIGH
        | {
            "LangGraphErrorBudgetBurnsSlowly": [
                (here(), "10% of the requests in langgraph fail, 99.900% shall succeed")
            ]
        },
    ),
    Case(
        "errors that are over end the fast alert, whatever the hour before was",
        {requests(): "0+98x200", requests("500"): "0+2x100 200x100"},
        95,
        {
            "LangGraphErrorBudgetBurnsSlowly": [
                (here(), "1.063% of the requests in langgraph fail, 99.900% shall succeed")
            ]
        },
    ),
    Case(
        "two failures of a night's twenty requests are no hurry",
        {requests(): "0x20 18x140", requests("500"): "0x20 2x140"},
        70,
        {},
    ),
    Case(
        "two in a thousand for days is a ticket and wakes nobody",
        {requests(): f"0+998x{3 * DAY + 60}", requests("503"): f"0+2x{3 * DAY + 60}"},
        3 * 1440,
        {
            "LangGraphErrorBudgetBurnsSlowly": [
                (here(), "0.2% of the requests in langgraph fail, 99.900% shall succeed")
            ]
        },
        step="20m",
    ),
    Case(
        "half of what may fail is no matter",
        {requests(): f"0+9995x{3 * DAY + 60}", requests("503"): f"0+5x{3 * DAY + 60}"},
        3 * 1440,
        step="20m",
    ),
    Case(
        "requests that wait for no graph are slow",
        latency({"0.1": 80, "2.0": 20}, 160, endpoint=STATE),
        70,
        {"LangGraphLatencyBudgetBurns": [(here(), "20% of the requests in langgraph take longer than 1 s")]},
    ),
    Case(
        "an invoke lasts as long as its graph and is no latency",
        latency({"10.0": 100}, 160),
        70,
    ),
    Case("no requests at all are neither fast nor slow", latency({}, 160, endpoint=STATE), 70),
]

RUNS = [
    Case(
        "a graph that fails is named, its neighbour is not",
        {
            executions("success"): "0+2x60",
            executions("error"): "0+2x60",
            executions("success", "document"): "0+9x60",
        },
        25,
        {"LangGraphRunsFail": [(here(graph_name="support"), "50% of the runs of support in langgraph fail")]},
    ),
    Case(
        "one of two runs that failed is no share",
        {executions("error"): "0x10 1x50", executions("success"): "0x10 1x50"},
        14,
    ),
    Case(
        "what is handed over, refused or lost says nothing of the graph",
        {executions("success"): "0+9x60", executions("handed_over"): "0+9x60", executions("lost"): "0+9x60"},
        25,
    ),
    Case(
        "a run that nobody takes up is told once, though each process tells of it",
        {metric("langgraph_queue_age_seconds", pod=pod): "0+30x40" for pod in "abc"},
        15,
        {"LangGraphRunsWait": [(here(), "a run in langgraph has waited 15m 0s to begin")]},
    ),
    Case(
        "a run that waits for two minutes wakes nobody",
        {metric("langgraph_queue_age_seconds", pod="a"): "0x10 110x30"},
        15,
    ),
    Case(
        "runs of dead processes",
        {
            metric("langgraph_takeovers_total", pod="a"): "0x20 4x20",
            metric("langgraph_takeovers_total", pod="b"): "0x60",
        },
        15,
        {"LangGraphProcessesDie": [(here(), "4 runs of dead processes were taken over in langgraph")]},
    ),
    Case(
        "a run of one process that was killed",
        {metric("langgraph_takeovers_total", pod="a"): "7x20 9x20"},
        15,
    ),
    Case(
        "leases that are not renewed",
        {metric("langgraph_lease_losses_total", pod="a"): "5x20 9x20"},
        15,
        {"LangGraphLeasesLost": [(here(), "4 runs in langgraph were taken from processes that live")]},
    ),
    Case("a lease that was lost once", {metric("langgraph_lease_losses_total", pod="a"): "5x20 6x20"}, 15),
    Case(
        "a checkpoint that was refused",
        {metric("langgraph_checkpoints_refused_total", pod="a"): "0x20 1x20"},
        15,
        {"LangGraphCheckpointsRefused": [(here(), "checkpoints in langgraph name types that they may not")]},
    ),
    Case("a refusal of yesterday", {metric("langgraph_checkpoints_refused_total", pod="a"): "1x80"}, 30),
    Case(
        "nobody has answered for days",
        {metric("langgraph_interrupt_age_seconds", pod=pod): "259230+30x60" for pod in "ab"},
        20,
        {"LangGraphAnswersOverdue": [(here(), "a run in langgraph has waited 3d 0h 20m 30s for a person")]},
    ),
    Case("a weekend", {metric("langgraph_interrupt_age_seconds", pod="a"): "172800+30x60"}, 20),
]

DATABASE = [
    Case("the database is away and one page rings, of all that follows", OUTAGE, 20, AWAY),
    Case(
        "it is back and what it left behind rings nothing",
        OUTAGE
        | {
            up(): "1x20 0x10 1x40",
            requests("503"): "0x20 0+30x10 300x40",
            requests(): "0+90x20 1800x10 1800+90x40",
            pool("free"): "5x20 0x10 5x40",
            metric("langgraph_db_connect_failures_total", pod="a"): "0x20 0+6x10 60x40",
            metric("langgraph_takeovers_total", pod="a"): "0x31 9x40",
            metric("langgraph_lease_losses_total", pod="a"): "0x31 9x40",
            metric("kube_deployment_status_replicas_available", deployment="agent-server"): "1x20 0x10 1x40",
        },
        20.5,
    ),
    Case("a failover of half a minute wakes nobody", {up(): "1x20 0 0 1x40"}, 12),
    Case(
        "one process of two is without it",
        {up(): "1x40", up("b"): "1x10 0x40"},
        15,
        {
            "LangGraphProcessWithoutDatabase": [
                (here(pod="b"), "b in langgraph does not reach the database, others do")
            ]
        },
    ),
    Case("a process that begins has none yet", {up(): "1x40", up("b"): "_x20 0 0 0 1x40"}, 12),
    Case(
        "one pod without a connection is told after a minute",
        {pool("free"): "5 5 0x40", pool("used"): "0 0 20x40", pool("free", "b"): "5x40"},
        5,
        {
            "LangGraphDatabasePoolExhausted": [
                (here(pod="a"), "a in langgraph has no free database connection")
            ]
        },
    ),
    Case("a moment without a free connection", {pool("free"): "5 0 5x40"}, 1),
    Case(
        "the only process of a small stack is busy and not exhausted",
        {pool("free"): "1x40", pool("used"): "4x40"},
        15,
    ),
    Case(
        "requests wait again and again",
        {
            metric(
                "langgraph_db_pool_waiting", pod="a"
            ): "0 3 0 3 0 3 0 3 0 3 0 3 0 3 0 3 0 3 0 3 0 3 0 3 0 3 0 3 0 3 0 3 0 3 0 3 0 3 0 3"
        },
        18,
        {
            "LangGraphDatabasePoolWaiting": [
                (here(pod="a"), "requests wait for a database connection of a in langgraph")
            ]
        },
    ),
    Case("requests waited once", {metric("langgraph_db_pool_waiting", pod="a"): "0x10 4 0x40"}, 8),
    Case(
        "new logins are refused while open connections work",
        {metric("langgraph_db_connect_failures_total", pod="a"): "0x4 0+15x40"},
        12,
        {
            "LangGraphDatabaseLoginsFail": [
                (here(pod="a"), "a in langgraph gets no new connection to a database that works")
            ]
        },
    ),
    Case(
        "one attempt to connect that failed and was repeated",
        {metric("langgraph_db_connect_failures_total", pod="a"): "0x4 3x40"},
        12,
    ),
    Case(
        "a slow statement is named",
        statements({"0.01": 50, "5.0": 50}, 80),
        25,
        {"LangGraphSlowStatements": [(here(statement="runs.begin"), "runs.begin takes 4.6s in langgraph")]},
    ),
    Case("a statement that is slow now and then", statements({"0.01": 97, "5.0": 3}, 80), 25),
    Case("a sweep may take its time", statements({"5.0": 50}, 80, "retention.ended"), 25),
    Case(
        "a statement of which there are hardly any",
        statements({}, 80)
        | {
            metric("langgraph_db_query_seconds_bucket", pod="a", statement="keys.list", le="5.0"): "0+1x80",
            metric("langgraph_db_query_seconds_bucket", pod="a", statement="keys.list", le="+Inf"): "0+1x80",
            metric("langgraph_db_query_seconds_count", pod="a", statement="keys.list"): "0x20 0+0.5x60",
        },
        25,
    ),
    Case(
        "checkpoints of megabytes",
        checkpoints({"262144.0": 50, "4194304.0": 50}, 200),
        70,
        {
            "LangGraphCheckpointsLarge": [
                (here(graph_name="document"), "checkpoints of document in langgraph have 3.7MiB")
            ]
        },
    ),
    Case("checkpoints of which a few are large", checkpoints({"262144.0": 96, "4194304.0": 4}, 200), 70),
    Case(
        "a database that doubles",
        {
            metric(
                "langgraph_db_size_bytes", pod=pod, part="checkpoints"
            ): f"8589934592x{DAY} 17179869184x200"
            for pod in "ab"
        },
        1440 + 80,
        {"LangGraphDatabaseGrows": [(here(), "the database of langgraph has grown by 8GiB in a day")]},
        step="20m",
    ),
    Case(
        "a young database that doubles",
        {metric("langgraph_db_size_bytes", pod="a", part="checkpoints"): f"1073741824x{DAY} 2147483648x20"},
        1440 + 80,
        step="20m",
    ),
    Case(
        "a large database that grows as ever",
        {
            metric(
                "langgraph_db_size_bytes", pod="a", part="checkpoints"
            ): f"107374182400x{DAY} 128849018880x200"
        },
        1440 + 80,
        step="20m",
    ),
    Case(
        "a certificate with twenty days left",
        {metric("langgraph_db_certificate_expiry_timestamp_seconds", pod="a"): f"{20 * 86400}x20"},
        72,
        {
            "LangGraphDatabaseCertificateExpires": [
                (here(), "the database's certificate is over in 19d 22h 48m 0s (langgraph)")
            ]
        },
        step="4m",
    ),
    Case(
        "a certificate with a month left",
        {metric("langgraph_db_certificate_expiry_timestamp_seconds", pod="a"): f"{30 * 86400}x20"},
        72,
        step="4m",
    ),
    Case(
        "a certificate with two days left",
        {metric("langgraph_db_certificate_expiry_timestamp_seconds", pod="a"): f"{2 * 86400}x20"},
        72,
        {
            "LangGraphDatabaseCertificateExpires": [
                (here(), "the database's certificate is over in 1d 22h 48m 0s (langgraph)")
            ],
            "LangGraphDatabaseCertificateExpiresSoon": [
                (here(), "the database's certificate is over in 1d 22h 48m 0s (langgraph)")
            ],
        },
        step="4m",
    ),
]

UP = metric("up", job="agent-server", pod="b")
PROCESSES = [
    Case(
        "nothing is read at all",
        replicas("1x40", "1x40"),
        10,
        {"LangGraphNotScraped": [(here(), "Prometheus reads no process of langgraph")]},
        healthy=False,
    ),
    Case(
        "no pod is ready and that is the one alert",
        replicas("1x40", "0x40"),
        10,
        {
            "LangGraphNoPods": [
                (here(deployment="agent-server"), "no pod of agent-server in langgraph is ready")
            ]
        },
        healthy=False,
    ),
    Case(
        "a process hangs",
        {UP: "1x10 0x40"},
        15,
        {"LangGraphProcessNotScraped": [(here(pod="b"), "b in langgraph does not answer Prometheus")]},
    ),
    Case("a pod goes, and is not missed", {UP: "1x10 0 0 0 stale"}, 15),
    Case("somebody else's target is not ours", {metric("up", job="postgres", pod="b"): "0x40"}, 15),
    Case(
        "Redis is away",
        {metric("langgraph_redis_failures_total", pod="a"): "0+1x40"},
        15,
        {"LangGraphRedisAway": [(here(), "Redis is away in langgraph")]},
    ),
    Case("Redis restarted", {metric("langgraph_redis_failures_total", pod="a"): "0x5 3x40"}, 9),
    Case(
        "spans are lost",
        {metric("langgraph_traces_lost_total", pod="a"): "0+10x80"},
        35,
        {"LangGraphTracesLost": [(here(), "300 spans of langgraph were lost within 15 minutes")]},
    ),
    Case("spans were lost in a moment", {metric("langgraph_traces_lost_total", pod="a"): "0x5 512x80"}, 17),
]

CRASHING = "the containers of a pod crash"
CLUSTER = [
    Case(
        "a pod is missing",
        replicas("3x60", "2x60"),
        20,
        {
            "LangGraphTooFewPods": [
                (here(deployment="agent-server"), "1 pods of agent-server in langgraph are missing")
            ]
        },
    ),
    Case("a rollout takes a while", replicas("3x60", "3x10 2x20 3x30"), 14),
    Case("one replica is replaced without a gap", replicas("1x60", "1x60"), 20),
    Case(
        "workers that are switched off are not missing", replicas("0x60", "0x60", "agent-server-worker"), 20
    ),
    Case(
        "no worker is ready",
        replicas("1x60", "0x60", "agent-server-worker"),
        5,
        {
            "LangGraphNoPods": [
                (
                    here(deployment="agent-server-worker"),
                    "no pod of agent-server-worker in langgraph is ready",
                )
            ]
        },
    ),
    Case("somebody else's Deployment", replicas("3x60", "0x60", "website"), 20),
    Case(
        "a container crashes again and again",
        {container("waiting_reason", "CrashLoopBackOff"): "1 _ _ _ 1 _ _ _ 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"},
        11,
        {
            "LangGraphContainerCrashLoops": [
                (
                    here(pod="agent-server-7d", container="api"),
                    "api of agent-server-7d in langgraph crashes again and again",
                )
            ]
        },
    ),
    Case("a container that pulls its image", {container("waiting_reason", "ContainerCreating"): "1x40"}, 11),
    Case(
        "a container was killed for its memory",
        {
            container("restarts_total"): "0x10 1x30",
            container("last_terminated_reason", "OOMKilled"): "_x10 1x30",
        },
        10,
        {
            "LangGraphOutOfMemory": [
                (
                    here(pod="agent-server-7d", container="api"),
                    "api of agent-server-7d in langgraph was killed: too much memory",
                )
            ]
        },
    ),
    Case(
        "it was killed yesterday",
        {container("restarts_total"): "1x80", container("last_terminated_reason", "OOMKilled"): "1x80"},
        30,
    ),
    Case(
        "it ended for another reason",
        {container("restarts_total"): "0x10 1x30", container("last_terminated_reason", "Error"): "1x40"},
        10,
    ),
    Case(
        "the autoscaler is at its maximum",
        autoscaler(10),
        20,
        {
            "LangGraphAutoscalerAtMaximum": [
                (
                    here(horizontalpodautoscaler="agent-server"),
                    "agent-server in langgraph has 10 pods and may not add any",
                )
            ]
        },
    ),
    Case("the autoscaler has one more", autoscaler(9), 20),
    Case("a number of pods that is fixed", autoscaler(1, 1, 1), 20),
    Case(
        "the autoscaler sees nothing",
        {
            metric(
                "kube_horizontalpodautoscaler_status_condition",
                horizontalpodautoscaler="agent-server",
                condition="ScalingActive",
                status="false",
            ): "1x80"
        },
        20,
        {
            "LangGraphAutoscalerBlind": [
                (
                    here(horizontalpodautoscaler="agent-server"),
                    "agent-server in langgraph cannot see the load",
                )
            ]
        },
    ),
    Case(
        "the autoscaler may not add more than it does",
        {
            metric(
                "kube_horizontalpodautoscaler_status_condition",
                horizontalpodautoscaler="agent-server",
                condition="ScalingLimited",
                status="true",
            ): "1x80"
        },
        20,
    ),
    Case(
        "a migration failed",
        {metric("kube_job_failed", job_name="agent-migrate-0123456789ab", condition="true"): "1x20"},
        2,
        {
            "LangGraphMigrationFailed": [
                (
                    here(job_name="agent-migrate-0123456789ab"),
                    "the migration agent-migrate-0123456789ab in langgraph has failed",
                )
            ]
        },
    ),
    Case(
        "a migration that did not fail, and somebody else's Job that did",
        {
            metric("kube_job_failed", job_name="agent-migrate-0123456789ab", condition="false"): "1x20",
            metric("kube_job_failed", job_name="backup-1", condition="true"): "1x20",
        },
        2,
    ),
    Case(
        "the sweeps have not succeeded for hours",
        {
            metric("kube_cronjob_status_last_successful_time", cronjob="agent-server-retention"): "0x400",
            metric("kube_cronjob_created", cronjob="agent-server-retention"): "0x400",
        },
        132,
        {
            "LangGraphRetentionLate": [
                (here(cronjob="agent-server-retention"), "nothing has been swept in langgraph for 2h 12m 0s")
            ]
        },
        step="4m",
    ),
    Case(
        "the sweeps never succeeded",
        {metric("kube_cronjob_created", cronjob="agent-server-retention"): "0x400"},
        132,
        {
            "LangGraphRetentionLate": [
                (here(cronjob="agent-server-retention"), "nothing has been swept in langgraph for 2h 12m 0s")
            ]
        },
        step="4m",
    ),
    Case(
        "the sweeps succeeded an hour ago",
        {metric("kube_cronjob_status_last_successful_time", cronjob="agent-server-retention"): "4200x400"},
        132,
        step="4m",
    ),
    Case(
        "a secret is not renewed",
        {secret("False"): "1x60", secret("True"): "0x60", secret("True", "env"): "1x60"},
        20,
        {
            "LangGraphSecretNotSynced": [
                (here(name="database"), "the secret database in langgraph is not renewed")
            ]
        },
    ),
    Case(
        "the store was away for a while",
        {secret("False"): "0x10 1x20 0x30", secret("True"): "1x10 0x20 1x30"},
        14,
    ),
    Case(
        "Kubernetes is not watched",
        {metric("langgraph_build_info", pod="a"): "1x60"},
        20,
        {
            "LangGraphClusterNotWatched": [
                (here(), "Prometheus knows nothing of the Deployments in langgraph")
            ]
        },
        healthy=False,
    ),
]

CASES = [*REQUESTS, *OBJECTIVES, *RUNS, *DATABASE, *PROCESSES, *CLUSTER]
