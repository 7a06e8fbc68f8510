"""What AWS's APIs refuse and no preview tells, by their references; on the plans of the real stacks."""

import json
import re

import pytest
from infra.infra_stacks import ON_AWS, planned

from lgp.planning.values import revealed

DESCRIBED = ("securityGroup:SecurityGroup", "IngressRule", "EgressRule")
DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}")
"""EC2 API, CreateSecurityGroup, GroupDescription: an apostrophe is not among them."""

TAG = re.compile(r"[\w\s+\-=.:/@]{0,256}")
"""IAM and ECR take the fewest characters: letters, digits, spaces and these."""

ROLE_POLICY_LIMIT = 10_240
"""Characters of all inline policies of a role, without white space (IAM quotas)."""

TRUST_LIMIT = 2_048
"""Characters of a trust policy (IAM quotas)."""


@pytest.fixture(params=ON_AWS)
def resources(request):
    return [each for each in planned(request.param).resources if each.type.startswith("aws:")]


def of_type(resources, *endings):
    return [resource for resource in resources if resource.type.endswith(endings)]


def text_of(document):
    return json.dumps(json.loads(revealed(document)), separators=(",", ":"))


def test_security_groups_are_described_in_characters_that_ec2_takes(resources):
    described = of_type(resources, *DESCRIBED)
    wrong = [r.name for r in described if not DESCRIPTION.fullmatch(r.inputs["description"])]
    assert described
    assert wrong == []


def test_tags_have_characters_that_every_service_takes(resources):
    tagged = [resource for resource in resources if resource.inputs.get("tags")]
    wrong = [r.name for r in tagged if not all(map(TAG.fullmatch, r.inputs["tags"].values()))]
    assert tagged
    assert wrong == []


def test_no_policy_is_longer_than_a_role_can_hold(resources):
    for policy in of_type(resources, "rolePolicy:RolePolicy"):
        assert len(text_of(policy.inputs["policy"])) < ROLE_POLICY_LIMIT, policy.name
    for role in of_type(resources, "role:Role"):
        assert len(text_of(role.inputs["assumeRolePolicy"])) < TRUST_LIMIT, role.name


def test_statements_are_named_in_letters_and_digits_alone(resources):
    for policy in of_type(resources, "rolePolicy:RolePolicy"):
        names = [one["Sid"] for one in json.loads(text_of(policy.inputs["policy"]))["Statement"]]
        assert all(name.isalnum() for name in names), policy.name
        assert len(set(names)) == len(names), policy.name


def test_the_windows_of_backups_and_maintenance_do_not_overlap(resources):
    """RDS and ElastiCache refuse it; a weekly window begins on a day, a daily one on each."""
    stores = [r for r in resources if "maintenanceWindow" in r.inputs]
    assert stores
    for store in stores:
        daily = store.inputs.get("backupWindow") or store.inputs.get("snapshotWindow")
        if daily is None:
            continue
        begin, end = re.findall(r"\d\d:\d\d", store.inputs["maintenanceWindow"])
        first, last = daily.split("-")
        assert last <= begin or end <= first, store.name
