"""What a process counts of itself, by the names of docs/contract.md, section 9.

Every metric is here and nowhere else. Labels take what is known at the start (routes, graphs, statements,
codes) and nothing that a client makes up: the number of series does not grow with the traffic.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from agent_server import __version__

disable_created_metrics()  # a second series of each counter, for its birth: a restart shows in the first

REGISTRY = CollectorRegistry()
"""All of them; the library's own registry would also hold what any imported package puts there."""

UNKNOWN = "unknown"
"""Label of a request that no route has matched."""

REQUESTS = Counter(
    "langgraph_requests_total",
    "Requests that were answered, without the probes.",
    ("method", "endpoint", "status"),
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "langgraph_request_latency_seconds",
    "Seconds from a request to the first byte of its answer's body, without the probes.",
    ("method", "endpoint"),
    buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60, 120),
    registry=REGISTRY,
)
REFUSED_REQUESTS = Counter(
    "langgraph_refused_requests_total",
    "Requests refused with 401, 403, 413, 415, 429 or 431, by the answer's code.",
    ("code",),
    registry=REGISTRY,
)
OPEN_STREAMS = Gauge("langgraph_open_streams", "Streams that are open.", registry=REGISTRY)

EXECUTIONS = Counter(
    "langgraph_graph_executions_total",
    "Executions in this process by how they ended: a run's status, handed_over, refused or lost.",
    ("graph_name", "status"),
    registry=REGISTRY,
)
EXECUTION_SECONDS = Histogram(
    "langgraph_graph_execution_seconds",
    "Seconds from the claim of a run to the end of its execution in this process.",
    ("graph_name",),
    buckets=(1, 5, 10, 30, 60, 120, 300, 600),
    registry=REGISTRY,
)
FIRST_EVENT_SECONDS = Histogram(
    "langgraph_first_event_seconds",
    "Seconds from the claim of a run to its graph's first event.",
    ("graph_name",),
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
ACTIVE_THREADS = Gauge(
    "langgraph_active_threads", "Threads with a run that this process executes.", registry=REGISTRY
)
LEASE_LOSSES = Counter(
    "langgraph_lease_losses_total", "Runs of this process that another one has taken.", registry=REGISTRY
)
TAKEOVERS = Counter(
    "langgraph_takeovers_total", "Runs of dead processes that this one has taken.", registry=REGISTRY
)

QUERY_SECONDS = Histogram(
    "langgraph_db_query_seconds",
    "Seconds of a statement's execution, without the wait for a connection.",
    ("statement",),
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10),
    registry=REGISTRY,
)
CHECKPOINT_BYTES = Histogram(
    "langgraph_checkpoint_bytes",
    "Bytes of a stored checkpoint: its own row and the channels that it changed.",
    ("graph_name",),
    buckets=[4**power * 1024 for power in range(8)],
    registry=REGISTRY,
)
CHECKPOINTS_REFUSED = Counter(
    "langgraph_checkpoints_refused_total",
    "Checkpoints whose bytes named what they may not.",
    registry=REGISTRY,
)
CONNECT_FAILURES = Counter(
    "langgraph_db_connect_failures_total",
    "Attempts to connect to the database that failed, or that had nothing to log in with.",
    registry=REGISTRY,
)
REDIS_FAILURES = Counter(
    "langgraph_redis_failures_total",
    "Calls to Redis that fell back to this process alone.",
    registry=REGISTRY,
)

TRACES_LOST = Counter(
    "langgraph_traces_lost_total", "Spans that their receiver did not take.", registry=REGISTRY
)

Gauge("langgraph_build_info", "The version that runs.", ("version",), registry=REGISTRY).labels(
    __version__
).set(1)
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)
