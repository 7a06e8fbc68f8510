"""The cluster's graph: what is closed, who may do what, and in which order it is made."""

import json

import pulumi
import pytest

from langgraph_components.cluster import Cluster
from langgraph_components.errors import InvalidArgs
from langgraph_components.pure import eks as facts
from lgp.planning.values import Secret

ACCOUNT = "123456789012"
DEPLOY = f"arn:aws:iam::{ACCOUNT}:role/deploy"
PREVIEW = f"arn:aws:iam::{ACCOUNT}:role/ci/preview"
CLUSTER_KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/cluster"
LOGS_KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/logs"
ARGS = {
    "account_id": ACCOUNT,
    "region": "eu-west-1",
    "subnet_ids": ["subnet-a", "subnet-b"],
    "admin_principals": [DEPLOY],
    "cluster_key_arn": CLUSTER_KEY,
    "logs_key_arn": LOGS_KEY,
}
EXISTING = {
    "name": "theirs",
    "arn": f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/theirs",
    "endpoint": "https://theirs.example",
    "certificate_authority": "Y2E=",
    "security_group_id": "sg-theirs",
}
OUTPUTS = ("name", "arn", "endpoint", "certificate_authority", "security_group_id")
CLUSTER, NODES, ADDON = "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon"
ROLE, POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
ATTACHED = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
ENTRY = "aws:eks/accessEntry:AccessEntry"
RIGHTS = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
PROVIDER, STORAGE = "pulumi:providers:kubernetes", "kubernetes:storage.k8s.io/v1:StorageClass"


@pytest.fixture
def cluster(graph):
    """`cluster(version="1.36")`: the graph of a cluster with these arguments, its outputs exported."""

    def run(**args):
        def declare():
            made = Cluster("cluster", {**ARGS, **args})
            for output in OUTPUTS:
                pulumi.export(output, getattr(made, output))

        return graph(declare)

    return run


@pytest.fixture
def made(cluster):
    return cluster()


def only(found, type_):
    (resource,) = found.of_type(type_)
    return resource


def waits_for(found, resource):
    """Type and name of all that is there before a resource is declared, directly or by others."""
    seen, open_ = set(), list(resource.depends_on)
    while open_:
        urn = open_.pop()
        if urn not in seen and (other := found.by_urn(urn)):
            seen.add(urn)
            open_ += [*other.depends_on, *([other.provider] if other.provider else [])]
    return {(found.by_urn(urn).type, found.by_urn(urn).name) for urn in seen}


def policies_of(found, role_name):
    """AWS's own policies that a role has."""
    role = found.named(role_name, ROLE)
    return {a.inputs["policyArn"] for a in found.of_type(ATTACHED) if role.urn in a.depends_on}


def disks(template):
    return {mapping["deviceName"]: mapping["ebs"] for mapping in template.inputs["blockDeviceMappings"]}


def test_the_kubernetes_secrets_are_encrypted_with_our_key(made):
    encryption = only(made, CLUSTER).inputs["encryptionConfig"]
    assert encryption == {"provider": {"keyArn": CLUSTER_KEY}, "resources": ["secrets"]}
    statement = json.loads(made.named("cluster-secrets").inputs["policy"])["Statement"][0]
    assert statement["Resource"] == [CLUSTER_KEY]


def test_all_logs_of_the_control_plane_are_kept_in_a_group_that_is_there_first(cluster):
    found = cluster(log_retention_days=400)
    eks = only(found, CLUSTER)
    assert set(eks.inputs["enabledClusterLogTypes"]) == {
        *("api", "audit", "authenticator", "controllerManager", "scheduler")
    }
    group = only(found, "aws:cloudwatch/logGroup:LogGroup")
    assert group.inputs["name"] == f"/aws/eks/{eks.inputs['name']}/cluster"
    assert (group.inputs["kmsKeyId"], group.inputs["retentionInDays"]) == (LOGS_KEY, 400)
    assert group.urn in eks.depends_on


