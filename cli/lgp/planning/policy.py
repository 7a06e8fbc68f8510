"""The rules of `langgraph_policy` on a plan.

A plan has stand-ins for what only the cloud knows, and they have the form of the real values: an image of the
stack's own registry has a digest, a key of ours an ARN. What has no form is `<computed>`, and undecided.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langgraph_policy import RULES, Hidden, InvalidExemption, Report, Resource, exemptions, report
from lgp.errors import UsageProblem
from lgp.planning import recording as planned
from lgp.planning.project import as_json, stack_file
from lgp.planning.values import COMPUTED, Secret

EXCEPTIONS = "langgraph-policy:exceptions"
"""Config: which resources need not keep which rule, and why (docs/howto/policy.md)."""
ENVIRONMENT = "langgraph-policy:environment"
"""Config: what a stack is that has no `platform.environment`; `dev` and `local` are spared some rules."""


def policy_report(recording: planned.Recording) -> Report:
    """What all rules find in a plan, mandatory findings first; and what is excepted, and why.

    Raises:
        UsageProblem: the stack's exceptions are no exceptions.
    """
    try:
        exceptions = exemptions(as_json(recording.config.get(EXCEPTIONS)), (rule.name for rule in RULES))
    except InvalidExemption as error:
        message = f"{stack_file(recording.stack)}: langgraph-policy:{error}"
        raise UsageProblem(message) from None
    resources = [seen(resource) for resource in recording.resources]
    outputs = cast("dict[str, Any]", visible(recording.outputs))
    return report(resources, environment(recording), exceptions=exceptions, outputs=outputs)


def environment(recording: planned.Recording) -> str:
    """What kind of stack it is: as it says, as its platform says, or its name."""
    platform = as_json(recording.config.get(f"{recording.project}:platform"))
    of_platform = cast("dict[str, Any]", platform).get("environment") if isinstance(platform, dict) else None
    return str(recording.config.get(ENVIRONMENT) or of_platform or recording.stack)


def seen(resource: planned.Resource) -> Resource:
    """A planned resource as the rules see it."""
    return Resource(
        type=resource.type,
        name=resource.name,
        urn=resource.urn,
        inputs=cast("dict[str, Any]", visible(resource.inputs)),
        protect=resource.protect,
        parent=resource.parent,
        provider=resource.provider,
        custom=resource.custom,
        references=resource.references,
    )


def visible(value: Any) -> Any:
    """A value with a mark where it is unknown or secret; of a secret object the keys stay."""
    if isinstance(value, Secret):
        return _covered(value.value)
    if value == COMPUTED:
        return Hidden.UNKNOWN
    if isinstance(value, Mapping):
        return {key: visible(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [visible(item) for item in cast("Sequence[Any]", value)]
    return value


def _covered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _covered(item) for key, item in cast("Mapping[str, Any]", value).items()}
    return Hidden.SECRET
