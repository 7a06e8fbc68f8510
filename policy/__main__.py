# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUntypedBaseClass=false
# reason: pulumi-policy is in the pack's own environment alone: its protobuf is not the server's
"""The policy pack: `pulumi preview --policy-pack policy`, `pulumi up --policy-pack policy`.

Every rule is a policy of its name, so `--policy-pack-config FILE` may set its level and its exceptions:

    {"nat-in-every-zone": {"enforcementLevel": "advisory"},
     "balancer-strict": {"exceptions": [{"resources": ["edge-alb"], "reason": "…"}]}}
"""

from collections.abc import Callable
from typing import Any

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from langgraph_policy import RULES, Finding, Rule
from langgraph_policy.engine import Reader, Settings, advice, violations

READER = Reader(UnknownValueError)
FIRST = next(rule for rule in RULES if rule.types)
"""The rule that is asked first of every resource, so that each is read, whatever its type."""
EXCEPTIONS = PolicyConfigSchema(
    {
        "exceptions": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "resources": {"type": "array", "items": {"type": "string"}},
                    "reason": {"type": "string"},
                    "until": {"type": "string"},
                },
                "required": ["resources", "reason"],
            },
        }
    }
)
Tell = Callable[..., None]


def policy(rule: Rule) -> Policy:
    """A rule as a policy of the pack."""
    told: dict[str, Any] = {
        "name": rule.name,
        "description": rule.what,
        "enforcement_level": EnforcementLevel(rule.level.value),
        "config_schema": EXCEPTIONS,
        "remediation_steps": rule.fix,
    }
    if rule.types:
        return ResourceValidationPolicy(validate=_of_resource(rule), **told)
    return StackValidationPolicy(validate=_of_stack(rule), **told)


def _of_resource(rule: Rule) -> Callable[[ResourceValidationArgs, Tell], None]:
    def validate(args: ResourceValidationArgs, tell: Tell) -> None:
        resources = [READER.one(args)] if rule is FIRST or args.resource_type in rule.types else []
        _tell(rule, violations(rule, resources, settings(), given=args.get_config().get("exceptions")), tell)

    return validate


def _of_stack(rule: Rule) -> Callable[[StackValidationArgs, Tell], None]:
    def validate(args: StackValidationArgs, tell: Tell) -> None:
        given, outputs = args.get_config().get("exceptions"), READER.outputs(args.resources)
        _tell(
            rule, violations(rule, READER.all(args.resources), settings(), given=given, outputs=outputs), tell
        )

    return validate


def _tell(rule: Rule, findings: list[Finding], tell: Tell) -> None:
    for finding in findings:
        of = f"{finding.resource}: " if finding.resource else ""
        tell(f"{of}{finding.found}\nWhy: {rule.why}\nFix: {rule.fix}", finding.urn or None)


def settings() -> Settings:
    """What the stack's configuration says; the engine hands it to the pack, too."""
    own = pulumi.Config("langgraph-policy")
    platform = pulumi.Config().get_object("platform")
    return Settings.of(pulumi.get_stack(), platform, own.get("environment"), own.get_object("exceptions"))


def _exceptions(_: StackValidationArgs, tell: Tell) -> None:
    if problem := settings().problem:
        tell(problem)


def _advice(kind: str) -> Callable[[StackValidationArgs, Tell], None]:
    def validate(args: StackValidationArgs, tell: Tell) -> None:
        for line in advice(READER.all(args.resources), settings())[kind]:
            tell(line)

    return validate


PolicyPack(
    name="langgraph-policy",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        *(policy(rule) for rule in RULES),
        StackValidationPolicy(
            name="exceptions-readable",
            description="The exceptions of a stack name a rule, resources and a reason.",
            validate=_exceptions,
        ),
        StackValidationPolicy(
            name="exceptions-used",
            description="An exception that excepts nothing is removed.",
            enforcement_level=EnforcementLevel.ADVISORY,
            validate=_advice("idle"),
        ),
        StackValidationPolicy(
            name="values-known",
            description="These rules cannot be told before the update, which asks them again.",
            enforcement_level=EnforcementLevel.ADVISORY,
            validate=_advice("undecided"),
        ),
    ],
)
