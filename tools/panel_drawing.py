"""Panels of a dashboard as SVG, by their own settings: unit, colours, limits, stacking."""

import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from panel_source import POINTS, Json, Series, Source

PALETTE = (
    "#56a64b",
    "#e0b400",
    "#3d8bf2",
    "#ff780a",
    "#e0405a",
    "#a352cc",
    "#1fa8a8",
    "#8c8c8c",
    "#b35900",
    "#5c6bc0",
)
END = 'text-anchor="end"'
NAMED = {
    "green": "#56a64b",
    "orange": "#ff9830",
    "red": "#e0405a",
    "blue": "#3d8bf2",
    "yellow": "#e0b400",
    "purple": "#a352cc",
    "dark-red": "#a3122a",
}


def told(value: float, unit: str, decimals: int | None = None) -> str:
    """A value with its unit, as short as Grafana's."""
    if unit == "percentunit":
        percent = value * 100
        return f"{percent:.3g} %" if decimals is None else f"{percent:.{decimals}f} %"
    if unit in {"bytes", "Bps"}:
        power = max(0, min(3, int(math.log(abs(value) or 1, 1024))))
        return f"{value / 1024**power:.3g} {('B', 'KiB', 'MiB', 'GiB')[power]}{'/s' if unit == 'Bps' else ''}"
    if unit == "s" and 0 < abs(value) < 1:
        return f"{value * 1000:.3g} ms"
    suffix = {"s": " s", "reqps": "/s", "ops": "/s"}.get(unit, "")
    return f"{value:.3g}{suffix}" if abs(value) < 1000 else f"{value:,.0f}{suffix}"  # noqa: PLR2004  # three digits


@dataclass(frozen=True)
class Box:
    """Where a panel is drawn."""

    x: float
    y: float
    w: float
    h: float

    def card(self, title: str) -> str:
        """Its background and title."""
        return (
            f'<rect x="{self.x}" y="{self.y}" width="{self.w}" height="{self.h}" rx="4" fill="var(--card)"'
            f' stroke="var(--line)"/>{text(self.x + 12, self.y + 23, title, "title")}'
        )


def text(x: float, y: float, words: str, kind: str, more: str = "") -> str:
    """A line of text in one of the picture's styles."""
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}" {more}>{escape(words)}</text>'


def stat(panel: Json, source: Source, box: Box) -> Iterator[str]:
    """One number in its colour, with its course behind it."""
    (target,) = panel["targets"]
    defaults = panel["fieldConfig"]["defaults"]
    value = next((value for _, value in source.now(target)), None)
    steps = defaults["thresholds"]["steps"]
    reached = [
        step for step in steps if step["value"] is None or (value is not None and value >= step["value"])
    ]
    colour = NAMED[reached[-1]["color"]]
    yield box.card(panel["title"])
    course = [] if target["instant"] else source.course(target)
    if course and len(course[0][1]) > 1:
        area = Box(box.x + 1, box.y + 62, box.w - 2, box.h - 66)
        yield _area(course[0][1], source, area, max(v for _, v in course[0][1]) or 1, colour)
    shown = defaults["noValue"] if value is None else told(value, defaults["unit"], defaults.get("decimals"))
    yield text(box.x + 12, box.y + 62, shown, "big", f'style="fill:{colour}"')


def _area(points: list[tuple[float, float]], source: Source, box: Box, top: float, colour: str) -> str:
    line = _path(points, source, box, top)
    left, right = (_x(points[index][0], source, box) for index in (0, -1))
    foot = box.y + box.h
    return f'<path d="{line}L{right:.1f},{foot:.0f}L{left:.1f},{foot:.0f}Z" fill="{colour}" opacity=".18"/>'


def _x(at: float, source: Source, box: Box) -> float:
    return box.x + (at - source.start) / (source.end - source.start) * box.w


