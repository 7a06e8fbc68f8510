"""The policy's part of a comment."""

from langgraph_policy import Finding, Level, Report
from lgp.planning.comment.bounded import Section
from lgp.planning.comment.markup import code, columns, row
from lgp.planning.policy_text import headline, verdict

MARKS = {Level.MANDATORY: "⛔", Level.ADVISORY: "⚠️"}


def policy_sections(report: Report) -> list[Section]:
    """What was found, in sight if it stops the change; then, folded, what is excepted and why."""
    title = f"<b>{'⛔ ' if report.refused else ''}{verdict(report)}</b>"
    found = (
        Section(
            title,
            [_row(finding) for finding in report.findings],
            "finding",
            folded=not report.refused,
            wrap=columns("rule", "found", "what to do"),
        )
        if report.findings
        else Section(title, ["<p>docs/howto/policy.md lists the rules.</p>"], "line")
    )
    excepted = Section(
        "Excepted from the policy, and why",
        [
            row([code(headline(finding)), code(finding.found), code(exemption.reason)])
            for finding, exemption in report.excepted
        ],
        "exception",
        wrap=columns("rule", "found", "reason"),
    )
    return [found, excepted]


def _row(finding: Finding) -> str:
    mark = MARKS[finding.level]
    return row([f"{mark} {code(headline(finding))}", code(finding.found), code(finding.fix)])
