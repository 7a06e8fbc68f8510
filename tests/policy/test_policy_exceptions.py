"""Exceptions: narrow, with a reason, told when they are of no use."""

from datetime import UTC, date, datetime

import pytest
from policy.policy_resources import made

from langgraph_policy import InvalidExemption, Level, exemptions, report

REASON = "a group that is emptied by hand"
LOG = made("aws:cloudwatch/logGroup:LogGroup", {"kmsKeyId": "ours"}, "endless", provider="urn:p")
TODAY = date(2026, 11, 23)


def excepted(**more):
    return exemptions(
        [{"rule": "logs-kept", "resources": ["endless"], "reason": REASON, **more}], ["logs-kept"]
    )


def test_what_is_excepted_is_no_finding_and_is_told_with_its_reason():
    found = report([LOG], "dev", exceptions=excepted(), today=TODAY)
    assert found.findings == ()
    ((finding, exemption),) = found.excepted
    assert (finding.rule, finding.resource, exemption.reason) == ("logs-kept", "endless", REASON)
    assert not found.refused


def test_without_the_exception_it_is_refused():
    found = report([LOG], "dev", today=TODAY)
    assert [each.level for each in found.findings] == [Level.MANDATORY]
    assert found.refused


def test_another_resource_is_not_excepted_along_with_it():
    other = made(LOG.type, dict(LOG.inputs), "endless-too", provider="urn:p")
    found = report([LOG, other], "dev", exceptions=excepted(), today=TODAY)
    assert [each.resource for each in found.findings] == ["endless-too"]


def test_an_exception_without_use_is_told_and_refuses_nothing():
    (idle,) = report([], "dev", exceptions=excepted(), today=TODAY).findings
    assert (idle.rule, idle.level, idle.resource) == ("unused-exception", Level.ADVISORY, "endless")


@pytest.mark.parametrize("day", ["2026-11-23", TODAY, datetime(2026, 11, 23, 8, tzinfo=UTC)], ids=repr)
def test_an_exception_ends_on_the_day_it_names(day):
    """As text, or as YAML reads it."""
    until = excepted(until=day)
    assert report([LOG], "dev", exceptions=until, today=TODAY).findings == ()
    after = report([LOG], "dev", exceptions=until, today=date(2026, 11, 24))
    assert [each.rule for each in after.findings] == ["logs-kept", "expired-exception"]
    assert after.refused


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("logs-kept", "must be a list"),
        (["logs-kept"], r"exceptions\[0\]: there is no rule None"),
        ([{"rule": "log-kept", "resources": ["a"], "reason": REASON}], "there is no rule 'log-kept'"),
        ([{"rule": "logs-kept", "reason": REASON}], "resources: must be a list"),
        ([{"rule": "logs-kept", "resources": [], "reason": REASON}], "resources: must be a list"),
        ([{"rule": "logs-kept", "resources": ["a"]}], "reason: must be a sentence"),
        ([{"rule": "logs-kept", "resources": ["a"], "reason": "n/a"}], "reason: must be a sentence"),
        (
            [{"rule": "logs-kept", "resources": ["a"], "reason": REASON, "until": "soon"}],
            "until: must be a day",
        ),
        ([{"rule": "logs-kept", "resource": "a", "reason": REASON}], "unknown key 'resource'"),
    ],
)
def test_what_is_no_exception_is_refused_with_a_sentence(given, told):
    with pytest.raises(InvalidExemption, match=told):
        exemptions(given, ["logs-kept"])
