"""The server's metrics, by name: rules and dashboards ask for nothing else of it."""

METRICS: dict[str, tuple[str, ...]] = {
    "langgraph_requests_total": ("method", "endpoint", "status"),
    "langgraph_request_latency_seconds": ("method", "endpoint"),
    "langgraph_graph_executions_total": ("graph_name", "status"),
    "langgraph_graph_execution_seconds": ("graph_name",),
    "langgraph_active_threads": (),
    "langgraph_db_pool_size": ("state",),
    "langgraph_db_pool_waiting": (),
    "langgraph_db_query_seconds": ("statement",),
    "langgraph_db_up": (),
    "langgraph_db_connect_failures_total": (),
    "langgraph_db_size_bytes": ("part",),
    "langgraph_db_certificate_expiry_timestamp_seconds": (),
    "langgraph_runs": ("status",),
    "langgraph_queue_age_seconds": (),
    "langgraph_interrupt_age_seconds": (),
    "langgraph_lease_losses_total": (),
    "langgraph_takeovers_total": (),
    "langgraph_first_event_seconds": ("graph_name",),
    "langgraph_checkpoint_bytes": ("graph_name",),
    "langgraph_checkpoints_refused_total": (),
    "langgraph_open_streams": (),
    "langgraph_refused_requests_total": ("code",),
    "langgraph_redis_failures_total": (),
    "langgraph_traces_lost_total": (),
    "langgraph_build_info": ("version",),
}
"""Metric → labels: the table of docs/contract.md, section 9."""

HISTOGRAMS = (
    "langgraph_request_latency_seconds",
    "langgraph_graph_execution_seconds",
    "langgraph_db_query_seconds",
    "langgraph_first_event_seconds",
    "langgraph_checkpoint_bytes",
)
"""Those that Prometheus stores as `_bucket`, `_sum` and `_count`."""

SCRAPED_LABELS = ("namespace", "pod", "job", "instance", "le")
"""Labels that scraping and histograms add."""
