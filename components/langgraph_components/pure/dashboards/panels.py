"""Panels as Grafana's JSON has them, and how they lie in rows; equal input gives equal JSON."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
"""Width of a dashboard in Grafana's units."""

GOOD, WARNING, BAD, NEUTRAL = "green", "orange", "red", "blue"


@dataclass(frozen=True)
class Site:
    """Where the dashboard is looked at."""

    runbooks: str
    """Where the how-tos are; panels link to them if it is an address."""
    kubernetes: bool = True
    """Whether there are namespaces and pods. Outside, the `job` and the `instance` tell processes apart."""

    def told(self, text: str) -> str:
        """A query or a legend, which is written for Kubernetes, by the labels that there are here."""
        if self.kubernetes:
            return text
        return re.sub(r"\bpod\b", "instance", re.sub(r"\bnamespace\b", "job", text))


@dataclass(frozen=True)
class Query:
    """One PromQL expression of a panel."""

    expr: str
    legend: str = ""
    """With `{{label}}` where Grafana puts the label's value in."""
    shape: str = "time_series"
    """`heatmap` for buckets, `table` for rows of one moment."""
    instant: bool = False
    """Whether only the newest value is asked for."""


@dataclass(frozen=True)
class Panel:
    """What Grafana draws, without its place."""

    kind: str
    title: str
    about: str
    """What it means and when to worry, in a sentence or two: the panel's tooltip."""
    queries: tuple[Query, ...]
    defaults: Json
    options: Json
    width: int = 8
    height: int = 8
    page: str | None = None
    """The how-to that says what to do, by its name."""
    overrides: tuple[Json, ...] = ()
    transformations: tuple[Json, ...] = ()

    def at(self, identity: int, x: int, y: int, site: Site) -> Json:
        """The panel in its place."""
        targets = [_target(index, query, site) for index, query in enumerate(self.queries)]
        return {
            "id": identity,
            "type": self.kind,
            "title": self.title,
            "description": self._description(site.runbooks),
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "datasource": SOURCE,
            "targets": targets,
            "fieldConfig": {"defaults": self.defaults, "overrides": list(self.overrides)},
            "options": self.options,
            "links": self._links(site.runbooks),
            "transformations": list(self.transformations),
        }

    def _description(self, runbooks: str) -> str:
        return f"{self.about}\n\nWhat to do: {runbooks}/{self.page}.md" if self.page else self.about

    def _links(self, runbooks: str) -> list[Json]:
        if self.page is None or not runbooks.startswith(("http://", "https://")):
            return []
        return [link("What to do", "link", url=f"{runbooks}/{self.page}.md", targetBlank=True)]


@dataclass(frozen=True)
class Row:
    """A heading, and what is below it from the left to the right."""

    title: str
    panels: tuple[Panel, ...]
    folded: bool = False
    """Whether its panels are shown, and asked for, only when somebody opens it."""


@dataclass(frozen=True)
class Step:
    """From this value on, a colour."""

    value: float
    colour: str = BAD


@dataclass(frozen=True)
class Style:
    """How a graph is drawn where it is not the usual way."""

    stacked: bool = False
    bars: bool = False
    most: float | None = None
    """Upper end of the axis."""
    colours: Mapping[str, str] = field(default_factory=dict[str, str])
    """Regular expression of a legend → colour."""


def graph(  # noqa: PLR0913  # what a panel is made of
    title: str,
    unit: str,
    about: str,
    *queries: Query,
    limit: Step | None = None,
    style: Style | None = None,
    width: int = 8,
    page: str | None = None,
) -> Panel:
    """Lines over time; a limit is a dashed line."""
    style = style or Style()
    defaults: Json = {
        "unit": unit,
        "min": 0,
        "color": {"mode": "palette-classic"},
        "thresholds": _thresholds((limit,) if limit else ()),
        "custom": _drawn(style, limited=limit is not None),
    }
    if style.most is not None:
        defaults["max"] = style.most
    options: Json = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    overrides = tuple(_coloured(pattern, colour) for pattern, colour in style.colours.items())
    return Panel(
        "timeseries", title, about, queries, defaults, options, width=width, page=page, overrides=overrides
    )


def figure(  # noqa: PLR0913  # what a panel is made of
    title: str,
    unit: str,
    about: str,
    query: Query,
    *,
    steps: Sequence[Step] = (),
    base: str = GOOD,
    empty: str = "nothing",
    decimals: int | None = None,
    page: str | None = None,
) -> Panel:
    """One number, coloured by its limits, with its course behind it."""
    defaults: Json = {
        "unit": unit,
        "noValue": empty,
        "color": {"mode": "thresholds"},
        "thresholds": _thresholds(steps, base),
    }
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none" if query.instant else "area",
        "textMode": "value",
        "justifyMode": "auto",
        "orientation": "auto",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
    }
    return Panel("stat", title, about, (query,), defaults, options, width=3, height=4, page=page)


def heat(title: str, unit: str, about: str, query: Query, *, width: int = 8) -> Panel:
    """How observations are spread over the buckets of a histogram, in time."""
    defaults: Json = {"custom": {"scaleDistribution": {"type": "linear"}, "hideFrom": _nothing_hidden()}}
    options: Json = {
        "calculate": False,
        "cellGap": 1,
        "color": {
            "mode": "scheme",
            "scheme": "Blues",
            "steps": 64,
            "exponent": 0.5,
            "fill": "dark-blue",
            "reverse": False,
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "showValue": "never",
        "filterValues": {"le": 1e-9},
        "rowsFrame": {"layout": "auto"},
        "yAxis": {"axisPlacement": "left", "unit": unit, "reverse": False},
        "legend": {"show": True},
        "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": False},
    }
    return Panel("heatmap", title, about, (query,), defaults, options, width=width)


