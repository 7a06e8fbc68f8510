"""The server's metrics, by name: rules and dashboards ask for nothing else."""

METRICS: dict[str, tuple[str, ...]] = {
    "langgraph_requests_total": ("method", "endpoint", "status"),
    "langgraph_request_latency_seconds": ("method", "endpoint"),
    "langgraph_graph_executions_total": ("graph_name", "status"),
    "langgraph_graph_execution_seconds": ("graph_name",),
    "langgraph_active_threads": (),
    "langgraph_db_pool_size": ("state",),
}
"""Metric → labels. `endpoint` is the route's template, `state` is `free` or `used`."""

HISTOGRAMS = ("langgraph_request_latency_seconds", "langgraph_graph_execution_seconds")
"""Those that Prometheus stores as `_bucket`, `_sum` and `_count`."""

SCRAPED_LABELS = ("namespace", "pod", "job", "le")
"""Labels that scraping and histograms add."""
