"""In which row a box stands, and at which place: arrows lead down, cross little, and pass between boxes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lgp.planning.drawing.flow import Edge

WIDEST = 4
"""Boxes in a row."""

SWEEPS = 8
"""Times that the places are bettered, down and up; more changed nothing in our stacks."""


@dataclass(frozen=True)
class Place:
    """A box in a row, or the passage of an arrow between two boxes."""

    key: str
    passing: Edge | None = None
    """The arrow; None for a box."""


Rows = list[list[Place]]


def in_rows(nodes: Sequence[str], edges: Sequence[Edge], full: frozenset[str] = frozenset()) -> Rows:
    """The rows from the top; a node of `full` has a row of its own."""
    row_of = _rows_of(nodes, edges, full)
    rows: Rows = [[] for _ in range(max(row_of.values(), default=-1) + 1)]
    for node in nodes:
        rows[row_of[node]].append(Place(node))
    links = [link for edge in edges for link in _links(edge, row_of)]
    for place, _ in links:
        if place.passing and place not in rows[_row(place, row_of)]:
            rows[_row(place, row_of)].append(place)
    return _untangled(rows, links)


def crossings(rows: Rows, links: Sequence[tuple[Place, Place]]) -> int:
    """How many arrows cross."""
    spot = {place: i for row in rows for i, place in enumerate(row)}
    level = {place: i for i, row in enumerate(rows) for place in row}
    pairs = [(level[a], spot[a], spot[b]) for a, b in links]
    return sum(
        1
        for i, (row, a, b) in enumerate(pairs)
        for other, c, d in pairs[i + 1 :]
        if row == other and (a - c) * (b - d) < 0
    )


def _rows_of(nodes: Sequence[str], edges: Sequence[Edge], full: frozenset[str]) -> dict[str, int]:
    """From the bottom up, so that what is needed stands right above what needs it."""
    depth = _depths(nodes, edges)
    below: dict[str, list[str]] = {node: [b for a, b in edges if a == node] for node in nodes}
    height: dict[str, int] = {}
    used: dict[int, int] = {}
    waiting = list(nodes)
    while waiting:
        ready = [node for node in waiting if all(each in height for each in below[node])]
        node = max(ready, key=lambda each: (depth[each], -nodes.index(each)))
        level = max((height[each] + 1 for each in below[node]), default=0)
        room = 0 if node in full else WIDEST - 1
        while used.get(level, 0) > room:
            level += 1
        height[node], used[level] = level, used.get(level, 0) + (WIDEST if node in full else 1)
        waiting.remove(node)
    levels = sorted({*height.values()}, reverse=True)
    return {node: levels.index(height[node]) for node in nodes}


def _depths(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """How many boxes are above each, on the longest way."""
    depth = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for a, b in edges:
            depth[b] = max(depth[b], depth[a] + 1)
    return depth


def _links(edge: Edge, row_of: Mapping[str, int]) -> list[tuple[Place, Place]]:
    """The steps of an arrow from row to row."""
    first, last = row_of[edge[0]], row_of[edge[1]]
    passages = [Place(f"{edge[0]}>{edge[1]}@{row}", edge) for row in range(first + 1, last)]
    way = [Place(edge[0]), *passages, Place(edge[1])]
    return list(pairwise(way))


def _row(place: Place, row_of: Mapping[str, int]) -> int:
    return int(place.key.rpartition("@")[2]) if place.passing else row_of[place.key]


def _untangled(rows: Rows, links: Sequence[tuple[Place, Place]]) -> Rows:
    best, fewest = rows, crossings(rows, links)
    tried = rows
    for sweep in range(SWEEPS):
        tried = _swept(tried, links, down=sweep % 2 == 0)
        if (number := crossings(tried, links)) < fewest:
            best, fewest = tried, number
    return best


def _swept(rows: Rows, links: Sequence[tuple[Place, Place]], *, down: bool) -> Rows:
    """Each row in the order of the mean place of its neighbours in the row before."""
    way = links if down else [(b, a) for a, b in links]
    near: dict[Place, list[Place]] = {}
    for a, b in way:
        near.setdefault(b, []).append(a)
    where: dict[Place, float] = {}
    for row in rows if down else rows[::-1]:
        row_spot = {place: (i + 0.5) / len(row) for i, place in enumerate(row)}
        mean = {
            place: sum(where[each] for each in near[place]) / len(near[place])
            if place in near
            else row_spot[place]
            for place in row
        }
        for i, place in enumerate(sorted(row, key=lambda each: (mean[each], row_spot[each]))):
            where[place] = (i + 0.5) / len(row)
    return [sorted(row, key=lambda each: where[each]) for row in rows]
