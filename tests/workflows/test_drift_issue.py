"""Drift is one issue for each stack, without a value in it; the digests are what the real engine printed."""

import json
import subprocess
import sys

import pytest
from workflows.workflow_files import ROOT

URN = "urn:pulumi:prod::platform::langgraph:index:Platform$"
STATE = {"inputs": {"password": "hunter2"}, "outputs": {"arn": "arn:aws:logs:eu-west-1:111122223333:x"}}


def step(op, kind, name, **told):
    return {"op": op, "urn": f"{URN}{kind}::{name}", "oldState": STATE, "newState": STATE, **told}


CHANGED = step(
    "update",
    "aws:cloudwatch/logGroup:LogGroup",
    "one",
    diffReasons=["retentionInDays"],
    detailedDiff={"retentionInDays": {"kind": "update", "inputDiff": True}},
)
GONE = step("delete", "aws:rds/instance:Instance", "database", detailedDiff=None)
SWEPT = step("delete", "kubernetes:batch/v1:Job", "migration", detailedDiff=None)
SAME = step("refresh", "aws:rds/instance:Instance", "replica", detailedDiff=None)


def report(*steps):
    digest = json.dumps({"steps": steps, "changeSummary": {}, "duration": 1})
    command = [sys.executable, "-S", "-E", str(ROOT / "tools" / "drift.py"), "prod"]
    return subprocess.run(command, input=digest, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def look(tmp_path, run):
    """`look(steps)` reports what was found to GitHub."""

    def told(*steps, stacks='["prod"]'):
        (tmp_path / "drift-prod").mkdir(exist_ok=True)
        (tmp_path / "drift-prod" / "prod.json").write_text(report(*steps))
        return run("drift_issue.py", str(tmp_path), STACKS=stacks)

    return told


def test_what_is_gone_and_what_changed_is_named_without_a_value():
    found = report(SAME, GONE, CHANGED)
    assert "hunter2" not in found
    assert "111122223333" not in found
    assert [each["name"] for each in json.loads(found)["differences"]] == ["one", "database"]
    assert json.loads(found)["differences"][0]["properties"] == ["retentionInDays"]


def test_a_swept_migration_is_no_drift(hub, look):
    assert look(SAME, SWEPT).returncode == 0
    assert hub.issues == []


def test_an_issue_is_opened_edited_and_closed(hub, look):
    look(CHANGED)
    look(CHANGED, GONE)
    (issue,) = hub.issues
    assert issue["title"] == "prod differs from its state"
    assert issue["body"].startswith("<!-- lgp-drift:prod -->")
    assert "| is gone | `aws:rds/instance:Instance` | `database` |" in issue["body"]
    look(SAME)
    assert issue["state"] == "closed"
    assert "Nothing differs any more" in hub.bodies(issue["number"])[0]
    look(CHANGED)
    assert [each["state"] for each in hub.issues] == ["closed", "open"]


def test_an_issue_of_somebody_else_with_the_marker_is_not_touched(hub, look):
    body = "<!-- lgp-drift:prod -->\nmine"
    theirs = {"number": 3, "state": "open", "user": {"login": "stranger"}, "body": body}
    hub.issues.append(theirs)
    look(CHANGED)
    assert theirs["body"] == body
    assert len(hub.issues) == 2


def test_a_stack_that_could_not_be_looked_at_fails_and_closes_nothing(hub, look):
    look(CHANGED)
    done = look(CHANGED, stacks='["dev", "prod"]')
    assert done.returncode == 1
    assert "::error::dev could not be looked at" in done.stdout
    assert hub.issues[0]["state"] == "open"


def test_thousands_of_differences_are_one_issue_that_github_takes(hub, look):
    many = [
        step("delete", "aws:ec2/subnet:Subnet", f"{'x' * 200}-{n}", detailedDiff=None) for n in range(3000)
    ]
    assert look(*many).returncode == 0
    assert "… and 2800 more." in hub.issues[0]["body"]