@dataclass(frozen=True)
class Column:
    """One column of a table, of a query of its own."""

    name: str
    unit: str
    expr: str
    limit: Step | None = None


def table(  # noqa: PLR0913  # what a panel is made of
    title: str,
    about: str,
    key: tuple[str, str],
    columns: Sequence[Column],
    *,
    width: int = COLUMNS,
    page: str | None = None,
) -> Panel:
    """A row for each value of the label `key`, which is shown under the second name."""
    label, shown = key
    names = {f"Value #{_letter(index)}": column.name for index, column in enumerate(columns)}
    order = {label: 0, **{name: index + 1 for index, name in enumerate(names)}}
    organized: Json = {
        "excludeByName": {"Time": True},
        "indexByName": order,
        "renameByName": {label: shown, **names},
    }
    return Panel(
        "table",
        title,
        about,
        tuple(Query(column.expr, shape="table", instant=True) for column in columns),
        {"custom": {"align": "auto", "inspect": False}, "noValue": "-", "thresholds": _thresholds(())},
        {
            "frameIndex": 0,
            "showHeader": True,
            "cellHeight": "sm",
            "sortBy": [{"displayName": columns[0].name, "desc": True}],
        },
        width=width,
        page=page,
        overrides=tuple(_of_column(column) for column in columns),
        transformations=({"id": "merge", "options": {}}, {"id": "organize", "options": organized}),
    )


def listing(  # noqa: PLR0913  # what a panel is made of
    title: str, about: str, expr: str, *, hidden: Sequence[str], empty: str, width: int
) -> Panel:
    """The labels of each series of the moment, without those that say nothing."""
    organized: Json = {"excludeByName": dict.fromkeys(("Time", "Value", "__name__", *hidden), True)}
    return Panel(
        "table",
        title,
        about,
        (Query(expr, shape="table", instant=True),),
        {"custom": {"align": "auto", "inspect": False}, "noValue": empty, "thresholds": _thresholds(())},
        {"frameIndex": 0, "showHeader": True, "cellHeight": "sm"},
        width=width,
        transformations=({"id": "organize", "options": organized},),
    )


def link(title: str, kind: str, **more: Any) -> Json:
    """A link with every key that Grafana's schema wants."""
    usual: Json = {
        "title": title,
        "type": kind,
        "url": "",
        "tags": [],
        "icon": "external link",
        "tooltip": "",
        "asDropdown": False,
        "includeVars": False,
        "keepTime": False,
        "targetBlank": False,
    }
    return {**usual, **more}


def placed(rows: Sequence[Row], site: Site) -> list[Json]:
    """The panels of all rows, each in its place; a line is broken where the next panel has no room."""
    found: list[Json] = []
    y = 0
    identity = 1
    for row in rows:
        inside, bottom = _lines(row.panels, identity + 1, y + 1, site)
        heading: Json = {
            "id": identity,
            "type": "row",
            "title": row.title,
            "collapsed": row.folded,
            "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
            "panels": inside if row.folded else [],
        }
        found += [heading, *([] if row.folded else inside)]
        identity += 1 + len(inside)
        y = y + 1 if row.folded else bottom
    return found


def _lines(panels: Sequence[Panel], identity: int, top: int, site: Site) -> tuple[list[Json], int]:
    """The panels from `top` on, and where the next row begins."""
    found: list[Json] = []
    x, y, tallest = 0, top, 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        found.append(panel.at(identity + len(found), x, y, site))
        x += panel.width
        tallest = max(tallest, panel.height)
    return found, y + tallest


def _target(index: int, query: Query, site: Site) -> Json:
    return {
        "refId": _letter(index),
        "datasource": SOURCE,
        "editorMode": "code",
        "expr": site.told(query.expr),
        "legendFormat": site.told(query.legend) or "__auto",
        "format": query.shape,
        "instant": query.instant,
        "range": not query.instant,
    }


def _letter(index: int) -> str:
    return chr(ord("A") + index)


def _thresholds(steps: Sequence[Step], base: str = GOOD) -> Json:
    above: list[Json] = [{"color": step.colour, "value": step.value} for step in steps]
    return {"mode": "absolute", "steps": [{"color": base, "value": None}, *above]}


def _drawn(style: Style, *, limited: bool) -> Json:
    return {
        "drawStyle": "bars" if style.bars else "line",
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "fillOpacity": 60 if style.bars else 25 if style.stacked else 8,
        "gradientMode": "none",
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if style.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if limited else "off"},
        "axisPlacement": "auto",
        **({"axisSoftMax": 1} if style.bars else {}),
        "hideFrom": _nothing_hidden(),
    }


def _nothing_hidden() -> Json:
    return {"legend": False, "tooltip": False, "viz": False}


def _coloured(pattern: str, colour: str) -> Json:
    return {
        "matcher": {"id": "byRegexp", "options": f"/{pattern}/"},
        "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
    }


def _of_column(column: Column) -> Json:
    properties: list[Json] = [{"id": "unit", "value": column.unit}]
    if column.limit is not None:
        properties += [
            {"id": "thresholds", "value": _thresholds((column.limit,))},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
        ]
    return {"matcher": {"id": "byName", "options": column.name}, "properties": properties}
