"""The operator: who it serves, what it may read, and what its charts are told."""

import json
import re

import pulumi
import pytest
from infra_schemas import problems

from langgraph_components.charts import CHARTS, ChartMirrors, mirrored
from langgraph_components.errors import InvalidArgs
from langgraph_components.pure import operator_policies
from langgraph_components.secrets_operator import SecretsOperator, SecretsOperatorArgs

PREFIX = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:langgraph/prod/"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
RELEASE = "kubernetes:helm.sh/v3:Release"
STORE = "kubernetes:external-secrets.io/v1:ClusterSecretStore"

AWS = {
    "namespaces": ["langgraph", "monitoring"],
    "account_id": "123456789012",
    "region": "eu-west-1",
    "cluster_name": "langgraph",
    "cluster_arn": "arn:aws:eks:eu-west-1:123456789012:cluster/langgraph",
    "secret_arn_prefixes": [PREFIX],
    "kms_key_arns": [KEY],
}
VAULT = {
    "namespaces": ["langgraph"],
    "source": "vault",
    "vault": {"server": "https://v.example", "role": "agents"},
}
FEDERATED = {"project": "p", "audience": "//iam.googleapis.com/projects/1/locations/global/x"}
GCP = {"namespaces": ["langgraph"], "source": "gcp", "gcp": FEDERATED}
GKE = {**GCP, "gcp": {"project": "p", "cluster": "c", "location": "europe-west1"}}


@pytest.fixture
def operator(graph):
    def declare(args):
        return graph(lambda: SecretsOperator("secrets", args))

    return declare


def outputs_of(graph, args):
    def program():
        component = SecretsOperator("secrets", args)
        pulumi.export("store", component.store_name)
        pulumi.export("aws_store", component.aws_store_name)
        pulumi.export("namespace", component.namespace)

    return graph(program).outputs


# who it serves


@pytest.mark.parametrize("args", [AWS, VAULT, GCP, GKE], ids=["aws", "vault", "gcp", "gke"])
def test_the_store_is_one_that_its_definition_takes_and_serves_only_the_named_namespaces(operator, args):
    (store,) = operator(args).of_type(STORE)
    document = store.inputs
    assert problems(document) == []
    assert document["spec"]["conditions"] == [{"namespaces": args["namespaces"]}]


def test_a_role_is_there_for_aws_alone(operator):
    assert len(operator(AWS).of_type("aws:iam/role:Role")) == 1
    for args in (VAULT, GCP, GKE):
        assert not [r for r in operator(args).resources if r.type.startswith("aws:")]


def test_secrets_that_are_in_the_cluster_need_no_operator(graph, operator):
    args = {"namespaces": ["langgraph"], "source": "kubernetes"}
    assert [resource.type for resource in operator(args).resources] == ["langgraph:index:SecretsOperator"]
    assert outputs_of(graph, args) == {"store": "", "aws_store": "", "namespace": ""}


def test_a_store_that_is_there_is_used_and_nothing_installed(graph, operator):
    args = {"namespaces": ["langgraph"], "existing_store": "company"}
    assert len(operator(args).resources) == 1
    assert outputs_of(graph, args) == {"store": "company", "aws_store": "company", "namespace": ""}


def test_stores_that_are_there_are_told_apart_by_what_they_read(graph):
    args = {"namespaces": ["langgraph"], "source": "vault", "existing_store": "company"}
    assert outputs_of(graph, args) == {"store": "company", "aws_store": "", "namespace": ""}
    both = {**args, "existing_aws_store": "company-aws"}
    assert outputs_of(graph, both) == {"store": "company", "aws_store": "company-aws", "namespace": ""}


