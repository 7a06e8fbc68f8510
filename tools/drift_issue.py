"""One issue for each stack that differs from its state: opened, edited, and closed when all is well again.

`drift_issue.py FOLDER` reads the reports of `drift.py` below FOLDER. A stack without a report could not be
looked at; its issue stays as it is, and this exits with 1.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from github_api import BODY_LIMIT, BOT, Json, Repository

ROWS = 200
"""Differences that are listed; of more, somebody deleted the world."""
_WORDS = {"delete": "is gone", "update": "was changed"}


def main(folder: Path) -> int:
    """Every stack of the variable STACKS (JSON)."""
    repository = Repository.of_the_job()
    run = repository.run(os.environ["GITHUB_RUN_ID"])
    reports = [json.loads(path.read_text()) for path in sorted(folder.rglob("*.json"))]
    open_issues = issues(repository)
    for report in reports:
        tell(repository, report, open_issues.get(marker(report["stack"])), run)
    unseen = set(json.loads(os.environ["STACKS"])) - {report["stack"] for report in reports}
    for stack in sorted(unseen):
        sys.stdout.write(f"::error::{stack} could not be looked at\n")
    return int(bool(unseen))


def marker(stack: str) -> str:
    """The first line of the stack's issue."""
    return f"<!-- lgp-drift:{stack} -->"


def issues(repository: Repository) -> dict[str, Json]:
    """The first line of each open issue of ours → the issue."""
    found = repository.all("/issues", state="open", creator=BOT)
    ours = [issue for issue in found if "pull_request" not in issue and issue["user"]["login"] == BOT]
    return {(issue["body"] or "").splitlines()[0]: issue for issue in ours if issue["body"]}


def tell(repository: Repository, report: dict[str, Any], issue: Json | None, run: str) -> None:
    """Open, edit or close the issue of one stack."""
    stack, differences = report["stack"], report["differences"]
    if differences:
        content = {"title": f"{stack} differs from its state", "body": body(stack, differences, run)}
        if issue is None:
            repository.post("/issues", content)
        else:
            repository.patch(f"/issues/{int(issue['number'])}", content)
        sys.stdout.write(f"::warning::{stack}: {len(differences)} differ\n")
    elif issue is not None:
        number = int(issue["number"])
        repository.post(f"/issues/{number}/comments", {"body": f"Nothing differs any more: {run}"})
        repository.patch(f"/issues/{number}", {"state": "closed", "state_reason": "completed"})


def body(stack: str, differences: list[dict[str, Any]], run: str) -> str:
    """The issue's text: a table without values, and where to read on."""
    rows = [
        f"| {_WORDS.get(each['op'], each['op'])} | `{each['type']}` | `{each['name']}` | "
        f"{', '.join(f'`{name}`' for name in each['properties'])} |"
        for each in differences[:ROWS]
    ]
    more = [f"\n… and {len(differences) - ROWS} more."] if len(differences) > ROWS else []
    text = "\n".join(
        [
            marker(stack),
            f"What AWS or the cluster has is not what the state of `{stack}` says ([the run]({run})).",
            "",
            "| | type | name | properties |",
            "|---|---|---|---|",
            *rows,
            *more,
            "",
            f"`pulumi refresh --preview-only --diff --stack {stack}` shows the values; "
            "`docs/howto/drift.md` says what to do.",
        ]
    )
    return text[:BODY_LIMIT]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