def test_the_nodes_and_the_api_are_private(made):
    network = only(made, CLUSTER).inputs["vpcConfig"]
    assert network == {
        "subnetIds": ["subnet-a", "subnet-b"],
        "endpointPrivateAccess": True,
        "endpointPublicAccess": False,
    }
    assert only(made, NODES).inputs["subnetIds"] == ["subnet-a", "subnet-b"]
    assert "remoteAccess" not in only(made, NODES).inputs
    assert "keyName" not in only(made, TEMPLATE).inputs


def test_the_api_is_public_only_for_the_ranges_that_are_named(cluster):
    network = only(cluster(endpoint_public_cidrs=["203.0.113.0/24"]), CLUSTER).inputs["vpcConfig"]
    assert network["endpointPublicAccess"] is True
    assert network["publicAccessCidrs"] == ["203.0.113.0/24"]
    assert network["endpointPrivateAccess"] is True


def test_from_inside_the_network_the_api_is_reached_by_the_ranges_that_are_named(cluster):
    """The cluster's own security group admits its members alone; the provider waits until it admits more."""
    rule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    assert cluster().of_type(rule) == []
    found = cluster(endpoint_private_cidrs=["10.0.0.0/19", "192.168.7.0/24"])
    doors = found.of_type(rule)
    assert [door.inputs["cidrIpv4"] for door in doors] == ["10.0.0.0/19", "192.168.7.0/24"]
    assert {(door.inputs["fromPort"], door.inputs["toPort"]) for door in doors} == {(443, 443)}
    assert {door.inputs["securityGroupId"] for door in doors} == {found.outputs["security_group_id"]}
    assert {door.urn for door in doors} <= set(only(found, PROVIDER).depends_on)
    assert only(found, CLUSTER).inputs["vpcConfig"]["endpointPublicAccess"] is False


