"""A dashboard beside its panels: its name, what one chooses above it, what is marked on its graphs."""

from dataclasses import dataclass

from langgraph_components.pure.dashboards.panels import SOURCE, Json, Row, Site, link, placed
from langgraph_components.pure.dashboards.promql import SELECTED, of

TAG = "langgraph"
"""By it the dashboards link to each other."""


@dataclass(frozen=True)
class Board:
    """One dashboard."""

    uid: str
    """Never changes: links and bookmarks name it."""
    title: str
    about: str
    rows: tuple[Row, ...]
    variables: tuple[Json, ...] = ()
    """Besides data source and namespace."""
    rollouts: str | None = None
    """A query whose values are the moments, in milliseconds since 1970, at which something was rolled out."""

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{self.uid}.json"

    def document(self, site: Site) -> Json:
        """As Grafana imports it."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.about,
            "tags": [TAG],
            "editable": True,
            "graphTooltip": 1,
            "timezone": "browser",
            "schemaVersion": 39,
            "version": 1,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "templating": {"list": [_datasource(), _spaces(site), *self.variables]},
            "annotations": {"list": _marks(self.rollouts, site)},
            "links": [link("LangGraph", "dashboards", tags=[TAG], includeVars=True, keepTime=True)],
            "panels": placed(self.rows, site),
        }


def choice(name: str, label: str, query: str) -> Json:
    """A variable with the values of a label; several can be chosen, and none means all."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": query,
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
        "options": [],
        "regex": "",
        "hide": 0,
    }


def queries(document: Json) -> list[str]:
    """Every PromQL expression of a dashboard: of its panels, folded ones too, and of its marks."""
    panels = [inner for panel in document["panels"] for inner in (panel, *panel.get("panels", ()))]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return asked + [mark["expr"] for mark in document["annotations"]["list"] if "expr" in mark]


def _datasource() -> Json:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "multi": False,
        "includeAll": False,
        "options": [],
        "regex": "",
        "hide": 0,
    }


def _spaces(site: Site) -> Json:
    label = site.told("namespace")
    return choice(label, label.capitalize(), f"label_values(langgraph_build_info, {label})")


def _marks(rollouts: str | None, site: Site) -> list[Json]:
    version = of("langgraph_build_info")
    appeared = f"count by (version) ({version}) unless count by (version) ({version} offset 5m)"
    started = f"process_start_time_seconds{{{SELECTED}}} * 1000 and on (job, instance) {version}"
    marks = [
        _mark("Alerts", "red", firing(), "{{alertname}}"),
        _mark("New version", "green", appeared, "{{version}}"),
        _mark("Processes that start", "purple", started, "{{pod}}", moments=True, shown=False),
    ]
    if rollouts is not None:
        marks.append(_mark("Rollouts", "blue", rollouts, "{{replicaset}}", moments=True))
    told = [{**mark, **{key: site.told(mark[key]) for key in ("expr", "titleFormat")}} for mark in marks]
    return [_own_marks(), *told]


def firing() -> str:
    """Our alerts that fire."""
    return f'ALERTS{{{SELECTED},alertstate="firing",alertname=~"LangGraph.+"}}'


def _mark(  # noqa: PLR0913  # what a mark is made of
    name: str, colour: str, expr: str, title: str, *, moments: bool = False, shown: bool = True
) -> Json:
    return {
        "name": name,
        "datasource": SOURCE,
        "enable": shown,
        "hide": False,
        "iconColor": colour,
        "expr": expr,
        "step": "60s",
        "titleFormat": title,
        "useValueForTime": moments,
    }


def _own_marks() -> Json:
    """Grafana's: what people write on the graphs."""
    return {
        "name": "Annotations & Alerts",
        "type": "dashboard",
        "builtIn": 1,
        "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        "enable": True,
        "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)",
    }
