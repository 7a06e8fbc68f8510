"""A recording as JSON, from one process to another; its secrets stay behind."""

from dataclasses import asdict, replace
from typing import Any, cast

from lgp.planning.recording import Recording, Resource
from lgp.planning.shape import shown_inputs
from lgp.planning.values import masked


def packed(recording: Recording) -> dict[str, Any]:
    """JSON with all that a comparison looks at."""
    shown = [replace(resource, inputs=shown_inputs(resource)) for resource in recording.resources]
    return {
        "project": recording.project,
        "stack": recording.stack,
        "resources": [asdict(resource) for resource in shown],
        "outputs": masked(recording.outputs),
        "config": recording.config,
    }


def unpacked(document: dict[str, Any]) -> Recording:
    """The recording, with `MASK` where secrets were."""
    resources = tuple(Resource(**_frozen(fields)) for fields in document["resources"])
    outputs, config = document["outputs"], document["config"]
    return Recording(document["project"], document["stack"], resources, outputs, config=config)


def _frozen(fields: dict[str, Any]) -> dict[str, Any]:
    """JSON has lists where the resource has tuples."""
    lists = {key: tuple(cast("list[str]", value)) for key, value in fields.items() if isinstance(value, list)}
    references = {key: tuple(urns) for key, urns in fields["references"].items()}
    return {**fields, **lists, "references": references}
