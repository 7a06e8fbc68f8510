"""A picture of the dashboards: their own panels and queries, with what a Prometheus answers now.

    make up MONITORING=1 CONFIG=tests/support/traffic_graphs/langgraph.json
    .venv/bin/python tests/support/traffic.py http://127.0.0.1:8000 22
    .venv/bin/python tools/dashboard_picture.py http://127.0.0.1:9090 docs/pictures/dashboard.svg

It is no screenshot: Grafana draws the same panels in its own way.
"""

import json
import sys
from pathlib import Path

from panel_drawing import DRAWN, Box, text
from panel_source import Source

BOARDS = Path(__file__).resolve().parent.parent / "app" / "monitoring" / "dashboards"
SHOWN = {
    "langgraph-service": (
        "Availability|Error budget left|Requests|Latency, p95|Runs that wait|Oldest of them|Processes|Alerts",
        "Requests by status|Share that fails|Latency by route, p95",
        "Runs that end|Requests by their latency|Threads at work",
    ),
    "langgraph-graphs": (
        "Each graph",
        "Executions by graph|Duration by graph, p50 and p95|Where the database's time goes",
    ),
}
"""The panels of each dashboard, line by line."""

WIDTH, GAP, HEAD = 1200, 10, 44
HEIGHTS = {"stat": 104, "timeseries": 250, "heatmap": 250, "table": 190}
STYLE = """svg{--paper:#f4f5f5;--card:#fff;--line:#d8dade;--text:#24292e;--dim:#6b7280}
@media(prefers-color-scheme:dark){svg{--paper:#111217;--card:#181b1f;--line:#2c3235;--text:#d8d9da;--dim:#9097a1}}
text{font-family:Inter,system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:var(--text)}
.head{font-size:20px;font-weight:600}.title{font-size:13.5px;font-weight:600}.dim{font-size:12px;fill:var(--dim)}
.cell{font-size:13.5px}.big{font-size:27px;font-weight:600}.grid{stroke:var(--line);stroke-width:1}"""


def picture(source: Source) -> str:
    """The whole SVG, readable in light and in dark."""
    parts: list[str] = []
    y = 8.0
    for name, lines in SHOWN.items():
        board = json.loads((BOARDS / f"{name}.json").read_text())
        panels = {panel["title"]: panel for panel in board["panels"] if panel["type"] != "row"}
        parts.append(text(GAP, y + 26, board["title"], "head"))
        y += HEAD
        for line in lines:
            titles = line.split("|")
            width = (WIDTH - GAP * (len(titles) + 1)) / len(titles)
            height = HEIGHTS[panels[titles[0]]["type"]]
            for index, title in enumerate(titles):
                box = Box(GAP + index * (width + GAP), y, width, height)
                parts += DRAWN[panels[title]["type"]](panels[title], source, box)
            y += height + GAP
    size = f'viewBox="0 0 {WIDTH} {y:.0f}" width="{WIDTH}" height="{y:.0f}"'
    ground = '<rect width="100%" height="100%" fill="var(--paper)"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{STYLE}</style>{ground}\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(picture(Source(sys.argv[1])))
