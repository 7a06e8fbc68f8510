"""Rules of the web firewall: AWS's own groups, adjusted to an API whose bodies are documents."""

from typing import Any

Json = dict[str, Any]

_GROUPS = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
)

COUNTED = (
    "CrossSiteScripting_BODY",
    "EC2MetaDataSSRF_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "SizeRestrictions_BODY",
)
"""Rules on bodies that only count: a prompt may hold HTML, paths and addresses, and is often above 8 kB."""


def rules(prefix: str) -> list[Json]:
    """The rules in order, as `wafv2.WebAcl` takes them; `prefix` begins the names of their metrics."""
    return [_group(name, priority, prefix) for priority, name in enumerate(_GROUPS)]


def visibility(metric: str) -> Json:
    """What CloudWatch is told. No sampled requests: they would hold customers' text."""
    return {"cloudwatch_metrics_enabled": True, "metric_name": metric, "sampled_requests_enabled": False}


def _group(name: str, priority: int, prefix: str) -> Json:
    statement: Json = {"vendor_name": "AWS", "name": name}
    if name == "AWSManagedRulesCommonRuleSet":
        statement["rule_action_overrides"] = [
            {"name": counted, "action_to_use": {"count": {}}} for counted in COUNTED
        ]
    return {
        "name": name,
        "priority": priority,
        "override_action": {"none": {}},
        "statement": {"managed_rule_group_statement": statement},
        "visibility_config": visibility(f"{prefix}-{name}"),
    }
