"""What a plan knows of EKS without asking it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph_components.pure import cluster_policies, eks

ADDONS = {*eks.BEFORE_NODES, *eks.AFTER_NODES}
ROLE = "arn:aws:iam::123456789012:role/"


def test_the_newest_version_has_a_pinned_build_of_every_addon():
    newest = max(eks.STANDARD_SUPPORT_ENDS)
    assert set(eks.addon_versions(newest, {})) == ADDONS
    assert set(eks.ADDON_VERSIONS) <= set(eks.STANDARD_SUPPORT_ENDS)


def test_kube_proxy_is_of_the_clusters_own_version():
    for version, builds in eks.ADDON_VERSIONS.items():
        assert builds["kube-proxy"].startswith(f"v{version}.")


def test_a_chosen_build_goes_before_the_pinned_one():
    found = eks.addon_versions("1.36", {"coredns": "v1.14.7-eksbuild.10"})
    assert found["coredns"] == "v1.14.7-eksbuild.10"
    assert found["vpc-cni"] == eks.ADDON_VERSIONS["1.36"]["vpc-cni"]


@pytest.mark.parametrize(
    ("version", "chosen", "said"),
    [
        ("1.36", {"dns": "v1.0.0-eksbuild.1"}, "dns is none of aws-ebs-csi-driver, coredns, "),
        (
            "1.36",
            {"coredns": "latest"},
            "coredns should be a build such as v1.14.3-eksbuild.23 (got 'latest')",
        ),
        ("1.36", {"coredns": "v1.14.3"}, "coredns should be a build such as"),
        (
            "1.35",
            {"coredns": "v1.13.2-eksbuild.31"},
            "no build of aws-ebs-csi-driver, eks-pod-identity-agent",
        ),
    ],
)
def test_a_build_that_is_not_exact_is_refused(version, chosen, said):
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the whole text is compared
        eks.addon_versions(version, chosen)
    assert str(refused.value).startswith(said)


def test_another_version_is_possible_when_all_its_builds_are_named():
    chosen = dict.fromkeys(ADDONS, "v1.0.0-eksbuild.1")
    assert eks.addon_versions("1.35", chosen) == chosen


def test_an_unknown_version_is_refused_with_those_that_are_known():
    assert eks.supported("1.36") == "1.36"
    with pytest.raises(ValueError, match=r"should be one of 1.34, 1.35, 1.36 \(got '1.29'\)"):
        eks.supported("1.29")


@given(st.sampled_from(sorted(eks.STANDARD_SUPPORT_ENDS)), st.integers(-1000, 1000))
def test_the_end_of_support_is_told_from_90_days_before_it_on(version, days):
    end = eks.STANDARD_SUPPORT_ENDS[version]
    notice = eks.support_notice(version, end - timedelta(days=days))
    assert (notice is None) == (days > 90)


def test_the_notice_says_when_and_what_to_do():
    before = eks.support_notice("1.34", date(2026, 11, 23))
    assert before == (
        "standard support of Kubernetes 1.34 on EKS ends on 2026-12-02: from then on EKS upgrades "
        "the cluster by itself. Set `version` to the next one, one step at a time, up to 1.36"
    )
    after = eks.support_notice("1.34", date(2026, 12, 3))
    assert after is not None
    assert " ended on 2026-12-02" in after


def test_machines_that_cannot_boot_the_image_are_refused():
    eks.same_architecture("AL2023_ARM_64_STANDARD", ["m7g.large", "m8g.large"])
    eks.same_architecture("BOTTLEROCKET_x86_64", ["m7i.large"])
    with pytest.raises(
        ValueError, match=r"m7g\.large is arm64, which AL2023_x86_64_STANDARD does not boot on"
    ):
        eks.same_architecture("AL2023_x86_64_STANDARD", ["m7i.large", "m7g.large"])


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (f"{ROLE}deploy", "deploy"),
        (
            f"{ROLE}aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0a",
            "AWSReservedSSO_Admin_0a",
        ),
        ("arn:aws-us-gov:iam::123456789012:user/ada@example.com", "ada@example.com"),
    ],
)
def test_a_principal_is_called_by_the_last_part_of_its_arn(arn, name):
    assert eks.principal_name(arn) == name


@pytest.mark.parametrize(
    ("arn", "said"),
    [
        ("arn:aws:sts::123456789012:assumed-role/deploy/me", "should be the role's ARN"),
        ("arn:aws:iam::123456789012:root", "should be the ARN of an IAM role or user"),
        ("arn:aws:iam::123:role/deploy", "should be the ARN of an IAM role or user"),
        ("deploy", "should be the ARN of an IAM role or user"),
        ("*", "should be the ARN of an IAM role or user"),
    ],
)
def test_what_is_no_principal_is_refused(arn, said):
    with pytest.raises(ValueError, match=said):
        eks.principal_name(arn)


def test_a_principal_has_one_entry():
    eks.distinct_principals([f"{ROLE}a"], [f"{ROLE}b"])
    with pytest.raises(ValueError, match="a is named more than once among admin_principals"):
        eks.distinct_principals([f"{ROLE}a"], [f"{ROLE}a"])
    with pytest.raises(ValueError, match="b is named more than once"):
        eks.distinct_principals([f"{ROLE}a"], [f"{ROLE}b"], [f"{ROLE}b"])


def test_the_token_comes_from_the_credentials_at_hand_and_no_profile_is_named():
    config = eks.kubeconfig("prod", "https://api", "Y2E=", region="eu-west-1", role_arn=None)
    command = config["users"][0]["user"]["exec"]
    assert command["args"] == [
        *("eks", "get-token", "--cluster-name", "prod", "--region", "eu-west-1", "--output", "json")
    ]
    assert "env" not in command
    assert config["clusters"][0]["cluster"] == {
        "server": "https://api",
        "certificate-authority-data": "Y2E=",
    }
    assert config["contexts"][0]["name"] == config["current-context"]


def test_a_deployers_role_is_taken_if_it_is_named():
    config = eks.kubeconfig("prod", "https://api", "Y2E=", region="eu-west-1", role_arn=f"{ROLE}deploy")
    assert config["users"][0]["user"]["exec"]["args"][-2:] == ["--role-arn", f"{ROLE}deploy"]


def test_no_policy_of_ours_allows_everything_or_names_every_resource():
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    for policy in (cluster_policies.secrets_encryption(key), cluster_policies.encrypted_volumes(key)):
        for statement in policy["Statement"]:
            assert statement["Resource"] == [key]
            assert all(action.startswith("kms:") and action != "kms:*" for action in statement["Action"])


def test_the_volumes_driver_may_hand_the_key_to_aws_alone():
    (_, grants) = cluster_policies.encrypted_volumes("key")["Statement"]
    assert "kms:CreateGrant" in grants["Action"]
    assert grants["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_arns_are_of_the_regions_partition():
    assert cluster_policies.managed("us-gov-west-1", "X") == "arn:aws-us-gov:iam::aws:policy/X"
    assert cluster_policies.access_policy("cn-north-1", "X") == "arn:aws-cn:eks::aws:cluster-access-policy/X"
    assert cluster_policies.node_starter("123456789012", "eu-west-1").startswith(
        "arn:aws:iam::123456789012:role/aws-service-role/"
    )