def test_whoever_made_the_cluster_has_no_rights_but_the_listed(cluster):
    drift = f"arn:aws:iam::{ACCOUNT}:role/drift"
    found = cluster(viewer_principals=[PREVIEW], auditor_principals=[drift])
    assert only(found, CLUSTER).inputs["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }
    assert {e.inputs["principalArn"] for e in found.of_type(ENTRY)} == {DEPLOY, PREVIEW, drift}
    assert {e.inputs["type"] for e in found.of_type(ENTRY)} == {"STANDARD"}
    rights = {r.inputs["principalArn"]: r.inputs["policyArn"].rsplit("/")[-1] for r in found.of_type(RIGHTS)}
    assert rights == {
        DEPLOY: "AmazonEKSClusterAdminPolicy",
        PREVIEW: "AmazonEKSViewPolicy",
        drift: "AmazonEKSAdminViewPolicy",
    }


def test_an_entry_is_named_after_its_principal_so_that_another_one_renames_none(cluster):
    other = f"arn:aws:iam::{ACCOUNT}:role/another"
    assert [e.name for e in cluster(admin_principals=[other, DEPLOY]).of_type(ENTRY)] == [
        *("cluster-admin-another", "cluster-admin-deploy")
    ]
    assert all(e.delete_before_replace for e in cluster().of_type(ENTRY) + cluster().of_type(RIGHTS))


def test_every_addon_is_ours_and_pinned_to_an_exact_build(made):
    assert only(made, CLUSTER).inputs["bootstrapSelfManagedAddons"] is False
    versions = {a.inputs["addonName"]: a.inputs["addonVersion"] for a in made.of_type(ADDON)}
    assert versions == facts.ADDON_VERSIONS["1.36"]


def test_an_addon_has_the_build_that_was_chosen(cluster):
    found = cluster(addon_versions={"coredns": "v1.14.7-eksbuild.10"})
    assert found.named("cluster-coredns").inputs["addonVersion"] == "v1.14.7-eksbuild.10"


def test_network_policies_are_enforced(made):
    settings = json.loads(made.named("cluster-vpc-cni", ADDON).inputs["configurationValues"])
    assert settings == {"enableNetworkPolicy": "true"}


def test_the_network_is_there_before_the_nodes_and_dns_after_them(made):
    before = waits_for(made, only(made, NODES))
    assert {(ADDON, f"cluster-{addon}") for addon in facts.BEFORE_NODES} <= before
    for addon in facts.BEFORE_NODES:
        assert (NODES, "cluster-nodes") not in waits_for(made, made.named(f"cluster-{addon}", ADDON))
    for addon in facts.AFTER_NODES:
        assert (NODES, "cluster-nodes") in waits_for(made, made.named(f"cluster-{addon}", ADDON))


def test_every_role_has_its_rights_before_it_is_used(made):
    users = {
        "cluster-cluster": only(made, CLUSTER),
        "cluster-node": only(made, NODES),
        "cluster-vpc-cni": made.named("cluster-vpc-cni", ADDON),
        "cluster-aws-ebs-csi-driver": made.named("cluster-aws-ebs-csi-driver", ADDON),
    }
    assert {role.name for role in made.of_type(ROLE)} == set(users)
    for name, user in users.items():
        role = made.named(name, ROLE)
        rights = [r for r in (*made.of_type(ATTACHED), *made.of_type(POLICY)) if role.urn in r.depends_on]
        assert rights
        assert {(right.type, right.name) for right in rights} <= waits_for(made, user)


def test_nodes_may_join_and_pull_and_nothing_else(made):
    aws = "arn:aws:iam::aws:policy/"
    assert policies_of(made, "cluster-node") == {
        *(f"{aws}AmazonEC2ContainerRegistryPullOnly", f"{aws}AmazonEKSWorkerNodePolicy")
    }
    node = made.named("cluster-node", ROLE)
    assert [p.name for p in made.of_type(POLICY) if node.urn in p.depends_on] == []


def test_network_and_volumes_have_rights_of_their_own_and_not_the_nodes(made):
    aws = "arn:aws:iam::aws:policy/"
    assert policies_of(made, "cluster-vpc-cni") == {f"{aws}AmazonEKS_CNI_Policy"}
    assert policies_of(made, "cluster-aws-ebs-csi-driver") == {f"{aws}AmazonEBSCSIDriverPolicyV2"}
    accounts = {
        addon.inputs["addonName"]: addon.inputs["podIdentityAssociations"][0]["serviceAccount"]
        for addon in made.of_type(ADDON)
        if "podIdentityAssociations" in addon.inputs
    }
    assert accounts == {"vpc-cni": "aws-node", "aws-ebs-csi-driver": "ebs-csi-controller-sa"}


def test_a_role_of_pods_is_for_one_service_account_of_this_cluster(made):
    for role, account in (
        ("cluster-vpc-cni", "aws-node"),
        ("cluster-aws-ebs-csi-driver", "ebs-csi-controller-sa"),
    ):
        (trust,) = json.loads(made.named(role, ROLE).inputs["assumeRolePolicy"])["Statement"]
        assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        assert trust["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-namespace"] == "kube-system"
        assert trust["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-service-account"] == account
        assert trust["Condition"]["StringEquals"]["aws:RequestTag/eks-cluster-arn"] == (
            "arn:aws:eks:planned:000000000000:cluster/cluster-eks"
        )
        assert set(trust["Condition"]) == {"StringEquals"}


def test_no_document_allows_every_action_or_names_every_resource(made):
    for policy in made.of_type(POLICY):
        for statement in json.loads(policy.inputs["policy"])["Statement"]:
            assert statement["Effect"] == "Allow"
            assert "*" not in statement["Resource"]
            assert not [action for action in statement["Action"] if action in {"*", "kms:*"}]


def test_no_pod_reaches_the_nodes_credentials(made):
    assert only(made, TEMPLATE).inputs["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }


def test_the_disk_is_gp3_and_under_our_key(cluster):
    found = cluster(nodes={"disk_gib": 80})
    assert disks(only(found, TEMPLATE)) == {
        "/dev/xvda": {
            "deleteOnTermination": "true",
            "encrypted": "true",
            "kmsKeyId": CLUSTER_KEY,
            "volumeSize": 80,
            "volumeType": "gp3",
        }
    }


def test_bottlerocket_keeps_its_data_on_a_second_disk_and_both_are_encrypted(cluster):
    found = cluster(nodes={"ami_type": "BOTTLEROCKET_x86_64", "disk_gib": 80})
    both = disks(only(found, TEMPLATE))
    assert both["/dev/xvdb"]["volumeSize"] == 80
    assert "volumeSize" not in both["/dev/xvda"]
    assert {(disk["encrypted"], disk["kmsKeyId"]) for disk in both.values()} == {("true", CLUSTER_KEY)}


def test_the_service_that_starts_nodes_may_use_the_disks_key_before_it_does(made):
    grant = only(made, "aws:kms/grant:Grant")
    assert grant.inputs["keyId"] == CLUSTER_KEY
    assert grant.inputs["granteePrincipal"] == (
        f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    )
    assert {"CreateGrant", "GenerateDataKeyWithoutPlaintext", "Decrypt"} <= set(grant.inputs["operations"])
    assert grant.urn in only(made, NODES).depends_on
    assert made.of_type("aws:iam/serviceLinkedRole:ServiceLinkedRole") == []


def test_an_account_that_never_scaled_gets_that_role_first(cluster):
    found = cluster(create_node_starter=True)
    starter = only(found, "aws:iam/serviceLinkedRole:ServiceLinkedRole")
    assert starter.inputs["awsServiceName"] == "autoscaling.amazonaws.com"
    assert starter.urn in only(found, "aws:kms/grant:Grant").depends_on


def test_nodes_are_replaced_a_third_at_a_time_and_repaired(made):
    nodes = only(made, NODES).inputs
    assert nodes["updateConfig"] == {"maxUnavailablePercentage": 33}
    assert nodes["nodeRepairConfig"] == {"enabled": True}
    # a name of its own would have to be free before the new group is made
    assert "nodeGroupName" not in nodes
    assert nodes["nodeGroupNamePrefix"] == "cluster-"
    assert nodes["launchTemplate"]["id"] == "cluster-node-id"


def test_the_number_of_nodes_is_left_to_an_autoscaler_unless_it_is_given(cluster):
    free = only(cluster(nodes={"min_size": 2, "max_size": 9}), NODES)
    assert free.inputs["scalingConfig"] == {"minSize": 2, "maxSize": 9, "desiredSize": 2}
    assert free.ignore_changes == ("scalingConfig.desiredSize",)
    fixed = only(cluster(nodes={"min_size": 2, "max_size": 9, "desired_size": 4}), NODES)
    assert fixed.inputs["scalingConfig"]["desiredSize"] == 4
    assert fixed.ignore_changes == ()


def test_nodes_are_of_the_kind_that_was_chosen(cluster):
    nodes = {
        "instance_types": ["m7g.large", "m8g.large"],
        "ami_type": "AL2023_ARM_64_STANDARD",
        "capacity_type": "SPOT",
    }
    inputs = only(cluster(nodes=nodes), NODES).inputs
    assert inputs["instanceTypes"] == ["m7g.large", "m8g.large"]
    assert (inputs["amiType"], inputs["capacityType"]) == ("AL2023_ARM_64_STANDARD", "SPOT")


def test_a_cluster_leaves_standard_support_only_by_an_upgrade(made):
    inputs = only(made, CLUSTER).inputs
    assert inputs["version"] == only(made, NODES).inputs["version"] == "1.36"
    assert inputs["upgradePolicy"] == {"supportType": "STANDARD"}


def test_a_version_near_the_end_of_its_support_is_told_and_still_planned(cluster, monkeypatch):
    told = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, _: told.append(text))
    monkeypatch.setattr(facts, "support_notice", lambda version, _: f"{version} ends")
    assert only(cluster(), CLUSTER).inputs["version"] == "1.36"
    assert told == ["1.36 ends"]


def test_deletion_is_refused_by_aws_and_by_pulumi_if_asked(cluster):
    found = cluster(deletion_protection=True, protect=True, zonal_shift=True)
    inputs = only(found, CLUSTER).inputs
    assert (inputs["deletionProtection"], inputs["zonalShiftConfig"]) == (True, {"enabled": True})
    assert [r.type for r in found.resources if r.protect] == [CLUSTER]
    assert [r.name for r in cluster().resources if r.protect] == []


def test_the_provider_is_of_this_cluster_and_its_kubeconfig_is_secret(made):
    provider = only(made, PROVIDER)
    assert provider.inputs["clusterIdentifier"] == "https://cluster-eks.eks.invalid"
    assert isinstance(provider.inputs["kubeconfig"], Secret)


def test_what_is_declared_in_the_cluster_waits_until_pods_can_run_and_the_deployer_may(made):
    before = waits_for(made, only(made, PROVIDER))
    assert {(ADDON, f"cluster-{addon}") for addon in facts.AFTER_NODES} <= before
    assert {(NODES, "cluster-nodes"), (RIGHTS, "cluster-admin-deploy")} <= before


def test_a_volume_is_gp3_under_our_key_in_the_zone_of_its_pod(made):
    storage = only(made, STORAGE)
    assert storage.inputs["metadata"] == {
        "name": "gp3",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    }
    assert storage.inputs["provisioner"] == "ebs.csi.aws.com"
    parameters = dict(storage.inputs["parameters"])
    tags = {parameters.pop(f"tagSpecification_{n}") for n in (1, 2)}
    assert tags == {"project=langgraph-platform", "stack=test"}
    assert parameters == {"type": "gp3", "encrypted": "true", "kmsKeyId": CLUSTER_KEY}
    assert storage.ignore_changes == ("parameters",)
    assert storage.inputs["volumeBindingMode"] == "WaitForFirstConsumer"
    assert storage.provider == only(made, PROVIDER).urn


def test_what_a_providers_default_tags_do_not_reach_is_tagged_all_the_same(cluster):
    found = cluster(tags={"team": "agents"})
    wanted = {"project": "langgraph-platform", "stack": "test", "team": "agents"}
    for each in only(found, TEMPLATE).inputs["tagSpecifications"]:
        assert wanted.items() <= each["tags"].items()
    parameters = only(found, STORAGE).inputs["parameters"].values()
    assert {f"{key}={value}" for key, value in wanted.items()} <= set(parameters)


def test_the_outputs_are_the_clusters(made, cluster):
    assert made.outputs == {
        "name": only(made, CLUSTER).inputs["name"],
        "arn": "arn:aws:eks:planned:000000000000:cluster/cluster-eks",
        "endpoint": "https://cluster-eks.eks.invalid",
        "certificate_authority": "cGxhbm5lZA==",
        "security_group_id": "cluster-eks-cluster-sg",
    }
    assert made.outputs["name"] == "langgraph-platform-test"
    assert cluster(cluster_name="shared").outputs["name"] == "shared"


def test_all_parts_are_the_clusters_children(made):
    component = made.named("cluster", "langgraph:index:Cluster")
    assert {r.parent for r in made.resources if r is not component} == {component.urn}
    assert made.duplicates == ()


def test_an_existing_cluster_is_used_and_only_a_provider_is_made(cluster):
    bare = dict.fromkeys(("subnet_ids", "admin_principals", "cluster_key_arn", "logs_key_arn"))
    found = cluster(**bare, existing=EXISTING)
    assert [(r.type, r.name) for r in found.resources] == [
        (PROVIDER, "cluster-kubernetes"),
        ("langgraph:index:Cluster", "cluster"),
    ]
    assert found.outputs == {key: EXISTING[key] for key in OUTPUTS}
    assert only(found, PROVIDER).inputs["clusterIdentifier"] == EXISTING["endpoint"]


@pytest.mark.parametrize("existing", [None, EXISTING])
def test_pods_get_a_role_of_their_own_under_whom_they_belong_to(graph, existing):
    def declare():
        made = Cluster("cluster", {**ARGS, "existing": existing})
        policy = {"Statement": [{"Resource": [pulumi.Output.from_input("arn:later")]}]}
        owner = pulumi.ComponentResource("test:index:Owner", "owner")
        arn = made.pod_identity(
            "owner-app", namespace="apps", service_account="app", policy=policy, parent=owner
        )
        pulumi.CustomResource("test:index:Pod", "pod", {"role": arn})

    found = graph(declare)
    owner = found.named("owner").urn
    role = found.named("owner-app-role", ROLE)
    association = only(found, "aws:eks/podIdentityAssociation:PodIdentityAssociation")
    rights = found.named("owner-app-policy", POLICY)
    assert {role.parent, association.parent, rights.parent} == {owner}
    assert json.loads(rights.inputs["policy"])["Statement"] == [{"Resource": ["arn:later"]}]
    called = "theirs" if existing else "langgraph-platform-test"
    assert association.inputs == {
        "clusterName": called,
        "namespace": "apps",
        "serviceAccount": "app",
        "roleArn": "arn:aws:iam::000000000000:role/owner-app-role",
    }
    conditions = json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]["Condition"]
    assert conditions["StringEquals"]["aws:RequestTag/kubernetes-namespace"] == "apps"
    pod = found.named("pod")
    assert pod.inputs["role"] == association.inputs["roleArn"]
    assert {association.urn, rights.urn} <= {*pod.depends_on, *association.depends_on}


