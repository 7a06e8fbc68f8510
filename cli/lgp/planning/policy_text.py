"""What the policy found, for people and for programs."""

from typing import Any

from rich.console import Console
from rich.markup import escape

from langgraph_policy import RULES, Finding, Level, Report
from lgp.planning.shape import short_type

COLOURS = {Level.MANDATORY: "red", Level.ADVISORY: "yellow"}


def policy_document(report: Report) -> dict[str, Any]:
    """`{"refused", "findings", "excepted"}`.

    A finding has `rule`, `resource`, `type`, `urn`, `found`, `fix`, `level` and `undecided`; what is excepted
    has `rule`, `resource`, `found`, `reason` and, if the exception ends, `until`.
    """
    return {
        "refused": report.refused,
        "findings": [_finding(finding) for finding in report.findings],
        "excepted": [
            {
                "rule": finding.rule,
                "resource": finding.resource,
                "found": finding.found,
                "reason": exemption.reason,
                **({"until": exemption.until.isoformat()} if exemption.until else {}),
            }
            for finding, exemption in report.excepted
        ],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "resource": finding.resource,
        "type": finding.type,
        "urn": finding.urn,
        "found": finding.found,
        "fix": finding.fix,
        "level": finding.level.value,
        "undecided": finding.undecided,
    }


def show_policy(report: Report, console: Console) -> None:
    """Each finding with its cure, each exception with its reason, and a line that counts."""
    console.print()
    console.print("[bold]policy[/bold]")
    for finding in report.findings:
        colour = COLOURS[finding.level]
        console.print(f"[{colour}]{finding.level.value}[/{colour}]  {escape(headline(finding))}")
        console.print(f"           {escape(finding.found)}")
        console.print(f"           [dim]{escape(finding.fix)}[/dim]")
    for finding, exemption in report.excepted:
        console.print(f"[dim]excepted   {escape(headline(finding))}: {escape(exemption.reason)}[/dim]")
    console.print(verdict(report))


def headline(finding: Finding) -> str:
    """The rule, and of what: `database-private aws:rds:Instance langgraph-database`."""
    of = [short_type(finding.type)] if finding.type else []
    return " ".join([finding.rule, *of, finding.resource]).strip()


def verdict(report: Report) -> str:
    """`2 mandatory, 1 advisory, 1 excepted`, or that all rules are kept."""
    mandatory = sum(finding.level is Level.MANDATORY for finding in report.findings)
    parts = [
        (mandatory, "mandatory"),
        (len(report.findings) - mandatory, "advisory"),
        (len(report.excepted), "excepted"),
    ]
    told = ", ".join(f"{number} {word}" for number, word in parts if number)
    return f"policy: {told or f'all {len(RULES)} rules are kept'}"
