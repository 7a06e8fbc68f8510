"""Exceptions from the rules: of which rule, for which resources, why, and until when.

langgraph-policy:exceptions:
  - rule: namespace-restricted
    resources: [langgraph-monitoring-namespace]
    reason: node-exporter reads the host's /proc, which no Pod Security level below privileged allows
    until: 2027-06-30
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

SHORTEST_REASON = 15
"""Characters: a reason is a sentence, not a tick."""
_KEYS = frozenset({"rule", "resources", "reason", "until"})


class InvalidExemption(ValueError):
    """An exception is not one: what is wrong with it, in one line."""


@dataclass(frozen=True)
class Exemption:
    """These resources need not keep that rule."""

    rule: str
    resources: tuple[str, ...]
    """Logical names; no patterns, so that what is added later is not excepted by chance."""
    reason: str
    until: date | None = None
    """The last day on which it counts."""

    def covers(self, rule: str, resource: str, today: date) -> bool:
        """Whether it excepts that resource from that rule on that day."""
        return rule == self.rule and resource in self.resources and not self.is_over(today)

    def is_over(self, today: date) -> bool:
        """Whether its last day is past."""
        return self.until is not None and today > self.until


def exemptions(given: Any, rules: Iterable[str]) -> tuple[Exemption, ...]:
    """Read the list of a stack's configuration; nothing given is no exception.

    Raises:
        InvalidExemption: one has another form, no such rule, no resource or no reason.
    """
    if given is None:
        return ()
    if not isinstance(given, list):
        message = "exceptions: must be a list of rule, resources and reason"
        raise InvalidExemption(message)
    known = frozenset(rules)
    return tuple(_read(n, each, known) for n, each in enumerate(cast("list[Any]", given)))


def _read(n: int, given: Any, known: frozenset[str]) -> Exemption:
    found: Mapping[str, Any] = cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else {}
    resources: Any = found.get("resources")
    reason = " ".join(str(found.get("reason") or "").split())
    if strange := sorted(found.keys() - _KEYS):
        raise _invalid(n, f"unknown key {strange[0]!r}; there are {', '.join(sorted(_KEYS))}")
    if found.get("rule") not in known:
        raise _invalid(n, f"there is no rule {found.get('rule')!r}; docs/howto/policy.md lists them")
    if not isinstance(resources, list) or not resources:
        raise _invalid(n, "resources: must be a list of logical names")
    if len(reason) < SHORTEST_REASON:
        raise _invalid(n, "reason: must be a sentence that says why this is safe")
    return Exemption(
        str(found["rule"]), tuple(map(str, cast("list[Any]", resources))), reason, _day(n, found.get("until"))
    )


def _day(n: int, given: Any) -> date | None:
    if isinstance(given, datetime):
        return given.date()
    if given is None or isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise _invalid(n, "until: must be a day, as 2027-06-30") from None


def _invalid(n: int, text: str) -> InvalidExemption:
    return InvalidExemption(f"exceptions[{n}]: {text}")
