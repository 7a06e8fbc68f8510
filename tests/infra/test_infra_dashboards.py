"""The dashboards ask for metrics that exist, and are what Grafana loads."""

import json

from infra_schemas import problems

from langgraph_components.pure import dashboards

BOARD = dashboards.dashboard()


def test_the_dashboard_is_loaded_by_its_label_and_does_not_change_by_itself():
    document = dashboards.config_map("agent-server-dashboard", "langgraph", {"app": "x"})
    assert problems(document) == []
    assert document["metadata"]["labels"] == {"app": "x", "grafana_dashboard": "1"}
    assert document == dashboards.config_map("agent-server-dashboard", "langgraph", {"app": "x"})
    assert json.loads(document["data"]["langgraph.json"]) == BOARD
