"""What a program declared, as plain data: what the monitor writes, and all else reads."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Resource:
    """One registered resource; its `inputs` may hold `values.Secret`."""

    urn: str
    type: str
    name: str
    parent: str | None
    """The parent's URN; None under the stack itself."""
    provider: str | None
    """The URN of the provider instance that was chosen; None for a component or a default provider."""
    custom: bool
    protect: bool
    inputs: dict[str, Any]
    depends_on: tuple[str, ...] = ()
    references: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """By input: the URNs of the resources whose outputs its value is made of."""
    aliases: tuple[str, ...] = ()
    """The URNs under which the engine looks for it next, those from its ancestors' aliases too."""
    ignore_changes: tuple[str, ...] = ()
    delete_before_replace: bool = False
    deleted_with: str | None = None
    additional_secret_outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recording:
    """What a program declared: resources in the order of their URNs, and the stack's outputs."""

    project: str
    stack: str
    resources: tuple[Resource, ...]
    outputs: dict[str, Any]
    duplicates: tuple[str, ...] = ()
    """URNs that were registered more than once; the engine refuses those."""
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the program was configured with, by full key; without what is secret or holds a secret."""

    def of_type(self, type_: str) -> list[Resource]:
        """All resources of a type token."""
        return [resource for resource in self.resources if resource.type == type_]

    def named(self, name: str, type_: str | None = None) -> Resource:
        """The one resource of that name (and type); LookupError if there is none, or several."""
        found = [r for r in self.resources if r.name == name and type_ in (None, r.type)]
        if len(found) != 1:
            message = f"{len(found)} resources are named {name}"
            raise LookupError(message)
        return found[0]

    def by_urn(self, urn: str | None) -> Resource | None:
        """The resource of that URN."""
        return next((resource for resource in self.resources if resource.urn == urn), None)
