"""What all objects of one workload share: parent, names, namespace and labels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import pulumi
from pulumi_kubernetes import core

from langgraph_components.ordering import after
from langgraph_components.pure import labels

R = TypeVar("R")


@dataclass(frozen=True)
class Scope:
    """Declares Kubernetes objects as children of one component."""

    parent: pulumi.ComponentResource
    name: str
    """Prefix of the logical names."""
    namespace: pulumi.Output[str]
    labels: Mapping[str, str]
    waits_for: tuple[pulumi.Resource, ...] = ()
    """What every object comes after: Pulumi itself lets children ignore what their component depends on."""

    @classmethod
    def opened(
        cls,
        parent: pulumi.ComponentResource,
        name: str,
        namespace: str,
        *,
        create: bool,
        waits_for: Sequence[pulumi.Resource] = (),
    ) -> Self:
        """The workload's scope; its namespace is made first, unless it is there already."""
        scope = cls(parent, name, pulumi.Output.from_input(namespace), labels.common(), tuple(waits_for))
        return scope.within(namespace) if create else scope

    def within(self, namespace: str) -> Self:
        """The same scope in a new namespace that refuses pods which are not `restricted`."""
        metadata: Any = {"name": namespace, "labels": {**self.labels, **labels.restricted_namespace()}}
        made = core.v1.Namespace(f"{self.name}-namespace", metadata=metadata, opts=self.opts())
        return replace(self, namespace=after(namespace, made))

    def opts(self, depends_on: Sequence[pulumi.Resource] = (), **more: Any) -> pulumi.ResourceOptions:
        """Options of a child; of the caller's own only what it waits for."""
        return pulumi.ResourceOptions(parent=self.parent, depends_on=[*self.waits_for, *depends_on], **more)

    def metadata(self, name: Any, part: str | None = None, more: Mapping[str, str] | None = None) -> Any:
        """Metadata of an object in the namespace."""
        part_label = {labels.COMPONENT: part} if part else {}
        return {
            "name": name,
            "namespace": self.namespace,
            "labels": {**self.labels, **part_label, **(more or {})},
        }

    def declare(
        self,
        kind: Callable[..., R],
        logical: str,
        metadata: Any,
        opts: pulumi.ResourceOptions | None = None,
        **body: Any,
    ) -> R:
        """One object of a typed kind; its body is as Kubernetes reads it."""
        return kind(f"{self.name}-{logical}", metadata=metadata, **body, opts=opts or self.opts())
