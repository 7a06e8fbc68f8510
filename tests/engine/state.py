"""An exported state, to be asked who depends on whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One resource of a state."""

    urn: str
    type: str
    name: str
    needs: frozenset[str]
    """URNs of what it cannot outlive: its dependencies, its parent, its provider."""
    protect: bool
    raw: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


class State:
    """The resources of an export, by URN."""

    def __init__(self, exported: Mapping[str, Any]) -> None:
        resources: Iterable[Mapping[str, Any]] = exported["deployment"].get("resources") or []
        self.entries = {raw["urn"]: _entry(raw) for raw in resources}

    def of(self, *types: str) -> list[Entry]:
        """The entries whose type begins with one of these."""
        return [entry for entry in self.entries.values() if entry.type.startswith(types)]

    @property
    def custom(self) -> list[Entry]:
        """What a provider made: no components, no providers, not the stack."""
        return [e for e in self.entries.values() if e.raw.get("custom") and not e.type.startswith("pulumi:")]

    def outlived_by(self, urn: str) -> frozenset[str]:
        """Everything that resource cannot outlive, directly or through others."""
        return self._closures[urn]

    @cached_property
    def _closures(self) -> dict[str, frozenset[str]]:
        """A state lists a resource after all that it needs, so one pass is enough."""
        closures: dict[str, frozenset[str]] = {}
        for urn, entry in self.entries.items():
            through = (closures.get(need, frozenset()) for need in entry.needs)
            closures[urn] = entry.needs.union(*through)
        return closures


def _entry(raw: Mapping[str, Any]) -> Entry:
    needs: set[str] = set(raw.get("dependencies", ()))
    for urns in raw.get("propertyDependencies", {}).values():
        needs.update(urns or ())
    provider = raw.get("provider", "").rsplit("::", 1)[0]
    needs.update(filter(None, (raw.get("parent"), provider, raw.get("deletedWith"))))
    name = raw["urn"].split("::", 3)[3]
    return Entry(raw["urn"], raw["type"], name, frozenset(needs), bool(raw.get("protect")), raw)
