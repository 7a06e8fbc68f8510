"""What resources are charged for: a quantity of something that has a price.

A rule takes the resources of one type together, for some charges are shared: NAT gateways carry one traffic.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lgp.costing.capacity import Capacity
from lgp.costing.facts import Facts
from lgp.costing.ranges import Range, exactly
from lgp.costing.usage import HOURS_A_MONTH, Usage
from lgp.planning.recording import Recording, Resource
from lgp.planning.values import revealed

Json = dict[str, Any]


GROUPS = ("compute", "database", "cache", "network", "edge", "security", "storage", "logs")
"""In the order of the table."""


@dataclass(frozen=True)
class World:
    """All that a charge may depend on."""

    recording: Recording
    facts: Facts
    usage: Usage
    capacity: Capacity


@dataclass(frozen=True)
class Charge:
    """So much of something, a month."""

    group: str
    """One of `GROUPS`."""
    what: str
    quantity: Range
    price: str
    """Its key in the table."""
    resources: tuple[str, ...]
    by_use: bool = False
    """Whether the quantity grows with the runs."""


@dataclass(frozen=True)
class Unpriced:
    """A resource that costs something which this command cannot say."""

    type: str
    name: str
    reason: str


Found = Iterator[Charge | Unpriced]
Rule = Callable[[Sequence[Resource], World], Found]


def names(resources: Sequence[Resource]) -> tuple[str, ...]:
    """For people and programs to find them in the plan."""
    return tuple(resource.name for resource in resources)


def given(resource: Resource) -> Mapping[str, Any]:
    """Its inputs, to count by; never to show."""
    return revealed(resource.inputs)


def hours(count: float = 1) -> Range:
    """Of so many, all month."""
    return exactly(count * HOURS_A_MONTH)
