"""What a Prometheus answers to the panels of a dashboard."""

import json
import math
import time
import urllib.parse
import urllib.request
from typing import Any

MINUTES = 20
POINTS = 100

Json = dict[str, Any]
Series = tuple[str, list[tuple[float, float]]]


class Source:
    """A Prometheus, asked for one span of time."""

    def __init__(self, url: str) -> None:
        """The span ends now."""
        self._url = url
        self.end = time.time()
        self.start = self.end - MINUTES * 60

    def course(self, target: Json) -> list[Series]:
        """Each series' legend and points."""
        step = (self.end - self.start) / POINTS
        found = self._ask("query_range", target["expr"], start=self.start, end=self.end, step=step)
        return [(_legend(target, one["metric"]), _points(one["values"])) for one in found]

    def now(self, target: Json) -> list[tuple[Json, float]]:
        """Each series' labels and newest value."""
        found = self._ask("query", target["expr"], time=self.end)
        return [(one["metric"], float(one["value"][1])) for one in found]

    def _ask(self, verb: str, query: str, **given: float) -> list[Json]:
        for name, value in {
            "__rate_interval": "1m",
            "__range": f"{MINUTES}m",
            "job": ".*",
            "graph": ".*",
        }.items():
            query = query.replace(f"${name}", value)
        asked = urllib.parse.urlencode({"query": query, **given})
        with urllib.request.urlopen(f"{self._url}/api/v1/{verb}?{asked}") as answer:  # noqa: S310  # http is meant
            return json.load(answer)["data"]["result"]


def _legend(target: Json, labels: Json) -> str:
    text = target["legendFormat"]
    for name, value in labels.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text


def _points(values: list[list[Any]]) -> list[tuple[float, float]]:
    return [(at, float(value)) for at, value in values if not math.isnan(float(value))]