def _path(points: list[tuple[float, float]], source: Source, box: Box, top: float) -> str:
    """A line that is broken where there is nothing for more than three steps."""
    found: list[str] = []
    before = -math.inf
    for at, value in points:
        verb = "L" if at - before < 3 * (source.end - source.start) / POINTS else "M"
        found.append(f"{verb}{_x(at, source, box):.1f},{box.y + box.h * (1 - min(value / top, 1.02)):.1f}")
        before = at
    return "".join(found)


def graph(panel: Json, source: Source, box: Box) -> Iterator[str]:
    """Lines, or areas upon each other, with a legend."""
    custom, defaults = panel["fieldConfig"]["defaults"]["custom"], panel["fieldConfig"]["defaults"]
    series = [one for target in panel["targets"] for one in source.course(target) if one[1]]
    series.sort(key=lambda one: -sum(value for _, value in one[1]))
    stacked = custom["stacking"]["mode"] == "normal"
    drawn = _stacked(series) if stacked else series
    limit = (
        defaults["thresholds"]["steps"][-1]["value"] if custom["thresholdsStyle"]["mode"] != "off" else None
    )
    top = _nice(max([value for _, points in drawn for _, value in points] or [1]))
    if limit is not None and limit <= 2.5 * top:
        top = _nice(max(top, limit * 1.1))
    yield box.card(panel["title"])
    inner = Box(box.x + 64, box.y + 40, box.w - 88, box.h - 112)
    yield from _levels(inner, top, defaults["unit"])
    yield from _times(inner, source)
    colours = {name: _colour(panel, name, index) for index, (name, _) in enumerate(series)}
    for name, points in reversed(drawn):
        if stacked:
            yield _filled(points, source, inner, top, colours[name])
        yield (
            f'<path d="{_path(points, source, inner, top)}" fill="none" stroke="{colours[name]}"'
            ' stroke-width="1.6" stroke-linejoin="round"/>'
        )
    if limit is not None and limit <= top:
        y = inner.y + inner.h * (1 - limit / top)
        dashed = f'stroke="{NAMED["red"]}" stroke-dasharray="6 4"'
        yield f'<path d="M{inner.x:.0f},{y:.1f}h{inner.w:.0f}" {dashed}/>'
    yield from _legends(box, colours)


def _stacked(series: list[Series]) -> list[Series]:
    below: dict[float, float] = {}
    found: list[Series] = []
    for name, points in series:
        for at, value in points:
            below[at] = below.get(at, 0) + value
        found.append((name, [(at, below[at]) for at, _ in points]))
    return found


def _filled(points: list[tuple[float, float]], source: Source, box: Box, top: float, colour: str) -> str:
    """Opaque below, so that what lies under another one has its own colour."""
    line = _path(points, source, box, top).replace("M", "L")[1:]
    left, right = (_x(points[index][0], source, box) for index in (0, -1))
    foot = box.y + box.h
    shape = f"M{left:.1f},{foot:.1f}L{line}L{right:.1f},{foot:.1f}Z"
    return f'<path d="{shape}" fill="var(--card)"/><path d="{shape}" fill="{colour}" opacity=".35"/>'


def _colour(panel: Json, name: str, index: int) -> str:
    for override in panel["fieldConfig"]["overrides"]:
        if re.search(override["matcher"]["options"].strip("/"), name):
            return NAMED[override["properties"][0]["value"]["fixedColor"]]
    return PALETTE[index % len(PALETTE)]


def _nice(value: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(value or 1))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * 0.999)


def _levels(box: Box, top: float, unit: str) -> Iterator[str]:
    """Lines at the quarters of the axis, and what every other one means."""
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = box.y + box.h * (1 - share)
        yield f'<path d="M{box.x:.0f},{y:.1f}h{box.w:.0f}" class="grid"/>'
        if share in {0, 0.5, 1}:
            shown = told(top * share, unit) if share else "0"
            yield text(box.x - 8, y + 4, shown, "dim", END)


def _times(box: Box, source: Source) -> Iterator[str]:
    for share in (0, 0.25, 0.5, 0.75, 1):
        at = time.strftime("%H:%M", time.gmtime(source.start + (source.end - source.start) * share))
        yield text(box.x + box.w * share, box.y + box.h + 18, at, "dim", 'text-anchor="middle"')


