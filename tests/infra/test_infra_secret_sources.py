"""Secrets from elsewhere on AWS: each is read from the store that has it."""

from typing import Any

import pytest
from infra_settings import SAMPLES, stack_settings
from infra_workloads import MASTER_ARN, cloud_args, documents, named, of_kind

from langgraph_components.agent_workload import AgentWorkload
from langgraph_components.errors import InvalidArgs
from langgraph_components.platform import Platform

IMAGE = f"registry.example/agent@sha256:{'3f1a' * 16}"
SOURCES = {
    "vault": {"source": "vault", "vault": SAMPLES["secrets.vault"]},
    "gcp": {"source": "gcp", "gcp": SAMPLES["secrets.gcp"]},
}
AWS_KEEPS = {"agent-server-master", "agent-server-redis", "agent-server-database", "agent-server-application"}
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"


@pytest.fixture(scope="module")
def stack(request):
    """The stack `prod` with alternating roles and other settings, once for each of these."""
    made: dict[str, Any] = {}

    def of(graph, name, **changes):
        if name not in made:
            settings = stack_settings(
                "prod",
                {
                    "image": {"reference": IMAGE},
                    "database.credentials": "secret",
                    "environment_secrets.API_KEY_PEPPER": "agents/pepper",
                    "monitoring.grafana_admin_remote": "agents/grafana",
                    **changes,
                },
            )
            made[name] = graph(lambda: Platform("langgraph", settings))
        return made[name]

    return of


@pytest.fixture(params=SOURCES)
def elsewhere(request, graph, stack):
    """Everything on, secrets from a source that is not AWS."""
    return stack(graph, request.param, secrets=SOURCES[request.param])


def stores_of(recording) -> dict[str, str]:
    """By ExternalSecret: the store that it names."""
    return {
        each["metadata"]["name"]: each["spec"]["secretStoreRef"]["name"]
        for each in of_kind(documents_of(recording), "ExternalSecret")
    }


def documents_of(recording):
    return [each for each in documents(recording) if "kind" in each]


def test_what_aws_keeps_is_read_from_aws_and_all_else_from_the_source(elsewhere):
    told = stores_of(elsewhere)
    assert set(told) >= AWS_KEEPS | {"agent-server-env", "grafana-admin"}
    assert {name: told[name] for name in AWS_KEEPS} == dict.fromkeys(AWS_KEEPS, "langgraph-aws")
    assert set(told.values()) == {"langgraph", "langgraph-aws"}
    assert {name for name in told if told[name] == "langgraph"} == set(told) - AWS_KEEPS


def test_every_store_that_is_named_is_made_and_serves_whoever_names_it(elsewhere):
    found = documents_of(elsewhere)
    admitted = {
        each["metadata"]["name"]: set(each["spec"]["conditions"][0]["namespaces"])
        for each in of_kind(found, "ClusterSecretStore")
    }
    users = of_kind(found, "ExternalSecret")
    assert set(admitted) == {each["spec"]["secretStoreRef"]["name"] for each in users}
    for each in users:
        assert each["metadata"]["namespace"] in admitted[each["spec"]["secretStoreRef"]["name"]]


def test_the_operator_may_read_in_aws_what_aws_keeps_and_no_more(elsewhere):
    policy = elsewhere.named("langgraph-secrets-policy", ROLE_POLICY).inputs["policy"]
    for part in ("langgraph-database-application", "langgraph-cache-login"):
        assert part in policy
    for elsewhere_kept in ("langgraph/openai", "agents/pepper", "agents/grafana"):
        assert elsewhere_kept not in policy


def test_keys_of_the_source_are_as_they_are_there(elsewhere):
    secret = named(documents_of(elsewhere), "ExternalSecret", "agent-server-env")
    keys = {each["secretKey"]: each["remoteRef"]["key"] for each in secret["spec"]["data"]}
    assert keys["API_KEY_PEPPER"] == "agents/pepper"
    assert keys["OPENAI_API_KEY"] == "langgraph/openai"


def test_with_aws_as_the_source_there_is_one_store_for_all(graph, stack):
    found = stack(graph, "aws")
    assert set(stores_of(found).values()) == {"langgraph"}
    assert len(of_kind(documents_of(found), "ClusterSecretStore")) == 1
    policy = found.named("langgraph-secrets-policy", ROLE_POLICY).inputs["policy"]
    assert "secret:agents/pepper-??????" in policy


def test_stores_that_are_there_are_named_as_they_are(graph, stack):
    found = stack(
        graph,
        "existing",
        secrets={"source": "vault", "existing_store": "company", "existing_aws_store": "company-aws"},
    )
    told = stores_of(found)
    assert {told[name] for name in AWS_KEEPS} == {"company-aws"}
    assert {told[name] for name in set(told) - AWS_KEEPS} == {"company"}
    assert of_kind(documents_of(found), "ClusterSecretStore") == []


# One secret's own store


def workload(graph, **changes: Any):
    return documents(graph(lambda: AgentWorkload("agent", cloud_args(**changes))))  # pyright: ignore[reportArgumentType]  # a dict works like the model


def test_a_secret_with_a_store_of_its_own_is_read_there_and_its_neighbours_are_not(graph):
    master = {"remote": {"username": MASTER_ARN, "password": MASTER_ARN}, "store": "kept"}
    found = workload(graph, master_secret=master)
    told = {
        each["metadata"]["name"]: each["spec"]["secretStoreRef"]["name"]
        for each in of_kind(found, "ExternalSecret")
    }
    assert told.pop("agent-server-master") == "kept"
    assert set(told.values()) == {"aws"}


def test_where_each_secret_has_its_store_the_workload_needs_none(graph):
    own = {"remote": {"A": "a"}, "store": "kept"}
    found = workload(graph, secret_store=None, master_secret=own, environment_secrets={"env": own})
    assert len(of_kind(found, "ExternalSecret")) == 2


def test_a_store_for_what_is_in_no_store_is_refused(graph):
    wrong = {"env": {"existing": "mine", "store": "kept"}}
    with pytest.raises(InvalidArgs, match="store: is for login, remote and templates"):
        workload(graph, environment_secrets=wrong)


def test_a_secret_that_is_a_map_gives_one_value_of_it(graph, stack):
    keys = {"environment_secrets.API_KEY_PEPPER": "agents/server#pepper"}
    found = stack(graph, "a map", secrets=SOURCES["vault"], **keys)
    secret = named(documents_of(found), "ExternalSecret", "agent-server-env")
    told = {each["secretKey"]: each["remoteRef"] for each in secret["spec"]["data"]}
    assert told["API_KEY_PEPPER"] == {"key": "agents/server", "property": "pepper"}
    assert told["OPENAI_API_KEY"] == {"key": "langgraph/openai"}


def test_of_a_map_in_aws_the_whole_secret_is_readable(graph, stack):
    found = stack(graph, "an aws map", **{"environment_secrets.OPENAI_API_KEY": "agents/models#openai"})
    policy = found.named("langgraph-secrets-policy", ROLE_POLICY).inputs["policy"]
    assert "secret:agents/models-??????" in policy
    assert "#openai" not in policy
