"""`lgp plan --policy`: what a person, a program and a reviewer are told, and how it ends."""

import json

import pytest
from support.plans import Project

from langgraph_policy import Hidden
from lgp.planning.policy import visible
from lgp.planning.values import COMPUTED, Secret

PROGRAM = """
import pulumi, pulumi_aws as aws
provider = aws.Provider("aws", region="eu-west-1", allowed_account_ids=["123456789012"],
    default_tags=aws.ProviderDefaultTagsArgs(tags={"project": "demo", "stack": "dev"}))
opts = pulumi.ResourceOptions(provider=provider)
key = aws.kms.Key("key", enable_key_rotation=True, opts=opts)
aws.cloudwatch.LogGroup("endless", kms_key_id=key.arn, opts=opts)
"""
EXCEPTION = {"rule": "logs-kept", "resources": ["endless"], "reason": "a person empties it every month"}


@pytest.fixture
def project(tmp_path, capfd):
    return Project(tmp_path / "project", capfd)


def excepting(*exceptions) -> str:
    return json.dumps({"langgraph-policy:exceptions": exceptions})


def test_a_broken_rule_is_told_with_what_to_do_and_the_exit_code_is_1(project):
    done = project.write(PROGRAM).plan("dev", "--policy")
    assert done.code == 1
    assert "mandatory  logs-kept aws:cloudwatch:LogGroup endless" in done.out
    assert "retentionInDays is not set, not a number of days" in done.out
    assert "policy: 1 mandatory" in done.out


def test_without_the_option_nothing_is_checked(project):
    done = project.write(PROGRAM).plan("dev")
    assert done.code == 0
    assert "policy" not in done.out


def test_a_stack_that_keeps_the_rules_says_so(project):
    kept = PROGRAM.replace('"endless", ', '"endless", retention_in_days=7, ')
    done = project.write(kept).plan("dev", "--policy")
    assert done.code == 0
    assert "rules are kept" in done.out


def test_what_is_excepted_is_shown_with_its_reason(project):
    done = project.write(PROGRAM, config=excepting(EXCEPTION)).plan("dev", "--policy")
    assert done.code == 0
    assert "excepted   logs-kept aws:cloudwatch:LogGroup endless: a person empties it every month" in done.out
    assert "policy: 1 excepted" in done.out


def test_an_exception_that_is_none_is_a_fault_of_the_stacks_file(project):
    wrong = {**EXCEPTION, "rule": "log-kept"}
    done = project.write(PROGRAM, config=excepting(wrong)).plan("dev", "--policy")
    assert done.code == 2
    assert "Pulumi.dev.yaml: langgraph-policy:exceptions[0]: there is no rule 'log-kept'" in done.err


def test_a_program_gets_every_finding_and_every_exception(project):
    done = project.write(PROGRAM, config=excepting({**EXCEPTION, "until": "2099-12-31"})).plan(
        "dev", "--policy", "--json"
    )
    policy = done.document["policy"]
    assert (policy["refused"], policy["findings"]) == (False, [])
    (excepted,) = policy["excepted"]
    assert (excepted["rule"], excepted["resource"], excepted["until"]) == (
        "logs-kept",
        "endless",
        "2099-12-31",
    )
    (finding,) = project.write(PROGRAM).plan("dev", "--policy", "--json").document["policy"]["findings"]
    assert finding.keys() == {"rule", "resource", "type", "urn", "found", "fix", "level", "undecided"}
    assert (finding["level"], finding["undecided"]) == ("mandatory", False)


def test_a_stack_of_another_name_is_held_to_the_rules_of_prod_until_it_says_what_it_is(project):
    kept = PROGRAM.replace('"endless", ', '"endless", retention_in_days=7, ')
    strict = project.write(kept, stack="staging").plan("staging", "--policy", "--json")
    assert {each["rule"] for each in strict.document["policy"]["findings"]} == {
        "logs-kept-a-year",
        "state-protected",
    }
    named = project.write(kept, stack="staging", config='{"langgraph-policy:environment": "dev"}')
    assert named.plan("staging", "--policy").code == 0


def test_a_comment_has_the_finding_and_nothing_that_a_name_could_do(project):
    named = PROGRAM.replace('"endless"', '"end<b>@everyone"')
    done = project.write(named).plan("dev", "--policy", "--markdown")
    assert done.code == 1
    assert "logs-kept" in done.out
    assert "end&lt;b&gt;@everyone" in done.out
    assert "end<b>" not in done.out


def test_a_secret_in_an_output_is_found_by_its_mark_and_is_not_shown(project):
    leaking = PROGRAM + 'pulumi.export("greeting", pulumi.Output.secret("hunter2hunter2"))\n'
    done = project.write(leaking, config=excepting(EXCEPTION)).plan("dev", "--policy")
    assert done.code == 1
    assert "the output greeting is marked as a secret" in done.out
    assert "hunter2" not in done.out + done.err


def test_a_hidden_value_keeps_the_keys_around_it_and_nothing_of_itself():
    told = visible({"data": Secret({"a": "b"}), "arn": COMPUTED, "list": [Secret("x"), 1]})
    assert told == {"data": {"a": Hidden.SECRET}, "arn": Hidden.UNKNOWN, "list": [Hidden.SECRET, 1]}
