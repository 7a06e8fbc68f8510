"""The rules as Pulumi's engine runs them: what its arguments mean, and what its stack has excepted.

The engine asks twice. Before a resource is made it asks about that resource alone, so a mandatory finding
stops the update before it; at the end it asks about all of them. A preview does the same with what it knows.
The engine's own types are named here by what is used of them: this package does not need Pulumi.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol, cast

from langgraph_policy.check import EXPIRED, UNUSED, findings_of, report
from langgraph_policy.exceptions import Exemption, InvalidExemption, exemptions
from langgraph_policy.model import Finding, Resource, Rule, Stack
from langgraph_policy.rules import RULES
from langgraph_policy.values import Hidden

STACK = "pulumi:pulumi:Stack"


class Provider(Protocol):
    """The provider of a resource, the default ones too."""

    urn: str
    name: str


class Options(Protocol):
    """A resource's options."""

    protect: bool


class Seen(Protocol):
    """A resource as the engine tells of it; reading a property that is not known yet raises."""

    resource_type: str
    name: str
    urn: str
    props: Mapping[str, Any]
    opts: Options
    provider: Provider | None


@dataclass(frozen=True)
class Reader:
    """Reads what the engine hands over."""

    unknown: type[Exception]
    """What is raised where a value is not known yet."""
    asked: dict[str, Resource] = field(default_factory=dict[str, Resource])
    """By URN what the engine asked about one by one."""

    def one(self, seen: Seen) -> Resource:
        """The resource that the engine asks about by itself, and kept for when it asks about all."""
        self.asked[seen.urn] = found = self.resource(seen)
        return found

    def all(self, resources: Iterable[Seen]) -> list[Resource]:
        """Every resource with what it was asked for, and what it is made of.

        At the end the engine tells of a resource what came out: in a preview whole objects are missing for
        one value that is not known yet. What was asked for has it all, and is what rules are about.
        """
        told = [self.resource(seen) for seen in resources]
        return [
            replace(self.asked[each.urn], references=each.references) if each.urn in self.asked else each
            for each in told
        ]

    def resource(self, seen: Seen) -> Resource:
        """The resource as rules see it.

        A secret is in the clear here, as the engine gives it: rules that look for secrets go by names and
        forms, and by `lgp plan --policy`, which knows what is marked.
        """
        provider, references = seen.provider, _references(seen)
        inputs = cast("dict[str, Any]", self.visible(seen.props))
        # what is made of something not known yet may be missing as a whole
        inputs = dict.fromkeys(references, Hidden.UNKNOWN) | inputs
        named = provider is not None and not provider.name.startswith("default")
        return Resource(
            type=seen.resource_type,
            name=seen.name,
            urn=seen.urn,
            inputs=inputs,
            protect=seen.opts.protect,
            provider=provider.urn if provider is not None and named else None,
            custom=provider is not None,
            references=references,
        )

    def visible(self, value: Any) -> Any:
        """A value with a mark where it is not known."""
        if isinstance(value, Mapping):
            mapping = cast("Mapping[str, Any]", value)
            return {key: self._item(mapping, key) for key in mapping}
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            items = cast("Sequence[Any]", value)
            return [self._item(items, n) for n in range(len(items))]
        return value

    def _item(self, held: Any, key: Any) -> Any:
        try:
            return self.visible(held[key])
        except self.unknown:
            return Hidden.UNKNOWN

    def outputs(self, resources: Iterable[Seen]) -> Mapping[str, Any]:
        """The outputs of the stack, as far as they are known."""
        found = [self.visible(seen.props) for seen in resources if seen.resource_type == STACK]
        return cast("Mapping[str, Any]", found[0]) if found else {}


def _references(seen: Any) -> dict[str, tuple[str, ...]]:
    """By input the URNs it is made of; the engine tells them when it asks about the whole stack."""
    told: Mapping[str, Iterable[Seen]] = getattr(seen, "property_dependencies", {})
    return {key: tuple(each.urn for each in many) for key, many in told.items()}


@dataclass(frozen=True)
class Settings:
    """What a stack says of itself in its file."""

    environment: str
    exceptions: tuple[Exemption, ...] = ()
    problem: str = ""
    """Why its exceptions are none, so that nothing is excepted."""

    @classmethod
    def of(cls, stack: str, platform: Any, environment: str | None, exceptions: Any) -> "Settings":
        """Those of a stack's configuration: `platform`, `langgraph-policy:environment` and `…:exceptions`."""
        found: Any = (
            cast("dict[str, Any]", platform).get("environment") if isinstance(platform, dict) else None
        )
        name = str(environment or found or stack)
        try:
            return cls(name, exemptions(exceptions, (rule.name for rule in RULES)))
        except InvalidExemption as error:
            return cls(name, problem=f"langgraph-policy:{error}")


def violations(
    rule: Rule,
    resources: Sequence[Resource],
    settings: Settings,
    *,
    given: Any = None,
    outputs: Mapping[str, Any] | None = None,
) -> list[Finding]:
    """What a rule finds for certain; `given` are the exceptions of the pack's own configuration.

    What is undecided is left out: `advice` tells it once for all rules.
    """
    own = [{**each, "rule": rule.name} for each in cast("list[dict[str, Any]]", given or [])]
    exceptions = (*settings.exceptions, *exemptions(own, [rule.name]))
    stack = Stack(tuple(resources), settings.environment, outputs or {})
    today = datetime.now(UTC).date()
    return [
        finding
        for finding in findings_of(rule, stack)
        if not finding.undecided
        and not any(each.covers(rule.name, finding.resource, today) for each in exceptions)
    ]


def advice(resources: Sequence[Resource], settings: Settings) -> dict[str, list[str]]:
    """Lines beside the violations: `undecided`, what cannot be told yet; `idle`, exceptions without use."""
    found = report(resources, settings.environment, exceptions=settings.exceptions).findings
    waiting: dict[str, list[str]] = {}
    for finding in found:
        if finding.undecided:
            waiting.setdefault(finding.rule, []).append(finding.resource)
    undecided = [f"{rule}: {', '.join(sorted(set(names)))}" for rule, names in sorted(waiting.items())]
    idle = [f"{each.resource}: {each.found}" for each in found if each.rule in {UNUSED, EXPIRED}]
    return {"undecided": undecided, "idle": idle}
