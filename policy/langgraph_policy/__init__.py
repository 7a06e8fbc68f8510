"""Rules that a stack must keep: plain functions on what a program declares.

    findings = check(resources, "prod")

Nothing here knows Pulumi. `lgp plan --policy` and the policy pack in `policy/__main__.py` both turn what they
see into `Resource`s and hand them to `check`.
"""

from langgraph_policy.check import Report, check, report
from langgraph_policy.exceptions import Exemption, InvalidExemption, exemptions
from langgraph_policy.model import Fault, Finding, Level, Resource, Rule, Stack
from langgraph_policy.rules import RULES
from langgraph_policy.values import Hidden

__all__ = [
    "RULES",
    "Exemption",
    "Fault",
    "Finding",
    "Hidden",
    "InvalidExemption",
    "Level",
    "Report",
    "Resource",
    "Rule",
    "Stack",
    "check",
    "exemptions",
    "report",
]
