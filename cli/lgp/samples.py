"""The bodies that ship with the graphs, each complete and ready to send."""

import json
from pathlib import Path
from typing import Any

from lgp.errors import NotFound
from lgp.shapes import an_object

RESUME = ".resume"
"""Ends the name of a sample that answers an interrupt instead of starting a run."""


def sample_folder(config: Path, graph: str) -> Path:
    """Where a langgraph.json's samples for a graph lie: `samples/GRAPH` beside it, or in its `graphs/`."""
    folders = (config.parent / "graphs" / "samples" / graph, config.parent / "samples" / graph)
    return next((folder for folder in folders if folder.is_dir()), folders[-1])


def sample_names(config: Path, graph: str, *, resume: bool = False) -> list[str]:
    """The samples of a graph that start a run, or with `resume` that answer one."""
    stems = sorted(path.stem for path in sample_folder(config, graph).glob("*.json"))
    return [stem.removesuffix(RESUME) for stem in stems if stem.endswith(RESUME) == resume]


def read_sample(config: Path, graph: str, name: str, *, resume: bool = False) -> dict[str, Any]:
    """The sample's body."""
    path = sample_folder(config, graph) / f"{name}{RESUME if resume else ''}.json"
    known = sample_names(config, graph, resume=resume)
    if name not in known:
        there = f"there are {', '.join(known)}" if known else f"there are none in {path.parent}"
        message = f"no sample {name!r} for graph {graph!r}: {there}"
        raise NotFound(message)
    return an_object(json.loads(path.read_text()))
