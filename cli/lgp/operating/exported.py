"""A stack's state, as `pulumi stack export` has it: what Pulumi made, and what it believes to be so."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lgp.shapes import a_list, an_object

APPLICATION = {"app.kubernetes.io/name": "agent-server"}
"""Label of all pods that run the server's image (docs/contract.md, section 10)."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A Deployment as Pulumi last applied it."""

    name: str
    image: str
    component: str
    """`api` or `worker`."""


class Exported:
    """The state of a stack. Secrets in it are encrypted, and none is read."""

    def __init__(self, document: Any) -> None:
        """Take the parsed JSON."""
        self._deployment = an_object(an_object(document).get("deployment"))

    @cached_property
    def resources(self) -> list[dict[str, Any]]:
        """All of them, in the order they were made."""
        return [an_object(found) for found in a_list(self._deployment.get("resources"))]

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs of the stack."""
        for stack in self.of("pulumi:pulumi:Stack"):
            return an_object(stack.get("outputs"))
        return {}

    def output(self, name: str) -> str:
        """An output that is a text; empty if it is not there."""
        value = self.outputs.get(name)
        return value if isinstance(value, str) else ""

    def of(self, *types: str) -> Iterator[dict[str, Any]]:
        """The resources of these types, but for those that an update has yet to delete."""
        return (one for one in self.resources if one.get("type") in types and not one.get("delete"))

    @property
    def things(self) -> list[dict[str, Any]]:
        """What a provider made: no components, no providers."""
        return [one for one in self.resources if one.get("custom") and not _type(one).startswith("pulumi:")]

    @property
    def pending(self) -> list[str]:
        """What an interrupted update had begun: `creating Type name`."""
        found = map(an_object, a_list(self._deployment.get("pending_operations")))
        return [f"{one.get('type', '')} {label(an_object(one.get('resource')))}" for one in found]

    @property
    def builds(self) -> bool:
        """Whether the stack builds its image."""
        return any(self.of("docker-build:index:Image"))

    def deployments(self) -> list[Declared]:
        """The Deployments that run the server."""
        return [_declared(one) for one in self.of("kubernetes:apps/v1:Deployment") if _is_ours(one)]

    def uid_of_namespace(self) -> str:
        """What the cluster that Pulumi deployed to calls the namespace; empty if it was there before."""
        wanted = self.outputs.get("namespace")
        for one in self.of("kubernetes:core/v1:Namespace"):
            metadata = an_object(an_object(one.get("outputs")).get("metadata"))
            if metadata.get("name") == wanted:
                return str(metadata.get("uid") or "")
        return ""

    def protected(self) -> list[str]:
        """What Pulumi refuses to delete: `Type name`."""
        return [label(one) for one in self.things if one.get("protect")]


def label(resource: dict[str, Any]) -> str:
    """`aws:rds/instance:Instance langgraph-database`."""
    return f"{_type(resource)} {str(resource.get('urn', '')).rpartition('::')[2]}"


def _type(resource: dict[str, Any]) -> str:
    return str(resource.get("type", ""))


def _declared(resource: dict[str, Any]) -> Declared:
    inputs = an_object(resource.get("inputs"))
    metadata = an_object(inputs.get("metadata"))
    labels = an_object(metadata.get("labels"))
    pod = an_object(an_object(an_object(inputs.get("spec")).get("template")).get("spec"))
    containers = [an_object(one) for one in a_list(pod.get("containers"))]
    image = str(containers[0].get("image", "")) if containers else ""
    return Declared(str(metadata.get("name", "")), image, str(labels.get("app.kubernetes.io/component", "")))


def _is_ours(resource: dict[str, Any]) -> bool:
    metadata = an_object(an_object(resource.get("inputs")).get("metadata"))
    return APPLICATION.items() <= an_object(metadata.get("labels")).items()
