"""The node autoscaler: which node groups it may resize, what it is told, and how it is installed."""

import json

import pulumi
import pytest
from infra_schemas import problems

from langgraph_components.charts import CLUSTER_AUTOSCALER
from langgraph_components.errors import InvalidArgs
from langgraph_components.node_autoscaler import NodeAutoscaler, NodeAutoscalerArgs
from langgraph_components.pure import eks, node_scaling, operator_policies

ACCOUNT = "123456789012"
ARGS = {
    "account_id": ACCOUNT,
    "region": "eu-west-1",
    "cluster_name": "langgraph",
    "cluster_arn": f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/langgraph",
}
RELEASE = "kubernetes:helm.sh/v3:Release"
NAMESPACE = "kubernetes:core/v1:Namespace"
ROLE, POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
NAME_LATER = "{{ .Values.autoDiscovery.clusterName }}"


@pytest.fixture
def autoscaler(graph):
    """`autoscaler(replicas=1)`: the graph of an autoscaler with these arguments."""

    def declare(**args):
        return graph(lambda: NodeAutoscaler("nodes", {**ARGS, **args}))

    return declare


def only(found, type_):
    (resource,) = found.of_type(type_)
    return resource


def values_of(found):
    return only(found, RELEASE).inputs["values"]


def statements_of(found):
    document = json.loads(only(found, POLICY).inputs["policy"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


def discovered(values):
    """The tags, as the chart renders them into `--node-group-auto-discovery`."""
    found = values["autoDiscovery"]
    texts = [tag.replace(NAME_LATER, found["clusterName"]) for tag in found["tags"]]
    return dict(text.split("=") for text in texts)


# which node groups


def test_it_resizes_and_shrinks_node_groups_of_this_cluster_and_nothing_else(autoscaler):
    resize = statements_of(autoscaler())["Resize"]
    assert resize["Action"] == [
        *("autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup")
    ]
    assert resize["Condition"] == {
        "StringEquals": {
            "aws:ResourceTag/k8s.io/cluster-autoscaler/enabled": "true",
            "aws:ResourceTag/k8s.io/cluster-autoscaler/langgraph": "owned",
        }
    }
    assert resize["Resource"] == [
        f"arn:aws:autoscaling:eu-west-1:{ACCOUNT}:autoScalingGroup:*:autoScalingGroupName/*"
    ]


def test_what_it_finds_is_what_it_may_resize(autoscaler):
    found = autoscaler(cluster_name="other")
    allowed = statements_of(found)["Resize"]["Condition"]["StringEquals"]
    assert {f"aws:ResourceTag/{key}": value for key, value in discovered(values_of(found)).items()} == allowed


def test_the_tags_are_those_of_managed_node_groups():
    # as in the RunInstances event of a managed node group `test2` in a cluster `test`
    assert node_scaling.tags("test") == {
        "k8s.io/cluster-autoscaler/enabled": "true",
        "k8s.io/cluster-autoscaler/test": "owned",
    }


def test_it_describes_the_node_groups_of_this_cluster(autoscaler):
    look = statements_of(autoscaler())["LookAtNodeGroups"]
    assert look["Action"] == ["eks:DescribeNodegroup"]
    assert look["Resource"] == [f"arn:aws:eks:eu-west-1:{ACCOUNT}:nodegroup/langgraph/*/*"]


def test_on_everything_it_only_looks(autoscaler):
    everywhere = [s for s in statements_of(autoscaler()).values() if "*" in s["Resource"]]
    (look,) = everywhere
    assert set(look["Action"]) == set(operator_policies.AUTOSCALER_LOOKS)
    assert set(look["Action"]) < set(operator_policies.EVERYWHERE)
    assert all(action.partition(":")[2].startswith("Describe") for action in look["Action"])


def test_an_operator_looks_only_at_what_is_its_own():
    group = f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:targetgroup/x/1"
    registrar = operator_policies.target_registrar(group)["Statement"][0]
    assert not set(registrar["Action"]) & set(operator_policies.AUTOSCALER_LOOKS)
    assert {*registrar["Action"], *operator_policies.AUTOSCALER_LOOKS} == set(operator_policies.EVERYWHERE)


def test_in_another_partition_the_names_are_of_that_partition():
    document = operator_policies.node_scaler("langgraph", ACCOUNT, "cn-north-1")
    named = [r for s in document["Statement"] for r in s["Resource"] if r != "*"]
    assert len(named) == 2
    assert all(resource.startswith("arn:aws-cn:") for resource in named)


def test_a_cluster_that_is_made_in_the_same_run_is_waited_for(graph):
    def program():
        later = pulumi.Output.from_input("langgraph").apply(lambda name: f"{name}-made")
        NodeAutoscaler("nodes", {**ARGS, "cluster_name": later})

    found = graph(program)
    assert discovered(values_of(found))["k8s.io/cluster-autoscaler/langgraph-made"] == "owned"
    allowed = statements_of(found)["Resize"]["Condition"]["StringEquals"]
    assert allowed["aws:ResourceTag/k8s.io/cluster-autoscaler/langgraph-made"] == "owned"


def test_the_role_is_for_the_autoscalers_account_in_this_cluster_alone(autoscaler):
    found = autoscaler()
    (trust,) = json.loads(only(found, ROLE).inputs["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {
        "aws:SourceAccount": ACCOUNT,
        "aws:RequestTag/eks-cluster-arn": ARGS["cluster_arn"],
        "aws:RequestTag/kubernetes-namespace": "cluster-autoscaler",
        "aws:RequestTag/kubernetes-service-account": "cluster-autoscaler",
    }
    association = only(found, ASSOCIATION).inputs
    account = values_of(found)["rbac"]["serviceAccount"]["name"]
    assert (association["namespace"], association["serviceAccount"]) == ("cluster-autoscaler", account)
    assert association["clusterName"] == "langgraph"


# what it is told


def test_nodes_of_several_groups_stay_balanced_and_the_fitting_group_grows(autoscaler):
    flags = values_of(autoscaler())["extraArgs"]
    assert flags["balance-similar-node-groups"] is True
    assert flags["expander"] == "least-waste"


def test_a_pods_own_scratch_space_holds_no_node(autoscaler):
    assert values_of(autoscaler())["extraArgs"]["skip-nodes-with-local-storage"] is False


def test_a_node_is_left_by_evictions_that_budgets_limit(autoscaler):
    flags = values_of(autoscaler())["extraArgs"]
    assert set(flags) == {
        *("balance-similar-node-groups", "expander", "skip-nodes-with-local-storage"),
        *("scale-down-unneeded-time", "scale-down-utilization-threshold"),
    }


@pytest.mark.parametrize(
    ("args", "idle", "busy"),
    [
        ({}, "10m", "0.50"),
        ({"idle_minutes": 30, "busy_percent": 65}, "30m", "0.65"),
        ({"busy_percent": 7}, "10m", "0.07"),
    ],
)
def test_a_node_goes_when_it_was_barely_used_for_as_long_as_was_chosen(autoscaler, args, idle, busy):
    flags = values_of(autoscaler(**args))["extraArgs"]
    assert flags["scale-down-unneeded-time"] == idle
    assert flags["scale-down-utilization-threshold"] == busy


def test_it_calls_the_region_of_its_cluster(autoscaler):
    values = values_of(autoscaler(region="us-east-2"))
    assert (values["cloudProvider"], values["awsRegion"]) == ("aws", "us-east-2")


def test_it_asks_no_dns_of_a_cluster_whose_dns_may_wait_for_a_node(autoscaler):
    assert values_of(autoscaler())["dnsPolicy"] == "Default"


@pytest.mark.parametrize("version", sorted(eks.STANDARD_SUPPORT_ENDS))
def test_the_build_is_of_the_clusters_own_version(autoscaler, version):
    tag = values_of(autoscaler(kubernetes_version=version))["image"]["tag"]
    assert tag.startswith(f"v{version}.")


def test_the_version_is_that_of_new_clusters_unless_it_is_given(autoscaler):
    assert values_of(autoscaler())["image"] == {
        "repository": "registry.k8s.io/autoscaling/cluster-autoscaler",
        "tag": "v1.36.1",
    }


# how it is installed


def test_it_starts_when_its_namespace_and_its_rights_are_there(autoscaler):
    found = autoscaler()
    running = only(found, RELEASE)
    wanted = {only(found, kind).urn for kind in (NAMESPACE, ASSOCIATION, POLICY)}
    assert wanted <= set(running.depends_on)


def test_its_namespace_is_its_own_and_admits_only_restricted_pods(autoscaler):
    found = autoscaler(operator_namespace="scaling")
    namespace = only(found, NAMESPACE).inputs
    assert problems(namespace) == []
    assert namespace["metadata"]["name"] == "scaling"
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert only(found, RELEASE).inputs["namespace"] == "scaling"
    assert only(found, ASSOCIATION).inputs["namespace"] == "scaling"


def test_its_pods_are_such(autoscaler):
    values = values_of(autoscaler())
    pod, container = values["securityContext"], values["containerSecurityContext"]
    template = {
        "securityContext": pod,
        "containers": [{"name": "autoscaler", "image": "x", "securityContext": container}],
    }
    assert problems({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": template}) == []
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] > 0
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_it_has_a_place_and_a_limit(autoscaler):
    resources = values_of(autoscaler())["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    # no limit of CPU, which would slow it down just when there is much to decide
    assert set(resources["limits"]) == {"memory"}


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_of_several_pods_one_may_be_away_and_they_are_on_different_nodes(autoscaler, replicas):
    values = values_of(autoscaler(replicas=replicas))
    assert values["replicaCount"] == replicas
    assert values["podDisruptionBudget"] == {"maxUnavailable": 1}
    (apart,) = values["topologySpreadConstraints"]
    assert apart["topologyKey"] == "kubernetes.io/hostname"
    # the label that the chart gives the pods of a release
    release = only(autoscaler(), RELEASE).inputs["name"]
    assert apart["labelSelector"] == {"matchLabels": {"app.kubernetes.io/instance": release}}


def test_nothing_calls_it(autoscaler):
    assert values_of(autoscaler())["service"] == {"create": False}


def test_the_release_is_all_or_nothing_pinned_and_awaited(autoscaler):
    inputs = only(autoscaler(), RELEASE).inputs
    assert inputs["version"] == CLUSTER_AUTOSCALER.version == "9.59.0"
    assert inputs["repositoryOpts"] == {"repo": "https://kubernetes.github.io/autoscaler"}
    assert (inputs["atomic"], inputs["cleanupOnFail"], inputs["skipAwait"]) == (True, True, False)
    assert inputs["createNamespace"] is False


def test_everything_is_a_child_of_the_component_and_nothing_is_protected(autoscaler):
    found = autoscaler()
    component = found.named("nodes")
    assert {r.parent for r in found.resources if r is not component} == {component.urn}
    assert not [r for r in found.resources if r.protect]
    assert found.duplicates == ()


def test_where_it_is_is_told(graph):
    def program():
        pulumi.export("namespace", NodeAutoscaler("nodes", ARGS).namespace)

    assert graph(program).outputs == {"namespace": "cluster-autoscaler"}


def test_a_closed_network_gets_chart_and_image_from_its_mirrors(autoscaler):
    found = autoscaler(
        chart_mirror="oci://registry.example/charts", registry_mirror="registry.example/images"
    )
    inputs = only(found, RELEASE).inputs
    assert inputs["chart"] == "oci://registry.example/charts/cluster-autoscaler"
    assert "repositoryOpts" not in inputs
    assert inputs["values"]["image"]["repository"] == (
        "registry.example/images/autoscaling/cluster-autoscaler"
    )


# what is refused


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"replicas": 0}, "replicas: "),
        ({"replicas": 4}, "replicas: "),
        ({"idle_minutes": 0}, "idle_minutes: "),
        ({"busy_percent": 101}, "busy_percent: "),
        ({"account_id": "12"}, "account_id: "),
        ({"kubernetes_version": "1.20"}, "kubernetes_version: should be one of 1.34, 1.35, 1.36"),
        ({"colour": "red"}, "colour: there is no such setting"),
        ({"chart_mirror": "http://plain.example"}, "chart_mirror: "),
    ],
)
def test_wrong_arguments_are_refused_with_the_path_and_what_is_allowed(wrong, said):
    with pytest.raises(InvalidArgs) as refused:
        NodeAutoscalerArgs.of({**ARGS, **wrong})
    assert f"NodeAutoscalerArgs.{said}" in str(refused.value)


@pytest.mark.parametrize("missing", sorted(ARGS))
def test_whose_nodes_they_are_has_to_be_said(missing):
    with pytest.raises(InvalidArgs, match=missing):
        NodeAutoscalerArgs.of({key: value for key, value in ARGS.items() if key != missing})