def _legends(box: Box, colours: dict[str, str]) -> Iterator[str]:
    x, y = box.x + 14, box.y + box.h - 30
    for name, colour in colours.items():
        width = 30 + 7.2 * len(name)
        if x + width > box.x + box.w - 8:
            x, y = box.x + 14, y + 19
        if y > box.y + box.h - 8:
            return
        yield f'<rect x="{x:.0f}" y="{y - 6:.0f}" width="12" height="4" rx="2" fill="{colour}"/>'
        yield text(x + 17, y, name, "dim")
        x += width


def heat(panel: Json, source: Source, box: Box) -> Iterator[str]:
    """A column a moment, a row a bucket, darker where more fell into it."""
    unit = panel["options"]["yAxis"]["unit"]
    buckets = [(float(name), dict(points)) for name, points in source.course(panel["targets"][0])]
    below: dict[float, float] = {}
    rows: list[tuple[float, dict[float, float]]] = []
    for bound, points in sorted(buckets, key=lambda bucket: bucket[0]):
        rows.append((bound, {at: value - below.get(at, 0) for at, value in points.items()}))
        below = points
    rows = [row for row in rows if any(value > 0 for value in row[1].values())]
    most = max((value for _, points in rows for value in points.values()), default=1)
    inner = Box(box.x + 80, box.y + 40, box.w - 104, box.h - 76)
    height, width = inner.h / max(1, len(rows)), inner.w / POINTS
    cell = f"h{width:.1f}v{height - 1:.1f}h-{width:.1f}z"
    yield box.card(panel["title"])
    yield from _times(inner, source)
    for index, (bound, points) in enumerate(rows):
        y = inner.y + inner.h - (index + 1) * height
        name = "more" if math.isinf(bound) else f"≤ {told(bound, unit)}"
        yield text(inner.x - 8, y + height / 2 + 4, name, "dim", END)
        cells: dict[float, list[str]] = {}
        for at, value in points.items():
            if value > 0:
                shade = round(0.1 + 0.9 * math.sqrt(value / most), 1)
                cells.setdefault(shade, []).append(f"M{_x(at, source, inner) - width:.1f},{y:.1f}{cell}")
        for shade, found in cells.items():
            yield f'<path d="{"".join(found)}" fill="{NAMED["blue"]}" opacity="{shade}"/>'


def table(panel: Json, source: Source, box: Box) -> Iterator[str]:
    """A row for each value of the label, the greatest first."""
    names = panel["transformations"][-1]["options"]["renameByName"]
    label, *letters = names
    units = {
        one["matcher"]["options"]: one["properties"][0]["value"] for one in panel["fieldConfig"]["overrides"]
    }
    columns = [{labels[label]: value for labels, value in source.now(target)} for target in panel["targets"]]
    yield box.card(panel["title"])
    width = (box.w - 150) / len(letters)
    for index, letter in enumerate((label, *letters)):
        x = box.x + 12 if index == 0 else box.x + 138 + width * index
        yield text(x, box.y + 50, names[letter], "dim", "" if index == 0 else END)
    for row, key in enumerate(sorted(columns[0], key=lambda key: -columns[0][key])):
        y = box.y + 78 + 27 * row
        yield f'<path d="M{box.x:.0f},{y - 19:.0f}h{box.w:.0f}" class="grid"/>'
        yield text(box.x + 12, y, key, "cell")
        for index, (column, letter) in enumerate(zip(columns, letters, strict=True)):
            unit = units[names[letter]]
            shown = (
                "-"
                if key not in column
                else told(round(column[key]) if unit == "short" else column[key], unit)
            )
            yield text(box.x + 138 + width * (index + 1), y, shown, "cell", END)


DRAWN = {"stat": stat, "timeseries": graph, "heatmap": heat, "table": table}
"""How each kind of panel is drawn."""