@pytest.mark.parametrize("source", [VAULT, GCP], ids=["vault", "gcp"])
def test_a_cluster_on_aws_has_a_second_store_for_what_aws_keeps(graph, operator, source):
    args = {**AWS, **source, "kms_arns": ["arn:aws:kms:eu-west-1:123456789012:key/theirs"]}
    found = operator(args)
    stores = {store.inputs["metadata"]["name"]: store.inputs for store in found.of_type(STORE)}
    assert set(stores) == {"langgraph", "langgraph-aws"}
    assert set(stores["langgraph"]["spec"]["provider"]) != {"aws"}
    assert stores["langgraph-aws"]["spec"]["provider"] == {
        "aws": {"service": "SecretsManager", "region": "eu-west-1"}
    }
    for document in stores.values():
        assert problems(document) == []
        assert document["spec"]["conditions"] == [{"namespaces": args["namespaces"]}]
    assert len(found.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")) == 1
    assert policy_of(found)["Statement"][1]["Resource"] == [KEY, *args["kms_arns"]]
    told = outputs_of(graph, args)
    assert (told["store"], told["aws_store"]) == ("langgraph", "langgraph-aws")


def test_without_aws_there_is_no_second_store(graph, operator):
    for args in (VAULT, GCP, GKE):
        assert len(operator(args).of_type(STORE)) == 1
        assert outputs_of(graph, args)["aws_store"] == ""


def test_what_was_made_is_told(graph):
    assert outputs_of(graph, AWS) == {
        "store": "langgraph",
        "aws_store": "langgraph",
        "namespace": "external-secrets",
    }


# what it may do


def policy_of(found):
    (policy,) = found.of_type("aws:iam/rolePolicy:RolePolicy")
    return json.loads(policy.inputs["policy"])


def test_it_reads_and_decrypts_the_secrets_under_the_prefix_and_nothing_else(operator):
    read, decrypt = policy_of(operator(AWS))["Statement"]
    assert read["Action"] == ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    assert read["Resource"] == [PREFIX + "*"]
    assert decrypt["Action"] == ["kms:Decrypt"]
    assert decrypt["Resource"] == [KEY]
    assert decrypt["Condition"] == {
        "StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}
    }


def test_in_another_partition_it_decrypts_through_the_service_as_it_is_called_there():
    (_, decrypt) = operator_policies.secrets_reader([PREFIX], [KEY], "cn-north-1")["Statement"]
    told = decrypt["Condition"]["StringEquals"]
    assert told == {"kms:ViaService": "secretsmanager.cn-north-1.amazonaws.com.cn"}


def test_without_keys_of_ours_it_decrypts_nothing(operator):
    (read,) = policy_of(operator({**AWS, "kms_key_arns": []}))["Statement"]
    assert read["Sid"] == "ReadSecrets"


def test_a_prefix_that_another_resource_computes_is_waited_for(graph):
    def program():
        later = pulumi.Output.from_input(PREFIX + "database")
        SecretsOperator("secrets", {**AWS, "secret_arn_prefixes": [PREFIX, later]})

    found = graph(program)
    assert policy_of(found)["Statement"][0]["Resource"] == [PREFIX + "*", PREFIX + "database*"]


@pytest.mark.parametrize(
    "prefix",
    [
        "*",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:*",
        "arn:aws:ssm:eu-west-1:123456789012:parameter:x",
    ],
)
def test_a_prefix_of_everything_is_refused(prefix):
    with pytest.raises(ValueError, match=re.escape(prefix)):
        operator_policies.secrets_reader([prefix], [], "eu-west-1")


def test_a_prefix_with_its_star_is_the_same_prefix():
    with_star = operator_policies.secrets_reader([PREFIX + "*"], [], "eu-west-1")
    assert with_star == operator_policies.secrets_reader([PREFIX], [], "eu-west-1")


def test_the_role_is_for_the_operators_account_alone_and_the_store_has_no_login(operator):
    found = operator(AWS)
    (role,) = found.of_type("aws:iam/role:Role")
    (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert "external-secrets" in json.dumps(statement["Condition"])
    (association,) = found.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    assert association.inputs["namespace"] == "external-secrets"
    assert association.inputs["serviceAccount"] == "external-secrets"
    (store,) = found.of_type(STORE)
    assert "auth" not in store.inputs["spec"]["provider"]["aws"]


# how it is installed


def release(found, name):
    return found.named(name, RELEASE)


def test_definitions_come_first_and_the_store_last(operator):
    found = operator(AWS)
    (association,) = found.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    definitions, running = release(found, "secrets-crds"), release(found, "secrets-operator")
    (store,) = found.of_type(STORE)
    (policy,) = found.of_type("aws:iam/rolePolicy:RolePolicy")
    assert {definitions.urn, association.urn, policy.urn} <= set(running.depends_on)
    assert running.urn in store.depends_on


def test_its_identity_does_not_wait_for_the_secrets_that_it_may_read(operator):
    """A pod that is created some seconds after the association may still get no credentials, ever."""
    found = operator(AWS)
    (association,) = found.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    (role,) = found.of_type("aws:iam/role:Role")
    (policy,) = found.of_type("aws:iam/rolePolicy:RolePolicy")
    assert role.urn in association.depends_on
    assert policy.urn not in association.depends_on


def test_the_definitions_are_a_release_of_their_own_that_survives_the_operator(operator):
    found = operator(AWS)
    definitions = release(found, "secrets-crds").inputs
    assert definitions["values"]["installCRDs"] is True
    assert definitions["values"]["createOperator"] is False
    assert definitions["values"]["crds"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert release(found, "secrets-operator").inputs["values"]["installCRDs"] is False
    assert definitions["name"] != release(found, "secrets-operator").inputs["name"]
    assert definitions["version"] == release(found, "secrets-operator").inputs["version"]


def test_a_release_is_all_or_nothing_pinned_and_awaited(operator):
    for found in operator(AWS).of_type(RELEASE):
        assert found.inputs["version"] == "2.9.0"
        assert found.inputs["atomic"] is True
        assert found.inputs["cleanupOnFail"] is True
        assert found.inputs["skipAwait"] is False
        assert found.inputs["maxHistory"] == 5
        assert found.inputs["timeout"] == 600
        assert found.inputs["createNamespace"] is False


def test_the_operator_neither_pushes_nor_generates_secrets(operator):
    values = release(operator(AWS), "secrets-operator").inputs["values"]
    assert values["metrics"]["service"]["enabled"] is True  # which are not renewed is read there
    off = [key for key, value in values.items() if key.startswith("process") and value is False]
    assert set(off) == {
        *("processPushSecret", "processClusterPushSecret"),
        *("processClusterExternalSecret", "processClusterGenerator"),
    }


@pytest.mark.parametrize(("args", "tokens"), [(AWS, False), (VAULT, True), (GCP, True)])
def test_it_may_make_tokens_of_accounts_only_where_it_logs_in_with_one(operator, args, tokens):
    values = release(operator(args), "secrets-operator").inputs["values"]
    assert values["rbac"]["serviceAccountTokenCreate"] is tokens


@pytest.mark.parametrize(("replicas", "several"), [(1, False), (2, True)])
def test_several_pods_have_a_leader_and_a_budget(operator, replicas, several):
    values = release(operator({**AWS, "replicas": replicas}), "secrets-operator").inputs["values"]
    assert values["replicaCount"] == values["webhook"]["replicaCount"] == replicas
    assert values["leaderElect"] is several
    assert values["podDisruptionBudget"]["enabled"] is several


def test_its_namespace_admits_only_restricted_pods(operator):
    (namespace,) = operator(AWS).of_type("kubernetes:core/v1:Namespace")
    assert problems(namespace.inputs) == []
    found = namespace.inputs["metadata"]["labels"]
    assert found["pod-security.kubernetes.io/enforce"] == "restricted"


def test_everything_is_a_child_of_the_component_and_nothing_is_protected(operator):
    found = operator(AWS)
    component = found.named("secrets")
    assert {r.parent for r in found.resources if r is not component} == {component.urn}
    assert not [r for r in found.resources if r.protect]
    assert found.duplicates == ()


# closed networks


def test_a_closed_network_gets_charts_and_images_from_its_mirrors(operator):
    mirrors = {"chart_mirror": "oci://registry.example/charts/", "registry_mirror": "registry.example/images"}
    found = operator({**AWS, **mirrors})
    for each in found.of_type(RELEASE):
        assert each.inputs["chart"] == "oci://registry.example/charts/external-secrets"
        assert "repositoryOpts" not in each.inputs
    values = release(found, "secrets-operator").inputs["values"]
    images = [values["image"], values["webhook"]["image"], values["certController"]["image"]]
    assert {image["repository"] for image in images} == {
        "registry.example/images/external-secrets/external-secrets"
    }


def test_a_mirror_may_be_a_chart_repository(operator):
    found = operator({**AWS, "chart_mirror": "https://charts.example/stable"})
    inputs = release(found, "secrets-operator").inputs
    assert (inputs["chart"], inputs["repositoryOpts"]) == (
        "external-secrets",
        {"repo": "https://charts.example/stable"},
    )


def test_without_mirrors_a_chart_comes_from_its_authors(operator):
    inputs = release(operator(AWS), "secrets-operator").inputs
    assert inputs["repositoryOpts"] == {"repo": "https://charts.external-secrets.io"}
    assert mirrored("ghcr.io/a/b", None) == "ghcr.io/a/b"


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_pin_is_one_version_and_says_where_it_was_seen(chart):
    assert re.fullmatch(r"\d+\.\d+\.\d+", chart.version)
    assert chart.repository.startswith("https://")
    assert chart.source.startswith("github.com/")


@pytest.mark.parametrize(
    "wrong",
    [
        {"chart_mirror": "http://plain.example"},
        {"chart_mirror": "x"},
        {"registry_mirror": "https://r.example"},
    ],
)
def test_a_mirror_without_its_form_is_refused(wrong):
    with pytest.raises(InvalidArgs, match=next(iter(wrong))):
        ChartMirrors.of(wrong)


# what is refused


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({**AWS, "namespaces": []}, "namespaces: List should have at least 1 item"),
        (
            {"namespaces": ["n"]},
            "a store of AWS needs account_id, region, cluster_name, cluster_arn, secret_arn",
        ),
        ({**AWS, "secret_arn_prefixes": []}, "a store of AWS needs secret_arn_prefixes"),
        ({**VAULT, "cluster_name": "c"}, "a store of AWS needs account_id, region, cluster_arn, secret_arn"),
        ({**AWS, "existing_aws_store": "theirs"}, "existing_aws_store is for an existing_store"),
        ({"namespaces": ["n"], "source": "vault"}, "source vault needs vault"),
        ({"namespaces": ["n"], "source": "gcp"}, "source gcp needs gcp"),
        ({**VAULT, "source": "kubernetes"}, "source kubernetes has no vault"),
        (
            {**VAULT, "vault": {"server": "http://v.example", "role": "r"}},
            "vault.server: String should match",
        ),
        ({**GCP, "gcp": {"project": "p"}}, "gcp: needs either audience, or cluster and location"),
        ({**GCP, "gcp": {**FEDERATED, "cluster": "c", "location": "l"}}, "gcp: needs either audience, or"),
        ({**AWS, "source": "azure"}, "source: "),
        ({**AWS, "replicas": 0}, "replicas: "),
        ({**AWS, "token": "x"}, "token: there is no such setting"),
    ],
)
def test_wrong_arguments_are_refused_with_the_path_and_what_is_allowed(args, said):
    with pytest.raises(InvalidArgs) as refused:
        SecretsOperatorArgs.of(args)
    assert said in str(refused.value)
