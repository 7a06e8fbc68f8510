"""What IAM lets nobody limit, who is trusted, what counts as named."""

import pytest
from policy.policy_resources import made, policy
from policy_sentry.querying.actions import get_action_data

from langgraph_policy.check import findings_of
from langgraph_policy.model import Stack
from langgraph_policy.rules.iam import WITHOUT_RESOURCES, iam_resources, iam_trust


@pytest.mark.parametrize("action", sorted(WITHOUT_RESOURCES))
def test_an_action_that_may_have_every_resource_can_have_no_other(action):
    """By AWS's own reference of actions, as policy-sentry carries it."""
    service, _, name = action.partition(":")
    (rows,) = get_action_data(service, name).values()
    assert {row["resource_arn_format"] for row in rows} == {"*"}


def granted(action: str, arn: str, **condition):
    statement = {"Action": action, "Resource": arn} | ({"Condition": condition} if condition else {})
    resource = made("aws:iam/rolePolicy:RolePolicy", {"policy": policy(**statement)})
    return [each.found for each in findings_of(iam_resources, Stack((resource,)))]


@pytest.mark.parametrize(
    "arn",
    [
        "*",
        "arn:aws:s3:::*",
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:*",
        "arn:aws:kms:eu-west-1:111122223333:key/*",
        "arn:aws:sqs:eu-west-1:111122223333:*",
        "arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/*",
    ],
)
def test_an_arn_that_names_nothing_of_its_own_is_wide(arn):
    assert granted("service:Action", arn)
    assert not granted("service:Action", arn, StringEquals={"aws:ResourceTag/project": "ours"})
    assert granted("service:Action", arn, StringEquals={"aws:RequestedRegion": "eu-west-1"})


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:s3:::files/*",
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:langgraph/*",
        "arn:aws:eks:eu-west-1:111122223333:nodegroup/prod/*/*",
        "arn:aws:logs:eu-west-1:111122223333:log-group:/prod/flow:*",
    ],
)
def test_an_arn_with_a_name_of_its_own_is_narrow(arn):
    assert granted("service:Action", arn) == []


GITHUB = {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}
SUB, AUD = (f"token.actions.githubusercontent.com:{claim}" for claim in ("sub", "aud"))


@pytest.mark.parametrize(
    ("principal", "condition", "trusted"),
    [
        ({"Service": "ec2.amazonaws.com"}, {}, True),
        ({"Service": "pods.eks.amazonaws.com"}, {}, False),
        ({"Service": "vpc-flow-logs.amazonaws.com"}, {"StringEquals": {"aws:SourceAccount": "1"}}, True),
        ({"AWS": "*"}, {}, False),
        ({"AWS": "arn:aws:iam::444455556666:root"}, {}, False),
        ({"AWS": "arn:aws:iam::111122223333:role/deployer"}, {}, True),
        (GITHUB, {"StringEquals": {AUD: "sts.amazonaws.com", SUB: "repo:o/r:environment:prod"}}, True),
        (GITHUB, {"StringEquals": {AUD: "sts.amazonaws.com"}}, False),
        (GITHUB, {"StringEquals": {SUB: "repo:o/r:environment:prod"}}, False),
        (GITHUB, {"StringEquals": {AUD: "sts.amazonaws.com"}, "StringLike": {SUB: "repo:o/r:*"}}, False),
        (GITHUB, {"StringEquals": {AUD: "sts.amazonaws.com"}, "StringLike": {SUB: "repo:o/*"}}, False),
    ],
    ids=range(11),
)
def test_a_role_trusts_one_service_for_us_or_one_named_subject(principal, condition, trusted):
    document = policy(Principal=principal, Action="sts:AssumeRole", Condition=condition)
    role = made("aws:iam/role:Role", {"assumeRolePolicy": document})
    assert (list(findings_of(iam_trust, Stack((role,)))) == []) is trusted
