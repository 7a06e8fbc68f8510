"""`--json`: the plan as one document, its secrets masked."""

from typing import Any

from lgp.planning.recording import Recording
from lgp.planning.shape import shown_inputs
from lgp.planning.values import masked


def plan_document(recording: Recording) -> dict[str, Any]:
    """`{"stack", "resources": [{"type", "name", "parent", "provider", "protect", "inputs"}], "outputs"}`.

    Types are Pulumi's tokens; parent and provider are URNs; null is the stack, and a default provider.
    """
    resources = [
        {
            "type": resource.type,
            "name": resource.name,
            "parent": resource.parent,
            "provider": resource.provider,
            "protect": resource.protect,
            "inputs": shown_inputs(resource),
        }
        for resource in recording.resources
    ]
    return {"stack": recording.stack, "resources": resources, "outputs": masked(recording.outputs)}
