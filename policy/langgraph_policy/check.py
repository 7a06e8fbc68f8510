"""All rules on all resources."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from langgraph_policy.exceptions import Exemption
from langgraph_policy.model import Fault, Finding, Level, Resource, Rule, Stack
from langgraph_policy.reading import undecided
from langgraph_policy.rules import RULES
from langgraph_policy.values import Undecided

UNUSED = "unused-exception"
EXPIRED = "expired-exception"


@dataclass(frozen=True)
class Report:
    """What was found, and what would have been found but for an exception."""

    findings: tuple[Finding, ...]
    """Mandatory ones first, then by rule and resource."""
    excepted: tuple[tuple[Finding, Exemption], ...]

    @property
    def refused(self) -> bool:
        """Whether anything mandatory is among the findings."""
        return any(finding.level is Level.MANDATORY for finding in self.findings)


def check(resources: Iterable[Resource], environment: str) -> list[Finding]:
    """Everything that all rules find, without any exception."""
    return list(report(resources, environment).findings)


def report(  # noqa: PLR0913  # each but the first two has a default
    resources: Iterable[Resource],
    environment: str,
    *,
    exceptions: Sequence[Exemption] = (),
    outputs: Mapping[str, Any] | None = None,
    today: date | None = None,
    rules: Sequence[Rule] = RULES,
) -> Report:
    """What all rules find in a stack, its exceptions applied.

    An exception that excepts nothing, or whose last day is past, is a finding of its own, an advisory one.
    """
    stack = Stack(tuple(resources), environment, outputs or {})
    day = today or datetime.now(UTC).date()
    kept: list[Finding] = []
    excepted: list[tuple[Finding, Exemption]] = []
    for rule in rules:
        for finding in findings_of(rule, stack):
            exemption = next((e for e in exceptions if e.covers(rule.name, finding.resource, day)), None)
            if exemption is None:
                kept.append(finding)
            else:
                excepted.append((finding, exemption))
    used = {(finding.rule, finding.resource) for finding, _ in excepted}
    kept += _idle(exceptions, used, day)
    kept.sort(key=lambda finding: (finding.level is Level.ADVISORY, finding.rule, finding.resource))
    return Report(tuple(kept), tuple(excepted))


def findings_of(rule: Rule, stack: Stack) -> Iterator[Finding]:
    """What one rule finds in a stack; nothing where the environment is spared."""
    if not rule.applies(stack.environment):
        return
    if not rule.types:
        yield from (_finding(rule, fault.resource, fault) for fault in faults(rule, stack))
    for resource in stack.of(*rule.types):
        yield from (_finding(rule, resource, fault) for fault in faults(rule, resource))


def faults(rule: Rule, subject: Resource | Stack) -> Iterator[Fault]:
    """What a rule has against one resource, or against the stack; a hidden value makes it undecided."""
    try:
        yield from rule.find(subject)
    except Undecided as path:
        yield undecided(str(path) or "its inputs")


def _finding(rule: Rule, resource: Resource | None, fault: Fault) -> Finding:
    level = Level.ADVISORY if fault.undecided else rule.level
    name, type_, urn = (resource.name, resource.type, resource.urn) if resource else ("", "", "")
    return Finding(rule.name, name, type_, urn, fault.text, rule.fix, level, fault.undecided)


def _idle(exceptions: Sequence[Exemption], used: set[tuple[str, str]], today: date) -> Iterator[Finding]:
    for each in exceptions:
        for resource in each.resources:
            if each.is_over(today):
                text = f"the exception from {each.rule} ended on {each.until}"
                yield Finding(
                    EXPIRED, resource, "", "", text, "Fix what it excepts, or extend it.", Level.ADVISORY
                )
            elif (each.rule, resource) not in used:
                text = f"the exception from {each.rule} excepts nothing"
                yield Finding(UNUSED, resource, "", "", text, "Remove it.", Level.ADVISORY)
