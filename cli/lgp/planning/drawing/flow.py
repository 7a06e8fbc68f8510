"""Which box needs which: what their resources refer to, wait for and are made by, told of the boxes alone."""

from collections.abc import Iterable, Mapping, Sequence

from lgp.planning.drawing.groups import OWN
from lgp.planning.drawing.groups import key_path as path_of
from lgp.planning.recording import Recording, Resource

Edge = tuple[str, str]
"""The key of what is needed, and the key of what needs it."""


def flows(recording: Recording) -> dict[str, set[Edge]]:
    """By the key of a box: between which of the boxes inside it something flows."""
    by_urn = {resource.urn: resource for resource in recording.resources}
    found: dict[str, set[Edge]] = {}
    for resource in recording.resources:
        for needed in _needs(resource):
            if needed in by_urn and needed != resource.urn:
                where, edge = _lifted(path_of(by_urn[needed], by_urn), path_of(resource, by_urn))
                if edge[0] != edge[1]:
                    found.setdefault(where, set()).add(edge)
    return found


def reduced(nodes: Sequence[str], edges: Iterable[Edge]) -> list[Edge]:
    """Without edges that close a circle, and without those that a longer way says too."""
    kept = _acyclic(nodes, sorted(edge for edge in set(edges) if {*edge} <= {*nodes}))
    below = {node: [b for a, b in kept if a == node] for node in nodes}
    longer = {(a, b) for a, b in kept for other in below[a] if other != b and b in _reach(other, below)}
    return [edge for edge in kept if edge not in longer]


def _needs(resource: Resource) -> set[str]:
    referred = {urn for urns in resource.references.values() for urn in urns}
    return {*referred, *resource.depends_on, *([resource.provider] if resource.provider else [])}


def _lifted(needed: Sequence[str], needing: Sequence[str]) -> tuple[str, Edge]:
    """The box in which both are, and the two boxes in it where they part."""
    depth = next((i for i, (a, b) in enumerate(zip(needed, needing, strict=False)) if a != b), None)
    if depth is None:
        depth = min(len(needed), len(needing))
    where = needed[depth - 1] if depth else ""
    keys = [path[depth] if depth < len(path) else where + OWN for path in (needed, needing)]
    return where, (keys[0], keys[1])


def _acyclic(nodes: Sequence[str], edges: Sequence[Edge]) -> list[Edge]:
    kept: list[Edge] = []
    below: dict[str, list[str]] = {node: [] for node in nodes}
    for a, b in edges:
        if a not in _reach(b, below):
            below[a].append(b)
            kept.append((a, b))
    return kept


def _reach(start: str, below: Mapping[str, Sequence[str]]) -> set[str]:
    """The node and all that come after it."""
    found, waiting = {start}, [start]
    while waiting:
        new = [node for node in below[waiting.pop()] if node not in found]
        found.update(new)
        waiting += new
    return found