def test_the_provider_is_an_attribute_for_python_and_no_output():
    assert "provider" not in Cluster.__annotations__
    assert tuple(Cluster.__annotations__) == OUTPUTS


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"admin_principals": []}, "ClusterArgs.admin_principals: name at least one role"),
        ({"admin_principals": ["deploy"]}, "ClusterArgs: should be the ARN of an IAM role or user"),
        ({"viewer_principals": [DEPLOY]}, "ClusterArgs: deploy is named more than once"),
        ({"endpoint_public_cidrs": ["0.0.0.0/0"]}, "ClusterArgs.endpoint_public_cidrs: 0.0.0.0/0 is open"),
        ({"endpoint_private_cidrs": ["0.0.0.0/0"]}, "ClusterArgs.endpoint_private_cidrs: 0.0.0.0/0 is open"),
        ({"version": "1.30"}, "ClusterArgs.version: should be one of 1.34, 1.35, 1.36"),
        ({"version": "1.35"}, "ClusterArgs: no build of aws-ebs-csi-driver, coredns"),
        ({"addon_versions": {"coredns": "latest"}}, "ClusterArgs: coredns should be a build such as"),
        ({"log_retention_days": 99}, "ClusterArgs.log_retention_days: should be one of 1, 3"),
        ({"subnet_ids": None}, "ClusterArgs.subnet_ids: is required, unless existing is given"),
        ({"cluster_key_arn": None}, "ClusterArgs.cluster_key_arn: is required, unless existing is given"),
        ({"logs_key_arn": None}, "ClusterArgs.logs_key_arn: is required, unless existing is given"),
        ({"cluster_name": "-x"}, "ClusterArgs.cluster_name: "),
        ({"nodes": {"min_size": 4, "max_size": 3}}, "ClusterArgs.nodes: sizes should rise: min 4"),
        ({"nodes": {"desired_size": 9}}, "ClusterArgs.nodes: sizes should rise"),
        ({"nodes": {"instance_types": ["m7g.large"]}}, "ClusterArgs.nodes: m7g.large is arm64"),
        ({"nodes": {"instance_types": []}}, "ClusterArgs.nodes.instance_types: "),
        ({"nodes": {"ami_type": "AL2"}}, "ClusterArgs.nodes.ami_type: should be 'AL2023_x86_64_STANDARD'"),
        (
            {"nodes": {"disk_gib": 8}},
            "ClusterArgs.nodes.disk_gib: should be greater than or equal to 20 (got 8)",
        ),
        ({"existing": {"name": "theirs"}}, "ClusterArgs.existing.arn: is required"),
        ({"vpc": 1}, "ClusterArgs.vpc: there is no such setting"),
    ],
)
def test_wrong_arguments_are_refused_with_the_path_and_what_is_allowed(cluster, wrong, said):
    with pytest.raises(InvalidArgs) as refused:
        cluster(**wrong)
    assert str(refused.value).startswith(said)
