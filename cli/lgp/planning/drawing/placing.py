"""Where everything stands: boxes in rows that fill the width, arrows in the gaps between the rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from lgp.planning.drawing.flow import Edge, reduced
from lgp.planning.drawing.groups import Group, Line
from lgp.planning.drawing.rows import Place, in_rows
from lgp.planning.drawing.text import cut, width

SMALL, NORMAL, LARGE = 11.0, 13.0, 16.0
"""Sizes of letters, in pixels."""

PAD = 14.0
"""Between a box's border and what is inside."""
GAP = 16.0
"""Between boxes of a row."""
DROP = 38.0
"""Between rows: room for arrows to change their column."""
PASSAGE = 14.0
"""Width of an arrow's passage between two boxes."""
LINE = 19.0
"""Height of a line."""
HEAD = 44.0
"""Height of a box's title."""
COLUMN = 185.0
"""Width that a column of lines has at least."""
MARK = 15.0
"""Width of a sign before or behind a line."""
MOST = 7
"""Lines of a column; a box shows no more than fill its columns."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Text:
    """A line of text; `y` is that of its base line."""

    x: float
    y: float
    text: str
    size: float
    style: str
    bold: bool = False

    @property
    def width(self) -> float:
        """The most that it takes."""
        return width(self.text, self.size, bold=self.bold)


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Sign:
    """A dot, a cylinder or a lock; `y` is its middle."""

    x: float
    y: float
    style: str


@dataclass(frozen=True)
class Arrow:
    """Its way: down from a box, straight through the rows between, down to another box."""

    points: tuple[Point, ...]


@dataclass
class Scene:
    """All that is drawn."""

    width: float = 0.0
    height: float = 0.0
    boxes: list[Box] = field(default_factory=list[Box])
    texts: list[Text] = field(default_factory=list[Text])
    signs: list[Sign] = field(default_factory=list[Sign])
    arrows: list[Arrow] = field(default_factory=list[Arrow])


@dataclass
class Layout:
    """Places a picture's boxes, one inside the other."""

    flows: Mapping[str, set[Edge]]
    scene: Scene

    def fill(self, group: Group, at: Point, room: float) -> float:
        """Place what is inside a box into `room` pixels, and return its height."""
        if not group.groups:
            return _place_lines(self.scene, group.lines, at, room)
        keys = [each.key for each in group.groups]
        edges = reduced(keys, self.flows.get(group.key, ()))
        inner = {each.key: each for each in group.groups}
        where: dict[Place, Box] = {}
        bottom = at[1] - DROP
        for row in in_rows(keys, edges, frozenset(key for key, each in inner.items() if each.groups)):
            placed = self._row(row, inner, (at[0], bottom + DROP), room)
            bottom += DROP + max(box.height for box in placed.values())
            where |= placed
        self.scene.arrows += [arrow(edge, edges, where) for edge in edges]
        return bottom - at[1]

    def _row(
        self, row: Sequence[Place], inner: Mapping[str, Group], at: Point, room: float
    ) -> dict[Place, Box]:
        """The boxes of a row, all of one height, and the passages between them."""
        where = {
            each: Box(x, at[1], taken, 0.0)
            for each, (x, taken) in zip(row, _shares(row, at[0], room), strict=True)
        }
        heights = [self._box(inner[key.key], box) for key, box in where.items() if not key.passing]
        where = {key: replace(box, height=max(heights, default=0.0)) for key, box in where.items()}
        self.scene.boxes += [box for key, box in where.items() if not key.passing]
        return where

    def _box(self, group: Group, box: Box) -> float:
        x, room = box.x + PAD, box.width - 2 * PAD
        title = cut(group.title, NORMAL, room, bold=True)
        many = f"{group.name} · {group.number} resource{'s' * (group.number != 1)}"
        self.scene.texts += [
            Text(x, box.y + 21, title, NORMAL, "name", bold=True),
            Text(x, box.y + 37, cut(many, SMALL, room), SMALL, "kind"),
        ]
        return HEAD + self.fill(group, (x, box.y + HEAD), room) + PAD


def _shares(row: Sequence[Place], x: float, room: float) -> Iterator[Point]:
    """Where each in a row begins, and how wide it is."""
    passages = sum(1 for each in row if each.passing)
    beyond = 0 if row[-1].passing else GAP
    share = (room + beyond - passages * PASSAGE) / max(1, len(row) - passages)
    for each in row:
        taken = PASSAGE if each.passing else share
        yield x, taken - (0 if each.passing else GAP)
        x += taken


def _place_lines(scene: Scene, lines: Sequence[Line], at: Point, room: float) -> float:
    """The lines in columns; what has no room is counted in the last one."""
    columns = max(1, int((room + GAP) // (COLUMN + GAP)))
    high = min(MOST, ceil(len(lines) / columns))
    shown = list(lines)
    if len(lines) > columns * high:
        shown = [
            *lines[: columns * high - 1],
            Line(f"and {len(lines) - columns * high + 1} more kinds", "other"),
        ]
    share = (room - GAP * (columns - 1)) / columns
    for i, line in enumerate(shown):
        _place_line(scene, line, (at[0] + (i // high) * (share + GAP), at[1] + (i % high) * LINE), share)
    return high * LINE


def _place_line(scene: Scene, line: Line, at: Point, room: float) -> None:
    x, y = at[0], at[1] + LINE / 2
    signs = ["stateful"] * line.stateful + ["protected"] * line.protected
    text = cut(line.text, NORMAL - 1, room - MARK * (1 + len(signs)))
    scene.signs.append(Sign(x + 4, y, line.colour))
    told = Text(x + MARK, y + 4, text, NORMAL - 1, "line")
    scene.texts.append(told)
    end = told.x + told.width
    scene.signs += [Sign(end + MARK * (i + 0.5), y, sign) for i, sign in enumerate(signs)]


def arrow(edge: Edge, edges: Sequence[Edge], where: Mapping[Place, Box]) -> Arrow:
    """Its way: out of the one box, through its passages, into the other."""
    way = _way(edge, where)
    points = [(_port(edge, edges, where, 0), way[0].y + way[0].height)]
    for box in way[1:-1]:
        middle = box.x + box.width / 2
        points += [(middle, box.y), (middle, box.y + box.height)]
    return Arrow((*points, (_port(edge, edges, where, 1), way[-1].y)))


def _way(edge: Edge, where: Mapping[Place, Box]) -> list[Box]:
    passages = sorted((box for each, box in where.items() if each.passing == edge), key=lambda box: box.y)
    return [where[Place(edge[0])], *passages, where[Place(edge[1])]]


def _port(edge: Edge, edges: Sequence[Edge], where: Mapping[Place, Box], end: int) -> float:
    """Where an arrow leaves a box (0) or comes to one (1): side by side, in the order of their other ends."""

    def toward(other: Edge) -> tuple[float, Edge]:
        box = _way(other, where)[1 if end == 0 else -2]
        return box.x + box.width / 2, other

    siblings = sorted((other for other in edges if other[end] == edge[end]), key=toward)
    spot = (siblings.index(edge) + 1) / (len(siblings) + 1)
    box = where[Place(edge[end])]
    return box.x + box.width * spot
