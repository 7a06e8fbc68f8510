"""What rules look at, and what they find."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from langgraph_policy.values import Node

LENIENT = frozenset({"dev", "local"})
"""Environments that are made to be thrown away. Every other name is held to the rules of prod."""


class Level(StrEnum):
    """What a finding means."""

    MANDATORY = "mandatory"
    """Nothing is deployed before it is fixed, or excepted with a reason."""
    ADVISORY = "advisory"
    """Told, and nothing more."""


@dataclass(frozen=True)
class Resource:
    """One declared resource; where an input cannot be seen there is a `Hidden`."""

    type: str
    """Pulumi's token: `aws:rds/instance:Instance`, `kubernetes:apps/v1:Deployment`."""
    name: str
    """The logical name."""
    urn: str
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    protect: bool = False
    parent: str | None = None
    """The parent's URN."""
    provider: str | None = None
    """The URN of the provider it names; None for the default provider."""
    custom: bool = True
    """False for a component."""
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """By input: the URNs of the resources whose outputs its value is made of."""

    @property
    def root(self) -> Node:
        """Its inputs, to be read."""
        return Node(self.inputs)

    def refers(self, key: str, to: "Resource") -> bool:
        """Whether an input is made of another resource."""
        return to.urn in self.references.get(key, ())


@dataclass(frozen=True)
class Stack:
    """All that a program declares, as far as it is known; `outputs` are the stack's own."""

    resources: tuple[Resource, ...]
    environment: str = "prod"
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def of(self, *types: str) -> list[Resource]:
        """The resources of these types."""
        return [resource for type_ in types for resource in self._by_type.get(type_, ())]

    @cached_property
    def _by_type(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.type, []).append(resource)
        return found


@dataclass(frozen=True)
class Fault:
    """What a rule has against a resource; a stack's rule says which one, or none for the stack itself."""

    text: str
    resource: Resource | None = None
    undecided: bool = False
    """Whether the value cannot be seen, so that nobody can tell."""


@dataclass(frozen=True)
class Finding:
    """One fault, as people and programs are told of it."""

    rule: str
    resource: str
    """The logical name; empty for the stack itself."""
    type: str
    urn: str
    found: str
    fix: str
    level: Level
    undecided: bool = False
    """Whether the value cannot be seen before the stack is deployed; such a finding is always advisory."""

    def __str__(self) -> str:
        """One line."""
        of = f"{self.type} {self.resource}: " if self.resource else ""
        return f"{self.rule}: {of}{self.found}"


Faults = Iterator[Fault]
OfResource = Callable[[Resource], Iterable[Fault]]
OfStack = Callable[[Stack], Iterable[Fault]]


@dataclass(frozen=True)
class Rule:
    """One rule: a name, three sentences, and a function that finds what breaks it."""

    name: str
    what: str
    """What must be so."""
    why: str
    fix: str
    types: tuple[str, ...]
    """The types it looks at, one resource at a time; empty for a rule about the stack as a whole."""
    find: Callable[[Any], Iterable[Fault]]
    strict_only: bool = False
    """Whether dev and local are spared."""
    level: Level = Level.MANDATORY

    def applies(self, environment: str) -> bool:
        """Whether stacks of this environment are held to it."""
        return not self.strict_only or environment not in LENIENT


def of_resource(
    *types: str, strict_only: bool = False, level: Level = Level.MANDATORY
) -> Callable[[OfResource], Rule]:
    """Make a rule about each resource of these types; the function's docstring has its three sentences."""

    def made(find: OfResource) -> Rule:
        return _rule(find, types, level, strict_only=strict_only)

    return made


def of_stack(*, strict_only: bool = False, level: Level = Level.MANDATORY) -> Callable[[OfStack], Rule]:
    """Make a rule about a stack as a whole: what is missing, what belongs together."""

    def made(find: OfStack) -> Rule:
        return _rule(find, (), level, strict_only=strict_only)

    return made


_PARTS = re.compile(r"^(?P<what>.+?)\n\nWhy: (?P<why>.+?)\n\nFix: (?P<fix>.+)$", re.DOTALL)


def _rule(
    find: Callable[[Any], Iterable[Fault]], types: tuple[str, ...], level: Level, *, strict_only: bool
) -> Rule:
    name = find.__name__.replace("_", "-")
    if (parts := _PARTS.match(inspect.cleandoc(find.__doc__ or ""))) is None:
        message = f"{name}: a rule's docstring is a sentence, `Why: …` and `Fix: …`"
        raise TypeError(message)
    what, why, fix = (" ".join(parts[key].split()) for key in ("what", "why", "fix"))
    return Rule(name, what, why, fix, types, find, strict_only, level)
